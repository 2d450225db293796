package reports

import (
	"os"
	"path/filepath"
	"testing"

	"friendsweep/reports/journal/entry"
)

func TestResumeCommand(t *testing.T) {
	next := Next{
		Call: "delete", Input: "/srv/it's.csv", Report: "/srv/my report.csv", Retry: true,
		Flags: entry.Flags{"identifier": entry.Text("a b"), "rate": entry.Text("200"), "workers": entry.Text("8"), "yes": true,
			"json": false, "overwrite": true, "report": entry.Text("x"), "region": entry.Text("china"), "limit": entry.Text("5"),
			"from-column": entry.Text("true")},
	}
	next.Defaults.Here = entry.Flags{"rate": entry.Text("200"), "yes": false, "json": false, "overwrite": false}
	next.Defaults.Bare = next.Defaults.Here
	want := `friendsweep delete --resume --retry-failed --from-column=true --identifier='a b' --region=china --workers=8 --yes ` +
		`--report='/srv/my report.csv' '/srv/it'\''s.csv'`
	if got := next.Resume(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if next.Flags["limit"] != entry.Text("5") || next.Flags["overwrite"] != true {
		t.Error("the flags of the caller were changed")
	}
}

// TestResumeCommandHasWholePaths: it is pasted wherever somebody is.
func TestResumeCommandHasWholePaths(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	want := "friendsweep check --resume --report=" + filepath.Join(here, "r.csv") + " " + filepath.Join(here, "-p.csv")
	if got := (Next{Call: "check", Input: "-p.csv", Report: "r.csv"}).Resume(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := (Next{Call: "check", Input: "-", Report: "/r.csv"}).Resume(), "friendsweep check --resume --report=/r.csv -"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestCanRetry: only a call whose command has the flag can send refused rows again, on or off.
func TestCanRetry(t *testing.T) {
	for _, c := range []struct {
		flags entry.Flags
		want  bool
	}{{nil, false}, {entry.Flags{"resume": true}, false}, {entry.Flags{"retry-failed": false}, true}, {entry.Flags{"retry-failed": true}, true}} {
		if got := (Next{Flags: c.flags}).CanRetry(); got != c.want {
			t.Errorf("%v: got %v, want %v", c.flags, got, c.want)
		}
	}
}
