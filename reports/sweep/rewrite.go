package sweep

import (
	"cmp"
	"context"
	"os"
	"strings"

	"friendsweep/batch/chat"
	"friendsweep/reports"
)

// Rewrite writes the report of a run that died or was stopped, from its journal and its input, and sends nothing. Of
// the options only Report must be set; Pairs is the input where it is not where the journal says. It returns the counts
// and the command that continues the run, empty if nothing is open.
func Rewrite(ctx context.Context, o Options) (reports.Tally, string, error) {
	s := &Sweep{Options: o}
	defer s.Close()
	if err := s.adopt(ctx); err != nil {
		return reports.Tally{}, "", err
	}
	if err := cmp.Or(s.checkPaths(), s.checkFiles()); err != nil {
		return reports.Tally{}, "", err
	}
	if err := s.read(ctx); err != nil {
		return reports.Tally{}, "", err
	}
	if differences := s.job.Differences(s.head.Job); len(differences) > 0 {
		return reports.Tally{}, "", refuse("%s is not the input of this run: %s", s.Pairs, strings.Join(differences, "; "))
	}
	if err := s.report(ctx); err != nil {
		return reports.Tally{}, "", err
	}
	if s.tally.Open() == 0 {
		return s.tally, "", nil
	}
	return s.tally, nextCommand(reports.Next{Input: s.in.Path, Report: s.Report, Flags: s.history.LastRun.Flags}, s.Defaults), nil
}

// adopt takes over what the journal says about the run.
func (s *Sweep) adopt(ctx context.Context) (err error) {
	if _, err := os.Stat(reports.JournalPath(s.Report)); err != nil {
		return refuse("%s: %w\ngive the name of a report; its journal lies beside it", reports.JournalPath(s.Report), cause(err))
	}
	if err := s.takeJournal(); err != nil {
		return err
	}
	if s.head == nil {
		s.journal.Close() // and not Discard: the file is somebody's, and was there
		s.journal = nil
		return refuse("%s: no run has begun in it, so there is nothing to report", reports.JournalPath(s.Report))
	}
	if s.history, err = s.journal.Replay(ctx, false); err != nil {
		return err
	}
	last, job := s.history.LastRun, s.head.Job
	if s.Pairs == "" && last.Input == "-" {
		return refuse("the run read standard input: give the same bytes again with --input FILE, or with --input - to read them there")
	}
	if s.Pairs == "" {
		s.Pairs = last.Input
	}
	s.FromColumn, s.ToColumn, s.DeleteType = job.FromColumn, job.ToColumn, chat.DeleteType(job.DeleteType)
	s.Endpoint, s.AppID, s.Batch.ChunkSize = job.Endpoint, job.AppID, chat.Delete(s.DeleteType).MaxItems
	s.IgnoreNotFriend = s.IgnoreNotFriend || last.Flags["ignore-not-friend"] == "true"
	return nil
}

// ResumeCommand continues the job that a journal is about. It does not name flags that have their default.
func ResumeCommand(info *reports.StatusInfo, report string, defaults map[string]string) string {
	return nextCommand(reports.Next{Input: info.LastRun.Input, Report: report, Flags: info.LastRun.Flags}, defaults)
}
