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
