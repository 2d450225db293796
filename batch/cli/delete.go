package cli

import (
	"cmp"
	"errors"

	"friendsweep/batch"
	"friendsweep/batch/chat"
	"friendsweep/reports"
	"friendsweep/reports/terminal"
)

// deleteCommand is `friendsweep delete`.
type deleteCommand struct {
	jobFlags
	regroupFlag
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
	if err := cmp.Or(c.jobFlags.check(), c.regroupFlag.check(&c.pairFlags)); err != nil {
		return err
	}
	if c.Pairs == "-" && !c.Yes && !c.Sandbox { // before anybody has typed or sent them all
		return errors.New("standard input has the pairs, so nobody can be asked: nothing was sent\nlook at `friendsweep plan -`, then give --yes")
	}
	c.Report = cmp.Or(c.Report, batch.ReportBeside(c.Pairs, "report"))
	return nil
}

// Run deletes. Everything that can be refused is refused before the first request.
func (c *deleteCommand) Run(a *app) error {
	a.setOutput(c.logFlags)
	opts, err := c.options(a)
	if err != nil {
		return refuse("%w", err)
	}
	return a.carryOut(opts)
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
	o.RetryFailed, o.Regroup = c.RetryFailed, c.Regroup
	o.SetCall(chat.Delete(c.deleteType()), c.success())
	o.Allowed = "--yes was given"
	if c.Sandbox {
		o.Allowed = "nobody is asked for the sandbox"
	}
	if !c.Yes && !c.Sandbox {
		o.Ask = func(plan *reports.Plan, through int64) (bool, error) { return a.ask(plan, through, c.Limit) }
		if !terminal.Is(a.stdin) || !terminal.Is(a.stderr) {
			o.Ask = nobodyToAsk
		}
	}
	return o, nil
}
