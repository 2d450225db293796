package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"friendsweep/batch/chat"
	"friendsweep/input"
	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/page"
	"friendsweep/reports/whole"
)

// Rewrite writes the report of a run that died or was stopped, from its journal and its input, and sends nothing. Of
// the options only Report must be set; Pairs is the input where it is not where the journal says, and Failures and HTML are
// written where they are named. It returns the summary of the job as it stands.
func Rewrite(ctx context.Context, o Options) (*reports.Interim, error) {
	s := &Run{Options: o}
	defer s.Close()
	if err := s.adopt(ctx); err != nil {
		return nil, err
	}
	err := cmp.Or(s.checkPaths(), s.checkFiles())
	if err == nil {
		err = s.read(ctx)
	}
	if hint := s.moved(); hint != "" && errors.As(err, new(*input.Error)) {
		return nil, fmt.Errorf("%w\n%s", err, hint)
	}
	if err != nil {
		return nil, err
	}
	if differences := s.job.Differences(s.head.Job); len(differences) > 0 {
		return nil, refuse("%s is not the input of this run: %s", s.Pairs, strings.Join(differences, "; "))
	}
	err = s.report(ctx)
	if err != nil && !errors.As(err, new(reports.LesserError)) {
		return nil, err
	}
	sum := s.interim()
	if s.HTML != "" {
		err = errors.Join(err, s.laterPage(sum))
	}
	return sum, err
}

// moved is what can be done where the input is not where the last run had it; empty where it is.
func (r *Run) moved() string {
	if r.Pairs != string(r.history.LastRun.Input) {
		return ""
	}
	if _, err := os.Stat(r.Pairs); !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return "if the run's input has moved, name it with --input"
}

// interim is the summary of the job as it stands, with the rows as its report has them.
func (r *Run) interim() *reports.Interim {
	seen := r.fates.Overview()
	sum := reports.NewInterim(r.head, &seen, false)
	sum.SetTally(r.written.Tally)
	sum.Input, sum.Report, sum.Journal = r.in.Path, absolute(r.Report), absolute(r.journal.Path())
	sum.Accounts, sum.ReportSHA256 = r.in.Accounts, r.written.Print.SHA256
	sum.Failures, sum.Page, sum.Good = absolute(r.Failures), absolute(r.HTML), r.Batch.Good
	if r.written.Tally.Open() > 0 || sum.Died { // it is not at its end
		sum.ResumeCommand = r.NextCommand(false)
	}
	if r.written.Tally.Outcomes[outcome.Refused] > 0 {
		sum.RetryCommand = r.NextCommand(true)
	}
	return sum
}

// laterPage writes the page that the run itself did not write.
func (r *Run) laterPage(sum *reports.Interim) error {
	last := r.fates.Overview().LastRun
	data := page.Data{
		Summary: &sum.Summary, Host: last.Host, User: last.User, Identifier: string(last.Identifier), Runs: sum.Runs, Began: r.head.At,
		Samples: r.written.Samples, Timeline: r.fates.Timeline(), Latency: r.fates.Latency(), Fingerprints: r.prints(), Later: time.Now(),
	}
	return page.Write(r.HTML, data)
}

// adopt takes over what the journal says about the run.
func (r *Run) adopt(ctx context.Context) (err error) {
	path := journal.Path(r.Report)
	if r.reads {
		path = journal.Found(r.Report)
	}
	if err := readable(path); err != nil {
		return refuse("%s: %w\ngive the name of a report; its journal lies beside it", path, cause(err))
	}
	if err := r.takeJournal(); err != nil {
		return err
	}
	if r.head == nil {
		r.journal.Close() // and not Discard: the file is somebody's, and was there
		r.journal = nil
		return refuse("%s: no run has begun in it, so there is nothing to report", journal.Path(r.Report))
	}
	if r.history, err = r.journal.Replay(ctx, false); err != nil {
		return err
	}
	last, job := r.history.LastRun, r.head.Job
	if r.Pairs == "" && reports.IsGone(string(last.Input)) {
		return refuse("the run read standard input: give the same bytes again with --input FILE, or with --input - to read them there")
	}
	if r.Pairs == "" {
		r.Pairs = string(last.Input)
	}
	r.takeOver(job, last)
	return nil
}

// readable says what is wrong with the path as one of a file that can be read.
func readable(path string) error {
	file, err := whole.Open(path)
	if err == nil {
		err = file.Close()
	}
	return err
}

// takeOver makes the run read the input as the job did, and see its answers as its last run did.
func (r *Run) takeOver(job entry.Job, last entry.Run) {
	r.FromColumn, r.ToColumn, r.DeleteType = job.FromColumn, job.ToColumn, chat.DeleteType(job.DeleteType)
	r.SetCall(callOf(job), append(last.Success, r.AlsoSuccess...))
	r.Endpoint, r.AppID, r.Batch.ChunkSize, r.Flags = job.Endpoint, job.AppID, r.API.MaxItems, last.Flags
	for _, flag := range []string{"secret-key-file", "usersig-file"} { // which no output may be
		if file, ok := last.Flags[flag].(entry.Text); ok {
			r.SecretFiles = append(r.SecretFiles, string(file))
		}
	}
}

// ResumeCommand continues the job that a journal is about; with retry it also sends the refused rows again, and is empty for
// a call that cannot.
func ResumeCommand(info *fates.StatusInfo, report string, defaults map[string]reports.Defaults, retry bool) string {
	call := info.Head.Call.Name
	next := reports.Next{
		Call: call, Input: string(info.LastRun.Input), Report: report, Flags: info.LastRun.Flags, Defaults: defaults[call], Retry: retry,
	}
	if retry && !next.CanRetry() {
		return ""
	}
	return next.Resume()
}
