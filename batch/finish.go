package batch

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"friendsweep/input"
	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/metrics"
	"friendsweep/reports/page"
	"friendsweep/reports/terminal"
)

// Exit codes of a run that has begun; the contract, section 8. A signal's is 128 and its number.
const (
	exitDone       = 0
	exitRowsFailed = 1
	exitStopped    = 4
	exitSignal     = 128
)

// finish makes everything people read from the journal, and the exit code.
func (r *Run) finish(ctx context.Context) (*reports.Summary, int, error) {
	err := r.report(ctx)
	code := r.exitCode(err)
	if err != nil && r.err == nil {
		r.err, err = err, nil // why this run ended before its end
	}
	sum, failed := r.publish(code)
	if failed != nil {
		if r.err == nil {
			r.err, failed = failed, nil // why this run ended before its end
		}
		err = errors.Join(err, failed)
		// What was written says another exit code than the process ends with.
		sum, failed = r.publish(exitStopped)
		err = errors.Join(err, failed)
	}
	return sum, sum.ExitCode, err
}

// publish writes what names the exit code, the journal's last line at the end: it tells the truth about all others. What
// cannot be written makes another code, and is not tried again.
func (r *Run) publish(code int) (*reports.Summary, error) {
	end, err := r.ending(&code)
	sum := r.summary(code)
	sum.JournalHead = cmp.Or(end.Link, r.journal.Link())
	sum.ReportSHA256 = r.written.Print.SHA256
	if r.HTML != "" && !r.failed.page {
		failed := r.page(sum, end)
		r.failed.page, err = failed != nil, errors.Join(err, failed)
	}
	if !r.failed.metrics {
		failed := r.WriteMetrics(code)
		r.failed.metrics, err = failed != nil, errors.Join(err, failed)
	}
	if err != nil || r.failed.journal {
		return sum, err
	}
	err = r.journal.EndWith(end)
	r.failed.journal = err != nil
	return sum, err
}

// ending makes the journal's last line; a journal that cannot be written any more is a stop.
func (r *Run) ending(code *int) (journal.Ending, error) {
	if r.failed.journal {
		return journal.Ending{}, nil
	}
	end, err := r.journal.Ending(strconv.Itoa(*code), r.stopReason())
	if r.failed.journal = err != nil; err != nil {
		*code = exitStopped
	}
	return end, err
}

// report writes the report, and counts the rows even where it cannot be written.
func (r *Run) report(ctx context.Context) (err error) {
	var written atomic.Int64
	r.Progress.Start(terminal.Writing, func() terminal.Snapshot {
		return terminal.Snapshot{Rows: written.Load(), Total: r.job.Rows}
	})
	defer r.Progress.Stop()
	r.fates, err = fates.New(ctx, r.journal, fates.Options{Job: r.job, Repeats: r.in.Repeats(), Dir: r.TempDir})
	if err == nil {
		r.written, err = reports.Report(ctx, reports.ReportOptions{
			Path: r.Report, Failures: r.Failures, Good: r.Batch.Good, Job: r.job, Records: counting(r.in.Records(ctx), &written),
		}, r.fates)
	}
	var lesser reports.LesserError
	if err == nil || errors.As(err, &lesser) {
		r.written.Print.Path = absolute(r.Report)
		return err
	}
	if changed := r.in.Unchanged(ctx); changed != nil && !errors.Is(err, input.ErrChanged) {
		err = changed // whatever else did not fit together
	}
	// The journal alone knows nearly as much. Where there is no room in one folder there may be in the other.
	r.unwritten = err
	r.written.Tally = fates.Tally{Rows: r.job.Rows, Failure: r.job.Rows}
	r.written.Tally.Outcomes[outcome.Unknown] = r.job.Rows
	for _, dir := range []string{r.TempDir, filepath.Dir(r.Report)} {
		if info, failed := fates.Status(ctx, r.Report, dir, Calls); failed == nil {
			r.written.Tally = info.Tally(r.Batch.Good)
			break
		}
	}
	return err
}

// counting counts the records that were taken from all.
func counting(all iter.Seq2[input.Record, error], taken *atomic.Int64) iter.Seq2[input.Record, error] {
	return func(yield func(input.Record, error) bool) {
		for rec, err := range all {
			if !yield(rec, err) {
				return
			}
			taken.Add(1)
		}
	}
}

// exitCode is that of a run that has begun. Where several hold it is 4, then the signal's, then 1.
func (r *Run) exitCode(unwritten error) int {
	var signal interface{ Signal() int }
	switch {
	case unwritten != nil:
		return exitStopped
	case errors.As(r.err, &signal):
		return exitSignal + signal.Signal()
	case r.err != nil:
		return exitStopped
	case r.written.Tally.Failure > 0:
		return exitRowsFailed
	}
	return exitDone
}

// stopReason is why the run ended before its end, on one line.
func (r *Run) stopReason() string {
	if r.err == nil {
		return ""
	}
	return firstLine(r.err)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func (r *Run) summary(code int) *reports.Summary {
	stats := &r.runner.Stats
	sum := &reports.Summary{
		Version: r.Version, Input: r.in.Path, InputSHA256: r.in.SHA256, InputBytes: r.in.Bytes,
		Report: absolute(r.Report), Journal: absolute(r.journal.Path()), Endpoint: r.Endpoint, SDKAppID: r.AppID,
		DeleteType: string(r.DeleteType), StartedAt: terminal.Stamp(r.Started), FinishedAt: terminal.Stamp(time.Now()),
		Accounts: r.in.Accounts, Requests: stats.Requests.Load(), RetriedRequests: stats.Retried.Load(),
		ThrottledRequests: stats.Throttled.Load(), StopReason: r.stopReason(), ExitCode: code,
		Failures: absolute(r.Failures), Page: absolute(r.HTML), Metrics: absolute(r.Metrics), FromEnvironment: reports.SecretFromEnvironment(r.Endpoint, r.Flags), Call: r.Batch.Call, Good: r.Batch.Good,
		Finished: code == exitDone || code == exitRowsFailed,
	}
	if decided := stats.Decided.Load(); decided > 0 {
		sum.RowsPerSecond = math.Round(float64(decided) / max(time.Since(r.Started).Seconds(), 0.001))
	}
	sum.Note, sum.Allowed, sum.Runs, sum.JobStartedAt = r.Note, r.Allowed, r.runs(), terminal.Stamp(r.began)
	sum.SetTally(r.written.Tally)
	if r.Remark != nil {
		sum.Remark = r.Remark(sum)
	}
	if r.unwritten != nil {
		sum.ReportCommand = terminal.ShellQuote("friendsweep", "report", absolute(r.Report))
		sum.ReportWaits = remedy(r.unwritten)
	}
	if r.written.Tally.Open() > 0 {
		sum.ResumeCommand = r.NextCommand(false)
	}
	if r.written.Tally.Outcomes[outcome.Refused] > 0 {
		sum.RetryCommand = r.NextCommand(true)
	}
	return sum
}

// remedy is what must be so before a report can be written that could not be for this reason.
func remedy(err error) string {
	switch {
	case errors.Is(err, input.ErrChanged):
		return "once the input is as it was"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "once there is room"
	}
	return "once the cause is mended"
}

// runs is how many runs the job took so far, this one included.
func (r *Run) runs() int {
	if r.history == nil {
		return 1
	}
	return r.history.Runs + 1
}

// page writes the --html page. The report does not change any more, and the journal by no more than the line that ends it;
// it is empty where the journal cannot be written, which then has no fingerprint.
func (r *Run) page(sum *reports.Summary, end journal.Ending) error {
	run := r.thisRun()
	data := page.Data{
		Summary: sum, Host: run.Host, User: run.User, Identifier: r.Identifier, Command: terminal.ShellQuote(r.Command...),
		Runs: r.runs(), Began: r.began, Samples: r.written.Samples,
	}
	if r.fates != nil {
		data.Timeline, data.Latency = r.fates.Timeline(), r.fates.Latency()
	}
	data.Fingerprints = r.prints()
	if end.Link != "" {
		print, err := reports.FingerprintWith("journal", absolute(r.journal.Path()), end.Bytes())
		if err != nil {
			return err
		}
		data.Fingerprints = append(data.Fingerprints, print)
	}
	return page.Write(r.HTML, data)
}

// prints are the fingerprints on a page. The journal has a head instead: its last line is yet to be written.
func (r *Run) prints() []reports.Fingerprint {
	all := []reports.Fingerprint{{What: "input", Path: r.in.Path, Bytes: r.in.Bytes, SHA256: r.in.SHA256}}
	if r.written.Print.SHA256 != "" {
		all = append(all, r.written.Print)
	}
	return all
}

// WriteMetrics writes the --metrics-file, for a run that ends with the exit code. It does nothing if there is none, or if
// its path was not found to be one that may be written.
func (r *Run) WriteMetrics(code int) error {
	if r.Metrics == "" || !r.safe {
		return nil
	}
	f := r.figures()
	f.Tally, f.ExitCode = r.written.Tally, code
	return metrics.Write(r.Metrics, f)
}

func (r *Run) figures() metrics.Figures {
	stats := &r.runner.Stats
	return metrics.Figures{
		Call:     r.Batch.Call,
		Requests: stats.Requests.Load(), Retried: stats.Retried.Load(), Throttled: stats.Throttled.Load(), Decided: stats.Decided.Load(),
		Started: r.Started, Finished: time.Now(), Name: nameOf(r.Metrics),
	}
}

// nameOf is the name of a job that writes its figures to this file: the same from run to run, however their reports are
// called.
func nameOf(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

// metricsEvery is how often the figures of a run at work are written.
const metricsEvery = 15 * time.Second

// keepMetrics writes the figures when the run begins and every 15 s. stop ends that and waits for it. What cannot be written
// is said once; the run does not depend on it.
func (r *Run) keepMetrics() (stop func()) {
	if r.Metrics == "" || !r.safe {
		return func() {}
	}
	write := func() error {
		f := r.figures()
		f.Running = true
		return metrics.Write(r.Metrics, f)
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
		r.Log.Warn("the figures of the run at work cannot be written", "file", r.Metrics)
	}()
	return func() { close(done); <-ended }
}
