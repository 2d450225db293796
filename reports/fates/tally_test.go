package fates

import (
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTallyIsBounded: what is new beyond the bound is counted together, and what is known goes on to be counted by itself.
func TestTallyIsBounded(t *testing.T) {
	var tally Tally
	for code := range mostCodes {
		tally.CountCode(code, 2)
	}
	for reason := range mostReasons {
		tally.CountReason(strconv.Itoa(reason))
	}
	if len(tally.Codes) != mostCodes || tally.OtherCodes != 0 || len(tally.Reasons) != mostReasons || tally.OtherReasons != 0 {
		t.Errorf("at the bounds: got %d codes and %d others, %d reasons and %d others, want no others", len(tally.Codes), tally.OtherCodes, len(tally.Reasons), tally.OtherReasons)
	}
	tally.CountCode(mostCodes, 3)
	tally.CountCode(mostCodes+1, 4)
	tally.CountCode(7, 5)
	for _, reason := range []string{"new", "newer", "new", "7", "8", "7"} {
		tally.CountReason(reason)
	}
	if len(tally.Codes) != mostCodes || tally.OtherCodes != 7 || tally.Codes[7] != 7 || tally.Codes[8] != 2 {
		t.Errorf("got %d codes, %d others, %d of 7 and %d of 8, want %d, 7, 7 and 2", len(tally.Codes), tally.OtherCodes, tally.Codes[7], tally.Codes[8], mostCodes)
	}
	if len(tally.Reasons) != mostReasons || tally.OtherReasons != 3 || tally.Reasons["7"] != 3 || tally.Reasons["8"] != 2 {
		t.Errorf("got %d reasons, %d others, %d of 7 and %d of 8, want %d, 3, 3 and 2", len(tally.Reasons), tally.OtherReasons, tally.Reasons["7"], tally.Reasons["8"], mostReasons)
	}
}

// TestTallyOfNothing: a zero one counts, too.
func TestTallyOfNothing(t *testing.T) {
	var tally Tally
	tally.CountCode(0, 1)
	tally.CountCode(0, 2)
	tally.CountReason("why")
	tally.CountReason("why")
	want := Tally{Codes: map[int]int64{0: 3}, Reasons: map[string]int64{"why": 2}}
	if diff := cmp.Diff(tally, want); diff != "" {
		t.Errorf("got -, want +\n%s", diff)
	}
}

// TestCommonest: those that count most, of equals the first by its name, and all others together.
func TestCommonest(t *testing.T) {
	counts := map[string]int64{"a": 3, "b": 5, "c": 3, "d": 1, "e": 7}
	for n, want := range map[int]struct {
		top   []string
		other int64
	}{
		0: {nil, 19}, 1: {[]string{"e"}, 12}, 3: {[]string{"e", "b", "a"}, 4}, 4: {[]string{"e", "b", "a", "c"}, 1},
		5: {[]string{"e", "b", "a", "c", "d"}, 0}, 6: {[]string{"e", "b", "a", "c", "d"}, 0},
	} {
		if top, other := Commonest(counts, n); !slices.Equal(top, want.top) || other != want.other {
			t.Errorf("%d of %v: got %q and %d, want %q and %d", n, counts, top, other, want.top, want.other)
		}
	}
}
