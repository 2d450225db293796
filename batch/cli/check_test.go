package cli

import (
	"slices"
	"strings"
	"testing"

	"friendsweep/reports"
)

// TestSuccess: which answers are successes.
func TestSuccess(t *testing.T) {
	for _, test := range []struct {
		expect, side, want string
	}{
		{"any", "single", "friends one_way reverse strangers"},
		{"any", "both", "friends one_way reverse strangers"},
		{"friends", "single", "friends"},
		{"friends", "both", "friends"},
		{"gone", "single", "reverse strangers"},
		{"gone", "both", "strangers"},
	} {
		c := checkCommand{Expect: test.expect}
		c.DeleteType = test.side
		if got := c.success(); !slices.Equal(got, strings.Fields(test.want)) {
			t.Errorf("check, %s, %s: got %v, want %s", test.expect, test.side, got, test.want)
		}
	}
	for ignore, want := range map[bool]string{false: "deleted", true: "deleted not_friend"} {
		c := deleteCommand{IgnoreNotFriend: ignore}
		if got := c.success(); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("delete, not_friend ignored %v: got %v, want %s", ignore, got, want)
		}
	}
}

// TestRemark: what a check suggests at its end.
func TestRemark(t *testing.T) {
	const (
		wrong = "Is this the right app"
		list  = "are in left.csv"
		flag  = "With --failures FILE"
	)
	outcomes := func(friends, oneWay, reverse, strangers int64) map[string]int64 {
		return map[string]int64{"friends": friends, "one_way": oneWay, "reverse": reverse, "strangers": strangers, "refused": 1}
	}
	for _, test := range []struct {
		expect, side, failures string
		outcomes               map[string]int64
		want                   string // empty for no remark
	}{
		{"any", "single", "", outcomes(0, 0, 0, 5), wrong},
		{"friends", "single", "", outcomes(0, 0, 0, 5), wrong},
		{"any", "single", "", outcomes(0, 0, 1, 5), ""},
		{"any", "single", "", outcomes(1, 0, 0, 5), ""},
		{"any", "single", "", outcomes(0, 1, 0, 5), ""},
		{"any", "single", "", outcomes(0, 0, 0, 0), ""},
		{"gone", "single", "", outcomes(0, 0, 0, 5), ""},
		{"gone", "single", "left.csv", outcomes(1, 0, 0, 5), list},
		{"gone", "single", "left.csv", outcomes(0, 1, 0, 5), list},
		{"gone", "single", "", outcomes(0, 1, 0, 5), flag},
		{"gone", "single", "", outcomes(2, 2, 0, 5), flag},
		{"gone", "single", "left.csv", outcomes(0, 0, 1, 5), ""},
		{"gone", "both", "left.csv", outcomes(0, 0, 1, 5), list},
		{"gone", "both", "", outcomes(0, 0, 1, 5), flag},
		{"gone", "both", "left.csv", outcomes(0, 0, 0, 5), ""},
		{"friends", "both", "left.csv", outcomes(1, 1, 1, 5), ""},
	} {
		c := checkCommand{Expect: test.expect}
		c.DeleteType, c.Failures = test.side, test.failures
		got := c.remark(&reports.Summary{Outcomes: test.outcomes})
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s, %s, --failures %q, %v: got %q, want %q", test.expect, test.side, test.failures, test.outcomes, got, test.want)
		}
	}
}
