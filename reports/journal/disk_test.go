package journal

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

// disk notes what is done to it, and does something else once.
type disk struct {
	done              []string
	writeErr, syncErr error // of the next write or sync
	half              bool  // of the next line it takes half, and says nothing
}

func (d *disk) put(under Disk) Disk {
	return Disk{
		Write: func(line []byte) (int, error) {
			d.done = append(d.done, "write")
			err, half := d.writeErr, d.half
			d.writeErr, d.half = nil, false
			if err != nil || half {
				n, _ := under.Write(line[:len(line)/2])
				return n, err
			}
			return under.Write(line)
		},
		Sync: func() error {
			d.done = append(d.done, "sync")
			if err := d.syncErr; err != nil {
				d.syncErr = nil
				return err
			}
			return under.Sync()
		},
	}
}

// steps are what a run does with its journal, in order. Each knows the request that the one before it began.
var steps = []struct {
	name string
	do   func(j *Journal, id int64) error
	want string // what is done to the disk before it returns
}{
	{"start", func(j *Journal, _ int64) error { return j.Start(jobOf(20, 21), someRun) }, "write sync"},
	{"before", func(j *Journal, _ int64) error { _, err := j.Before("a", []int64{2}); return err }, "write sync"},
	{"after", func(j *Journal, id int64) error { return j.After(id, 0, []outcome.Result{deleted()}) }, "write"},
	{"before another", func(j *Journal, _ int64) error { _, err := j.Before("a", []int64{3}); return err }, "write sync"},
	{"withdraw", func(j *Journal, id int64) error { return j.Withdraw(id) }, "write"},
	{"decide", func(j *Journal, _ int64) error {
		return j.Decide("a", []outcome.Result{{Rows: outcome.RowsAt(3), Outcome: outcome.Refused}})
	}, "write"},
	{"end", func(j *Journal, _ int64) error { return j.End("4", "why") }, "sync write sync"},
	{"resume", func(j *Journal, _ int64) error { return j.Resume(someRun) }, "write sync"},
	{"before in a resumed run", func(j *Journal, _ int64) error { _, err := j.Before("a", []int64{4}); return err }, "write sync"},
	{"resume after a death", func(j *Journal, _ int64) error { return j.Resume(someRun) }, "write sync"},
}

// upTo is a journal on which the first n steps were done. A resume has read it before.
func upTo(t *testing.T, n int) (*Journal, *disk) {
	t.Helper()
	j, d := open(t, filepath.Join(t.TempDir(), "r.csv")), &disk{}
	j.Through(d.put)
	for i, step := range steps[:min(n+1, len(steps))] {
		if strings.HasPrefix(step.name, "resume") {
			_, err := j.Replay(t.Context(), false)
			must(t, err)
		}
		if i < n {
			must(t, step.do(j, j.next-1))
		}
	}
	d.done = nil
	return j, d
}

// TestWhatIsOnTheDiskWhen: a request leaves, a run begins, and its last line is written, only when everything before is on
// the disk; what was answered need not be, because a lost answer only makes its rows unknown.
func TestWhatIsOnTheDiskWhen(t *testing.T) {
	for i, step := range steps {
		j, d := upTo(t, i)
		if err := step.do(j, j.next-1); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		if got := strings.Join(d.done, " "); got != step.want {
			t.Errorf("%s: got %s, want %s", step.name, got, step.want)
		}
		h, err := j.Replay(t.Context(), false)
		if err != nil || h.TornBytes != 0 || h.Link != j.Link() || h.Lines != int64(strings.Count(content(t, j.path), "\n")) {
			t.Errorf("%s: replay: got %+v, %v; want whole lines", step.name, h, err)
		}
	}
}

// TestADiskThatFailsOnce: the step says so, no half line stays, and nothing is written any more, although the disk would take it.
func TestADiskThatFailsOnce(t *testing.T) {
	full := errors.New("no space left on device")
	for fault, c := range map[string]struct {
		arm  func(d *disk)
		hits string // the steps that do this to the disk
		want string
	}{
		"write":       {func(d *disk) { d.writeErr = full }, "write", "writing PATH: no space left on device"},
		"half a line": {func(d *disk) { d.half = true }, "write", "writing PATH: the disk took half a line"},
		"sync":        {func(d *disk) { d.syncErr = full }, "sync", "syncing PATH: no space left on device"},
	} {
		for i, step := range steps {
			if !strings.Contains(step.want, c.hits) {
				continue
			}
			j, d := upTo(t, i)
			before := content(t, j.path)
			c.arm(d)
			err := step.do(j, j.next-1)
			want := strings.Replace(c.want, "PATH", j.path, 1) + "\nonce the cause is gone, the run can be resumed"
			if err == nil || err.Error() != want {
				t.Errorf("%s, %s: got %v, want %s", step.name, fault, err, want)
				continue
			}
			after := content(t, j.path)
			if fault != "sync" && after != before {
				t.Errorf("%s, %s: got %q in the journal, want %q", step.name, fault, after, before)
			}
			for _, later := range steps[1:] {
				if got := later.do(j, j.next-1); got == nil || !strings.Contains(later.name, "resume") && got.Error() != want {
					t.Errorf("%s, %s, then %s: got %v, want %v", step.name, fault, later.name, got, err)
				}
			}
			if got := content(t, j.path); got != after {
				t.Errorf("%s, %s: got %q written later, want nothing", step.name, fault, strings.TrimPrefix(got, after))
			}
		}
	}
}

// TestASyncThatOthersWaitFor: when it fails, it has failed for all of them.
func TestASyncThatOthersWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := started(t, jobOf(10, 11))
		broken, release, errs := errors.New("input/output error"), make(chan bool), make(chan error)
		j.Through(func(d Disk) Disk {
			return Disk{Write: d.Write, Sync: func() error { <-release; return broken }}
		})
		for line := range int64(3) {
			go func() {
				_, err := j.Before("a", []int64{2 + line})
				errs <- err
			}()
		}
		synctest.Wait() // one is in the sync, the others wait for its end
		close(release)
		for range 3 {
			if err := <-errs; !errors.Is(err, broken) {
				t.Errorf("got %v, want the sync's error", err)
			}
		}
	})
}

// TestAClosedJournal: nothing can be done with it, and a cause that it has already stays the cause.
func TestAClosedJournal(t *testing.T) {
	for i, step := range steps {
		j, _ := upTo(t, i)
		must(t, j.Close())
		before := content(t, j.path)
		if err := step.do(j, j.next-1); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: got %v, want %v", step.name, err, os.ErrClosed)
		}
		if got := content(t, j.path); got != before {
			t.Errorf("%s: got %q, want the journal as it was", step.name, got)
		}
	}
	j := started(t, jobOf(10, 11))
	end, err := j.Ending("0", "")
	must(t, err)
	must(t, j.Close())
	for what, try := range map[string]func() error{
		"an end":      func() error { _, err := j.Ending("0", ""); return err },
		"its end":     func() error { return j.EndWith(end) },
		"head":        func() error { _, err := j.Head(); return err },
		"replay":      func() error { _, err := j.Replay(t.Context(), false); return err },
		"close again": j.Close,
		"discard":     j.Discard,
	} {
		if err := try(); !errors.Is(err, os.ErrClosed) && !errors.Is(err, syscall.EBADF) {
			t.Errorf("%s: got %v, want %v", what, err, os.ErrClosed)
		}
	}
	j, d := upTo(t, 1)
	d.writeErr = errors.New("no space left on device")
	_, cause := j.Before("a", []int64{2})
	must(t, j.Close())
	if _, err := j.Before("a", []int64{2}); err != cause {
		t.Errorf("got %v, want %v", err, cause)
	}
}

// TestWhatMustNotBeStarted: a second job in a journal, a call that nobody knows, flags that no line can have, and a run that
// has not read what it goes on with.
func TestWhatMustNotBeStarted(t *testing.T) {
	unknown, unsayable := jobOf(10, 11), someRun
	unknown.Call = "block"
	unsayable.Flags = entry.Flags{"rate": make(chan int)}
	empty := open(t, filepath.Join(t.TempDir(), "r.csv"))
	begun := started(t, jobOf(10, 11))
	read := started(t, jobOf(10, 11))
	_, err := read.Replay(t.Context(), false)
	must(t, err)
	for _, tc := range []struct {
		name string
		j    *Journal
		err  error
		want string
	}{
		{"a second job", begun, begun.Start(jobOf(10, 11), someRun), "starting a job: the journal has one already"},
		{"an unknown call", empty, empty.Start(unknown, someRun), `starting a job: no call is named "block"`},
		{"a flag that is no text", empty, empty.Start(jobOf(10, 11), unsayable), "writing " + empty.path + ": json: unsupported type: chan int"},
		{"a resume without a look", begun, begun.Resume(someRun), "resuming a job: its journal was not replayed"},
		{"a resume with such a flag", read, read.Resume(unsayable), "writing " + read.path + ": json: unsupported type: chan int"},
	} {
		if tc.err == nil || tc.err.Error() != tc.want {
			t.Errorf("%s: got %v, want %s", tc.name, tc.err, tc.want)
		}
		if got := strings.Count(content(t, tc.j.path), "\n"); (tc.j == empty) != (got == 0) || got > 1 {
			t.Errorf("%s: got %d lines, want nothing written", tc.name, got)
		}
	}
}

// TestCallsOutOfTurn: what no journal can be read back with is refused, and the run can go on.
func TestCallsOutOfTurn(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "r.csv"))
	const none = "writing the journal: no run has it open"
	for _, step := range steps[1:7] {
		if err := step.do(j, 1); err == nil || err.Error() != none {
			t.Errorf("%s before the start: got %v, want %s", step.name, err, none)
		}
	}
	must(t, j.Start(jobOf(10, 11), someRun))
	id, err := j.Before("a", []int64{2, 3})
	must(t, err)
	before := content(t, j.path)
	refuse := func(rows ...outcome.Stretch) error {
		return j.Decide("a", []outcome.Result{{Rows: rows, Outcome: outcome.Refused}})
	}
	_, twice := j.Before("a", []int64{2, 2})
	const noRows = "recording a result: its lines are not rows of one request"
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"an answer to nothing", j.After(2, 0, []outcome.Result{deleted()}), "recording an answer: request 2 is not out"},
		{"a withdrawal of nothing", j.Withdraw(2), "withdrawing a request: request 2 is not out"},
		{"a row without an answer", j.After(id, 0, []outcome.Result{deleted(2)}), "recording an answer: it speaks of 1 of 2 rows"},
		{"a deletion that nobody confirmed", j.Decide("a", []outcome.Result{{Rows: outcome.RowsAt(2), Outcome: isDeleted}}),
			"recording a result: deleted with code 0 cannot be"},
		{"a row twice in a request", twice, "recording a request: its lines are not different rows"},
		{"a decision about all rows", refuse(), noRows},
		{"one about none", refuse([]outcome.Stretch{}...), noRows},
		{"one backwards", refuse(outcome.Stretch{Lo: 5, Hi: 4}), noRows},
		{"one about a row twice", refuse(outcome.Stretch{Lo: 4, Hi: 5}, outcome.Stretch{Lo: 5, Hi: 6}), noRows},
		{"one about the header", refuse(outcome.Stretch{Lo: 1, Hi: 2}), noRows},
	} {
		if tc.err == nil || tc.err.Error() != tc.want {
			t.Errorf("%s: got %v, want %s", tc.name, tc.err, tc.want)
		}
	}
	if got := content(t, j.path); got != before {
		t.Errorf("got %q written, want nothing", strings.TrimPrefix(got, before))
	}
	results := []outcome.Result{{Rows: outcome.Rows{{Lo: 3, Hi: 3}, {Lo: 2, Hi: 2}}, Outcome: outcome.Refused}}
	must(t, j.After(id, -time.Second, results))
	if got := results[0].Rows; !slices.Equal(got, outcome.Rows{{Lo: 3, Hi: 3}, {Lo: 2, Hi: 2}}) {
		t.Errorf("got %v, want the caller's results as they were", got)
	}
	h, err := j.Replay(t.Context(), false)
	if err != nil || h.RefusedCount != 2 {
		t.Errorf("got %+v, %v; want two rows refused", h, err)
	}
}

// TestALineThatIsTooLong would not be read back.
func TestALineThatIsTooLong(t *testing.T) {
	j := started(t, jobOf(10, 11))
	before := content(t, j.path)
	err := j.Decide(strings.Repeat("x", maxLine), []outcome.Result{{Rows: outcome.RowsAt(2), Outcome: outcome.Refused}})
	if err == nil || !strings.Contains(err.Error(), "bytes is too long\n") {
		t.Errorf("got %v, want that the line is too long", err)
	}
	if got := content(t, j.path); got != before {
		t.Errorf("got %d bytes, want %d as before", len(got), len(before))
	}
}

// TestResumeOfAnotherFile: what has taken the journal's name since it was read is not the journal, and stays.
func TestResumeOfAnotherFile(t *testing.T) {
	for name, c := range map[string]struct {
		change func(j *Journal) error
		want   string
	}{
		"another file": {func(j *Journal) error {
			return errors.Join(os.Rename(j.path, j.path+".old"), os.WriteFile(j.path, []byte("somebody's"), 0o600))
		}, "it was removed or replaced while the run used it"},
		"nothing": {func(j *Journal) error { return os.Remove(j.path) }, "it was removed or replaced while the run used it"},
		"a FIFO": {func(j *Journal) error {
			return errors.Join(os.Remove(j.path), syscall.Mkfifo(j.path, 0o600))
		}, "writing PATH: it is not a regular file"},
		"a file that cannot be read": {func(j *Journal) error { return j.file.Close() }, "read PATH: file already closed"},
	} {
		j := started(t, jobOf(10, 11))
		_, err := j.Replay(t.Context(), false)
		must(t, err)
		must(t, c.change(j))
		was, _ := os.Lstat(j.path)
		want := "writing PATH anew: " + c.want
		if err := j.Resume(someRun); err == nil || err.Error() != strings.ReplaceAll(want, "PATH", j.path) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
		if is, _ := os.Lstat(j.path); (was == nil) != (is == nil) || was != nil && !os.SameFile(was, is) {
			t.Errorf("%s: got %v, want %v as it was", name, is, was)
		}
	}
}
