package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"syscall"

	"friendsweep/batch"
	"friendsweep/batch/sandbox"
	"friendsweep/reports"
	"friendsweep/reports/sweep"
)

// deleteCommand is `friendsweep delete`.
type deleteCommand struct {
	Pairs string `arg:"" name:"PAIRS" predictor:"file" help:"CSV of (from, to) pairs, plain, gzip or zstd; - for standard input."`
	targetFlags
	pairFlags
	speedFlags
	fileFlags
	IgnoreNotFriend bool `group:"what" help:"Count \"was not a friend\" (31704) as success."`
	Yes             bool `short:"y" group:"what" help:"Do not ask."`
	outputFlags
}

// Help is what precedes the flags in the help of delete.
func (deleteCommand) Help() string {
	return `Examples:

  friendsweep delete --sandbox pairs.csv
  friendsweep delete --region singapore --sdkappid 1400000000 --secret-key-file key --limit 100 pairs.csv
  friendsweep delete --resume --region singapore --sdkappid 1400000000 --secret-key-file key --yes pairs.csv

The first deletes nothing real. The second is a canary of 100 pairs; the third does the rest.`
}

func (c *deleteCommand) check() error {
	if err := cmp.Or(c.pairFlags.check(), c.speedFlags.check(), c.targetFlags.check()); err != nil {
		return err
	}
	switch {
	case c.Resume && c.Overwrite:
		return errors.New("--resume and --overwrite exclude each other: continue that run, or begin anew?")
	case c.RetryFailed && !c.Resume:
		return errors.New("--retry-failed is for --resume")
	case c.Report == "" && c.Pairs == "-":
		return errors.New("standard input has no name that a report could be named after: give --report")
	}
	if c.Sandbox && c.SDKAppID == 0 {
		c.SDKAppID = sandbox.DefaultAppID
	}
	if c.Report == "" {
		c.Report = sweep.ReportBeside(c.Pairs)
	}
	return nil
}

// Run deletes. Everything that can be refused is refused before the first request.
func (c *deleteCommand) Run(a *app) error {
	a.setOutput(c.logFlags)
	opts, err := c.options(a)
	if err != nil {
		return refuse("%w", err)
	}
	if !c.Sandbox {
		// Memory is bounded by design; this bounds what the collector leaves lying about. The emulator has no bound: it
		// remembers every pair.
		debug.SetMemoryLimit(200 << 20)
	}
	run := sweep.New(opts)
	defer run.Close()
	err = run.Prepare(a.ctx)
	var summary *reports.Summary
	if err == nil {
		defer a.announceInterrupt()()
		summary, a.code, err = run.Run(a.ctx)
	}
	if summary == nil {
		return c.nothingSent(run, err)
	}
	a.decided = true
	if stop, ok := err.(*batch.Stop); ok && stop.Asked {
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
	if failed := write(a.stdout); failed != nil && !errors.Is(failed, syscall.EPIPE) {
		a.code = exitStopped
		err = errors.Join(err, failed)
	}
	return err
}

// nothingSent writes the figures of a run that ended before it began. One that found the job held leaves them to the
// run that holds it.
func (c *deleteCommand) nothingSent(run *sweep.Sweep, err error) error {
	code := exitCode(err)
	if code == exitHeld {
		return err
	}
	return errors.Join(err, run.WriteMetrics(code))
}

// options is the run that the flags ask for.
func (c *deleteCommand) options(a *app) (sweep.Options, error) {
	if err := c.check(); err != nil {
		return sweep.Options{}, err
	}
	key, sig, err := c.secrets()
	if err != nil {
		return sweep.Options{}, err
	}
	o := sweep.Options{
		Pairs: c.Pairs, Stdin: a.stdin, FromColumn: c.FromColumn, ToColumn: c.ToColumn, MaxRows: c.MaxRows,
		Endpoint: c.endpoint(), AppID: c.SDKAppID, Identifier: c.Identifier, Key: key, Sig: sig,
		DeleteType: c.deleteType(), Timeout: c.Timeout, Batch: c.speedFlags.batch(a.started), Proxy: http.ProxyFromEnvironment,
		Report: c.Report, Failures: c.Failures, HTML: c.HTML, Metrics: c.MetricsFile, Lock: c.Lock,
		Resume: c.Resume, RetryFailed: c.RetryFailed, Overwrite: c.Overwrite, IgnoreNotFriend: c.IgnoreNotFriend,
		Flags: a.flags, Defaults: a.defaults, Command: append([]string{"friendsweep"}, a.args...), Version: a.version, Started: a.started,
		TempDir: os.TempDir(), Log: a.log, Progress: a.progress,
	}
	o.Batch.ChunkSize = c.ChunkSize
	for _, file := range []string{c.SecretKeyFile, c.UsersigFile} {
		if file != "" {
			o.Secrets = append(o.Secrets, file)
		}
	}
	if !c.Yes && !c.Sandbox {
		o.Ask = a.ask
		if c.Pairs == "-" || !isTerminal(a.stdin) || !isTerminal(a.stderr) {
			o.Ask = nobodyToAsk
		}
	}
	return o, nil
}
