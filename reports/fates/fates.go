// Package fates joins the journal of a job with its input and tells what became of every row, in the order of the input.
//
// Call [New] for a run that has ended, then [Fates.Next] for each record; [Status] counts what a journal alone says, while a
// run may be at work. It decides nothing itself: what a result does to a row is the rule of package outcome, and a repeat
// has the fate of the row that it repeats. However many rows there are, the memory that it takes is bounded.
package fates

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"friendsweep/input"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

// Fate is what became of one row.
type Fate struct {
	Outcome  outcome.Outcome
	First    outcome.Outcome // of a duplicate: what became of the row that it repeats
	Code     outcome.Code    // the item's if the API gave one, else the request's
	Info     string          // the API's text or ours
	Attempts int64           // requests that carried the row, over all runs
	At       time.Time
	Presumed bool  // the outcome is what [outcome.Call.Presumed] concludes
	Of       int64 // of a duplicate: the line of the row whose result it has
}

// Success reports whether the row counts as one, where these answers are successes.
func (f *Fate) Success(good outcome.Set) bool {
	if f.Outcome == outcome.Duplicate {
		return good.Has(f.First)
	}
	return good.Has(f.Outcome)
}

// For is the fate of a record, where f is what the journal says of its line: that must be nothing if the record is invalid.
func (f Fate) For(rec *input.Record) (Fate, error) {
	if rec.Reason == "" {
		return f, nil
	}
	if f.Attempts > 0 || f.Outcome != outcome.NotSent {
		return f, fmt.Errorf("joining the journal with the input: the journal has a result for line %d, which is invalid: %s", rec.Line, rec.Reason)
	}
	return Fate{Outcome: outcome.Invalid, Info: rec.Reason}, nil
}

// infoNoTurn is of rows that no request carried.
const infoNoTurn = "its turn never came"

// Fates tells the fate of every row of a job, in the order of their lines. It reads the journal once and keeps what
// happened in temporary files by line number, so it needs some 90 MB at most, however many rows there are and whatever the API
// said about them.
//
// It owns its temporary files and everything it has read; it is for one goroutine. End it with Close.
type Fates struct {
	Job  entry.Job
	seen journal.Overview

	store   store
	bucket  int   // the one in cells; -1 before the first
	line    int64 // the last one asked for
	time    timelineBuilder
	latency latencyBuilder
}

// Options is what [New] joins with the journal.
type Options struct {
	Job     entry.Job                      // of the input; the journal must belong to exactly this one
	Repeats iter.Seq2[input.Repeat, error] // of the input, in any order
	Dir     string                         // for temporary files

	sizes sizes // zero is usualSizes; tests have smaller ones
}

// New reads the journal and the repeats. Requests without an answer count as lost, so it is for a run that has
// ended, or died.
func New(ctx context.Context, j *journal.Journal, o Options) (*Fates, error) {
	head, err := j.Head()
	if err != nil {
		return nil, err
	}
	if head == nil {
		return nil, fmt.Errorf("reading %s: no job is in it", j.Path())
	}
	if err := o.Job.Same(head.Job); err != nil {
		return nil, fmt.Errorf("reading %s: %w", j.Path(), err)
	}
	f := build(head, o.Dir, cmp.Or(o.sizes, usualSizes))
	if f.seen, err = j.Follow(ctx, f.reader()); err == nil {
		err = f.addRepeats(ctx, o.Repeats)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func build(head *entry.Head, dir string, size sizes) *Fates {
	return &Fates{Job: head.Job, bucket: -1, store: newStore(dir, head, size)}
}

// addRepeats also counts them: a repeat that got lost would be reported as a row that was never sent.
func (f *Fates) addRepeats(ctx context.Context, repeats iter.Seq2[input.Repeat, error]) error {
	var all, mirrors int64
	if repeats != nil {
		for r, err := range repeats {
			if err == nil {
				err = f.store.repeat(r)
			}
			if err != nil {
				return err
			}
			if all%0x10000 == 0 && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if all++; r.Mirror {
				mirrors++
			}
		}
	}
	if all != f.Job.Duplicates || mirrors != f.Job.Mirrors {
		return fmt.Errorf("joining the journal with the input: %d duplicates, %d of them mirrors, and there were %d and %d",
			all, mirrors, f.Job.Duplicates, f.Job.Mirrors)
	}
	return nil
}

// Next tells the fate of the row at line. Lines ascend from call to call; those left out are no rows, and it is an error
// if the journal speaks of one of them.
func (f *Fates) Next(line int64) (Fate, error) {
	c, err := f.cell(line)
	if err != nil {
		return Fate{}, err
	}
	return f.fate(c)
}

// Finish checks that the journal speaks of no row behind the last one asked for.
func (f *Fates) Finish() error {
	if f.line >= f.Job.LastLine {
		return nil
	}
	c, err := f.cell(f.Job.LastLine)
	if err == nil && c.has(touched) {
		err = errStranger(f.Job.LastLine)
	}
	return err
}

func errStranger(line int64) error {
	return fmt.Errorf("joining the journal with the input: the journal speaks of line %d, where the input has no record", line)
}

// cell goes on to the line. The cell is good until the next call.
func (f *Fates) cell(line int64) (*cell, error) {
	if line <= f.line || line > f.Job.LastLine {
		return nil, fmt.Errorf("joining the journal with the input: line %d cannot follow line %d", line, f.line)
	}
	for next := f.line + 1; ; next++ {
		if b := f.store.bucketOf(next); b != f.bucket {
			if err := f.store.load(b); err != nil {
				return nil, err
			}
			f.bucket = b
		}
		c := f.store.at(next)
		if next == line {
			f.line = line
			return c, nil
		}
		if c.has(touched) {
			return nil, errStranger(next)
		}
	}
}

func (f *Fates) fate(c *cell) (Fate, error) {
	return c.fate(f.store.call, func(number int32) (string, error) { return f.store.text(f.line, number) })
}

// fate is that of the row. text finds a text by its number.
func (c *cell) fate(call *outcome.Call, text func(number int32) (string, error)) (Fate, error) {
	fate := Fate{Outcome: c.ends(), Code: c.state().Code, Attempts: int64(c.attempts)}
	switch {
	case c.outcome == outcome.Duplicate:
		fate.First, fate.Of = c.first, c.of
		fate.Info = "same pair as line " + strconv.FormatInt(c.of, 10)
		if c.has(mirrored) {
			fate.Info = "same friendship as line " + strconv.FormatInt(c.of, 10) + ", " + call.Texts.Mirrored
		}
		return fate, nil
	case c.has(presumed):
		fate.Presumed, fate.Info = true, call.Presumed.Info
	case c.text == 0 && fate.Outcome == outcome.NotSent && c.attempts == 0:
		fate.Info = infoNoTurn
	default:
		var err error
		if fate.Info, err = text(c.text); err != nil {
			return fate, err
		}
	}
	if c.attempts > 0 {
		fate.At = time.UnixMilli(c.at).UTC()
	}
	return fate, nil
}

// reader spreads what the journal says.
func (f *Fates) reader() journal.Reader {
	return journal.Reader{Apply: f.store.change, Answered: func(at, took, decided int64) {
		f.time.add(at, decided)
		f.latency.add(took)
	}}
}

// Call is the call whose answers these are.
func (f *Fates) Call() *outcome.Call { return f.store.call }

// Overview are what the journal says about the runs of the job.
func (f *Fates) Overview() journal.Overview { return f.seen }

// Timeline is when rows got their outcome, over all runs of the job.
func (f *Fates) Timeline() Timeline { return f.time.timeline() }

// Latency is how long requests took, over all runs of the job.
func (f *Fates) Latency() Latency { return f.latency.latency() }

// Close frees the temporary files.
func (f *Fates) Close() error {
	return errors.Join(f.store.rows.Close(), f.store.links.Close(), f.store.own.close())
}
