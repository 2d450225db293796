package fates

import (
	"friendsweep/input"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/outcome"
)

// Few tells the fate of a few rows of a job by the same rule as [Fates], from one pass over the journal and without
// temporary files. First Apply is told the whole journal, then Repeat what the input knows of these rows. It is for one
// goroutine.
type Few struct {
	call *outcome.Call
	rows map[int64]*fewRow
}

// fewRow has room for the text that counts and for the one that may come to count.
type fewRow struct {
	cell
	texts [2]string
}

// NewFew is for the rows at these lines of a job of the call.
func NewFew(call *outcome.Call, lines ...int64) *Few {
	f := &Few{call: call, rows: make(map[int64]*fewRow)}
	for _, line := range lines {
		f.rows[line] = new(fewRow)
	}
	return f
}

// Apply is for [journal.Reader].
func (f *Few) Apply(rows outcome.Rows, d *journal.Change) error {
	for line, r := range f.rows {
		if rows.Has(line) {
			r.apply(f.call, d)
		}
	}
	return nil
}

func (r *fewRow) apply(call *outcome.Call, d *journal.Change) {
	text := int32(0)
	if len(d.Info) > 0 {
		text = 1 + r.cell.text%2 // the place that is free
		r.texts[text-1] = d.Info
	}
	r.cell.apply(call, d, text)
}

// Repeat says that one of the rows repeats another of them. Call it in the order of the lines: the other may repeat a third.
func (f *Few) Repeat(r input.Repeat) {
	f.rows[r.Line].repeats(f.call, f.rows[r.First].forwarded(r.First, r.Mirror), r.Mirror)
}

// Fate is that of the row at line, one of those that NewFew was given.
func (f *Few) Fate(line int64) Fate {
	r := f.rows[line]
	fate, _ := r.fate(f.call, r.textOf) // which never fails
	return fate
}

func (r *fewRow) textOf(number int32) (string, error) {
	if number == 0 {
		return "", nil
	}
	return r.texts[number-1], nil
}
