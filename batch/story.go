package batch

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"friendsweep/input"
	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/story"
	"friendsweep/reports/terminal"
)

// Story tells what became of the record at the line of the input, and why, from journal and input. It takes no lock, changes
// nothing and contacts nobody; a run may be at work. Of the options only Report must be set; Pairs is the input where it is
// not where the journal says. It reads the journal once, unless the input has moved between two runs, and of its lines it
// keeps what is about this record. The error is a [Refusal] where there is nothing to tell about.
func Story(ctx context.Context, o Options, line int64) (*story.Story, error) {
	t := &teller{Run: Run{Options: o}, line: line}
	defer t.Close()
	story, err := t.tell(ctx)
	switch {
	case err == nil:
		return story, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return nil, refuse("%w", err)
}

// teller reads what a story is made of.
type teller struct {
	Run   // its input and job
	line  int64
	view  *journal.View
	story *story.Story
}

func (t *teller) tell(ctx context.Context) (_ *story.Story, err error) {
	t.view, err = journal.Look(t.Report, Calls)
	if errors.Is(err, journal.ErrNoJournal) {
		return nil, refuse("%w\ngive the name of a report; its journal lies beside it", err)
	}
	if err != nil {
		return nil, err
	}
	defer t.view.Close()
	t.story = story.New(t.view.Head.Call)
	if last := t.view.Head.Job.LastLine; t.line > last {
		return nil, refuse("the input has no record at line %d: the last one is at line %d", t.line, last)
	}
	if err := t.readInput(ctx); err != nil {
		return nil, err
	}
	rec, err := t.record(ctx)
	if err != nil {
		return nil, err
	}
	chain, err := t.kin()
	if err != nil {
		return nil, err
	}
	t.story.Report, t.story.Journal, t.story.Input = absolute(t.Report), absolute(journal.Found(t.Report)), t.in.Path
	fate, seen, err := t.follow(ctx, chain)
	if err == nil {
		err = t.story.Conclude(&rec, fate, &seen, t.view.Held)
	}
	return t.story, err
}

// readInput reads the input of the job.
func (t *teller) readInput(ctx context.Context) (err error) {
	job := t.view.Head.Job
	t.takeOver(job, t.view.Head.Run)
	if t.Pairs == "" {
		if t.Pairs, err = t.findInput(ctx); err != nil {
			return err
		}
	}
	if err := t.read(ctx); err != nil {
		return err
	}
	if differences := t.job.Differences(job); len(differences) > 0 {
		return refuse("%s is not the input of this run: %s\nname it with --input", t.Pairs, strings.Join(differences, "; "))
	}
	return t.job.Same(job)
}

// findInput is where the first run had the input, or where the last one had it: that alone costs another pass over the
// journal.
func (t *teller) findInput(ctx context.Context) (string, error) {
	first := string(t.view.Head.Run.Input)
	if info, err := os.Stat(first); err == nil && info.Mode().IsRegular() {
		return first, nil
	}
	nothing := func(outcome.Rows, *journal.Change) error { return nil }
	seen, err := t.view.Follow(ctx, journal.Reader{Apply: nothing})
	if err != nil {
		return "", err
	}
	last := string(seen.LastRun.Input)
	if reports.IsGone(last) {
		return "", refuse("the run read standard input: give the same bytes again with --input FILE, or with --input - to read them there")
	}
	if _, err := os.Stat(last); errors.Is(err, fs.ErrNotExist) {
		return "", refuse("the input is no longer at %s: name it with --input", last)
	}
	return last, nil
}

// record finds the record at the line.
func (t *teller) record(ctx context.Context) (found input.Record, err error) {
	before, after := int64(0), int64(0)
	for rec, err := range t.in.Records(ctx) {
		if err != nil || rec.Line == t.line {
			return rec, err
		}
		if rec.Line > t.line {
			after = rec.Line
			break
		}
		before = rec.Line
	}
	if before == 0 {
		return found, refuse("the input has no record at line %d: the first one is at line %d", t.line, after)
	}
	return found, refuse("the input has no record at line %d: the nearest are at lines %d and %d", t.line, before, after)
}

// kin finds what the record repeats, which may itself repeat another, and what repeats it. The repeats come in no order, so
// they are looked at twice. What is returned is in the order in which the rows are to be settled.
func (t *teller) kin() (chain []input.Repeat, err error) {
	var own, first input.Repeat
	mirror := int64(0) // the line of the record that sees this friendship from the other side
	err = t.eachRepeat(func(r input.Repeat) {
		switch {
		case r.Line == t.line:
			own = r
		case r.First == t.line:
			t.story.Repeated(r.Line, r.Mirror)
			if r.Mirror {
				mirror = r.Line
			}
		}
	})
	if err != nil || own.Line == 0 && mirror == 0 {
		return nil, err
	}
	err = t.eachRepeat(func(r input.Repeat) {
		switch {
		case r.Line == own.First:
			first = r
		case mirror > 0 && r.First == mirror:
			t.story.Repeated(r.Line, true)
		}
	})
	for _, r := range []input.Repeat{first, own} {
		if r.Line > 0 {
			chain = append(chain, r)
		}
	}
	if own.Line > 0 {
		t.story.RepeatOf(own)
	}
	return chain, err
}

func (t *teller) eachRepeat(do func(input.Repeat)) error {
	for r, err := range t.in.Repeats() {
		if err != nil {
			return err
		}
		do(r)
	}
	return nil
}

// follow reads the journal.
func (t *teller) follow(ctx context.Context, chain []input.Repeat) (fates.Fate, journal.Overview, error) {
	lines := []int64{t.line}
	for _, r := range chain {
		lines = append(lines, r.First)
	}
	few := fates.NewFew(t.view.Head.Call, lines...)
	var run story.Begun
	note := func(rows outcome.Rows, d *journal.Change, withdrawn bool) {
		if rows.Has(t.line) {
			t.story.Add(d, run, withdrawn)
		}
	}
	seen, err := t.view.Follow(ctx, journal.Reader{
		Apply: func(rows outcome.Rows, d *journal.Change) error {
			note(rows, d, false)
			return few.Apply(rows, d)
		},
		Withdrawn: func(rows outcome.Rows, d *journal.Change) { note(rows, d, true) },
		Began: func(number int, at int64, r entry.Run) {
			run = story.Begun{Run: number, At: terminal.Stamp(journal.UnixMilli(at)), User: r.User, Host: r.Host, Allowed: r.Allowed, Note: r.Note}
		},
	})
	if err != nil {
		return fates.Fate{}, seen, err
	}
	for _, r := range chain {
		few.Repeat(r)
	}
	return few.Fate(t.line), seen, nil
}
