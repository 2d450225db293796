package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"friendsweep/batch"
	"friendsweep/reports/journal"
)

// failing is an output that cannot be written.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestOutputThatCannotBeWritten: who wants a result and cannot have it is told so by the exit code, whatever the command; a reader
// that has gone away wants none of a run's summary.
func TestOutputThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	pairs, report := swept(t)
	for _, args := range []string{
		"audit", "audit --json", "status", "status --json", "status --line 2", "status --line 2 --json", "report", "report --json",
		"plan", "plan --json", "delete --sandbox --overwrite", "delete --sandbox --overwrite --json", "completion bash",
	} {
		words := strings.Fields(args)
		switch words[0] {
		case "plan", "delete":
			words = append(words, pairs)
		case "audit", "status", "report":
			words = append(words, report)
		}
		var stderr bytes.Buffer
		if code := newApp(words, strings.NewReader(""), failing{syscall.ENOSPC}, &stderr).run(t.Context()); code != exitStopped || !strings.Contains(stderr.String(), syscall.ENOSPC.Error()) {
			t.Errorf("%s: got exit code %d and\n%s\nwant 4 and why", args, code, &stderr)
		}
	}
	var stderr bytes.Buffer
	app := newApp([]string{"delete", "--sandbox", "--overwrite", pairs}, strings.NewReader(""), failing{syscall.EPIPE}, &stderr)
	if code := app.run(t.Context()); code != exitRowsFailed || strings.Contains(stderr.String(), syscall.EPIPE.Error()) {
		t.Errorf("nobody reads: got exit code %d and\n%s\nwant that of the run and no word of the pipe", code, &stderr)
	}
}

// TestNobodyIsAsked: what is deleted for good is asked about, or permitted beforehand; without either nothing is sent, and the command
// says how to permit it.
func TestNobodyIsAsked(t *testing.T) {
	pairs := writePairs(t)
	t.Setenv(secretKeyEnv, "k")
	there := "--endpoint http://127.0.0.1:1 --sdkappid 1400000000 "
	for _, test := range []struct{ args, want string }{
		{"delete " + there + pairs, "nobody is there to be asked: nothing was sent\n  look at `friendsweep plan`, then give --yes"},
		{"delete " + there + "--report r.csv -", "standard input has the pairs, so nobody can be asked: nothing was sent\n  look at `friendsweep plan -`, then give --yes"},
		{"delete " + there + "--yes -", "standard input has no name that a report could be named after\n  give --report"},
		{"delete --sandbox --regroup " + pairs, "--regroup is for --delete-type both"},
		{"delete --sandbox --resume --overwrite " + pairs, "--resume and --overwrite exclude each other"},
		{"delete --sandbox --retry-failed " + pairs, "--retry-failed is for --resume"},
		{"plan --regroup " + pairs, "--regroup is for --delete-type both"},
		{"check --sandbox --expect nobody " + pairs, "--expect"},
		{"check --sandbox --chunk-size 0 " + pairs, "--chunk-size 0 is out of range: 1 to 1000"},
	} {
		got := call(t.Context(), strings.Fields(test.args)...)
		if said := dates.ReplaceAllString(got.stderr, ""); got.code != exitUsage || !strings.Contains(said, test.want) {
			t.Errorf("%s: got exit code %d and\n%s\nwant 2 and %q", test.args, got.code, said, test.want)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(pairs)); err != nil || len(entries) != 1 {
		t.Errorf("got %v, %v beside the input, want nothing", entries, err)
	}
}

// TestNobodyAtOneEnd: a question needs somebody who sees it and can answer it.
func TestNobodyAtOneEnd(t *testing.T) {
	t.Setenv(secretKeyEnv, "k")
	for _, test := range []struct{ sees, answers bool }{{true, false}, {false, true}} {
		master, screen, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer master.Close()
		defer screen.Close()
		if _, err := master.Write([]byte("yes\n")); err != nil {
			t.Fatal(err)
		}
		var stdin io.Reader = strings.NewReader("yes\n")
		var stderr io.Writer = new(bytes.Buffer)
		if test.sees {
			stderr = screen
		}
		if test.answers {
			stdin = screen
		}
		pairs := writePairs(t)
		code := newApp([]string{"delete", "--endpoint", "http://127.0.0.1:1", "--sdkappid", "1400000000", pairs}, stdin, new(bytes.Buffer), stderr).run(t.Context())
		if entries, err := os.ReadDir(filepath.Dir(pairs)); code != exitUsage || err != nil || len(entries) != 1 {
			t.Errorf("%+v: got exit code %d and %v, %v beside the input; want 2 and nothing", test, code, entries, err)
		}
	}
}

// TestHeldJob: a run that finds its job held leaves the figures to the run that holds it; one that cannot begin writes them.
func TestHeldJob(t *testing.T) {
	pairs := writePairs(t)
	figures := filepath.Join(filepath.Dir(pairs), "job.prom")
	held, err := journal.Lock(strings.TrimSuffix(pairs, ".csv")+".report.csv", batch.Calls)
	if err != nil {
		t.Fatal(err)
	}
	command := []string{"delete", "--sandbox", "--metrics-file", figures, pairs}
	got := call(t.Context(), command...)
	if _, err := os.Stat(figures); got.code != exitHeld || err == nil {
		t.Errorf("held: got exit code %d, %v, want 5 and no figures\n%s", got.code, err, got.stderr)
	}
	held.Discard()
	got = call(t.Context(), append(command, "--max-rows", "0")...)
	if text, err := os.ReadFile(figures); got.code != exitUsage || err != nil || !strings.Contains(string(text), "exit_code{name=\"job\"} 2\n") {
		t.Errorf("refused: got exit code %d and the figures %s, %v\n%s", got.code, text, err, got.stderr)
	}
}

// TestPermitted: each way to permit a deletion is on record.
func TestPermitted(t *testing.T) {
	pairs := writePairs(t)
	for flags, want := range map[string]string{"--sandbox": "nobody is asked for the sandbox", "--sandbox --yes": "nobody is asked for the sandbox"} {
		got := call(t.Context(), append(append([]string{"delete", "--overwrite", "--json"}, strings.Fields(flags)...), pairs)...)
		if got.code != exitDone || !strings.Contains(got.stderr, "allowed="+want) {
			t.Errorf("%s: got %+v, want that it says %q", flags, got, want)
		}
	}
	var stdout, stderr bytes.Buffer
	if code := newApp([]string{"delete", "--sandbox", "--report", filepath.Join(filepath.Dir(pairs), "r.csv"), "-"}, strings.NewReader("from,to\na,b\n"), &stdout, &stderr).run(t.Context()); code != exitDone {
		t.Errorf("pairs from a pipe, for the sandbox: got exit code %d\n%s", code, &stderr)
	}
}

// TestCheckCommand: check asks and tells, and what is expected is what succeeds.
func TestCheckCommand(t *testing.T) {
	t.Parallel()
	pairs := writePairs(t)
	for flags, want := range map[string]int{"": exitRowsFailed, "--expect friends": exitDone, "--expect any": exitDone, "--expect gone": exitRowsFailed} {
		got := call(t.Context(), append(append([]string{"check", "--sandbox", "--overwrite"}, strings.Fields(flags)...), pairs)...)
		if got.code != want || !strings.Contains(got.stdout, "friends") || !strings.Contains(got.stderr, "begin check") {
			t.Errorf("check %s: got %+v, want exit code %d", flags, got, want)
		}
	}
}

// TestSummaryElsewhere: who sees the log, but not the summary, sees how the run ended.
func TestSummaryElsewhere(t *testing.T) {
	master, screen, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	seen := make(chan string)
	go func() { // ends when the screen is closed
		var all bytes.Buffer
		all.ReadFrom(master)
		seen <- all.String()
	}()
	code := newApp([]string{"delete", "--sandbox", writePairs(t)}, strings.NewReader(""), new(bytes.Buffer), screen).run(t.Context())
	screen.Close()
	if got := <-seen; code != exitDone || !strings.Contains(got, "end delete") {
		t.Errorf("got exit code %d and the screen\n%s\nwant the end", code, got)
	}
}

// TestAtATerminal: whoever has the summary on the screen gets no log of the same, and colours only where they are wanted.
func TestAtATerminal(t *testing.T) {
	pairs := writePairs(t)
	for _, test := range []struct {
		noColor, term string
		colours       bool
	}{{"", "xterm", true}, {"1", "xterm", false}, {"", "dumb", false}} {
		t.Setenv("NO_COLOR", test.noColor)
		t.Setenv("TERM", test.term)
		master, screen, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		seen := make(chan string)
		go func() { // ends when the screen is closed
			var all bytes.Buffer
			all.ReadFrom(master)
			seen <- all.String()
		}()
		code := newApp([]string{"delete", "--sandbox", "--overwrite", pairs}, strings.NewReader(""), screen, screen).run(t.Context())
		screen.Close()
		got := <-seen
		master.Close()
		if code != exitDone || strings.Contains(got, "begin delete") || strings.Contains(got, "end delete") || !strings.Contains(got, "Finished") {
			t.Errorf("got exit code %d and the screen\n%s\nwant the summary without a log", code, got)
		}
		if strings.Contains(got, "\x1b[3") != test.colours && strings.Contains(got, "\x1b[1") != test.colours {
			t.Errorf("%+v: got the screen %q, want colours: %v", test, got, test.colours)
		}
	}
}
