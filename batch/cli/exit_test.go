package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"friendsweep/input"
	"friendsweep/reports/journal"
)

// TestExitCode: the code of each kind of error, also of several at once and of one with words before it.
func TestExitCode(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{refuse("no"), exitUsage},
		{&journal.Damage{}, exitUsage},
		{fmt.Errorf("opening: %w", journal.ErrHeld), exitHeld},
		{fmt.Errorf("reading: %w", input.ErrChanged), exitStopped},
		{&input.Error{File: "p.csv", Reason: "no header"}, exitInput},
		{interrupted(syscall.SIGTERM), 143},
		{errors.Join(refuse("no"), interrupted(syscall.SIGINT)), 130},
		{io.ErrUnexpectedEOF, exitStopped},
	} {
		if got := exitCode(test.err); got != test.want {
			t.Errorf("%v: got %d, want %d", test.err, got, test.want)
		}
	}
}

// TestComplaints: what is wrong and what can be done about it, in one object for all of it and one line of the log for each.
func TestComplaints(t *testing.T) {
	for _, test := range []struct {
		err        error
		what, hint string
		lines      int
	}{
		{errors.New("it broke"), "it broke", "", 1},
		{errors.New("it broke\nmend it"), "it broke", "mend it", 1},
		{errors.Join(errors.New("it broke\nmend it"), errors.New("it is lost")), "it broke; it is lost", "mend it", 2},
		{errors.Join(errors.New("it broke\nmend it"), errors.New("it is lost\nlook for it")), "it broke; it is lost", "mend it\nlook for it", 2},
	} {
		var out, screen strings.Builder
		a := newApp(nil, strings.NewReader(""), &out, &screen)
		a.out.LogFormat = "json"
		a.setLog()
		a.json = true
		a.settle(t.Context(), test.err)
		var got struct {
			ExitCode    int `json:"exit_code"`
			Error, Hint string
		}
		if err := json.Unmarshal([]byte(out.String()), &got); err != nil || got.ExitCode != exitStopped || got.Error != test.what || got.Hint != test.hint {
			t.Errorf("%q: got %+v, error %v; want %q and %q", test.err, got, err, test.what, test.hint)
		}
		if lines := strings.Count(screen.String(), "\n"); lines != test.lines {
			t.Errorf("%q: got the log %q, want %d lines", test.err, screen.String(), test.lines)
		}
		if has := strings.Contains(screen.String(), `"hint"`); has != (test.hint != "") {
			t.Errorf("%q: got the log %q, want a hint: %v", test.err, screen.String(), test.hint != "")
		}
	}
}

// TestSettle: a command that ended because its context did ended by the signal; one that only says so did not.
func TestSettle(t *testing.T) {
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(interrupted(syscall.SIGHUP))
	for _, test := range []struct {
		ctx  context.Context
		err  error
		want int
	}{
		{ended, context.Canceled, 129},
		{ended, fmt.Errorf("reading: %w", context.Canceled), 129},
		{ended, nil, exitDone},
		{ended, refuse("no"), exitUsage},
		{t.Context(), context.Canceled, exitStopped},
	} {
		a := newApp(nil, strings.NewReader(""), io.Discard, io.Discard)
		a.setLog()
		if a.settle(test.ctx, test.err); a.code != test.want {
			t.Errorf("%v, %v: got exit code %d, want %d", context.Cause(test.ctx), test.err, a.code, test.want)
		}
	}
}

// TestWithoutJournal: whose name the report has, if somebody gives the name of its journal, or that of one that was moved aside.
func TestWithoutJournal(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{"r.csv.journal", "r.csv.journal.1", "odd.journal.csv.journal"} {
		if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"r.csv": "r.csv", "r.csv.journal": "r.csv", "r.csv.1": "r.csv.1", "r.csv.journal.1": "r.csv.1", "odd.journal.csv": "odd.journal.csv",
		"none.csv": "none.csv", "none.csv.journal": "none.csv", "x.journal/r.csv": "x.journal/r.csv",
	} {
		if got := journal.ReportOf(filepath.Join(dir, name)); got != filepath.Join(dir, want) {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
