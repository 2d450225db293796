package story

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"friendsweep/input"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
)

// changeOf is what a request did: its number, and what was said of the record.
func changeOf(request int64, o outcome.Outcome, code int, info string) *journal.Change {
	d := &journal.Change{Request: request, Carried: request > 0, Sent: 1000, At: 2000, Run: 1}
	d.Outcome, d.Info = o, info
	if code >= 0 {
		d.Code = outcome.Code{Number: code, Given: true}
	}
	return d
}

func lostChange(d *journal.Change) *journal.Change {
	d.Lost = true
	return d
}

func unanswered(request int64) *journal.Change {
	d := lostChange(changeOf(request, outcome.Open, -1, journal.InfoNoAnswer))
	d.NoAnswer = true
	return d
}

// concluded is the story of line 5, told by the rule of the report.
func concluded(t *testing.T, held bool, seen journal.Overview, repeat *input.Repeat, changes ...*journal.Change) *Story {
	t.Helper()
	s, few := New(journaltest.Call), fates.NewFew(journaltest.Call, 5, 2)
	for _, d := range changes {
		s.Add(d, Begun{Run: d.Run, At: "T", User: "u", Host: "h"}, false)
		if err := few.Apply(outcome.Rows{{Lo: 5, Hi: 5}}, d); err != nil {
			t.Fatal(err)
		}
	}
	if repeat != nil {
		s.RepeatOf(*repeat)
		few.Repeat(*repeat)
	}
	if err := s.Conclude(&input.Record{Line: 5, From: "a", To: "b"}, few.Fate(5), &seen, held); err != nil {
		t.Fatal(err)
	}
	return s
}

// withRetry is the same of a command that can send refused rows again.
func withRetry(seen journal.Overview) journal.Overview {
	seen.LastRun.Flags = entry.Flags{"retry-failed": false}
	return seen
}

func TestWhy(t *testing.T) {
	running, dead := journal.Overview{Runs: 1}, journal.Overview{Runs: 1}
	stopped := journal.Overview{Runs: 1, Ended: true, EndCode: "4", Stopped: "the disk is full"}
	asked := journal.Overview{Runs: 1, Ended: true, EndCode: "130"}
	mirror := &input.Repeat{Line: 5, First: 2, Mirror: true}
	busy := changeOf(3, outcome.Open, 60007, "too often")
	for name, c := range map[string]struct {
		held    bool
		seen    journal.Overview
		first   *input.Repeat
		changes []*journal.Change
		want    string
	}{
		"running, not asked": {true, running, nil, nil, `Its turn has not come yet.`},
		"running, a mirror that waits": {true, running, mirror, nil, `Its turn has not come yet. It is the same friendship as line 2 and waits for that one: ` +
			`only if that one does not settle it is this one sent, after everything else.`},
		"running, throttled": {true, running, nil, []*journal.Change{busy}, `Its one request was certainly not carried out (code 60007: too often), and it is to be sent again.`},
		"running, in flight": {true, running, nil, []*journal.Change{busy, unanswered(4)}, `Request 4 carries it now, and its answer has not come yet.`},
		"running, lost": {true, running, nil, []*journal.Change{lostChange(changeOf(3, outcome.Open, -1, "no answer within 15s"))},
			`The answer to request 3 was lost, so it may have been carried out, and no answer since said what became of it; it is to be sent again.`},
		"running, a repeat": {true, running, &input.Repeat{Line: 5, First: 2}, nil, `It is the same pair as line 2, so it has that row's result: not_sent so far.`},
		"dead, in flight": {false, dead, nil, []*journal.Change{unanswered(4)},
			`The answer to request 4 was lost, so it may have been carried out, and no answer since said what became of it before the run died (killed, crashed, power lost or disk full); --resume sends it again.`},
		"stopped, not asked": {false, stopped, nil, nil, `Its turn never came before the run stopped (the disk is full), so it was certainly not carried out; --resume sends it again.`},
		"ended, and still held": {true, stopped, nil, []*journal.Change{busy},
			`Its one request was certainly not carried out (code 60007: too often), and then the run stopped (the disk is full); --resume sends it again.`},
		"interrupted, throttled twice": {false, asked, nil, []*journal.Change{busy, busy}, `None of its 2 requests was carried out (code 60007: too often), and then the run ended; --resume sends it again.`},
		"not tried alone": {false, stopped, nil, []*journal.Change{changeOf(3, outcome.Open, 30003, "none"), changeOf(0, outcome.Refused, 30003, "not tried alone")},
			`It was refused without a request of its own (code 30003: not tried alone). Only --resume with --retry-failed sends it again.`},
		"running, refused":   {true, running, nil, []*journal.Change{changeOf(3, outcome.Refused, 30003, "")}, `The API said no for good in its answer to request 3 (code 30003).`},
		"gave up, no answer": {false, asked, nil, []*journal.Change{lostChange(changeOf(3, outcome.GaveUp, -1, "no answer"))}, `Its last permitted attempt ended with a temporary error (no answer), so run 1 gave it up; --resume sends it again.`},
		"deleted, which is success": {false, journal.Overview{Runs: 1, Ended: true, EndCode: "0", LastRun: entry.Run{Success: []string{"deleted"}}}, nil,
			[]*journal.Change{changeOf(3, journaltest.Deleted, 0, "")}, `The API's answer to request 3 says so (code 0).`},
		"not a friend, which is success": {false, journal.Overview{Runs: 1, Ended: true, EndCode: "0", LastRun: entry.Run{Success: []string{"deleted", "not_friend"}}}, nil,
			[]*journal.Change{changeOf(3, journaltest.NotFriend, 31704, "")}, `The API's answer to request 3 says so (code 31704). It counts as success by --ignore-not-friend.`},
	} {
		s := concluded(t, c.held, withRetry(c.seen), c.first, c.changes...)
		if s.Why != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, s.Why, c.want)
		}
	}
}

func TestStoryIsBounded(t *testing.T) {
	s := New(journaltest.Call)
	for i := range int64(5000) {
		s.Add(changeOf(i+1, outcome.Open, 60007, "too often"), Begun{Run: 1, User: "u"}, false)
		s.Repeated(10_000-i, false)
	}
	if err := s.Conclude(&input.Record{Line: 5}, fates.Fate{Outcome: outcome.NotSent, Attempts: 5000}, &journal.Overview{Runs: 1}, false); err != nil {
		t.Fatal(err)
	}
	if got := int64(len(s.Events)) + s.EventsLeftOut; got != 5000 || len(s.Events) > mostEvents {
		t.Errorf("got %d events and %d left out, want 5000 in all, and at most %d kept", len(s.Events), s.EventsLeftOut, mostEvents)
	}
	if got, want := s.RepeatedBy[0].Line, int64(5001); got != want || len(s.RepeatedBy) != mostKin || s.MoreRepeatedBy != 5000-mostKin {
		t.Errorf("got repeats from line %d, %d named and %d more, want the first %d from line %d", got, len(s.RepeatedBy), s.MoreRepeatedBy, mostKin, want)
	}
	var out strings.Builder
	if err := s.WriteText(&out, terminal.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`request 500 +sent .*\n… +4,000 more are left out here\nrequest 4501 `, `\n +line 5020, the same pair\n +and 4,980 more\n`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("got %s\nwant it to match %s", out.String(), want)
		}
	}
	if got := strings.Count(out.String(), "left out here"); got != 1 {
		t.Errorf("got %d times that events are left out, want it once", got)
	}
	column := strings.Index(out.String(), "sent ") - strings.Index(out.String(), "request ")
	for line := range strings.Lines(out.String()) {
		if got := strings.Index(line, "sent "); strings.HasPrefix(line, "request ") && got != column {
			t.Errorf("got column %d in %q, want %d as in the other lines", got, line, column)
		}
	}
}

// Where nothing is left out nothing is said of it, and a decision is no request.
func TestStoryOfManyEvents(t *testing.T) {
	s := New(journaltest.Call)
	for i := range int64(mostEvents - 1) {
		s.Add(changeOf(i+1, outcome.Open, 60007, "too often"), Begun{Run: 1, User: "u"}, false)
	}
	s.Add(changeOf(0, outcome.Refused, 30003, "not tried alone"), Begun{Run: 1, User: "u"}, false)
	if err := s.Conclude(&input.Record{Line: 5}, fates.Fate{Outcome: outcome.Refused, Attempts: mostEvents - 1}, &journal.Overview{Runs: 1}, false); err != nil {
		t.Fatal(err)
	}
	text := storyText(t, s)
	if strings.Contains(text, "left out") || !strings.Contains(text, "\nrequest 999 ") || !regexp.MustCompile(`\ndecided +1970`).MatchString(text) || strings.Contains(text, "request 0") {
		t.Errorf("got\n%s\nwant all of the events, and a decision at the end", text[:500]+"…"+text[len(text)-500:])
	}
}

// What the server and the input say cannot change what a terminal shows.
func TestStoryIsPrintable(t *testing.T) {
	s := concluded(t, false, journal.Overview{Runs: 1, Ended: true, Stopped: "x\x1b"}, nil, changeOf(3, outcome.Open, 60007, "a\x1b[2J\nb"))
	s.From, s.Runs[0].Note = "\x1bfrom", "\x1bnote"
	for name, write := range map[string]func(*strings.Builder) error{
		"text": func(b *strings.Builder) error { return s.WriteText(b, terminal.TextOptions{}) },
		"json": func(b *strings.Builder) error { return s.WriteJSON(b) },
	} {
		var out strings.Builder
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "\x1b") {
			t.Errorf("%s: got %s, want it without escapes", name, fmt.Sprintf("%q", out.String()))
		}
	}
}

func storyText(t *testing.T, s *Story) string {
	t.Helper()
	var out strings.Builder
	if err := s.WriteText(&out, terminal.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// A row that is presumed: which answer was lost, and which one says that it is gone.
func TestStoryOfAPresumedRow(t *testing.T) {
	gone := changeOf(4, journaltest.Deleted, 31704, journaltest.Call.Presumed.Info)
	gone.Presumed, gone.Run, gone.Sent, gone.At = true, 2, 3000, 4000
	s := concluded(t, false, journal.Overview{Runs: 2, Ended: true, EndCode: "0", Link: "abc", LastRun: entry.Run{Success: []string{"deleted"}}}, nil,
		lostChange(changeOf(3, outcome.Open, -1, "no answer within 15s")), gone)
	s.Runs[0].Allowed, s.Runs[0].Note, s.Input, s.Report, s.Journal = "--yes was given", "ticket 7", "-", "r.csv", "r.csv.journal"
	want := `Line 5: deleted, success.
The answer to request 3 was lost, so it may have been carried out; then the API's answer to request 4 had code 31704: ` + journaltest.Call.Presumed.Info + `.

from        a
to          b
result_code 31704: not your friend
result_info ` + journaltest.Call.Presumed.Info + `
attempts    2
finished_at 1970-01-01T00:00:04.000Z

what the journal says about it
run 1       began T by u on h (--yes was given): ticket 7
request 3   sent 1970-01-01T00:00:01.000Z, failed 1970-01-01T00:00:02.000Z: it may have been carried out: no answer within 15s
run 2       began T by u on h
request 4   sent 1970-01-01T00:00:03.000Z, answered 1970-01-01T00:00:04.000Z: deleted, code 31704: ` + journaltest.Call.Presumed.Info + `

input       standard input
report      r.csv
journal     r.csv.journal
head        abc
`
	if got := storyText(t, s); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A run that is at work: what has no answer yet may get one, and what was withdrawn was not sent.
func TestStoryOfARunAtWork(t *testing.T) {
	earlier, now := unanswered(3), unanswered(5)
	withdrawn := changeOf(4, outcome.Open, -1, "")
	now.Run, withdrawn.Run = 2, 2
	s := New(journaltest.Call)
	s.Add(earlier, Begun{Run: 1, At: "T", User: "u", Host: "h"}, false)
	s.Add(withdrawn, Begun{Run: 2, At: "T", User: "u", Host: "h"}, true)
	s.Add(now, Begun{Run: 2, At: "T", User: "u", Host: "h"}, false)
	if err := s.Conclude(&input.Record{Line: 5, From: "a", To: "b"}, fates.Fate{Outcome: outcome.Unknown, Attempts: 2}, &journal.Overview{Runs: 2}, true); err != nil {
		t.Fatal(err)
	}
	text := storyText(t, s)
	for _, want := range []string{
		"Line 5: unknown, failure so far; a run is at work.\nRequest 5 carries it now, and its answer has not come yet.\n",
		"request 3   sent 1970-01-01T00:00:01.000Z; no answer was recorded before the run ended\nrun 2 ",
		"request 4   withdrawn 1970-01-01T00:00:02.000Z: it was not sent after all\n",
		"request 5   sent 1970-01-01T00:00:01.000Z; no answer has come yet\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("got\n%s\nwant in it %q", text, want)
		}
	}
	if len(s.Runs) != 2 || s.Events[0].At != "" || s.Events[2].At != "" || s.Events[1].At == "" {
		t.Errorf("got %+v in the runs %+v", s.Events, s.Runs)
	}
}

// What an answer or a decision means for the record, in every combination.
func TestEventText(t *testing.T) {
	for _, c := range []struct {
		change *journal.Change
		want   string
	}{
		{changeOf(3, outcome.Open, 60007, "too often"), "answered 1970-01-01T00:00:02.000Z: it was not carried out, code 60007: too often"},
		{lostChange(changeOf(3, outcome.Open, 30007, "")), "answered 1970-01-01T00:00:02.000Z: it may have been carried out, code 30007"},
		{lostChange(changeOf(3, outcome.GaveUp, -1, "reset")), "failed 1970-01-01T00:00:02.000Z: gave_up, and it may have been carried out: reset"},
		{changeOf(3, outcome.Refused, 30003, "none"), "answered 1970-01-01T00:00:02.000Z: refused, code 30003: none"},
		{changeOf(0, outcome.Refused, 30003, "none"), "1970-01-01T00:00:02.000Z: refused, code 30003: none"},
	} {
		s := New(journaltest.Call)
		s.Add(c.change, Begun{Run: 1}, false)
		if got := s.Events[0].String(); !strings.HasSuffix(got, c.want) || (c.change.Request == 0) != (got == c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// Advice is for failures; of what is a success there is nothing to do.
func TestStoryAdvisesOnFailures(t *testing.T) {
	for success, advises := range map[string]bool{"deleted": true, "deleted not_friend": false} {
		seen := journal.Overview{Runs: 1, Ended: true, EndCode: "1", LastRun: entry.Run{Success: strings.Fields(success)}}
		s := concluded(t, false, seen, nil, changeOf(3, journaltest.NotFriend, 31704, ""))
		if got := storyText(t, s); strings.Contains(got, "-> "+journaltest.Call.Advice(31704)) != advises || strings.HasPrefix(got, "Line 5: not_friend, failure.") != advises {
			t.Errorf("successes are %s: got\n%s\nwant advice: %v", success, got, advises)
		}
	}
}

// A repeat has the first one's result, which is not its last word while a run is at work and the first one is open.
func TestWhyOfARepeat(t *testing.T) {
	for _, c := range []struct {
		held  bool
		first outcome.Outcome
		want  string
	}{
		{true, outcome.NotSent, "not_sent so far."}, {true, journaltest.Deleted, "deleted."}, {false, outcome.NotSent, "not_sent."},
	} {
		s := New(journaltest.Call)
		fate := fates.Fate{Outcome: outcome.Duplicate, First: c.first, Info: "same pair as line 2"}
		if err := s.Conclude(&input.Record{Line: 5, From: "a", To: "b"}, fate, &journal.Overview{Runs: 1}, c.held); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(s.Why, ": "+c.want) {
			t.Errorf("held %v, the first one %s: got %q, want it to end with %q", c.held, journaltest.Call.Word(c.first), s.Why, c.want)
		}
	}
}
