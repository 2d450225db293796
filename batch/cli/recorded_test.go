package cli

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"friendsweep/reports"
	"friendsweep/reports/journal/entry"
)

// parse is what recorded makes of a command line.
func parse(t *testing.T, args ...string) entry.Flags {
	t.Helper()
	answered := false
	a := newApp(nil, strings.NewReader(""), io.Discard, io.Discard)
	a.ctx = context.Background()
	parser, err := a.newParser(&commands{}, io.Discard, &answered, kong.DefaultEnvars(envPrefix))
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := parser.Parse(args)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return recorded(chosen)
}

// TestRecorded: switches are bools, all else is text, files are whole paths, and what has no value is left out.
func TestRecorded(t *testing.T) {
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	got := parse(t, "delete", "--from-column", "true", "--to-column=false", "--identifier", "no", "--yes", "--limit", "7", "--max-duration", "90m",
		"--report", "r.csv", "--max-failures", "5%", "--rate", "0.5", "p.csv")
	text := func(s string) any { return entry.Text(s) }
	want := entry.Flags{
		"from-column": text("true"), "to-column": text("false"), "identifier": text("no"), "yes": true, "limit": text("7"), "max-duration": text("1h30m0s"),
		"report": text(here + "/r.csv"), "max-failures": text("5%"), "rate": text("0.5"),
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: got %#v, want %#v", name, got[name], value)
		}
	}
	if got["resume"] != false {
		t.Errorf("a switch that is off: got %#v, want false", got["resume"])
	}
	for _, name := range []string{"region", "max-rows", "failures", "help", "version"} {
		if value, ok := got[name]; ok {
			t.Errorf("%s has no value: got %#v, want it left out", name, value)
		}
	}
}

// TestArguments: what recorded keeps, spelled as arguments and parsed again in another environment, is the same.
func TestArguments(t *testing.T) {
	lines := [][]string{
		{"--sandbox"},
		{"--from-column", "true", "--to-column", "false", "--identifier", "false"},
		{"--from-column=--yes", "--to-column", "a b'c\n", "--note", "x=y --z"},
		{"--chunk-size", "1000", "--rate", "200", "--delete-type", "single", "--max-failures", "50%"},
		{"--chunk-size", "7", "--yes=false", "--resume", "--report=-r.csv", "--timeout", "1m30s", "--quiet"},
		{"--row-rate", "1000", "--max-invalid", "100%", "--delete-type", "both", "--workers", "3"},
	}
	environments := []map[string]string{
		{},
		{"FRIENDSWEEP_CHUNK_SIZE": "5", "FRIENDSWEEP_RATE": "1", "FRIENDSWEEP_DELETE_TYPE": "both", "FRIENDSWEEP_IDENTIFIER": "boss"},
		{"FRIENDSWEEP_REGION": "tokyo", "FRIENDSWEEP_NOTE": "n", "FRIENDSWEEP_FAILURES": "f.csv", "FRIENDSWEEP_FROM_COLUMN": "x"},
		{"FRIENDSWEEP_YES": "true", "FRIENDSWEEP_RESUME": "yes", "FRIENDSWEEP_QUIET": "1", "FRIENDSWEEP_MAX_FAILURES": "9"},
	}
	for _, line := range lines {
		flags := parse(t, append(append([]string{"delete"}, line...), "p.csv")...)
		for _, environment := range environments {
			t.Run("", func(t *testing.T) {
				for name, value := range environment {
					t.Setenv(name, value)
				}
				a := newApp(nil, strings.NewReader(""), io.Discard, io.Discard)
				args := reports.Arguments(flags, a.unasked("delete"))
				got := parse(t, append(append([]string{"delete"}, args...), "p.csv")...)
				if diff := cmp.Diff(got, flags); diff != "" {
					t.Errorf("%q became %q in %v: got (-), want (+)\n%s", line, args, environment, diff)
				}
				here := parse(t, append(append([]string{"delete"}, line...), "p.csv")...)
				args = reports.Arguments(here, a.unasked("delete"))
				for name := range environment {
					os.Unsetenv(name)
				}
				got = parse(t, append(append([]string{"delete"}, args...), "p.csv")...)
				if diff := cmp.Diff(got, here); diff != "" {
					t.Errorf("%q in %v became %q elsewhere: got (-), want (+)\n%s", line, environment, args, diff)
				}
			})
		}
	}
}

// TestContinuing: the command for the person who interrupts twice is the same job with --resume, wherever it is pasted.
func TestContinuing(t *testing.T) {
	dir := t.TempDir()
	for _, environment := range []map[string]string{
		{},
		{"FRIENDSWEEP_OVERWRITE": "true", "FRIENDSWEEP_REPORT": "other.csv", "FRIENDSWEEP_LIMIT": "5"},
		{"FRIENDSWEEP_RESUME": "true", "FRIENDSWEEP_RETRY_FAILED": "true", "FRIENDSWEEP_REGION": "tokyo"},
	} {
		t.Run("", func(t *testing.T) {
			for name, value := range environment {
				t.Setenv(name, value)
			}
			a := newApp(nil, strings.NewReader(""), io.Discard, io.Discard)
			a.flags = parse(t, "delete", "--region=", "--sandbox", "--chunk-size", "7", "--from-column", "true", "p.csv")
			report, pairs := filepath.Join(dir, "r.csv"), filepath.Join(dir, "p q.csv")
			command := reports.Next{Call: "delete", Input: pairs, Report: report, Flags: a.flags, Defaults: a.unasked("delete")}.Resume()
			words, err := exec.Command("sh", "-c", "printf '%s\\0' "+command).Output()
			if err != nil {
				t.Fatal(err)
			}
			args := strings.Split(strings.TrimSuffix(string(words), "\x00"), "\x00")
			want := a.flags
			want["resume"], want["report"], want["overwrite"], want["retry-failed"] = true, entry.Text(report), false, false
			got := parse(t, args[1:]...)
			delete(got, "limit") // what the environment says of a canary is for whoever has set it
			delete(want, "limit")
			if diff := cmp.Diff(got, want); diff != "" || args[len(args)-1] != pairs {
				t.Errorf("%s: got (-), want (+)\n%s", command, diff)
			}
		})
	}
}

// TestArgumentsAreFew: what is so in any case is not named; what a variable says is not so everywhere.
func TestArgumentsAreFew(t *testing.T) {
	t.Setenv("FRIENDSWEEP_REGION", "tokyo")
	a := newApp(nil, strings.NewReader(""), io.Discard, io.Discard)
	flags := parse(t, "delete", "--region", "tokyo", "--chunk-size", "1000", "--from-column", "true", "--yes", "p.csv")
	got := reports.Arguments(flags, a.unasked("delete"))
	if diff := cmp.Diff(got, []string{"--from-column=true", "--region=tokyo", "--yes"}); diff != "" {
		t.Errorf("got (-), want (+)\n%s", diff)
	}
	t.Setenv("FRIENDSWEEP_RATE", "fast")
	if got := a.unasked("delete").Here; got != nil {
		t.Errorf("in an environment that is refused itself: got %v, want nothing to be left out", got)
	}
}
