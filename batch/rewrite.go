package batch

import (
	"cmp"
	"context"
	"os"
	"strings"

	"friendsweep/batch/chat"
	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
)

// Rewrite writes the report of a run that died or was stopped, from its journal and its input, and sends nothing. Of
// the options only Report must be set; Pairs is the input where it is not where the journal says. It returns the counts
// and the command that continues the run, empty if nothing is open.
func Rewrite(ctx context.Context, o Options) (fates.Tally, string, error) {
	s := &Run{Options: o}
	defer s.Close()
	if err := s.adopt(ctx); err != nil {
		return fates.Tally{}, "", err
	}
	if err := cmp.Or(s.checkPaths(), s.checkFiles()); err != nil {
		return fates.Tally{}, "", err
	}
	if err := s.read(ctx); err != nil {
		return fates.Tally{}, "", err
	}
	if differences := s.job.Differences(s.head.Job); len(differences) > 0 {
		return fates.Tally{}, "", refuse("%s is not the input of this run: %s", s.Pairs, strings.Join(differences, "; "))
	}
	if err := s.report(ctx); err != nil {
		return fates.Tally{}, "", err
	}
	if s.tally.Open() == 0 {
		return s.tally, "", nil
	}
	return s.tally, nextCommand(reports.Next{Input: s.in.Path, Report: s.Report, Flags: s.history.LastRun.Flags}, s.Defaults), nil
}

// adopt takes over what the journal says about the run.
func (r *Run) adopt(ctx context.Context) (err error) {
	if _, err := os.Stat(journal.Path(r.Report)); err != nil {
		return refuse("%s: %w\ngive the name of a report; its journal lies beside it", journal.Path(r.Report), cause(err))
	}
	if err := r.takeJournal(); err != nil {
		return err
	}
	if r.head == nil {
		r.journal.Close() // and not Discard: the file is somebody'r, and was there
		r.journal = nil
		return refuse("%s: no run has begun in it, so there is nothing to report", journal.Path(r.Report))
	}
	if r.history, err = r.journal.Replay(ctx, false); err != nil {
		return err
	}
	last, job := r.history.LastRun, r.head.Job
	if r.Pairs == "" && last.Input == "-" {
		return refuse("the run read standard input: give the same bytes again with --input FILE, or with --input - to read them there")
	}
	if r.Pairs == "" {
		r.Pairs = last.Input
	}
	r.takeOver(job)
	r.IgnoreNotFriend = r.IgnoreNotFriend || last.Flags["ignore-not-friend"] == "true"
	return nil
}

// takeOver makes the run read the input as the job did.
func (r *Run) takeOver(job journal.Job) {
	r.FromColumn, r.ToColumn, r.DeleteType = job.FromColumn, job.ToColumn, chat.DeleteType(job.DeleteType)
	r.Endpoint, r.AppID, r.Batch.ChunkSize = job.Endpoint, job.AppID, chat.MaxRows
}

// ResumeCommand continues the job that a journal is about. It does not name flags that have their default.
func ResumeCommand(info *fates.StatusInfo, report string, defaults map[string]string) string {
	return nextCommand(reports.Next{Input: info.LastRun.Input, Report: report, Flags: info.LastRun.Flags}, defaults)
}
