package journal

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

// told is what a reader is told of a journal, a line for each call, without times.
type told struct {
	testing.TB
	strings.Builder
}

func (w *told) reader() Reader {
	return Reader{
		Apply: func(rows outcome.Rows, d *Change) error {
			w.change("applied", rows, d)
			return nil
		},
		Withdrawn: func(rows outcome.Rows, d *Change) { w.change("withdrawn", rows, d) },
		Began:     func(number int, at int64, run entry.Run) { fmt.Fprintf(w, "began %d user=%s\n", number, run.User) },
	}
}

func (w *told) change(what string, rows outcome.Rows, d *Change) {
	if d.At == 0 || (d.Sent == 0) != (d.Request == 0) || d.Sent > d.At {
		w.Errorf("request %d: got sent at %d and the rest at %d", d.Request, d.Sent, d.At)
	}
	fmt.Fprintf(w, "%s %v run=%d request=%d %s", what, rows, d.Run, d.Request, testCall.Word(d.Outcome))
	for _, flag := range []struct {
		word string
		on   bool
	}{{" carried", d.Carried}, {" unanswered", d.NoAnswer}} {
		if flag.on {
			w.WriteString(flag.word)
		}
	}
	w.WriteString("\n")
}

func TestFollowTellsRunsAndRequests(t *testing.T) {
	j := started(t, jobOf(10, 11))
	send := func(lines ...int64) int64 {
		t.Helper()
		id, err := j.Before("a", lines)
		must(t, err)
		return id
	}
	must(t, j.After(send(2, 3), time.Millisecond, []outcome.Result{deleted(2), {Rows: outcome.RowsAt(3), Outcome: outcome.Open, Code: outcome.Code{Number: 30006, Given: true}}}))
	must(t, j.Withdraw(send(4)))
	send(5)
	_, err := j.Replay(t.Context(), false)
	must(t, err)
	again := someRun
	again.User = "v"
	must(t, j.Resume(again))
	must(t, j.After(send(3), time.Millisecond, []outcome.Result{deleted()}))
	must(t, j.Decide("b", []outcome.Result{{Rows: outcome.RowsAt(8), Outcome: outcome.Refused, Info: "not tried alone"}}))
	send(9)
	w := &told{TB: t}
	if _, err := j.Follow(t.Context(), w.reader()); err != nil {
		t.Fatal(err)
	}
	want := `began 1 user=u
applied [{2 2}] run=1 request=1 deleted carried
applied [{3 3}] run=1 request=1 open carried
withdrawn [{4 4}] run=1 request=2 open
applied [{5 5}] run=1 request=3 open carried unanswered
began 2 user=v
applied [{3 3}] run=2 request=4 deleted carried
applied [{8 8}] run=2 request=0 refused
applied [{9 9}] run=2 request=5 open carried unanswered
`
	if diff := cmp.Diff(w.String(), want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

// TestFollowEndsWithTheReader: an error of Apply is handed back as it is, wherever it comes, and nothing is told after it.
func TestFollowEndsWithTheReader(t *testing.T) {
	j := started(t, jobOf(20, 21))
	send := func(lines ...int64) int64 {
		t.Helper()
		id, err := j.Before("a", lines)
		must(t, err)
		return id
	}
	again := func() {
		t.Helper()
		_, err := j.Replay(t.Context(), false)
		must(t, err)
		must(t, j.Resume(someRun))
	}
	must(t, j.After(send(2, 3), 0, []outcome.Result{deleted(2), deleted(3)}))
	must(t, j.Decide("b", []outcome.Result{{Rows: outcome.RowsAt(8), Outcome: outcome.Refused}, {Rows: outcome.RowsAt(9), Outcome: outcome.Refused}}))
	send(4)
	must(t, j.End("4", "why"))
	again()
	send(4) // and the run dies
	again()
	send(4)
	send(5)
	enough := errors.New("enough")
	for n := range 8 {
		told := 0
		_, err := j.Follow(t.Context(), Reader{Apply: func(outcome.Rows, *Change) error {
			if told++; told > n {
				return enough
			}
			return nil
		}})
		if err != enough || told != n+1 {
			t.Errorf("got %v after %d changes, want %v after %d", err, told, enough, n+1)
		}
	}
	v, err := Look(j.report, testCalls)
	must(t, err)
	defer v.Close()
	if _, err := v.Follow(t.Context(), Reader{Apply: func(outcome.Rows, *Change) error { return enough }}); err != enough {
		t.Errorf("got %v, want %v", err, enough)
	}
}

// TestFollowTellsAnswers: when each came, how long it took, and how many rows got an outcome by it.
func TestFollowTellsAnswers(t *testing.T) {
	j := started(t, jobOf(2000, 2001))
	again := outcome.Result{Outcome: outcome.Open, Code: outcome.Code{Number: 30006, Given: true}}
	some := again
	some.Rows = outcome.RowsAt(1003, 1004)
	for _, results := range [][]outcome.Result{{deleted()}, {again}, {deleted(1002, 1005, 1006), some}} {
		id, err := j.Before("a", []int64{1002, 1003, 1004, 1005, 1006})
		must(t, err)
		must(t, j.After(id, 80*time.Millisecond, results))
	}
	var got []int64
	_, err := j.Follow(t.Context(), Reader{
		Apply: func(outcome.Rows, *Change) error { return nil },
		Answered: func(at, took, decided int64) {
			if at == 0 || took != 80 {
				t.Errorf("got an answer at %d that took %d ms, want 80", at, took)
			}
			got = append(got, decided)
		},
	})
	must(t, err)
	if want := []int64{5, 0, 3}; !slices.Equal(got, want) {
		t.Errorf("got %v rows decided, want %v", got, want)
	}
}

// TestLongLines: a line may be much longer than what is read at once, and an endless one is no line.
func TestLongLines(t *testing.T) {
	j := started(t, jobOf(5000, 5001))
	var results []outcome.Result
	for n := range int64(1000) {
		results = append(results, outcome.Result{Rows: outcome.RowsAt(2 + n), Outcome: outcome.Refused, Info: fmt.Sprint(n, strings.Repeat("x", 1000))})
	}
	short := []outcome.Result{{Rows: outcome.RowsAt(2000), Outcome: outcome.Refused}}
	must(t, j.Decide("a", results))
	must(t, j.Decide("a", short))
	must(t, j.Decide("a", results))
	h, err := j.Replay(t.Context(), false)
	if err != nil || h.RefusedCount != 1001 || h.Lines != 4 || h.TornBytes != 0 {
		t.Errorf("got %+v, %v; want 4 lines and 1001 rows refused", h, err)
	}

	good := content(t, started(t, jobOf(10, 11)).path)
	endless := strings.Repeat("x", maxLine+1)
	if refused, torn := readsAs(t, good+endless); refused != 0 || torn != int64(len(endless)) {
		t.Errorf("behind the last line: got line %d refused and %d bytes torn, want it torn", refused, torn)
	}
	f := &follower{path: "j", parser: entry.NewParser(testCalls), Reader: Reader{Apply: func(outcome.Rows, *Change) error { return nil }}}
	withdrawal, _ := entry.Seal([]byte(`{"withdraw":1,"at":"2026-01-31T02:00:00.000Z"`), "")
	text := good + endless + "\n" + string(withdrawal)
	if err := f.follow(t.Context(), strings.NewReader(text), int64(len(text))); err == nil || !strings.HasPrefix(err.Error(), "reading j line 2: it is longer than 32 MiB\n") {
		t.Errorf("before a good line: got %v, want that line 2 is too long", err)
	}
}

// brokenAt is a disk that cannot be read from an offset on.
type brokenAt struct {
	io.ReaderAt
	from int64
	err  error
}

func (b brokenAt) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) <= b.from {
		return b.ReaderAt.ReadAt(p, off)
	}
	n := 0
	if off < b.from {
		n, _ = b.ReaderAt.ReadAt(p[:b.from-off], off)
	}
	return n, b.err
}

// TestADiskThatCannotBeRead says nothing about what is torn.
func TestADiskThatCannotBeRead(t *testing.T) {
	_, text := everyKind(t)
	bad := errors.New("input/output error")
	for number, line := int64(1), ""; text != line; number++ {
		at := int64(len(line) + 5)
		f := &follower{path: "j", parser: entry.NewParser(testCalls), Reader: Reader{Apply: func(outcome.Rows, *Change) error { return nil }}}
		err := f.follow(t.Context(), brokenAt{strings.NewReader(text), at, bad}, int64(len(text)))
		if want := fmt.Sprintf("reading j line %d: input/output error", number); !errors.Is(err, bad) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := readHead("j", testCalls, brokenAt{strings.NewReader(text), at, bad}, int64(len(text))); !errors.Is(err, bad) || err.Error() != "reading j: input/output error" {
			t.Errorf("the head: got %v, want %v", err, bad)
		}
		line = text[:len(line)+strings.IndexByte(text[len(line):], '\n')+1]
	}
}
