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
	return s.tally, s.NextCommand(false), nil
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
		r.Pairs = string(last.Input)
	}
	r.FromColumn, r.ToColumn, r.DeleteType = job.FromColumn, job.ToColumn, chat.DeleteType(job.DeleteType)
	r.SetCall(callOf(job), append(last.Success, r.AlsoSuccess...))
	r.Endpoint, r.AppID, r.Batch.ChunkSize, r.Flags = job.Endpoint, job.AppID, r.API.MaxItems, last.Flags
	return nil
}

// ResumeCommand continues the job that a journal is about.
func ResumeCommand(info *fates.StatusInfo, report string, retry bool, defaults map[string]journal.Flags) string {
	call := info.Head.Call.Name
	return reports.Next{
		Call: call, Input: string(info.LastRun.Input), Report: report, Flags: info.LastRun.Flags, Defaults: defaults[call], Retry: retry,
	}.Resume()
}
