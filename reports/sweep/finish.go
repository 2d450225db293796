package sweep

import (
	"cmp"
	"context"
	"errors"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"friendsweep/batch"
	"friendsweep/input"
	"friendsweep/reports"
)

// Exit codes of a run that has begun; the contract, section 8. A signal's is 128 and its number.
const (
	exitDone       = 0
	exitRowsFailed = 1
	exitStopped    = 4
	exitSignal     = 128
)

// finish makes everything people read from the journal, and the exit code.
func (s *Sweep) finish(ctx context.Context) (*reports.Summary, int, error) {
	err := s.report(ctx)
	code := s.exitCode(err)
	if err != nil && s.err == nil {
		s.err, err = err, nil // why this run ended before its end
	}
	sum, failed := s.publish(code)
	if failed != nil {
		if s.err == nil {
			s.err, failed = failed, nil // why this run ended before its end
		}
		err = errors.Join(err, failed)
		// What was written says another exit code than the process ends with.
		sum, failed = s.publish(exitStopped)
		err = errors.Join(err, failed)
	}
	return sum, sum.ExitCode, err
}

// publish writes what names the exit code, the journal's last line at the end: it tells the truth about all others. What
// cannot be written makes another code, and is not tried again.
func (s *Sweep) publish(code int) (*reports.Summary, error) {
	end, err := s.ending(&code)
	sum := s.summary(code)
	sum.JournalHead = cmp.Or(end.Link, s.journal.Link())
	sum.ReportSHA256 = s.print.SHA256
	if s.HTML != "" && !s.failed.page {
		failed := s.page(sum)
		s.failed.page, err = failed != nil, errors.Join(err, failed)
	}
	if !s.failed.metrics {
		failed := s.WriteMetrics(code)
		s.failed.metrics, err = failed != nil, errors.Join(err, failed)
	}
	if err != nil || s.failed.journal {
		return sum, err
	}
	err = s.journal.EndWith(end)
	s.failed.journal = err != nil
	return sum, err
}

// ending makes the journal's last line; a journal that cannot be written any more is a stop.
func (s *Sweep) ending(code *int) (reports.Ending, error) {
	if s.failed.journal {
		return reports.Ending{}, nil
	}
	end, err := s.journal.Ending(strconv.Itoa(*code), s.stopReason())
	if s.failed.journal = err != nil; err != nil {
		*code = exitStopped
	}
	return end, err
}

// report writes the report, and counts the rows even where it cannot be written.
func (s *Sweep) report(ctx context.Context) (err error) {
	s.fates, err = reports.NewFates(ctx, s.journal, reports.FatesOptions{Job: s.job, Repeats: s.in.Repeats(), Dir: s.TempDir})
	if err == nil {
		s.tally, s.samples, err = reports.Report(ctx, reports.ReportOptions{
			Path: s.Report, Failures: s.Failures, IgnoreNotFriend: s.IgnoreNotFriend, Job: s.job, Records: s.in.Records(ctx),
		}, s.fates)
	}
	var lesser reports.LesserError
	if err == nil || errors.As(err, &lesser) {
		print, failed := reports.FingerprintFile("report", s.Report)
		s.print = print
		return errors.Join(err, failed)
	}
	if changed := s.in.Unchanged(ctx); changed != nil && !errors.Is(err, input.ErrChanged) {
		err = changed // whatever else did not fit together
	}
	// The journal alone knows nearly as much. Where there is no room in one folder there may be in the other.
	s.unwritten = true
	s.tally = reports.Tally{Rows: s.job.Rows, Failure: s.job.Rows}
	s.tally.Outcomes[batch.Unknown] = s.job.Rows
	for _, dir := range []string{s.TempDir, filepath.Dir(s.Report)} {
		if info, failed := reports.Status(ctx, s.Report, dir); failed == nil {
			s.tally = info.Tally(s.IgnoreNotFriend)
			break
		}
	}
	return err
}

// exitCode is that of a run that has begun. Where several hold it is 4, then the signal's, then 1.
func (s *Sweep) exitCode(unwritten error) int {
	var signal interface{ Signal() int }
	switch {
	case unwritten != nil:
		return exitStopped
	case errors.As(s.err, &signal):
		return exitSignal + signal.Signal()
	case s.err != nil:
		return exitStopped
	case s.tally.Failure > 0:
		return exitRowsFailed
	}
	return exitDone
}

// stopReason is why the run ended before its end, on one line.
func (s *Sweep) stopReason() string {
	if s.err == nil {
		return ""
	}
	return firstLine(s.err)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func (s *Sweep) summary(code int) *reports.Summary {
	stats := &s.runner.Stats
	sum := &reports.Summary{
		Version: s.Version, Input: s.in.Path, InputSHA256: s.in.SHA256, InputBytes: s.in.Bytes,
		Report: absolute(s.Report), Journal: absolute(s.journal.Path()), Endpoint: s.Endpoint, SDKAppID: s.AppID,
		DeleteType: string(s.DeleteType), StartedAt: reports.Stamp(s.Started), FinishedAt: reports.Stamp(time.Now()),
		Accounts: s.in.Accounts, Requests: stats.Requests.Load(), RetriedRequests: stats.Retried.Load(),
		ThrottledRequests: stats.Throttled.Load(), StopReason: s.stopReason(), ExitCode: code,
		Failures: s.Failures, Page: s.HTML, Metrics: s.Metrics, NotFriendOK: s.IgnoreNotFriend,
		Finished: code == exitDone || code == exitRowsFailed,
	}
	if decided := stats.Decided.Load(); decided > 0 {
		sum.RowsPerSecond = math.Round(float64(decided) / max(time.Since(s.Started).Seconds(), 0.001))
	}
	sum.Note, sum.Allowed, sum.Runs, sum.JobStartedAt = s.Note, s.Allowed, 1, sum.StartedAt
	if s.history != nil {
		sum.Runs, sum.JobStartedAt = s.history.Runs+1, reports.Stamp(s.head.At)
	}
	sum.SetTally(s.tally)
	if s.unwritten {
		sum.ReportCommand = reports.ShellQuote("friendsweep", "report", absolute(s.Report))
	}
	if s.tally.Open() > 0 {
		sum.ResumeCommand = s.nextCommand(false)
	}
	if s.tally.Outcomes[batch.Refused] > 0 {
		sum.RetryCommand = s.nextCommand(true)
	}
	return sum
}

// page writes the --html page. Journal and report do not change any more.
func (s *Sweep) page(sum *reports.Summary) error {
	run := s.thisRun()
	data := reports.PageData{
		Summary: sum, Host: run.Host, User: run.User, Identifier: s.Identifier, Command: reports.ShellQuote(s.Command...),
		Runs: 1, Began: s.Started, Samples: s.samples,
	}
	if s.fates != nil {
		data.Timeline, data.Latency = s.fates.Timeline(), s.fates.Latency()
	}
	if s.history != nil {
		data.Runs, data.Began = s.history.Runs+1, s.head.At
	}
	data.Fingerprints = []reports.Fingerprint{{What: "input", Path: s.in.Path, Bytes: s.in.Bytes, SHA256: s.in.SHA256}}
	if s.print.SHA256 != "" {
		data.Fingerprints = append(data.Fingerprints, s.print)
	}
	// The journal's last line is yet to be written, so it has a head instead of a fingerprint.
	return reports.WritePage(s.HTML, data)
}

// WriteMetrics writes the --metrics-file, for a run that ends with the exit code. It does nothing if there is none, or if
// its path was not found to be one that may be written.
func (s *Sweep) WriteMetrics(code int) error {
	if s.Metrics == "" || !s.safe {
		return nil
	}
	f := s.figures()
	f.Tally, f.ExitCode = s.tally, code
	return reports.WriteMetrics(s.Metrics, f)
}

func (s *Sweep) figures() reports.Figures {
	stats := &s.runner.Stats
	return reports.Figures{
		Requests: stats.Requests.Load(), Retried: stats.Retried.Load(), Throttled: stats.Throttled.Load(), Decided: stats.Decided.Load(),
		Started: s.Started, Finished: time.Now(), Name: nameOf(s.Metrics),
	}
}

// nameOf is the name of a job that writes its figures to this file: the same from run to run, however their reports are
// called.
func nameOf(metrics string) string {
	return strings.TrimSuffix(filepath.Base(metrics), filepath.Ext(metrics))
}

// metricsEvery is how often the figures of a run at work are written.
const metricsEvery = 15 * time.Second

// keepMetrics writes the figures when the run begins and every 15 s. stop ends that and waits for it. What cannot be written
// is said once; the run does not depend on it.
func (s *Sweep) keepMetrics() (stop func()) {
	if s.Metrics == "" || !s.safe {
		return func() {}
	}
	write := func() error {
		f := s.figures()
		f.Running = true
		return reports.WriteMetrics(s.Metrics, f)
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() { // ended and waited for by stop
		defer close(ended)
		tick := time.NewTicker(metricsEvery)
		defer tick.Stop()
		for err := write(); err == nil; err = write() {
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
		s.Log.Warn("the figures of the run at work cannot be written", "file", s.Metrics)
	}()
	return func() { close(done); <-ended }
}
