package journal

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func expand(all []Stretch) []int64 {
	var lines []int64
	for _, s := range all {
		for line := s.Lo; line <= s.Hi; line++ {
			lines = append(lines, line)
		}
	}
	return lines
}

func drawLines(t *rapid.T, name string, last int64) []int64 {
	lines := rapid.SliceOfNDistinct(rapid.Int64Range(2, last), 1, 40, rapid.ID).Draw(t, name)
	slices.Sort(lines)
	return lines
}

func TestLinesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		last := rapid.SampledFrom([]int64{60, 1000, 1 << 34}).Draw(t, "last")
		want := drawLines(t, "lines", last)
		text := appendLines(nil, want)
		parsed, err := parseLines(nil, text, last)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(expand(parsed), want); diff != "" {
			t.Errorf("%s: got -, want +\n%s", text, diff)
		}
	})
}

func TestLinesAreStrict(t *testing.T) {
	for _, text := range []string{
		"", "1", "0", "-2", "2-", "2-2", "3-2", "2,", ",2", "2,2", "3,2", "2-4,4", "2 3", " 2", "02", "2-04", "101", "2-101",
		"99999999999999999999", "18446744073709551618", "2;3", "2-3-4", "2,,3", "x", "2\n",
	} {
		if got, err := parseLines(nil, []byte(text), 100); err == nil {
			t.Errorf("parseLines(%q): got %v, want an error", text, got)
		}
	}
	got, err := parseLines(nil, []byte("2,3,4-5,7"), 7)
	if want := []Stretch{{2, 5}, {7, 7}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("neighbours: got %v, %v, want %v", got, err, want)
	}
}

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
		lines := drawLines(t, "lines", 100)
		rows, err := parseLines(nil, appendLines(nil, lines), 100)
		if err != nil {
			t.Fatal(err)
		}
		for line := int64(0); line <= 101; line++ {
			if got, want := Has(rows, line), slices.Contains(lines, line); got != want {
				t.Errorf("%v has %d: got %v, want %v", rows, line, got, want)
			}
		}
	})
}
