package fates

import (
	"cmp"
	"maps"
	"slices"

	"friendsweep/reports/journal/outcome"
)

// Tally counts the rows of a whole job by what became of them.
type Tally struct {
	Rows     int64 // records of the input
	Success  int64
	Failure  int64
	Presumed int64 // by [outcome.Call.Presumed]
	Outcomes [outcome.Outcomes]int64
	Codes    map[int]int64    // rows by result_code; rows without a code are in none
	Reasons  map[string]int64 // failed rows without a code by their result_info, but for duplicates
	// What is new beyond the bounds below is counted together: no server can make a tally grow.
	OtherCodes, OtherReasons int64
}

// Bounds of what is counted one by one; the API has some sixty codes, and few reasons. Of these the commonest are shown.
const (
	mostCodes    = 10_000
	mostReasons  = 1000
	ShownCodes   = 100
	ShownReasons = 10
)

// CountCode adds rows with a code.
func (t *Tally) CountCode(code int, rows int64) {
	if _, known := t.Codes[code]; !known && len(t.Codes) >= mostCodes {
		t.OtherCodes += rows
		return
	}
	if t.Codes == nil {
		t.Codes = map[int]int64{}
	}
	t.Codes[code] += rows
}

// CountReason adds a failed row without a code.
func (t *Tally) CountReason(reason string) {
	if _, known := t.Reasons[reason]; !known && len(t.Reasons) >= mostReasons {
		t.OtherReasons++
		return
	}
	if t.Reasons == nil {
		t.Reasons = map[string]int64{}
	}
	t.Reasons[reason]++
}

// Commonest are the n keys that count most, and what all others count together.
func Commonest[T cmp.Ordered](counts map[T]int64, n int) (top []T, other int64) {
	top = slices.SortedFunc(maps.Keys(counts), func(a, b T) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for _, key := range top[min(n, len(top)):] {
		other += counts[key]
	}
	return top[:min(n, len(top))], other
}
