package journal

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"friendsweep/reports/journal/outcome"
)

// rowCheck checks that results speak of every row of a request, and of none twice. It owns its memory only.
type rowCheck struct {
	starts []int64 // how many rows of the request come before its ith stretch
	marks  []uint64
}

var (
	errForeign = errors.New("it answers for a row that its request did not carry")
	errTwice   = errors.New("it answers twice for a row")
	errMissing = errors.New("it does not answer for every row of its request")
)

func (c *rowCheck) check(sent outcome.Rows, results []outcome.Result) error {
	c.starts = c.starts[:0]
	total := int64(0)
	for _, s := range sent {
		c.starts = append(c.starts, total)
		total += s.Count()
	}
	c.marks = append(c.marks[:0], make([]uint64, total/64+1)...)
	marked := int64(0)
	for i := range results {
		for _, s := range results[i].Rows {
			if err := c.mark(sent, s); err != nil {
				return err
			}
			marked += s.Count()
		}
	}
	if marked != total {
		return errMissing
	}
	return nil
}

func (c *rowCheck) mark(sent outcome.Rows, s outcome.Stretch) error {
	i, ok := slices.BinarySearchFunc(sent, s.Lo, func(have outcome.Stretch, line int64) int { return cmp.Compare(have.Hi, line) })
	if !ok && i == len(sent) || s.Lo < sent[i].Lo || s.Hi > sent[i].Hi {
		return errForeign
	}
	first := c.starts[i] + s.Lo - sent[i].Lo
	for n := first; n < first+s.Count(); n++ {
		if c.marks[n/64]&(1<<(n%64)) != 0 {
			return errTwice
		}
		c.marks[n/64] |= 1 << (n % 64)
	}
	return nil
}

// checked refuses results that [entry.Parser] or [rowCheck] would not read back: better to stop than to write a journal that
// nobody can use. rows is how many the request has; -1 for a decision, where every result must name its own.
func (j *Journal) checked(results []outcome.Result, rows int) ([]outcome.Result, error) {
	named, copied := int64(0), false
	for i := range results {
		r := &results[i]
		if !j.call.Sound(r) {
			return nil, fmt.Errorf("recording a result: %s with code %d cannot be", j.call.Word(r.Outcome), r.Code.Number)
		}
		if r.Rows == nil && rows >= 0 && len(results) == 1 {
			return results, nil
		}
		if !ascend(r.Rows) {
			if !copied {
				results, copied = slices.Clone(results), true
			}
			results[i].Rows = slices.SortedFunc(slices.Values(r.Rows), func(a, b outcome.Stretch) int { return cmp.Compare(a.Lo, b.Lo) })
		}
		if !ascend(results[i].Rows) {
			return nil, errors.New("recording a result: its lines are not rows of one request")
		}
		named += r.Rows.Count()
	}
	if named != int64(rows) && rows >= 0 {
		return nil, fmt.Errorf("recording an answer: it speaks of %d of %d rows", named, rows)
	}
	return results, nil
}

// ascend reports whether these are rows, at least one, in strictly ascending order.
func ascend(rows outcome.Rows) bool {
	last := int64(1)
	for _, s := range rows {
		if s.Lo <= last || s.Hi < s.Lo {
			return false
		}
		last = s.Hi
	}
	return len(rows) > 0
}

// ascending is the rows at these lines in ascending order, which is the one order a journal has. They are good until the next.
func (j *Journal) ascending(lines []int64) (outcome.Rows, error) {
	if !ascends(lines) {
		j.sorted = append(j.sorted[:0], lines...)
		slices.Sort(j.sorted)
		lines = j.sorted
	}
	if !ascends(lines) {
		return nil, errors.New("recording a request: its lines are not different rows")
	}
	j.rows = j.rows[:0]
	for _, line := range lines {
		j.rows = j.rows.Add(line)
	}
	return j.rows, nil
}

// ascends reports whether lines are rows, at least one, in strictly ascending order.
func ascends(lines []int64) bool {
	last := int64(1)
	for _, line := range lines {
		if line <= last {
			return false
		}
		last = line
	}
	return len(lines) > 0
}
