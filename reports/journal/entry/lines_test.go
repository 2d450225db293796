package entry

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"friendsweep/reports/journal/outcome"
)

func expand(all outcome.Rows) []int64 {
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
		text := strings.TrimSuffix(strings.TrimPrefix(string(appendLines(nil, outcome.RowsAt(want...))), `,"lines":"`), `"`)
		parsed, err := parseLines(nil, []byte(text), last)
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
	if want := (outcome.Rows{{Lo: 2, Hi: 5}, {Lo: 7, Hi: 7}}); err != nil || !slices.Equal(got, want) {
		t.Errorf("neighbours: got %v, %v, want %v", got, err, want)
	}
}
