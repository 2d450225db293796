package input

import (
	"cmp"
	"maps"
	"slices"
)

// OtherReasons counts, in [Input.InvalidReasons], the records with the reasons that are not among the commonest.
const OtherReasons = "other reasons"

const (
	mostReasons    = 20   // that are told apart in the end
	countedReasons = 1000 // that are counted on the way: a length or a number of fields makes a reason of its own
)

// reasons counts the invalid records by what is wrong with them, and does not grow with the input.
type reasons map[string]int64

func (r reasons) add(reason string) {
	if _, known := r[reason]; !known && len(r) >= countedReasons {
		reason = OtherReasons
	}
	r[reason]++
}

// commonest keeps the commonest reasons, and counts the others together.
func (r reasons) commonest() map[string]int64 {
	list := slices.SortedFunc(maps.Keys(r), func(a, b string) int {
		return cmp.Or(cmp.Compare(r[b], r[a]), cmp.Compare(a, b))
	})
	kept := map[string]int64{}
	for i, reason := range list {
		if i >= mostReasons {
			kept[OtherReasons] += r[reason]
		} else {
			kept[reason] += r[reason]
		}
	}
	return kept
}
