package batch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"friendsweep/reports"
	"friendsweep/reports/journal"
)

// failing is a disk on which so many writes, or syncs, succeed, and none after them.
type failing struct {
	mu         sync.Mutex
	left       int
	writeFails bool // or a sync
}

func (f *failing) through(real journal.Disk) journal.Disk {
	fails := func(isWrite bool) bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		if isWrite == f.writeFails {
			f.left--
		}
		return isWrite == f.writeFails && f.left < 0
	}
	return journal.Disk{
		Write: func(line []byte) (int, error) {
			if fails(true) {
				return 0, syscall.EIO
			}
			return real.Write(line)
		},
		Sync: func() error {
			if fails(false) {
				return syscall.EIO
			}
			return real.Sync()
		},
	}
}

// checkStopped looks at what a run left that ended before its end for this reason: exit code, summary and report tell the same, and
// every row is in the report.
func checkStopped(t *testing.T, what string, o Options, sum *reports.Summary, code int, err error, reason string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("%s: got %v, want %q", what, err, reason)
	}
	if code != exitStopped || sum.ExitCode != code || sum.Finished || !strings.Contains(sum.StopReason, reason) {
		t.Errorf("%s: got exit code %d, %+v; want 4 and why", what, code, sum)
	}
	if sum.Rows != 8 || sum.Success+sum.Failure != sum.Rows {
		t.Errorf("%s: got %d rows, %d and %d", what, sum.Rows, sum.Success, sum.Failure)
	}
	if got := outcomesIn(t, o.Report); int64(len(got)) != sum.Rows {
		t.Errorf("%s: got the outcomes %v", what, got)
	}
}

// A journal that cannot be written, whenever that is, stops the run with exit code 4, and what is on record by then can be
// continued to the same end.
func TestAnyFaultOfTheJournal(t *testing.T) {
	for kind, writes := range map[string]bool{"write": true, "sync": false} {
		n := 0
		for faultOfTheJournal(t, fmt.Sprintf("%s %d", kind, n+1), &failing{left: n, writeFails: writes}) {
			n++
		}
		if n < 3 {
			t.Errorf("got a journal with %d operations of the kind %s", n, kind)
		}
	}
}

// faultOfTheJournal carries a job out on the disk and goes on with it without faults. It returns false where the disk did not fail.
func faultOfTheJournal(t *testing.T, what string, disk *failing) bool {
	t.Helper()
	o := options(t, serve(t), fewPairs)
	o.HTML, o.Metrics = filepath.Join(o.TempDir, "p.html"), filepath.Join(o.TempDir, "job.prom")
	o.Batch.Workers = 1
	o.Disk = disk.through
	sum, code, err := carryOut(t, o)
	switch {
	case disk.left >= 0:
		if err != nil || code != exitRowsFailed {
			t.Errorf("without a fault: got exit code %d, %v", code, err)
		}
		return false
	case sum == nil: // nothing was sent
		if !errors.Is(err, syscall.EIO) || isThere(o.Report) {
			t.Errorf("%s: got %v and nothing sent", what, err)
		}
	default:
		checkStopped(t, what, o, sum, code, err, syscall.EIO.Error())
		text, err := os.ReadFile(o.Metrics)
		if err != nil || !strings.Contains(string(text), exitCode4) {
			t.Errorf("%s: got the figures %s, %v; want exit code 4", what, text, err)
		}
		if !isThere(o.HTML) {
			t.Errorf("%s: there is no page", what)
		}
	}
	o.Disk, o.Resume = nil, true
	if _, code, err = carryOut(t, o); err != nil || code != exitRowsFailed {
		t.Fatalf("%s: going on: got exit code %d, %v", what, code, err)
	}
	for i, outcome := range outcomesIn(t, o.Report) {
		// Where the answer was not put on record any more, the row is sent again, and not to be a friend is presumed to be its doing.
		gone := []string{"deleted", "not_friend"}
		if want := fatesOfFew[i]; outcome != want && !(slices.Contains(gone, outcome) && slices.Contains(gone, want)) {
			t.Errorf("%s: row %d ends as %s, want %s", what, i+1, outcome, want)
		}
	}
	return true
}

// exitCode4 is among the figures of a job whose file is job.prom.
const exitCode4 = "friendsweep_exit_code{name=\"job\"} 4\n"

// An output that cannot be written costs no other: the run ends with exit code 4, says which one, and all the others are there and
// say so as well.
func TestOutputsThatCannotBeWritten(t *testing.T) {
	for _, name := range []string{"f.csv", "p.html", "job.prom", "pairs.report.csv"} {
		t.Run(name, func(t *testing.T) {
			o := options(t, serve(t), fewPairs)
			o.Failures, o.HTML, o.Metrics = filepath.Join(o.TempDir, "f.csv"), filepath.Join(o.TempDir, "p.html"), filepath.Join(o.TempDir, "job.prom")
			blocked := filepath.Join(o.TempDir, name)
			o.Disk = inPlaceOf(t, blocked)
			sum, code, err := carryOut(t, o)
			if err == nil || !strings.Contains(err.Error(), blocked) || code != exitStopped || sum == nil || sum.ExitCode != exitStopped || sum.Finished {
				t.Fatalf("got exit code %d, %v, %+v", code, err, sum)
			}
			if !strings.Contains(sum.StopReason, blocked) || strings.Count(err.Error(), "not a regular file") != 1 {
				t.Errorf("got the reason %q and %v, want the output named, once", sum.StopReason, err)
			}
			if text, err := os.ReadFile(o.HTML); blocked != o.HTML && (err != nil || !strings.Contains(string(text), "exit code 4</dd>") || !strings.Contains(string(text), `<th scope="row" class="word">journal</th>`)) {
				t.Errorf("got a page of %d bytes, %v; want exit code 4 and the journal's fingerprint", len(text), err)
			}
			if text, err := os.ReadFile(o.Report + ".journal"); err != nil || strings.Count(string(text), `"end":`) != 1 || !strings.Contains(string(text), `"end":"4"`) {
				t.Errorf("got the journal %s, %v; want one end, with exit code 4", text, err)
			}
			written := map[string]bool{o.Report: name != "pairs.report.csv", o.Failures: name != "pairs.report.csv", o.HTML: true, o.Metrics: true}
			delete(written, blocked)
			for path, want := range written {
				if isThere(path) != want {
					t.Errorf("%s is there: %v, want %v", path, !want, want)
				}
			}
			if text, err := os.ReadFile(o.Metrics); blocked != o.Metrics && (err != nil || !strings.Contains(string(text), exitCode4)) {
				t.Errorf("got the figures %s, %v; want exit code 4", text, err)
			}
			if written[o.Report] {
				if got := outcomesIn(t, o.Report); !slices.Equal(got, fatesOfFew) || sum.Success != 5 || sum.ReportCommand != "" {
					t.Errorf("got the outcomes %v and %+v", got, sum)
				}
				return
			}
			// The journal alone knows nothing of duplicates.
			if sum.Success != 4 || sum.Failure != 4 || sum.ReportWaits != "once the cause is mended" || !strings.Contains(sum.ReportCommand, "friendsweep report ") {
				t.Errorf("got %+v, want what the journal knows, and how to write the report", sum)
			}
		})
	}
}

// inPlaceOf puts a folder at the path as soon as the first request is on record.
func inPlaceOf(t *testing.T, path string) func(journal.Disk) journal.Disk {
	done := false
	return func(real journal.Disk) journal.Disk {
		return journal.Disk{Sync: real.Sync, Write: func(line []byte) (int, error) {
			if !done && strings.Contains(string(line), `"send":`) {
				done = true
				os.Remove(path) // the figures of the run at work
				if err := os.Mkdir(path, 0o700); err != nil {
					t.Error(err)
				}
			}
			return real.Write(line)
		}}
	}
}
