package outcome

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestBits(t *testing.T) {
	b := NewBits(200)
	for _, line := range []int64{1, 63, 64, 200} {
		b.Set(line)
		b.SetAtomic(line)
	}
	b.Clear(64)
	var got []int64
	for line := int64(-1); line < 1000; line++ {
		if b.Has(line) != b.HasAtomic(line) {
			t.Errorf("line %d: Has and HasAtomic disagree", line)
		}
		if b.Has(line) {
			got = append(got, line)
		}
	}
	if want := []int64{1, 63, 200}; !slices.Equal(got, want) || b.Count() != 3 {
		t.Errorf("got %v, count %d, want %v", got, b.Count(), want)
	}
}

// TestBitsOfALongInput: a set has its rows wherever they are, also beside stretches that hold none, and none outside the input.
func TestBitsOfALongInput(t *testing.T) {
	const last = 5*pageLines - 1
	lines := []int64{1, pageLines - 1, pageLines, 3*pageLines + 7, last}
	b, more, both := NewBits(last), NewBits(last), NewBits(last)
	for i, line := range lines {
		both.Set(line)
		if i%2 == 0 {
			b.SetAtomic(line)
		} else {
			more.SetAtomic(line)
		}
	}
	more.Set(lines[0])
	b.AddAll(more)
	for _, line := range []int64{-1, 0, 2, pageLines - 2, pageLines + 1, 2 * pageLines, 3*pageLines + 6, last - 1, last + 1, last + pageLines} {
		if b.Has(line) || b.HasAtomic(line) {
			t.Errorf("line %d: got it in the set, want it outside", line)
		}
	}
	for _, line := range lines {
		if !b.Has(line) || !b.HasAtomic(line) {
			t.Errorf("line %d: got it outside, want it in the set", line)
		}
	}
	if got, want := b.Count(), both.Count(); got != want || want != int64(len(lines)) || more.Count() != 3 {
		t.Errorf("got %d rows, %d of them added, want %d and 3", got, more.Count(), len(lines))
	}
	b.Clear(last + 1) // not in it
	defer func() {
		if recover() == nil {
			t.Error("setting a line outside: got no panic, want one")
		}
	}()
	b.Set(last + 1)
}

// TestCount: rows are counted, whether stretches or single ones, and every line makes a stretch longer or another one.
func TestCount(t *testing.T) {
	rows := RowsAt(2, 3, 4, 7, 9, 10)
	if want := (Rows{{2, 4}, {7, 7}, {9, 10}}); !slices.Equal(rows, want) || rows.Count() != 6 {
		t.Errorf("got %v, %d rows; want %v, 6 rows", rows, rows.Count(), want)
	}
	if got := RowsAt(); got.Count() != 0 || got.Has(2) {
		t.Errorf("got %d rows at no line, want none", got.Count())
	}
}

func TestHas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfNDistinct(rapid.Int64Range(2, 100), 1, 40, rapid.ID).Draw(t, "lines")
		slices.Sort(lines)
		rows := RowsAt(lines...)
		for line := int64(0); line <= 101; line++ {
			if got, want := rows.Has(line), slices.Contains(lines, line); got != want {
				t.Errorf("%v has %d: got %v, want %v", rows, line, got, want)
			}
		}
	})
}
