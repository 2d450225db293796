package sweep

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/user"
	"strconv"
	"strings"

	"friendsweep/reports"
	"friendsweep/reports/whole"
)

// takeLock takes the lock of --lock.
func (s *Sweep) takeLock() (err error) {
	if s.Lock == "" {
		return nil
	}
	if err := checkLock(s.Lock); err != nil {
		return refuse("--lock: %w", err)
	}
	s.lock, err = reports.LockFile(s.Lock)
	return err
}

// checkLock says what is wrong with the file of --lock, which may be there and stays.
func checkLock(path string) error { return whole.Try(path) }

// takeJournal makes sure that nobody else works on this job.
func (s *Sweep) takeJournal() (err error) {
	open := reports.OpenJournal
	if s.reads {
		open = reports.ReadJournal
	}
	s.journal, err = open(s.Report)
	if err == nil {
		s.head, err = s.journal.Head()
	}
	return err
}

// nothingInTheWay refuses to touch the files of another run without being told to. Those of a sandbox run may go:
// nothing real is in them.
func (s *Sweep) nothingInTheWay(ctx context.Context) error {
	_, err := os.Lstat(s.Report)
	reportThere := err == nil
	if s.Resume || s.Overwrite || s.head != nil && s.head.Job.Sandbox() || s.head == nil && !reportThere {
		return nil
	}
	if s.head == nil {
		return refuse("%s is there already, without a journal that could be continued\n"+
			"move it aside with --overwrite, or choose another --report", s.Report)
	}
	return s.inTheWay(ctx)
}

// inTheWay says what can be done about the run that is there: its own command continues it, not one with our flags.
func (s *Sweep) inTheWay(ctx context.Context) error {
	info, err := reports.Status(ctx, s.Report, s.TempDir)
	if err != nil {
		return err
	}
	if info.Tally(true).Open() == 0 {
		return refuse("%s belongs to a run that is finished\nbegin anew, which moves its files aside, with --overwrite; or choose another --report", s.journal.Path())
	}
	return refuse("%s belongs to a run that is not finished\ncontinue it:  %s\nor begin anew, which moves its files aside, with --overwrite",
		s.journal.Path(), ResumeCommand(info, s.Report, s.Defaults))
}

// remember reads what earlier runs of the job did, if they are to be resumed.
func (s *Sweep) remember(ctx context.Context) (err error) {
	if !s.Resume || s.head == nil {
		return nil
	}
	if differences := s.job.Differences(s.head.Job); len(differences) > 0 {
		return refuse("%s is of another job and cannot be resumed: %s\nnothing was changed; "+
			"give the input and flags of that job, or begin anew with --overwrite or another --report",
			s.journal.Path(), strings.Join(differences, "; "))
	}
	s.history, err = s.journal.Replay(ctx, s.RetryFailed)
	return err
}

// begin writes the run into the journal, and takes away what would no longer be true.
func (s *Sweep) begin() error {
	if s.history != nil {
		last := s.history.LastRun.Flags
		err := remove(s.Report, s.Failures, s.HTML)
		for _, earlier := range []string{last["failures"], last["html"]} {
			if err == nil && !s.isSomebodys(earlier) && s.isOfEarlierRun(earlier) {
				err = remove(earlier)
			}
		}
		if err == nil {
			err = s.journal.Resume(s.thisRun())
		}
		return err
	}
	if err := s.makeRoom(); err != nil {
		return err
	}
	err := remove(s.Failures, s.HTML)
	if err == nil {
		err = s.journal.Start(s.job, s.thisRun())
	}
	return err
}

// makeRoom moves the files of an earlier run aside, unless it was a sandbox run.
func (s *Sweep) makeRoom() error {
	if _, err := os.Lstat(s.Report); err != nil && s.head == nil {
		return nil
	}
	if !s.Overwrite && s.head != nil && s.head.Job.Sandbox() {
		s.Log.Info("replacing the files of an earlier sandbox run")
	}
	moved, err := s.journal.Aside(s.Overwrite || s.head == nil || !s.head.Job.Sandbox(), s.isSomebodys)
	for _, path := range moved {
		s.Log.Info("moved aside", "file", path)
	}
	return err
}

// isOfEarlierRun tells a file of the run that is continued from one that was written at its place since: that is newer
// than the last line of the journal.
func (s *Sweep) isOfEarlierRun(path string) bool {
	info, err := os.Lstat(path)
	journal, err2 := os.Stat(s.journal.Path())
	return err == nil && err2 == nil && info.Mode().IsRegular() && !info.ModTime().After(journal.ModTime())
}

func remove(paths ...string) error {
	for _, path := range paths {
		if path == "" {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing what an earlier run wrote: %w", err)
		}
	}
	return nil
}

// thisRun is what the journal says about the run for people.
func (s *Sweep) thisRun() reports.Run {
	host, _ := os.Hostname()
	name := strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return reports.Run{Version: s.Version, Input: s.in.Path, Flags: s.Flags, Note: s.Note, Allowed: s.Allowed, Host: host, User: name, PID: os.Getpid()}
}

// nextCommand continues the run.
func (s *Sweep) nextCommand(retry bool) string {
	return nextCommand(reports.Next{Input: absolute(s.Pairs), Report: s.Report, Flags: s.Flags, Retry: retry}, s.Defaults)
}

// nextCommand continues a run. Flags that have their default are not named, and a canary's --limit has done its work.
func nextCommand(next reports.Next, defaults map[string]string) string {
	next.Flags = maps.Clone(next.Flags)
	maps.DeleteFunc(next.Flags, func(name, value string) bool { return name == "limit" || value == defaults[name] })
	next.Report = absolute(next.Report)
	return next.Resume()
}

// nothingHappened: a fresh run that is interrupted before its first request leaves no files.
func (s *Sweep) nothingHappened() bool {
	var stopped interface{ Signal() int }
	if s.history != nil || s.runner.Stats.Requests.Load() > 0 || !errors.As(s.err, &stopped) {
		return false
	}
	return remove(s.journal.Path()) == nil
}
