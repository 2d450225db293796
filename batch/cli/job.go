package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"syscall"

	"friendsweep/batch"
	"friendsweep/batch/send"
	"friendsweep/reports"
	"friendsweep/reports/terminal"
)

// carryOut makes a run of a job, of whichever call.
func (a *app) carryOut(opts batch.Options) error {
	a.announceInput(opts.Pairs)
	if opts.Endpoint != batch.Sandbox {
		// Memory is bounded by design; this bounds what the collector leaves lying about. The emulator has no bound: it
		// remembers every pair.
		debug.SetMemoryLimit(200 << 20)
	}
	a.next.Store(new(string))
	run := batch.New(opts)
	defer run.Close()
	err := run.Prepare(a.ctx)
	var summary *reports.Summary // nil where nothing was sent
	if err == nil {
		defer a.announceInterrupt()()
		next := run.NextCommand(false)
		a.next.Store(&next)
		a.announceBegin(opts, run)
		a.ending = func() { a.announceEnd(opts, summary) }
		summary, a.code, err = run.Execute(a.ctx)
	}
	if summary == nil {
		return a.nothingSent(run, err)
	}
	return a.conclude(summary, err)
}

// announceBegin is the first line of a run in a log that somebody reads later. On a terminal plan, bar and summary say as
// much.
func (a *app) announceBegin(opts batch.Options, run *batch.Run) {
	if !terminal.Is(a.stderr) {
		a.log.Info("begin "+opts.API.Name, run.LogFields()...)
	}
}

// announceEnd is the last line of a run in the log: a warning unless every row succeeded, so that --quiet keeps it.
// Somebody who has the summary on the same screen needs no such line.
func (a *app) announceEnd(opts batch.Options, summary *reports.Summary) {
	if terminal.Is(a.stderr) && terminal.Is(a.stdout) {
		return
	}
	level, fields := slog.LevelWarn, []any{"exit_code", a.code, "verdict", "Nothing was sent."}
	if a.code == exitDone {
		level = slog.LevelInfo
	}
	if summary != nil {
		_, verdict := summary.Verdict()
		fields = []any{"exit_code", a.code, "verdict", verdict, "report", summary.Report,
			"report_sha256", cmp.Or(summary.ReportSHA256, "none"), "journal_head", summary.JournalHead}
	}
	a.log.Log(a.ctx, level, "end "+opts.API.Name, fields...)
}

// conclude writes the summary of a run that has ended with the error, which may be what was asked for.
func (a *app) conclude(summary *reports.Summary, err error) error {
	a.decided = true
	if stop, ok := err.(*send.Stop); ok && stop.Asked {
		a.log.Info(stop.Reason)
		err = nil
	}
	if _, ok := err.(interrupted); ok {
		err = nil // it was announced when it came, and the summary says it
	}
	write := summary.WriteJSON
	if !a.json {
		write = func(w io.Writer) error { return summary.WriteText(w, a.text(w)) }
	}
	// A reader that has gone away wants no summary; a disk that is full has lost one.
	a.printed = true
	if failed := write(a.stdout); failed != nil && !errors.Is(failed, syscall.EPIPE) {
		a.code = exitStopped
		err = errors.Join(err, failed)
	}
	return err
}

// nothingSent writes the figures of a run that ended before it began. One that found the job held leaves them to the
// run that holds it.
func (a *app) nothingSent(run *batch.Run, err error) error {
	if a.ctx.Err() != nil && errors.Is(err, context.Canceled) || errors.As(err, new(interrupted)) {
		err = fmt.Errorf("%w: nothing was sent", context.Cause(a.ctx))
	}
	code := exitCode(err)
	if code == exitHeld {
		return err
	}
	return errors.Join(err, run.WriteMetrics(code))
}
