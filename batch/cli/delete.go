package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"syscall"

	"friendsweep/batch"
	"friendsweep/batch/chat"
	"friendsweep/batch/send"
	"friendsweep/reports"
)

// deleteCommand is `friendsweep delete`.
type deleteCommand struct {
	jobFlags
	Yes             bool `short:"y" group:"first" help:"Do not ask."`
	IgnoreNotFriend bool `group:"what" help:"Count \"was not a friend\" (31704) as success."`
	RetryFailed     bool `group:"files" help:"With --resume: also send the refused rows again."`
}

// Help is what precedes the flags in the help of delete.
func (deleteCommand) Help() string {
	return `Examples:

  friendsweep delete --sandbox pairs.csv

  friendsweep delete --region singapore --sdkappid 1400000000 \
      --secret-key-file key --limit 100 pairs.csv

  friendsweep delete --region singapore --sdkappid 1400000000 \
      --secret-key-file key --resume --yes pairs.csv

The first deletes nothing real. The second is a canary of 100 pairs; the third does the rest.

` + variablesHelp
}

func (c *deleteCommand) check() error {
	switch {
	case c.RetryFailed && !c.Resume:
		return errors.New("--retry-failed is for --resume")
	}
	if err := c.jobFlags.check(); err != nil {
		return err
	}
	c.Report = cmp.Or(c.Report, batch.ReportBeside(c.Pairs))
	return nil
}

// Run deletes. Everything that can be refused is refused before the first request.
func (c *deleteCommand) Run(a *app) error {
	a.setOutput(c.logFlags)
	opts, err := c.options(a)
	if err != nil {
		return refuse("%w", err)
	}
	a.announceInput(c.Pairs)
	if !c.Sandbox {
		// Memory is bounded by design; this bounds what the collector leaves lying about. The emulator has no bound: it
		// remembers every pair.
		debug.SetMemoryLimit(200 << 20)
	}
	run := batch.New(opts)
	defer run.Close()
	err = run.Prepare(a.ctx)
	var summary *reports.Summary
	if err == nil {
		defer a.announceInterrupt()()
		next := a.continuing(c.Pairs, c.Report)
		a.next.Store(&next)
		summary, a.code, err = run.Execute(a.ctx)
	}
	if summary == nil {
		return c.nothingSent(run, err)
	}
	return c.conclude(a, summary, err)
}

// conclude writes the summary of a run that has ended with the error, which may be what was asked for.
func (c *deleteCommand) conclude(a *app, summary *reports.Summary, err error) error {
	a.decided = true
	if stop, ok := err.(*send.Stop); ok && stop.Asked {
		a.log.Info(stop.Reason)
		err = nil
	}
	if _, ok := err.(interrupted); ok {
		err = nil // it was announced when it came, and the summary says it
	}
	if a.code == exitRowsFailed && a.out.Quiet {
		a.log.Warn(fmt.Sprintf("%d of %d rows failed, see %s", summary.Failure, summary.Rows, summary.Report))
	}
	write := summary.WriteJSON
	if !c.JSON {
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
func (c *deleteCommand) nothingSent(run *batch.Run, err error) error {
	code := exitCode(err)
	if code == exitHeld {
		return err
	}
	return errors.Join(err, run.WriteMetrics(code))
}

// success is the answers that are successes.
func (c *deleteCommand) success() []string {
	if c.IgnoreNotFriend {
		return []string{"deleted", "not_friend"}
	}
	return []string{"deleted"}
}

// options are the run that the flags ask for.
func (c *deleteCommand) options(a *app) (batch.Options, error) {
	if err := c.check(); err != nil {
		return batch.Options{}, err
	}
	o, err := c.jobFlags.options(a)
	if err != nil {
		return batch.Options{}, err
	}
	o.RetryFailed = c.RetryFailed
	o.SetCall(chat.Delete(c.deleteType()), c.success())
	o.Allowed = "--yes was given"
	if c.Sandbox {
		o.Allowed = "nobody is asked for the sandbox"
	}
	if !c.Yes && !c.Sandbox {
		o.Ask = a.ask
		if c.Pairs == "-" || !isTerminal(a.stdin) || !isTerminal(a.stderr) {
			o.Ask = nobodyToAsk
		}
	}
	return o, nil
}
