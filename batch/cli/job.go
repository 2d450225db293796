package cli

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"syscall"

	"friendsweep/batch"
	"friendsweep/batch/send"
	"friendsweep/reports"
)

// carryOut makes a run of a job, of whichever call.
func (a *app) carryOut(opts batch.Options) error {
	a.announceInput(opts.Pairs)
	if opts.Endpoint != batch.Sandbox {
		// Memory is bounded by design; this bounds what the collector leaves lying about. The emulator has no bound: it
		// remembers every pair.
		debug.SetMemoryLimit(200 << 20)
	}
	run := batch.New(opts)
	defer run.Close()
	err := run.Prepare(a.ctx)
	var summary *reports.Summary
	if err == nil {
		defer a.announceInterrupt()()
		next := run.NextCommand(false)
		a.next.Store(&next)
		summary, a.code, err = run.Execute(a.ctx)
	}
	if summary == nil {
		return a.nothingSent(run, err)
	}
	return a.conclude(summary, err)
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
	if a.code == exitRowsFailed && a.out.Quiet {
		a.log.Warn(fmt.Sprintf("%d of %d rows %s, see %s", summary.Failure, summary.Rows, summary.Call.Texts.Failed, summary.Report))
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
	code := exitCode(err)
	if code == exitHeld {
		return err
	}
	return errors.Join(err, run.WriteMetrics(code))
}
