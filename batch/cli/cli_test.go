package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"friendsweep/batch/cli/signals"
)

// ended is what a command left behind.
type ended struct {
	code           int
	stdout, stderr string
}

// call runs a command in this process. Its first signal has come already if ctx has ended.
func call(ctx context.Context, args ...string) ended {
	var stdout, stderr bytes.Buffer
	code := newApp(args, strings.NewReader(""), &stdout, &stderr).run(ctx)
	return ended{code, stdout.String(), stderr.String()}
}

// writePairs makes an input of one pair in a folder of its own.
func writePairs(t *testing.T) string {
	t.Helper()
	pairs := filepath.Join(t.TempDir(), "pairs.csv")
	if err := os.WriteFile(pairs, []byte("from,to\na,b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return pairs
}

// TestInterruptedCommands: a signal's exit code, whichever command it ends.
func TestInterruptedCommands(t *testing.T) {
	t.Parallel()
	pairs := writePairs(t)
	report := filepath.Join(filepath.Dir(pairs), "pairs.report.csv")
	if got := call(t.Context(), "delete", "--sandbox", pairs); got.code != exitDone {
		t.Fatalf("got exit code %d, want 0\n%s", got.code, got.stderr)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(signals.Interrupted(syscall.SIGINT))
	for _, args := range [][]string{{"status", report}, {"plan", pairs}, {"delete", "--sandbox", "--overwrite", pairs}} {
		if got := call(ctx, args...); got.code != 130 || strings.Contains(got.stderr, "interrupted by SIGINT: nothing was sent") != (args[0] == "delete") {
			t.Errorf("%v: got exit code %d, want 130, and of a deletion that nothing was sent\n%s", args, got.code, got.stderr)
		}
	}
}

// TestPlanOfAges: a pace so slow that the time does not fit any clock is refused, and what fits is not negative.
func TestPlanOfAges(t *testing.T) {
	t.Parallel()
	pairs := writePairs(t)
	if got := call(t.Context(), "plan", "--rate", "1e-300", pairs); got.code != exitUsage || !strings.Contains(got.stderr, "--rate 1e-300 is out of range") {
		t.Errorf("got %+v, want exit code 2 and the flag named", got)
	}
	if got := call(t.Context(), "plan", "--rate", "0.001", pairs); got.code != exitDone || strings.Contains(got.stdout, "-") && strings.Contains(got.stdout, "at least -") {
		t.Errorf("got %+v, want a plan with a time", got)
	}
}

// TestJournalInsteadOfReport: who gives the journal's name means the report beside it.
func TestJournalInsteadOfReport(t *testing.T) {
	t.Parallel()
	pairs := writePairs(t)
	if got := call(t.Context(), "delete", "--sandbox", pairs); got.code != exitDone {
		t.Fatalf("got exit code %d, want 0\n%s", got.code, got.stderr)
	}
	journal := strings.TrimSuffix(pairs, ".csv") + ".report.csv.journal"
	if got := call(t.Context(), "status", journal); got.code != exitDone || !strings.Contains(got.stdout, "Finished with exit code 0") {
		t.Errorf("got %+v, want what status says of the report", got)
	}
}
