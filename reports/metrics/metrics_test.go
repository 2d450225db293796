package metrics

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"friendsweep/reports/fates"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
)

var (
	began = time.Date(2026, 11, 23, 18, 26, 9, 123e6, time.UTC)
	ended = began.Add(13*time.Minute + 20*time.Second)
)

func testFigures() Figures {
	tally := fates.Tally{Success: 1233888, Failure: 679, Presumed: 12, Outcomes: [outcome.Outcomes]int64{
		journaltest.Deleted: 1200012, journaltest.NotFriend: 554, outcome.Refused: 75, outcome.GaveUp: 20, outcome.Invalid: 30, outcome.Duplicate: 33876,
	}}
	return Figures{Call: journaltest.Call, Tally: tally, Requests: 101234, Retried: 1200, Throttled: 34, Started: began, Finished: ended, Decided: 7, Name: "nightly", ExitCode: 1}
}

const wantMetrics = `# HELP friendsweep_running 1 from a run's begin to its end. A file that says 1 and grows old is of a run that died.
# TYPE friendsweep_running gauge
friendsweep_running{name="nightly"} 0
# HELP friendsweep_requests Requests of the last run.
# TYPE friendsweep_requests gauge
friendsweep_requests{name="nightly"} 101234
# HELP friendsweep_retried_requests Requests of the last run that repeated rows.
# TYPE friendsweep_retried_requests gauge
friendsweep_retried_requests{name="nightly"} 1200
# HELP friendsweep_throttled_requests Requests of the last run that the API called too frequent.
# TYPE friendsweep_throttled_requests gauge
friendsweep_throttled_requests{name="nightly"} 34
# HELP friendsweep_decided_rows Rows that the last run got an outcome for.
# TYPE friendsweep_decided_rows gauge
friendsweep_decided_rows{name="nightly"} 7
# HELP friendsweep_duration_seconds How long the last run took, or has taken so far.
# TYPE friendsweep_duration_seconds gauge
friendsweep_duration_seconds{name="nightly"} 800
# HELP friendsweep_start_timestamp_seconds When the last run began.
# TYPE friendsweep_start_timestamp_seconds gauge
friendsweep_start_timestamp_seconds{name="nightly"} 1.795458369123e+09
# HELP friendsweep_last_success_timestamp_seconds When a run last ended with exit code 0; 0 if none did.
# TYPE friendsweep_last_success_timestamp_seconds gauge
friendsweep_last_success_timestamp_seconds{name="nightly"} 0
# HELP friendsweep_rows Rows of the job by outcome.
# TYPE friendsweep_rows gauge
friendsweep_rows{name="nightly",outcome="deleted"} 1.200012e+06
friendsweep_rows{name="nightly",outcome="not_friend"} 554
friendsweep_rows{name="nightly",outcome="refused"} 75
friendsweep_rows{name="nightly",outcome="gave_up"} 20
friendsweep_rows{name="nightly",outcome="unknown"} 0
friendsweep_rows{name="nightly",outcome="not_sent"} 0
friendsweep_rows{name="nightly",outcome="invalid"} 30
friendsweep_rows{name="nightly",outcome="duplicate"} 33876
# HELP friendsweep_failed_rows Rows of the job that failed.
# TYPE friendsweep_failed_rows gauge
friendsweep_failed_rows{name="nightly"} 679
# HELP friendsweep_presumed_rows Rows whose answer is presumed after a lost one.
# TYPE friendsweep_presumed_rows gauge
friendsweep_presumed_rows{name="nightly"} 12
# HELP friendsweep_exit_code Exit code of the last run.
# TYPE friendsweep_exit_code gauge
friendsweep_exit_code{name="nightly"} 1
`

func writeMetrics(t *testing.T, path string, f Figures) string {
	t.Helper()
	if err := Write(path, f); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestMetrics(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "friendsweep.prom")
	if diff := cmp.Diff(writeMetrics(t, path, testFigures()), wantMetrics); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("got %v, %v, want mode 644: another user collects it", info.Mode(), err)
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 1 {
		t.Errorf("got files %v, %v, want friendsweep.prom alone", all, err)
	}
}

func TestMetricsKeepTheLastSuccess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "friendsweep.prom")
	f := testFigures()
	f.ExitCode = 0
	want := "\n" + lastSuccess + `{name="nightly"} 1.795459169123e+09` + "\n"
	if got := writeMetrics(t, path, f); !strings.Contains(got, want) {
		t.Errorf("got %s, want %q in it", got, want)
	}
	f.ExitCode, f.Finished = 4, ended.Add(time.Hour)
	if got := writeMetrics(t, path, f); !strings.Contains(got, want) || !strings.Contains(got, "exit_code{name=\"nightly\"} 4\n") {
		t.Errorf("got %s, want the new exit code and the old %q", got, want)
	}
}

func TestMetricsReplaceWhatIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "friendsweep.prom")
	if err := os.WriteFile(path, []byte("{{{ half a\x00line"), 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(writeMetrics(t, path, testFigures()), wantMetrics); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
	if err := Write(filepath.Dir(path), testFigures()); err == nil || !strings.HasPrefix(err.Error(), "writing metrics ") {
		t.Errorf("got error %v for a folder, want one that begins with what was done", err)
	}
}

// TestMetricsWhereTheyCannotStand: a run must not wait for a reader of a FIFO, nor say that it wrote what it did not.
func TestMetricsWhereTheyCannotStand(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := syscall.Mkfifo(at("fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"fifo":      "writing metrics DIR/fifo: writing DIR/fifo: it is not a regular file",
		"file/prom": "writing metrics DIR/file/prom: open DIR/file/prom: not a directory",
		"none/prom": "writing metrics DIR/none/prom: writing DIR/none/prom: the folder DIR/none does not exist",
	} {
		err := Write(at(name), testFigures())
		if err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != want {
			t.Errorf("%s: got error %v, want %q", name, err, want)
		}
	}
}

// TestMetricsOfABigFile: the last success is looked for in files of at most 1 MiB, for no file of figures is bigger.
func TestMetricsOfABigFile(t *testing.T) {
	figures := "# TYPE " + lastSuccess + " gauge\n" + lastSuccess + " 7\n#"
	for size, want := range map[int]string{mostFigures: "7", mostFigures + 1: "0"} {
		path := filepath.Join(t.TempDir(), "friendsweep.prom")
		if err := os.WriteFile(path, []byte(figures+strings.Repeat("x", size-len(figures)-1)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		want = "\n" + lastSuccess + `{name="nightly"} ` + want + "\n"
		if got := writeMetrics(t, path, testFigures()); !strings.Contains(got, want) {
			t.Errorf("%d bytes: got %s, want %q in it", size, got, want)
		}
	}
}

func TestPromtoolAcceptsMetrics(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not in PATH (Debian package prometheus): the metrics were NOT checked by it")
	}
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = bytes.NewReader([]byte(wantMetrics))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("got %v: %s, want silence", err, out)
	}
}

// A file that a killed run left must not look like a success.
func TestMetricsOfARunAtWork(t *testing.T) {
	path := filepath.Join(t.TempDir(), "friendsweep.prom")
	f := testFigures()
	f.ExitCode = 0
	writeMetrics(t, path, f)
	before, err := standingSuccess(path)
	if err != nil || before == 0 {
		t.Fatalf("got %v, %v, want a success", before, err)
	}
	f.Running, f.Finished = true, f.Finished.Add(time.Hour)
	text := writeMetrics(t, path, f)
	after, err := standingSuccess(path)
	if err != nil || after != before {
		t.Errorf("got the last success %v, %v, want %v", after, err, before)
	}
	if strings.Contains(text, "exit_code") || !strings.Contains(text, `friendsweep_running{name="nightly"} 1`) {
		t.Errorf("got %s, want no exit code and a run at work", text)
	}
}
