// Package journal is the record of truth of a job: what was about to be sent, and what was answered. What is not in it did
// not happen, and nothing is reported that it does not say.
//
// A run takes it with [Lock] and begins with [Journal.Start], or goes on with [Journal.Replay] and [Journal.Resume]; it
// writes [Journal.Before] and [Journal.After] every request, and [Journal.EndWith] at its end. Who only reads takes [Read], or
// [Look] where a run may be at work, and is told of what happened to rows by Follow. What a result does to a row is the rule
// of package outcome.
//
// The grammar of a line is that of package entry, the chain that its last member is a link of included. What follows the last
// good line is a torn tail, which the next run cuts off; so is what follows a hole of zeros, if nothing behind it proves that
// the hole was once on the disk. Any other damage before a good line is an error that names the line. Which is which is
// decided in follow.go. A request without an answer lost it when its run ended.
package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
	"friendsweep/reports/whole"
)

// now is the time as entries have it.
func now() int64 { return time.Now().UnixMilli() }

// Path is where the journal of a report lies.
func Path(report string) string { return report + ".journal" }

// Journal is an open, locked journal. Its Before, After, Withdraw and Decide are safe for concurrent use; everything
// else is for the one who opened it, before and after the run.
//
// The first write that goes wrong ends it: from then on every call returns that error, because what would be written
// behind half a line could not be trusted.
type Journal struct {
	path, report string
	file         *os.File    // its open file description is the lock
	inode        os.FileInfo // of file, to see whether path still names it
	reads, made  bool        // it was opened to be read alone; its file was not there before
	old          *os.File    // the journal that was moved aside, locked until Close

	mu      sync.Mutex
	turn    *sync.Cond    // the sync that was under way is over
	err     error         // the write or sync that went wrong
	size    int64         // end of the last whole line
	synced  int64         // everything before it is on disk
	syncing bool          // one goroutine is in a sync, for all that wait
	live    bool          // between Start or Resume and End
	link    string        // the h of the last line
	next    int64         // number of the next request
	out     map[int64]int // rows of the requests that are out, by their number
	buf     []byte
	sorted  []int64
	rows    outcome.Rows

	calls outcome.Calls
	call  *outcome.Call // of the job; nil while there is none

	past *Overview // what Replay found; nil before it, and where there is no job

	// The disk, as tests replace it.
	write   func([]byte) (int, error)
	sync    func() error
	through func(Disk) Disk // put before every file that it writes to; nil for nothing
}

// Disk is how the journal's lines get into its file and onto the disk.
type Disk struct {
	Write func(line []byte) (int, error)
	Sync  func() error
}

// Through has every later line pass what the function makes of the file's own disk: the one with which package proof lets
// writes fail and processes die. It is called once for each file that the journal writes to, the present one included.
func (j *Journal) Through(through func(Disk) Disk) {
	j.through = through
	j.pass()
}

// pass takes up the disk of the present file.
func (j *Journal) pass() {
	j.write, j.sync = j.file.Write, j.file.Sync
	if j.through != nil {
		disk := j.through(Disk{j.write, j.sync})
		j.write, j.sync = disk.Write, disk.Sync
	}
}

// Lock opens the journal of the report, or makes an empty one with mode 0600, and locks it. The error is
// [ErrHeld] if another process has it. Whoever opens it ends with Close, or Discard where nothing may be left.
func Lock(report string, calls outcome.Calls) (*Journal, error) {
	path := Path(report)
	file, made, err := openLocked(path)
	if errors.Is(err, ErrHeld) {
		return nil, fmt.Errorf("%w\n`%s` tells which and how far it is", err, terminal.ShellQuote("friendsweep", "status", report))
	}
	if err != nil {
		return nil, err
	}
	j := &Journal{path: path, report: report, calls: calls, made: made, out: make(map[int64]int)}
	j.turn = sync.NewCond(&j.mu)
	if err := j.adopt(file); err != nil {
		closeLocked(file)
		return nil, err
	}
	return j, nil
}

// Read opens the journal of the report to be read alone: it makes, changes and removes nothing, and needs no right to
// write. The error is [ErrHeld] while a run has it. Whoever opens it ends with Close or Discard.
func Read(report string, calls outcome.Calls) (*Journal, error) {
	path := Found(report)
	file, err := whole.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	j := &Journal{path: path, report: report, calls: calls, reads: true}
	j.turn = sync.NewCond(&j.mu)
	err = flock(file, syscall.LOCK_SH)
	if errors.Is(err, errAgain) {
		err = fmt.Errorf("reading %s: %w", path, ErrHeld)
	}
	if err == nil {
		err = j.adopt(file)
	}
	if err != nil {
		closeLocked(file)
		return nil, err
	}
	return j, nil
}

// adopt makes file the journal's file.
func (j *Journal) adopt(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("opening the journal: %w", err)
	}
	j.file, j.inode = file, info
	j.pass()
	j.size, j.synced, j.past, j.link = info.Size(), 0, nil, ""
	return nil
}

// Path is where the journal lies.
func (j *Journal) Path() string { return j.path }

// Head reads the first line. It is nil where there is none: then the journal counts as absent, whatever else is in it.
func (j *Journal) Head() (*entry.Head, error) { return readHead(j.path, j.calls, j.file, j.end()) }

// end is where the last whole line that this process wrote or found ends.
func (j *Journal) end() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.size
}

func (j *Journal) replayed(seen *Overview) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.past = seen
}

// Start begins a job in a journal without a head: it writes the first line, and returns when line and file name are on
// disk.
func (j *Journal) Start(job entry.Job, run entry.Run) error {
	head, err := j.Head()
	if err != nil {
		return err
	}
	if head != nil {
		return errors.New("starting a job: the journal has one already")
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.cutTo(0); err != nil {
		return err
	}
	if j.call = j.calls.Named(job.Call); j.call == nil {
		return fmt.Errorf("starting a job: no call is named %q", job.Call)
	}
	j.next, j.live, j.link = 1, true, ""
	if err := j.addRun(&entry.Entry{Kind: entry.Begin, At: now(), Head: entry.Head{Job: job, Run: run}}); err != nil {
		return err
	}
	return whole.SyncFolder(j.path)
}

// Resume goes on with the job that [Journal.Replay] has read: it cuts off a torn tail, writes the journal anew where it
// may not be on the disk, and writes that a run begins. It returns when all that is on disk.
func (j *Journal) Resume(run entry.Run) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.past == nil {
		return errors.New("resuming a job: its journal was not replayed")
	}
	if err := j.renew(); err != nil {
		return err
	}
	j.live, j.call = true, j.calls.Named(j.past.head.Job.Call)
	return j.addRun(&entry.Entry{Kind: entry.Resume, At: now(), Head: entry.Head{Run: run}})
}

// Ending is the last line of a run, before it is written.
type Ending struct {
	Link   string // the h that it will have: the head of the chain
	line   []byte // up to its h
	sealed []byte // with it
}

// Bytes are the line as it will stand in the file: whoever needs the journal's fingerprint before it is written appends
// them to what is there.
func (e Ending) Bytes() []byte { return e.sealed }

// Ending makes the line that says how the run ends, so that what is made before it is written can name the head of the
// chain. stopped is why the run ended before all rows were through, or empty. Nothing may be written in between.
func (j *Journal) Ending(exitCode, stopped string) (Ending, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.usable(); err != nil {
		return Ending{}, err
	}
	line, err := entry.Append(nil, nil, &entry.Entry{Kind: entry.End, At: now(), Code: exitCode, Stopped: stopped})
	if err != nil {
		return Ending{}, fmt.Errorf("writing %s: %w", j.path, err)
	}
	sealed, h := entry.Seal(bytes.Clone(line), j.link)
	return Ending{Link: h, line: line, sealed: sealed}, nil
}

// End writes how the run ended, as [Journal.Ending] says it, and returns when everything is on disk.
func (j *Journal) End(exitCode, stopped string) error {
	e, err := j.Ending(exitCode, stopped)
	if err != nil {
		return err
	}
	return j.EndWith(e)
}

// EndWith writes the line, when everything before it is on disk, and returns when it is on disk as well: so no power cut can
// leave a hole before the end of a run.
func (j *Journal) EndWith(e Ending) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.usable(); err != nil {
		return err
	}
	err := j.settle()
	if err == nil {
		j.buf = append(j.buf[:0], e.line...)
		err = j.append()
	}
	if err == nil {
		err = j.settle()
	}
	j.live = false
	return err
}

// Link is the h of the last line: the head of the chain, which vouches for every line so far.
func (j *Journal) Link() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.link
}

// Close gives the lock up. It writes nothing.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		j.err = os.ErrClosed
	}
	err := closeLocked(j.file)
	if j.old != nil {
		err = errors.Join(err, closeLocked(j.old))
		j.old = nil
	}
	return err
}

// Discard closes the journal, and removes its file if no job is in it and [Lock] has made it: a run that ends before its
// first request leaves none, and leaves what was there as it was.
func (j *Journal) Discard() error {
	if j.reads {
		return j.Close()
	}
	if head, err := j.Head(); err != nil || head != nil {
		return errors.Join(err, j.Close())
	}
	var err error
	if j.made && stillAt(j.path, j.inode) {
		err = os.Remove(j.path)
	}
	return errors.Join(err, j.Close())
}

// Before writes that the account's rows at these lines are about to be sent, and returns when that is on disk, so that
// no request can be forgotten. Goroutines that wait at the same time share one sync. The number it returns names the
// request to After or Withdraw; one of them must follow.
func (j *Journal) Before(account string, lines []int64) (id int64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.usable(); err != nil {
		return 0, err
	}
	rows, err := j.ascending(lines)
	if err != nil {
		return 0, err
	}
	id = j.next
	if err := j.add(&entry.Entry{Kind: entry.Send, ID: id, At: now(), Account: account, Rows: rows}); err != nil {
		return 0, err
	}
	j.next++
	j.out[id] = len(lines)
	return id, j.settle()
}

// After writes what the request came to. The results must speak of each of its rows once; one result with nil Rows
// speaks of all. The line outlives the process when After returns, and a power cut after the next Before or End: an
// answer that is lost in between only makes its rows unknown.
func (j *Journal) After(id int64, took time.Duration, results []outcome.Result) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.usable(); err != nil {
		return err
	}
	rows, ok := j.out[id]
	if !ok {
		return fmt.Errorf("recording an answer: request %d is not out", id)
	}
	results, err := j.checked(results, rows)
	if err != nil {
		return err
	}
	delete(j.out, id)
	return j.add(&entry.Entry{Kind: entry.Answer, ID: id, At: now(), Took: max(0, took.Milliseconds()), Results: results})
}

// Withdraw writes that the request was not sent after all: then it counts nowhere.
func (j *Journal) Withdraw(id int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.usable(); err != nil {
		return err
	}
	if _, ok := j.out[id]; !ok {
		return fmt.Errorf("withdrawing a request: request %d is not out", id)
	}
	delete(j.out, id)
	return j.add(&entry.Entry{Kind: entry.Withdraw, ID: id, At: now()})
}

// Decide writes outcomes that need no request of their own. Every result names its Rows.
func (j *Journal) Decide(account string, results []outcome.Result) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.usable(); err != nil {
		return err
	}
	results, err := j.checked(results, -1)
	if err != nil {
		return err
	}
	return j.add(&entry.Entry{Kind: entry.Decide, At: now(), Account: account, Results: results})
}

func (j *Journal) usable() error {
	if j.err == nil && !j.live {
		return errors.New("writing the journal: no run has it open")
	}
	return j.err
}
