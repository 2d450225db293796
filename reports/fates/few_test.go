package fates

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"friendsweep/input"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/journaltest"
)

// chain is the repeat that the row at line is, behind the repeat that its first is.
func (m *saga) chain(line int64) (chain []input.Repeat) {
	for r, ok := m.repeats[line]; ok; r, ok = m.repeats[r.First] {
		chain = append(chain, r)
	}
	slices.Reverse(chain)
	return chain
}

func TestFewAreThoseOfFates(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		m, j := playOut(t, dir)
		defer j.Close()
		f, err := New(context.Background(), j, Options{Job: m.job(modelLast), Repeats: m.repeatSeq(), Dir: dir, sizes: smallSizes})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for _, line := range m.rows {
			want, err := f.Next(line)
			if err != nil {
				t.Fatal(err)
			}
			lines := []int64{line}
			for _, r := range m.chain(line) {
				lines = append(lines, r.First)
			}
			few := NewFew(journaltest.Call, lines...)
			if _, err := j.Follow(context.Background(), journal.Reader{Apply: few.Apply}); err != nil {
				t.Fatal(err)
			}
			for _, r := range m.chain(line) {
				few.Repeat(r)
			}
			if diff := cmp.Diff(few.Fate(line), want); diff != "" {
				t.Errorf("line %d: got -, want +\n%s", line, diff)
			}
		}
	})
}
