package reports

import (
	"os"
	"path/filepath"
	"slices"
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

// TestResumeCommandAgainstTheEnvironment: what the variables of the shell say must not come on top of what the run was told.
func TestResumeCommandAgainstTheEnvironment(t *testing.T) {
	bare := entry.Flags{"overwrite": false, "retry-failed": false}
	next := Next{Call: "delete", Input: "/i.csv", Report: "/r.csv", Defaults: Defaults{Bare: bare,
		Here: entry.Flags{"overwrite": true, "retry-failed": true, "limit": entry.Text("5"), "report": entry.Text("/x.csv"), "resume": true}}}
	if got, want := next.Resume(), "friendsweep delete --resume --overwrite=false --retry-failed=false --report=/r.csv /i.csv"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	next.Retry = true
	if got, want := next.Resume(), "friendsweep delete --resume --retry-failed --overwrite=false --report=/r.csv /i.csv"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestArguments: they mean the same where the variables are set and where they are not.
func TestArguments(t *testing.T) {
	text := func(s string) entry.Text { return entry.Text(s) }
	for _, c := range []struct {
		name              string
		flags, here, bare entry.Flags
		want              []string
	}{
		{"nothing", nil, nil, nil, nil},
		{"a switch that is on", entry.Flags{"json": true}, nil, nil, []string{"--json"}},
		{"a switch that is off, as ever", entry.Flags{"json": false}, nil, nil, nil},
		{"a switch that is off, on here", entry.Flags{"json": false}, entry.Flags{"json": true}, entry.Flags{"json": false}, []string{"--json=false"}},
		{"a switch that only the variables set", entry.Flags{}, entry.Flags{"json": true}, entry.Flags{"json": false}, nil},
		{"a default everywhere", entry.Flags{"rate": text("200")}, entry.Flags{"rate": text("200")}, entry.Flags{"rate": text("200")}, nil},
		{"a default here alone", entry.Flags{"rate": text("50")}, entry.Flags{"rate": text("50")}, entry.Flags{"rate": text("200")}, []string{"--rate=50"}},
		{"a default in a bare environment alone", entry.Flags{"rate": text("200")}, entry.Flags{"rate": text("50")}, entry.Flags{"rate": text("200")}, []string{"--rate=200"}},
		{"a text that only the variables set", entry.Flags{}, entry.Flags{"note": text("x")}, nil, []string{"--note="}},
		{"numbers that only the variables set", entry.Flags{}, entry.Flags{"max-rows": text("5"), "max-duration": text("1h"), "limit": text("2")}, nil, nil},
	} {
		if got := Arguments(c.flags, Defaults{Here: c.here, Bare: c.bare}); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
