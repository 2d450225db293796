package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

// History is what earlier runs of a job left behind, for the one that goes on with it. It belongs to the caller.
type History struct {
	Final    *outcome.Bits // rows that are not sent again
	Lost     *outcome.Bits // rows that lost an answer in any run: see [outcome.Call.Presumed]
	Mirrored *outcome.Bits // rows whose answer [outcome.Call.Settles] their mirrors, too: those are not sent

	FinalCount, LostCount, MirroredCount, RefusedCount int64

	NextID     int64 // of the next request
	Requests   int64 // sent so far, without those withdrawn
	Answers    int64
	Withdrawn  int64
	Runs       int
	LastRun    entry.Run
	LastStart  time.Time // when the last run began
	LastAnswer time.Time // zero where none came
	Ended      bool      // the last run wrote its end; false: it died, or is at work
	EndCode    string
	Stopped    string // why the last run ended before all rows were through; empty if they were
	GoodBytes  int64  // up to the end of the last good line
	TornBytes  int64  // what follows it, and is cut off by [Journal.Resume]
	Lines      int64  // good ones
	Link       string // the h of the last good line
}

// Replay reads the journal once and changes nothing. With retryFailed the rows that the API refused are not final.
// A journal without a whole first line has no history: nil, without an error. Damage before good lines is an error that
// names the line.
func (j *Journal) Replay(ctx context.Context, retryFailed bool) (*History, error) {
	if _, err := j.Head(); err != nil {
		return nil, err
	}
	b := &rebuild{}
	f := &follower{path: j.path, parser: entry.NewParser(j.calls), Reader: Reader{Apply: b.apply}}
	b.overview = &f.seen
	if err := f.follow(ctx, j.file, j.end()); err != nil {
		return nil, err
	}
	if f.seen.head == nil {
		return nil, nil
	}
	b.prepare()
	j.replayed(&f.seen)
	return b.history(retryFailed), nil
}

// Follow tells the reader what the journal says so far. Requests without an answer count as lost, so it is for a run that
// has ended, or died.
func (j *Journal) Follow(ctx context.Context, r Reader) (Overview, error) {
	return follow(ctx, j.path, j.calls, j.file, j.end(), r)
}

// rebuild applies the changes that a journal tells to sets of rows.
type rebuild struct {
	overview                          *Overview
	answered, refused, lost, mirrored *outcome.Bits // answered: with one of the call's answers
	someRefused                       bool
}

// prepare makes the sets once the first line has said how many rows there are.
func (b *rebuild) prepare() {
	if b.answered != nil {
		return
	}
	last := b.overview.head.Job.LastLine
	b.answered, b.refused, b.lost, b.mirrored = outcome.NewBits(last), outcome.NewBits(last), outcome.NewBits(last), outcome.NewBits(last)
}

func (b *rebuild) apply(rows outcome.Rows, d *Change) error {
	b.prepare()
	for _, s := range rows {
		for line := s.Lo; line <= s.Hi; line++ {
			b.row(line, d)
		}
	}
	return nil
}

// row applies [outcome.Call.After] to as much of the row's state as the sets hold.
func (b *rebuild) row(line int64, d *Change) {
	if b.answered.Has(line) {
		return
	}
	now := b.overview.head.Call.After(outcome.State{Lost: b.lost.Has(line)}, &d.Result)
	if now.Lost {
		b.lost.Set(line)
	}
	if b.someRefused {
		b.refused.Clear(line)
	}
	switch {
	case now.Outcome.IsAnswer():
		b.answered.Set(line)
		if b.overview.head.Call.Settles(now.Outcome) {
			b.mirrored.Set(line)
		}
	case now.Outcome == outcome.Refused:
		b.refused.Set(line)
		b.someRefused = true
	}
}

func (b *rebuild) history(retryFailed bool) *History {
	h := &History{Final: b.answered, Lost: b.lost, Mirrored: b.mirrored}
	h.MirroredCount, h.LostCount, h.RefusedCount = b.mirrored.Count(), b.lost.Count(), b.refused.Count()
	if !retryFailed {
		h.Final.AddAll(b.refused)
	}
	h.FinalCount = h.Final.Count()
	s := b.overview
	h.NextID, h.Requests, h.Answers, h.Withdrawn, h.Runs = s.nextID, s.Requests, s.answers, s.withdrawn, s.Runs
	h.LastRun, h.LastStart, h.LastAnswer = s.LastRun, UnixMilli(s.LastStart), UnixMilli(s.LastAnswer)
	h.Ended, h.EndCode, h.Stopped, h.GoodBytes, h.TornBytes = s.Ended, s.EndCode, s.Stopped, s.good, s.torn
	h.Lines, h.Link = s.lines, s.Link
	return h
}

// UnixMilli is the zero time for 0.
func UnixMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// maxHead bounds the first line: job and flags.
const maxHead = 1 << 20

// readHead reads the first line of a journal of size bytes. It is nil, without an error, where the file is empty or has
// only the torn beginning of a first line. Anything else is somebody's file, which must not be written over.
func readHead(path string, calls outcome.Calls, src io.ReaderAt, size int64) (*entry.Head, error) {
	start := make([]byte, min(size, maxHead))
	if _, err := src.ReadAt(start, 0); err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	begin := []byte(entry.Start)
	line, rest, whole := bytes.Cut(start, []byte("\n"))
	if whole && bytes.HasPrefix(line, begin) {
		_, fits, _ := entry.Link(line, "")
		if e, err := entry.NewParser(calls).Parse(line); err == nil && fits {
			head := e.Head
			return &head, nil
		}
	}
	// Some file systems leave zeros where a power cut met a write.
	begins := bytes.HasPrefix(line, begin) || bytes.HasPrefix(begin, bytes.TrimRight(line, "\x00"))
	if begins && len(rest) == 0 && size < maxHead {
		return nil, nil
	}
	if bytes.HasPrefix(line, begin) {
		return nil, damage(path, 1, entry.ErrLine)
	}
	return nil, &Damage{fmt.Errorf("reading %s line 1: %w\nit was not written by friendsweep: move it away, or choose another --report", path, errForeignFile)}
}

var errForeignFile = errors.New("this is no journal")
