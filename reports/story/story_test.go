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

func lostDeed(d *journal.Change) *journal.Change {
	d.Lost = true
	return d
}

func unanswered(request int64) *journal.Change {
	d := lostDeed(changeOf(request, outcome.Open, -1, journal.InfoNoAnswer))
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
		"running, lost": {true, running, nil, []*journal.Change{lostDeed(changeOf(3, outcome.Open, -1, "no answer within 15s"))},
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
		"gave up, no answer": {false, asked, nil, []*journal.Change{lostDeed(changeOf(3, outcome.GaveUp, -1, "no answer"))}, `Its last permitted attempt ended with a temporary error (no answer), so run 1 gave it up; --resume sends it again.`},
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
	column := strings.Index(out.String(), "sent ") - strings.Index(out.String(), "request ")
	for line := range strings.Lines(out.String()) {
		if got := strings.Index(line, "sent "); strings.HasPrefix(line, "request ") && got != column {
			t.Errorf("got column %d in %q, want %d as in the other lines", got, line, column)
		}
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
