package fates

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"friendsweep/reports/journal"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
)

// TestStatus: what the journal alone tells of its rows, while the run is at work, after it died and after its end.
func TestStatus(t *testing.T) {
	dir := t.TempDir()
	report := filepath.Join(dir, "r.csv")
	if _, err := Status(t.Context(), report, dir, journaltest.Calls); !errors.Is(err, journal.ErrNoJournal) {
		t.Fatalf("got %v, want %v", err, journal.ErrNoJournal)
	}
	j, err := journal.Lock(report, journaltest.Calls)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	job := journaltest.Job(12, 13) // lines 2 to 13
	job.Invalid, job.Duplicates, job.Mirrors = 1, 3, 2
	if err := j.Start(job, journaltest.Run); err != nil {
		t.Fatal(err)
	}
	code := func(n int) outcome.Code { return outcome.Code{Number: n, Given: true} }
	lost, err := j.Before("a", []int64{3})
	if err == nil {
		err = j.After(lost, 0, []outcome.Result{{Outcome: outcome.Open, Code: code(30007), Lost: true}})
	}
	if err != nil {
		t.Fatal(err)
	}
	id, err := j.Before("a", []int64{2, 3, 4, 5})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.After(id, 0, []outcome.Result{
		{Outcome: journaltest.Deleted, Code: code(0), Rows: outcome.Rows{{Lo: 2, Hi: 2}}},
		{Outcome: journaltest.Deleted, Code: code(31704), Presumed: true, Rows: outcome.Rows{{Lo: 3, Hi: 3}}},
		{Outcome: journaltest.NotFriend, Code: code(31704), Rows: outcome.Rows{{Lo: 4, Hi: 4}}},
		{Outcome: outcome.Open, Code: code(60007), Rows: outcome.Rows{{Lo: 5, Hi: 5}}},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Before("b", []int64{6}); err != nil {
		t.Fatal(err)
	}
	info, err := Status(t.Context(), report, dir, journaltest.Calls)
	if err != nil {
		t.Fatal(err)
	}
	// Five rows were carried, one is invalid, one a plain duplicate; two mirrors and three others wait.
	if info.Waiting != 5 || info.Mirrors != 2 || info.Presumed != 1 || info.Out != 1 || !info.Held || info.Ended || info.Codes[31704] != 2 || info.Codes[0] != 1 || info.Codes[60007] != 1 {
		t.Errorf("got %+v", info)
	}
	tally := info.Tally(journaltest.Good)
	for o, want := range map[outcome.Outcome]int64{journaltest.Deleted: 2, journaltest.NotFriend: 1, outcome.Unknown: 1, outcome.NotSent: 6, outcome.Invalid: 1, outcome.Duplicate: 1} {
		if got := tally.Outcomes[o]; got != want {
			t.Errorf("%s: got %d rows, want %d", journaltest.Call.Word(o), got, want)
		}
	}
	if tally.Rows != 12 || tally.Success != 2 || tally.Failure != 10 || tally.Open() != 7 || tally.Presumed != 1 {
		t.Errorf("got %+v, %d open; want 2 successes of 12, and 7 open", tally, tally.Open())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Status(ctx, report, dir, journaltest.Calls); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: got %v", err)
	}
}

// TestTallyOfTheWaiting: a run that went to its end leaves nothing but mirrors that are settled; after any other, what waits was
// not sent.
func TestTallyOfTheWaiting(t *testing.T) {
	for _, tc := range []struct {
		ended bool
		code  string
		want  outcome.Outcome
	}{
		{true, "0", outcome.Duplicate}, {true, "1", outcome.Duplicate}, {true, "4", outcome.NotSent}, {true, "130", outcome.NotSent},
		{false, "", outcome.NotSent}, {false, "1", outcome.NotSent},
	} {
		info := StatusInfo{Waiting: 3}
		info.Head.Job.Rows, info.Ended, info.EndCode = 3, tc.ended, tc.code
		if got := info.Tally(journaltest.Good); got.Outcomes[tc.want] != 3 || got.Success != 0 || got.Failure != 3 {
			t.Errorf("ended %v, %q: got %+v, want 3 %s", tc.ended, tc.code, got, journaltest.Call.Word(tc.want))
		}
	}
}

// TestSuccessOfADuplicate: a duplicate is a success where its first row is.
func TestSuccessOfADuplicate(t *testing.T) {
	for _, tc := range []struct {
		fate Fate
		want bool
	}{
		{Fate{Outcome: journaltest.Deleted}, true}, {Fate{Outcome: journaltest.NotFriend}, false}, {Fate{Outcome: outcome.Duplicate}, false},
		{Fate{Outcome: outcome.Duplicate, First: journaltest.Deleted}, true}, {Fate{Outcome: outcome.Duplicate, First: journaltest.NotFriend}, false},
		{Fate{Outcome: journaltest.NotFriend, First: journaltest.Deleted}, false},
	} {
		if got := tc.fate.Success(journaltest.Good); got != tc.want {
			t.Errorf("%+v: got %v, want %v", tc.fate, got, tc.want)
		}
	}
}

// TestStatusReasons: why rows failed that have no code is counted by its words, row for row; what is still open has no reason yet.
func TestStatusReasons(t *testing.T) {
	job := journaltest.Job(7, 8)
	j := journaltest.Start(t, job)
	id, err := j.Before("a", []int64{2, 3, 4, 5})
	must(t, err)
	must(t, j.After(id, 0, []outcome.Result{
		{Rows: outcome.RowsAt(2), Outcome: outcome.GaveUp, Lost: true, Info: "no answer within 15s"},
		{Rows: outcome.RowsAt(3), Lost: true, Info: "connection broken"},
		{Rows: outcome.RowsAt(4), Outcome: outcome.Refused, Code: outcome.Code{Number: 30003, Given: true}, Info: "no account"},
		{Rows: outcome.RowsAt(5), Outcome: journaltest.Deleted, Code: outcome.Code{Given: true}},
	}))
	must(t, j.Decide("b", []outcome.Result{{Rows: outcome.RowsAt(6, 7), Outcome: outcome.Refused, Info: "not tried alone"}}))
	must(t, j.End("4", "why"))
	info, err := Status(t.Context(), journaltest.Report(j), t.TempDir(), journaltest.Calls)
	must(t, err)
	got := info.Tally(journaltest.Good)
	want := Tally{Rows: 7, Success: 1, Failure: 6, Codes: map[int]int64{0: 1, 30003: 1}, Reasons: map[string]int64{"no answer within 15s": 1, "not tried alone": 2}}
	want.Outcomes[journaltest.Deleted], want.Outcomes[outcome.Refused], want.Outcomes[outcome.GaveUp] = 1, 3, 1
	want.Outcomes[outcome.Unknown], want.Outcomes[outcome.NotSent] = 1, 1
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("got -, want +\n%s", diff)
	}
}
