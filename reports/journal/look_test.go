package journal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

// TestLookAndRead at what is no journal: each says so, and looks at nothing else.
func TestLookAndRead(t *testing.T) {
	report := filepath.Join(t.TempDir(), "r.csv")
	path := Path(report)
	const begin = `{"friendsweep":`
	for _, tc := range []struct {
		name       string
		make       func() error
		look, read string // what each says; empty for nothing
	}{
		{"nothing", func() error { return nil },
			"reading PATH: no journal", "reading the journal: open PATH: no such file or directory"},
		{"a folder", func() error { return os.Mkdir(path, 0o700) },
			"reading the journal: open PATH: it is not a regular file", "reading the journal: open PATH: it is not a regular file"},
		{"a FIFO", func() error { return syscall.Mkfifo(path, 0o600) },
			"reading the journal: open PATH: it is not a regular file", "reading the journal: open PATH: it is not a regular file"},
		{"an empty file", func() error { return os.WriteFile(path, nil, 0o600) },
			"reading PATH: no journal: no job has begun in it", ""},
		{"a torn first line", func() error { return os.WriteFile(path, []byte(begin), 0o600) },
			"reading PATH: no journal: no job has begun in it", ""},
		{"a diary", func() error { return os.WriteFile(path, []byte("dear diary\n"), 0o600) },
			"reading PATH line 1: this is no journal\nit was not written by friendsweep: move it away, or choose another --report", ""},
	} {
		must(t, tc.make())
		v, err := Look(report, testCalls)
		if want := strings.ReplaceAll(tc.look, "PATH", path); v != nil || err == nil || err.Error() != want {
			t.Errorf("%s: looking: got %v, want %s", tc.name, err, want)
		}
		if got, want := errors.Is(err, ErrNoJournal), strings.Contains(tc.look, "no journal") && !strings.Contains(tc.look, "this is"); got != want {
			t.Errorf("%s: got that it is ErrNoJournal: %v, want %v", tc.name, got, want)
		}
		j, err := Read(report, testCalls)
		if err == nil {
			err = j.Close()
		}
		if want := strings.ReplaceAll(tc.read, "PATH", path); err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("%s: reading: got %v, want %s", tc.name, err, want)
		}
		must(t, os.RemoveAll(path))
	}
}

// TestALookHoldsNothing: a run may begin while somebody looks, and is seen by whoever looks then.
func TestALookHoldsNothing(t *testing.T) {
	j := started(t, jobOf(2, 9))
	must(t, j.Close())
	v, err := Look(j.report, testCalls)
	must(t, err)
	if v.Held || v.Head == nil || cmp.Diff(v.Head.Job, jobOf(2, 9)) != "" {
		t.Errorf("got held %v, head %+v; want a job that nobody is at work with", v.Held, v.Head)
	}
	j = open(t, j.report)
	again, err := Look(j.report, testCalls)
	must(t, err)
	if !again.Held {
		t.Error("got a journal that nobody holds, want it held")
	}
	must(t, again.Close())
	must(t, v.Close())
	if err := v.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closing it again: got %v, want %v", err, os.ErrClosed)
	}
}

// TestReadAlone: a journal that is only read is not held by a run, lets others read, and cannot be written.
func TestReadAlone(t *testing.T) {
	j := started(t, jobOf(2, 9))
	if _, err := Read(j.report, testCalls); !errors.Is(err, ErrHeld) || err.Error() != "reading "+j.path+": another run holds it" {
		t.Errorf("got %v while a run has it, want %v", err, ErrHeld)
	}
	must(t, j.End("0", ""))
	must(t, j.Close())
	must(t, os.WriteFile(j.path, []byte(content(t, j.path)+`{"torn`), 0o600))
	text := content(t, j.path)
	first, err := Read(j.report, testCalls)
	must(t, err)
	second, err := Read(j.report, testCalls)
	must(t, err)
	defer second.Close()
	h, err := first.Replay(t.Context(), false)
	if err != nil || h.TornBytes != 6 {
		t.Errorf("got %+v, %v; want a torn tail", h, err)
	}
	if err := first.Resume(someRun); err == nil || !strings.HasPrefix(err.Error(), "cutting the torn end of "+j.path+": ") {
		t.Errorf("got %v, want that nothing can be cut off", err)
	}
	must(t, first.Discard())
	if err := first.Discard(); err == nil {
		t.Error("discarding it again: got no error, want one")
	}
	if got := content(t, j.path); got != text {
		t.Errorf("got %q, want the journal as it was", got)
	}

	report := filepath.Join(t.TempDir(), "r.csv")
	must(t, os.WriteFile(Path(report), []byte(`{"torn`[:1]), 0o600))
	torn, err := Read(report, testCalls)
	must(t, err)
	if err := torn.Start(jobOf(2, 9), someRun); err == nil || !strings.HasPrefix(err.Error(), "cutting the torn end of ") {
		t.Errorf("got %v, want that nothing can be cut off", err)
	}
	must(t, torn.Discard())
	if got := content(t, Path(report)); got != "{" {
		t.Errorf("got %q, want the file as it was", got)
	}
}

// TestFirstLines: only a whole first line that is its own begins a job. Zeros and a torn one count as absent, the rest is
// damage or somebody's file.
func TestFirstLines(t *testing.T) {
	first := content(t, started(t, jobOf(2, 9)).path)
	const (
		foreign = "reading PATH line 1: this is no journal\nit was not written by friendsweep: move it away, or choose another --report"
		damaged = "reading PATH line 1: it is not a line of a journal\nnothing was changed. Restore the journal from a copy; or begin anew with " +
			"--overwrite, which keeps this one aside: what was deleted already will then be answered as not_friend"
	)
	for name, c := range map[string]struct {
		text string
		is   bool
		want string
	}{
		"whole":                      {first, true, ""},
		"whole, and more":            {first + "x", true, ""},
		"whole but for its newline":  {first[:len(first)-1], false, ""},
		"changed, and more":          {strings.Replace(first, `"rows":2`, `"rows":3`, 1) + "x", false, damaged},
		"torn, and more":             {first[:60] + "\n" + first, false, damaged},
		"a line of ours, no first":   {"{\"withdraw\":1}\n", false, foreign},
		"zeros":                      {strings.Repeat("\x00", maxHead-1), false, ""},
		"more zeros than a line has": {strings.Repeat("\x00", maxHead), false, foreign},
		"a first line without end":   {first[:60] + strings.Repeat("x", maxHead), false, damaged},
	} {
		report := filepath.Join(t.TempDir(), "r.csv")
		must(t, os.WriteFile(Path(report), []byte(c.text), 0o600))
		j := open(t, report)
		head, err := j.Head()
		if want := strings.ReplaceAll(c.want, "PATH", j.path); (head != nil) != c.is || err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("%s: got %v, %v; want a head: %v, and %s", name, head, err, c.is, want)
		}
		if _, isDamage := errors.AsType[*Damage](err); isDamage != (c.want != "") || errors.Is(err, entry.ErrLine) != (c.want == damaged) {
			t.Errorf("%s: got %#v", name, err)
		}
		h, err := j.Replay(t.Context(), false)
		if (h != nil) != c.is || (err != nil) != (c.want != "") {
			t.Errorf("%s: replay: got %+v, %v; want a history: %v", name, h, err, c.is)
		}
	}
}

// TestHistory is what the requests of all runs came to.
func TestHistory(t *testing.T) {
	j := started(t, jobOf(10, 11))
	h, err := j.Replay(t.Context(), false)
	if err != nil || h.Answers != 0 || !h.LastAnswer.IsZero() || h.LastStart.IsZero() || h.NextID != 1 || h.Runs != 1 {
		t.Errorf("before the first request: got %+v, %v", h, err)
	}
	code := func(n int) outcome.Code { return outcome.Code{Number: n, Given: true} }
	send := func(results ...outcome.Result) {
		t.Helper()
		id, err := j.Before("a", []int64{2, 3, 4, 5})
		must(t, err)
		must(t, j.After(id, 0, results))
	}
	refused := func(lines ...int64) outcome.Result {
		return outcome.Result{Rows: outcome.RowsAt(lines...), Outcome: outcome.Refused, Code: code(30003)}
	}
	send(refused())
	id, err := j.Before("b", []int64{9})
	must(t, err)
	must(t, j.Withdraw(id))
	send(deleted(2), outcome.Result{Rows: outcome.RowsAt(3), Outcome: outcome.GaveUp, Code: code(30006)}, refused(4),
		outcome.Result{Rows: outcome.RowsAt(5), Outcome: isNotFriend, Code: code(31704)})
	must(t, j.Decide("b", []outcome.Result{refused(8)}))
	for retry, want := range map[bool][]int64{false: {2, 4, 5, 8}, true: {2, 5}} {
		h, err := j.Replay(t.Context(), retry)
		must(t, err)
		var final []int64
		for line := int64(0); line < 12; line++ {
			if h.Final.Has(line) {
				final = append(final, line)
			}
		}
		if diff := cmp.Diff(final, want); diff != "" || h.FinalCount != int64(len(want)) {
			t.Errorf("retry %v: %d final rows: got -, want +\n%s", retry, h.FinalCount, diff)
		}
		if h.RefusedCount != 2 || h.MirroredCount != 1 || h.LostCount != 0 || h.Answers != 2 || h.Withdrawn != 1 || h.Requests != 2 ||
			h.NextID != 4 || h.LastAnswer.IsZero() || h.Ended {
			t.Errorf("got %+v", h)
		}
	}
}

// TestReadingStopsWhenItsContextEnds: with its cause, before a long journal is read to its end.
func TestReadingStopsWhenItsContextEnds(t *testing.T) {
	j := started(t, jobOf(10, 11))
	for range 2000 {
		must(t, j.Decide("a", []outcome.Result{{Rows: outcome.RowsAt(2), Outcome: outcome.Refused}}))
	}
	cause := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	told := 0
	_, err := j.Follow(ctx, Reader{Apply: func(outcome.Rows, *Change) error { told++; return nil }})
	if err != cause || told >= 2000 {
		t.Errorf("got %v after %d of 2000 lines, want %v", err, told, cause)
	}
	if h, err := j.Replay(ctx, false); err != cause || h != nil {
		t.Errorf("replay: got %v, want %v", err, cause)
	}
}
