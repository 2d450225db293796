package journal

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

// maxLine bounds a line of a journal, in bytes. A request has at most 1000 rows, and a result for each of them with
// the longest text is a tenth of it.
const maxLine = 32 << 20

// errCut ends the reading of a line that is longer than any of ours.
var errCut = fmt.Errorf("it is longer than %d MiB", maxLine>>20)

// Change is what one line of a journal did to some rows.
type Change struct {
	outcome.Result
	At       int64 // Unix milliseconds: of the answer, or of the request where none came
	Carried  bool  // a request carried the rows; false for a decision without one
	NoAnswer bool  // none of the request came before the end of its run, or before the end of the journal
	Request  int64 // the number of the request; 0 for a decision
	Sent     int64 // Unix milliseconds: when the request was sent; 0 for a decision
	Run      int   // which run of the job did it, counted from 1
}

// request is one that was sent and has no answer yet.
type request struct {
	id, at int64
	rows   outcome.Rows
}

// Reader is told what a journal says, line by line.
type Reader struct {
	// Apply is told what happened to the rows, in the order in which it happened to each. It must not keep either.
	Apply func(rows outcome.Rows, d *Change) error
	// Answered is told of every answer: when it came and how long it took, in milliseconds, and how many rows got an
	// outcome by it. It may be nil.
	Answered func(at, took, decided int64)
	// Withdrawn is told of every request that was not sent after all: it did nothing to the rows, and only Request, Sent,
	// Run, and At, when it was withdrawn, are set in the change. It may be nil.
	Withdrawn func(rows outcome.Rows, d *Change)
	// Began is told of every run, counted from 1, and when it began, in Unix milliseconds. It may be nil.
	Began func(number int, at int64, run entry.Run)
}

// follower reads a journal once, in order, and turns its lines into changes. A request does nothing until its answer is
// there, because it may have been withdrawn; where its run ends without an answer, the answer is lost. So the changes of a
// row come in the order in which they happened: no two requests of a run carry it at the same time.
//
// The follower owns the requests that are out; the caller owns what Apply builds.
type follower struct {
	Reader

	path   string
	parser *entry.Parser
	seen   Overview
	out    map[int64]*request
	spare  []*request // answered ones, for their memory
	rows   rowCheck
	change Change // the one being applied; here because one per line on the heap would be most of the work
}

// Overview is what a journal says about its runs, whatever it says about rows.
type Overview struct {
	head       *entry.Head // nil: there is no whole first line
	LastRun    entry.Run
	LastStart  int64 // Unix milliseconds: when the last run began
	Runs       int
	Requests   int64 // sent, over all runs; not those withdrawn
	answers    int64
	withdrawn  int64
	LastAnswer int64 // Unix milliseconds; 0 for none
	nextID     int64
	Ended      bool // the last run wrote its end
	EndCode    string
	Stopped    string
	good       int64  // bytes up to the end of the last good line
	lines      int64  // good ones
	EndAt      int64  // Unix milliseconds: when the last run wrote its end
	Link       string // the h of the last good line: the head of the chain
	torn       int64  // bytes after it
	Out        int64  // rows in requests that had no answer when the reading ended, in the last run
}

// InfoNoAnswer is the text of a request that its run left without an answer.
const InfoNoAnswer = "no answer was recorded before the run ended"

// follow tells the reader what the first size bytes of a journal say.
func follow(ctx context.Context, path string, calls outcome.Calls, src io.ReaderAt, size int64, r Reader) (Overview, error) {
	f := &follower{Reader: r, path: path, parser: entry.NewParser(calls)}
	err := f.follow(ctx, src, size)
	return f.seen, err
}

// follow reads the first size bytes of a journal.
func (f *follower) follow(ctx context.Context, src io.ReaderAt, size int64) error {
	in := bufio.NewReaderSize(io.NewSectionReader(src, 0, size), 256<<10)
	var long []byte
	var bad error // why the line badLine is not good; what follows it decides what that means
	hole := false // it has one
	badLine, offset := int64(0), int64(0)
	for number := int64(1); ; number++ {
		line, err := readLine(in, &long)
		if err == io.EOF {
			break
		}
		if err != nil && !errors.Is(err, errCut) {
			return fmt.Errorf("reading %s line %d: %w", f.path, number, err)
		}
		offset += int64(len(line))
		var e *entry.Entry
		if err == nil {
			e, err = f.line(number, line, bad != nil)
		}
		switch {
		case err == nil && hole && !f.wasSynced(e):
		case err == nil && bad != nil, errors.Is(err, errChain):
			return damage(f.path, cmp.Or(badLine, number), cmp.Or(bad, err))
		case err != nil && bad == nil:
			bad, badLine, hole = err, number, bytes.Contains(line, []byte(holeBytes))
		case err == nil:
			if err := f.take(e); err != nil {
				return f.refuse(number, err)
			}
			f.seen.good, f.seen.lines = offset, number
		}
		if number%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	f.seen.torn = size - f.seen.good
	for _, r := range f.out {
		f.seen.Out += r.rows.Count()
	}
	if err := f.abandon(); err != nil {
		return f.refuse(f.seen.lines, err)
	}
	return nil
}

// applyError is an error of Apply, which is no fault of the journal.
type applyError struct{ error }

func (f *follower) refuse(number int64, err error) error {
	if own, ok := errors.AsType[applyError](err); ok {
		return own.error
	}
	return damage(f.path, number, err)
}

// readLine returns the next line with its newline, as long as it has one: a last line without it was torn. An endless
// line comes in pieces of errCut.
func readLine(in *bufio.Reader, long *[]byte) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if err != bufio.ErrBufferFull {
		return entire(line, err)
	}
	*long = append((*long)[:0], line...)
	for err == bufio.ErrBufferFull && len(*long) < maxLine {
		line, err = in.ReadSlice('\n')
		*long = append(*long, line...)
	}
	if err == bufio.ErrBufferFull {
		return *long, errCut
	}
	return entire(*long, err)
}

func entire(line []byte, err error) ([]byte, error) {
	if err == io.EOF && len(line) > 0 {
		return line, nil // without its newline, which parse refuses
	}
	return line, err
}

// errChain is a line that was changed, or that lacks the one before it.
var errChain = errors.New("it is not the line that was written there: it or the line before it was changed, removed or moved")

// line reads a line and checks that it follows the one before. Behind a bad line, of which nobody knows the h, it is
// enough that it is a whole one.
func (f *follower) line(number int64, line []byte, afterBad bool) (*entry.Entry, error) {
	text, ended := bytes.CutSuffix(line, []byte("\n"))
	h, fits, sealed := entry.Link(text, f.seen.Link)
	if !sealed || !ended {
		return nil, f.torn(line)
	}
	fits = fits || afterBad
	e, err := f.parser.Parse(text)
	switch {
	case err != nil && (afterBad || !fits):
		return nil, f.torn(line)
	case err != nil: // whoever wrote it knew the line before, and is not this program
		return nil, fmt.Errorf("%w: %w", errChain, err)
	case !fits || (number == 1) != (e.Kind == entry.Begin):
		return nil, errChain
	}
	if !afterBad {
		f.seen.Link = h
	}
	return e, nil
}

// torn tells a line that a crash may have torn from one that somebody ran into the next.
func (f *follower) torn(line []byte) error {
	if entry.HidesALine(line, f.seen.Link) {
		return errChain
	}
	return entry.ErrLine
}

// holeBytes are in a file where a power cut came between two writes that were not synced, and only the later one had reached
// the disk. One such byte is no hole: it may be a byte that was changed.
const holeBytes = "\x00\x00"

// wasSynced reports whether a line behind a hole proves that the disk once had what was there, so that no power cut made the
// hole: a request leaves, and a run ends or begins, only when everything before is on the disk.
func (f *follower) wasSynced(e *entry.Entry) bool {
	switch e.Kind {
	case entry.Send, entry.Decide:
		return false
	case entry.Answer, entry.Withdraw:
		_, sentBefore := f.out[e.ID]
		return !sentBefore
	}
	return true
}

// take follows one good line. Its errors are contradictions: each line is fine, and together they cannot be true.
func (f *follower) take(e *entry.Entry) error {
	if f.seen.Ended && e.Kind != entry.Resume {
		return errors.New("it comes after the end of its run")
	}
	switch e.Kind {
	case entry.Begin:
		f.begin(e)
	case entry.Resume:
		return f.resume(e)
	case entry.End:
		f.seen.Ended, f.seen.EndCode, f.seen.Stopped, f.seen.EndAt = true, e.Code, e.Stopped, e.At
		return f.abandon()
	case entry.Send:
		return f.send(e)
	case entry.Answer:
		return f.answer(e)
	case entry.Withdraw:
		return f.withdraw(e)
	case entry.Decide:
		return f.decide(e)
	}
	return nil
}

func (f *follower) begin(e *entry.Entry) {
	head := e.Head
	f.seen.head, f.seen.LastRun, f.seen.LastStart = &head, head.Run, e.At
	f.seen.Runs, f.seen.nextID = 1, 1
	f.out = make(map[int64]*request)
	f.began()
}

// resume begins another run. What the one before left without an answer is lost in that one.
func (f *follower) resume(e *entry.Entry) error {
	if err := f.abandon(); err != nil {
		return err
	}
	f.seen.LastRun, f.seen.LastStart, f.seen.Ended = e.Head.Run, e.At, false
	f.seen.Runs++
	f.began()
	return nil
}

func (f *follower) began() {
	if f.Began != nil {
		f.Began(f.seen.Runs, f.seen.LastStart, f.seen.LastRun)
	}
}

func (f *follower) send(e *entry.Entry) error {
	// Numbers have no gap. A line that somebody took out shows here.
	if e.ID != f.seen.nextID {
		return fmt.Errorf("it sends request %d, and %d comes next", e.ID, f.seen.nextID)
	}
	f.seen.nextID++
	f.seen.Requests++
	if len(f.spare) == 0 {
		f.spare = append(f.spare, new(request))
	}
	last := len(f.spare) - 1
	r := f.spare[last]
	f.spare = f.spare[:last]
	r.id, r.at, r.rows = e.ID, e.At, append(r.rows[:0], e.Rows...)
	f.out[e.ID] = r
	return nil
}

// end takes the request from those that are out. It is good until the next send.
func (f *follower) end(id int64) (*request, error) {
	r := f.out[id]
	if r == nil {
		return nil, fmt.Errorf("request %d is not out", id)
	}
	delete(f.out, id)
	f.spare = append(f.spare, r)
	return r, nil
}

func (f *follower) withdraw(e *entry.Entry) error {
	r, err := f.end(e.ID)
	if err != nil {
		return err
	}
	f.seen.Requests--
	f.seen.withdrawn++
	if f.Withdrawn != nil {
		f.change = Change{At: e.At, Request: r.id, Sent: r.at, Run: f.seen.Runs}
		f.Withdrawn(r.rows, &f.change)
	}
	return nil
}

func (f *follower) answer(e *entry.Entry) error {
	r, err := f.end(e.ID)
	if err != nil {
		return err
	}
	f.seen.answers++
	f.seen.LastAnswer = e.At
	if len(e.Results) == 1 && e.Results[0].Rows == nil {
		e.Results[0].Rows = r.rows
	} else if err := f.rows.check(r.rows, e.Results); err != nil {
		return err
	}
	decided := int64(0)
	for i := range e.Results {
		res := &e.Results[i]
		if res.Outcome != outcome.Open {
			decided += res.Rows.Count()
		}
		f.change = Change{Result: *res, At: e.At, Carried: true, Request: r.id, Sent: r.at, Run: f.seen.Runs}
		if err := f.do(res.Rows); err != nil {
			return err
		}
	}
	if f.Answered != nil {
		f.Answered(e.At, e.Took, decided)
	}
	return nil
}

func (f *follower) decide(e *entry.Entry) error {
	for i := range e.Results {
		res := &e.Results[i]
		if res.Rows == nil {
			return errors.New("it decides without saying which rows")
		}
		f.change = Change{Result: *res, At: e.At, Run: f.seen.Runs}
		if err := f.do(res.Rows); err != nil {
			return err
		}
	}
	return nil
}

// abandon loses the answers of the requests that are out: their run is over.
func (f *follower) abandon() error {
	for _, id := range slices.SortedFunc(maps.Keys(f.out), cmp.Compare) {
		r, err := f.end(id)
		if err != nil {
			return err
		}
		f.change = Change{
			Result: outcome.Result{Outcome: outcome.Open, Lost: f.seen.head.Call.Loses, Info: InfoNoAnswer}, At: r.at, Carried: true,
			NoAnswer: true, Request: r.id, Sent: r.at, Run: f.seen.Runs,
		}
		if err := f.do(r.rows); err != nil {
			return err
		}
	}
	return nil
}

// do applies f.change.
func (f *follower) do(rows outcome.Rows) error {
	if err := f.Apply(rows, &f.change); err != nil {
		return applyError{err}
	}
	return nil
}
