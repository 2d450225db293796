package journal

import (
	"cmp"
	"errors"
	"friendsweep/reports/journal/outcome"
	"slices"
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
