package fates

import (
	"context"
	"time"

	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

// StatusInfo is what a journal alone tells about a job, while a run is at work or after it.
type StatusInfo struct {
	Head     entry.Head
	LastRun  entry.Run // the last run, which may be the first
	Overview journal.Overview

	Link       string // the h of the journal's last good line: the head of the chain
	EndAt      int64  // Unix milliseconds: when the last run wrote its end
	Runs       int
	LastStart  time.Time // when the last run began
	LastAnswer time.Time // zero where none came
	Requests   int64     // sent, over all runs
	Held       bool      // a process has the journal open: the last run is at work
	Ended      bool      // the last run wrote its end; neither held nor ended, it died
	EndCode    string    // its exit code
	Stopped    string    // why it ended before all rows were through; empty if they were

	// Outcomes counts the rows that the journal speaks of. Unknown includes the rows that are out, in requests that may
	// yet be answered if the run is at work. Invalid and plain duplicate rows are those of the input.
	Outcomes   [outcome.Outcomes]int64
	Codes      map[int]int64
	OtherCodes int64 // rows whose codes are not in Codes
	counts     Tally // of codes and reasons
	Presumed   int64
	Out        int64 // rows in requests of the last run that have no answer
	// Waiting is the rows that no request has carried and nothing has decided. Up to Mirrors of them are duplicates of a
	// row whose answer settles them: which ones only the input tells.
	Waiting int64
	Mirrors int64
}

// Status reads the journal of the report without locking it or changing anything. The error is [journal.ErrNoJournal] where
// there is none. dir is for temporary files.
func Status(ctx context.Context, report, dir string, calls outcome.Calls) (*StatusInfo, error) {
	v, err := journal.Look(report, calls)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	f := build(v.Head, dir, usualSizes)
	defer f.Close()
	if f.seen, err = v.Follow(ctx, f.reader()); err != nil {
		return nil, err
	}
	s := f.status(v.Head)
	s.Held = v.Held
	return s, f.tallyInto(ctx, s)
}

func (f *Fates) status(head *entry.Head) *StatusInfo {
	return &StatusInfo{
		Head: *head, Overview: f.seen, LastRun: f.seen.LastRun, Runs: f.seen.Runs, LastStart: journal.UnixMilli(f.seen.LastStart),
		LastAnswer: journal.UnixMilli(f.seen.LastAnswer), Requests: f.seen.Requests, Ended: f.seen.Ended, EndCode: f.seen.EndCode,
		Stopped: f.seen.Stopped, Link: f.seen.Link, EndAt: f.seen.EndAt, Out: f.seen.Out, Codes: make(map[int]int64),
	}
}

// tallyInto counts the rows that the journal speaks of. Nothing else is known to be a row.
func (f *Fates) tallyInto(ctx context.Context, s *StatusInfo) error {
	spoken := int64(0)
	for b := range f.store.rows.Len() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := f.store.load(b); err != nil {
			return err
		}
		for i := range f.store.cells {
			c := &f.store.cells[i]
			if !c.has(touched) {
				continue
			}
			spoken++
			s.Outcomes[c.ends()]++
			switch end := c.ends(); {
			case c.has(hasCode):
				s.counts.CountCode(int(c.code), 1)
			case end == outcome.Refused || end == outcome.GaveUp:
				reason, err := f.store.text(f.store.first+int64(i), c.text)
				if err != nil {
					return err
				}
				s.counts.CountReason(reason)
			}
			if c.has(presumed) {
				s.Presumed++
			}
		}
	}
	plain := f.Job.Duplicates - f.Job.Mirrors
	s.Outcomes[outcome.Invalid], s.Outcomes[outcome.Duplicate], s.Mirrors = f.Job.Invalid, plain, f.Job.Mirrors
	s.Codes, s.OtherCodes = s.counts.Codes, s.counts.OtherCodes
	s.Waiting = max(0, f.Job.Rows-f.Job.Invalid-plain-spoken)
	return nil
}

// Tally is what the journal alone knows about the rows of the job: a duplicate is no success here, because which row it
// repeats only the input tells.
func (s *StatusInfo) Tally(good outcome.Set) Tally {
	t := Tally{Rows: s.Head.Job.Rows, Presumed: s.Presumed, Outcomes: s.Outcomes, Codes: s.Codes, OtherCodes: s.OtherCodes, Reasons: s.counts.Reasons}
	if s.Ended && (s.EndCode == "0" || s.EndCode == "1") {
		t.Outcomes[outcome.Duplicate] += s.Waiting // mirrors that their firsts settled: a finished run leaves nothing else
	} else {
		t.Outcomes[outcome.NotSent] += s.Waiting
	}
	for o, n := range t.Outcomes {
		if good.Has(outcome.Outcome(o)) {
			t.Success += n
		}
	}
	t.Failure = t.Rows - t.Success
	return t
}

// Open is the number of rows that a run that resumes the job would send.
func (t Tally) Open() (n int64) {
	for o, rows := range t.Outcomes {
		if outcome.Outcome(o).IsOpen() {
			n += rows
		}
	}
	return n
}
