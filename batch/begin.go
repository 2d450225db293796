package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/terminal"
	"friendsweep/reports/whole"
)

// takeLock takes the lock of --lock.
func (r *Run) takeLock() (err error) {
	if r.Lock == "" {
		return nil
	}
	if err := checkLock(r.Lock); err != nil {
		return refuse("--lock: %w", err)
	}
	name, host := whoami()
	r.lock, err = journal.LockFile(r.Lock, fmt.Sprintf("process %d of %s on %s, since %s", os.Getpid(), name, host, terminal.Clock(time.Now())))
	return err
}

// checkLock says what is wrong with the file of --lock, which may be there and stays.
func checkLock(path string) error { return whole.Try(path) }

// takeJournal makes sure that nobody else works on this job.
func (r *Run) takeJournal() (err error) {
	open := journal.Lock
	if r.reads {
		open = journal.Read
	}
	r.journal, err = open(r.Report, Calls)
	if err == nil && r.Disk != nil {
		r.journal.Through(r.Disk)
	}
	if err == nil {
		r.head, err = r.journal.Head()
	}
	return err
}

// nothingInTheWay refuses to touch the files of another run without being told to. Those of a sandbox run may go:
// nothing real is in them.
func (r *Run) nothingInTheWay(ctx context.Context) error {
	_, err := os.Lstat(r.Report)
	reportThere := err == nil
	if r.Resume || r.Overwrite || r.head != nil && r.head.Job.Sandbox() || r.head == nil && !reportThere {
		return nil
	}
	if r.head == nil {
		return refuse("%s is there already, without a journal that could be continued\n"+
			"move it aside with --overwrite, or choose another --report", r.Report)
	}
	return r.inTheWay(ctx)
}

// inTheWay says what can be done about the run that is there: its own command continues it, not one with our flags.
func (r *Run) inTheWay(ctx context.Context) error {
	info, err := fates.Status(ctx, r.Report, r.TempDir, Calls)
	if err != nil {
		return err
	}
	if info.Ended && info.Tally(0).Open() == 0 {
		return refuse("%s belongs to a run that is finished\nbegin anew, which moves its files aside, with --overwrite; or choose another --report", r.journal.Path())
	}
	return refuse("%s belongs to a run that is not finished\ncontinue it:  %s\nor begin anew, which moves its files aside, with --overwrite",
		r.journal.Path(), ResumeCommand(info, r.Report, r.Defaults, false))
}

// remember reads what earlier runs of the job did, if they are to be resumed.
func (r *Run) remember(ctx context.Context) (err error) {
	if !r.Resume || r.head == nil {
		return nil
	}
	if differences := r.job.Differences(r.head.Job); len(differences) > 0 {
		return refuse("%s is of another job and cannot be resumed: %s\nnothing was changed; "+
			"give the input and flags of that job, or begin anew with --overwrite or another --report",
			r.journal.Path(), strings.Join(differences, "; "))
	}
	r.history, err = r.journal.Replay(ctx, r.RetryFailed)
	return err
}

// begin writes the run into the journal, and takes away what would no longer be true.
func (r *Run) begin() error {
	if r.history != nil {
		last := r.history.LastRun
		err := remove(r.Report, r.Failures, r.HTML)
		for _, earlier := range []string{string(last.Failures), string(last.Page)} {
			if err == nil && !r.isSomebodys(earlier) && r.isOfEarlierRun(earlier) {
				err = remove(earlier)
			}
		}
		if err == nil {
			err = r.journal.Resume(r.thisRun())
		}
		r.began = r.head.At
		return err
	}
	if err := r.makeRoom(); err != nil {
		return err
	}
	err := remove(r.Failures, r.HTML)
	if err == nil {
		err = r.journal.Start(r.job, r.thisRun())
	}
	if err != nil {
		return err
	}
	head, err := r.journal.Head()
	if err == nil {
		r.began = head.At
	}
	return err
}

// makeRoom moves the files of an earlier run aside, unless it was a sandbox run.
func (r *Run) makeRoom() error {
	if _, err := os.Lstat(r.Report); err != nil && r.head == nil {
		return nil
	}
	if !r.Overwrite && r.head != nil && r.head.Job.Sandbox() {
		r.Log.Info("replacing the files of an earlier sandbox run")
	}
	moved, err := r.journal.Aside(r.Overwrite || r.head == nil || !r.head.Job.Sandbox(), r.isSomebodys)
	for _, path := range moved {
		r.Log.Info("moved aside", "file", path)
	}
	return err
}

// isOfEarlierRun tells a file of the run that is continued from one that came to its place since, be it one that is older
// and was moved there: what the file system last did to a file of that run, it did before the journal's last line.
func (r *Run) isOfEarlierRun(path string) bool {
	var file unix.Stat_t
	if err := unix.Lstat(path, &file); err != nil || file.Mode&unix.S_IFMT != unix.S_IFREG {
		return false
	}
	journal, err := os.Stat(r.journal.Path())
	return err == nil && !time.Unix(file.Ctim.Unix()).After(journal.ModTime())
}

// remove takes away what would no longer be true, for good: no power cut brings it back. A link stays, because it is
// somebody's: the file that it leads to is emptied by one that takes its name.
func remove(paths ...string) error {
	for _, path := range paths {
		info, err := os.Lstat(path)
		switch {
		case err != nil: // there is none; what else may be wrong is said when it is to be written
			continue
		case info.Mode()&fs.ModeSymlink != 0:
			err = whole.Write(path, 0o600, nil)
		default:
			err = os.Remove(path)
		}
		if err == nil {
			err = whole.SyncFolder(path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing what an earlier run wrote: %w", err)
		}
	}
	return nil
}

// thisRun is what the journal says about the run for people.
func (r *Run) thisRun() entry.Run {
	name, host := whoami()
	return entry.Run{Version: r.Version, Success: r.Batch.Call.Words(r.Batch.Good), Input: entry.Text(r.in.Path), Flags: r.Flags,
		Identifier: entry.Text(r.Identifier), Failures: entry.Text(absolute(r.Failures)), Page: entry.Text(absolute(r.HTML)), Note: r.Note, Allowed: r.Allowed, Host: host, User: name, PID: os.Getpid()}
}

// whoami is who runs the program, and where.
func whoami() (name, host string) {
	host, _ = os.Hostname()
	if u, err := user.Current(); err == nil {
		return u.Username, host
	}
	return strconv.Itoa(os.Getuid()), host
}

// NextCommand continues the run; with retry it also sends the refused rows again, and is empty for a call that cannot.
func (r *Run) NextCommand(retry bool) string {
	next := reports.Next{
		Call: r.Batch.Call.Name, Input: r.Pairs, Report: r.Report, Flags: r.Flags, Defaults: r.Defaults[r.Batch.Call.Name], Retry: retry,
	}
	if retry && !next.CanRetry() {
		return ""
	}
	return next.Resume()
}

// nothingHappened: a fresh run that is interrupted before its first request leaves no files.
func (r *Run) nothingHappened() bool {
	var stopped interface{ Signal() int }
	if r.history != nil || r.runner.Stats.Requests.Load() > 0 || !errors.As(r.err, &stopped) {
		return false
	}
	return remove(r.journal.Path()) == nil
}
