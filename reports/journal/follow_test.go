package journal

import (
	"fmt"
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
