package cli

import (
	"cmp"

	"friendsweep/batch"
	"friendsweep/batch/chat"
	"friendsweep/batch/send"
)

// planCommand is `friendsweep plan`.
type planCommand struct {
	Pairs string `arg:"" name:"PAIRS" question:"which file? give - for standard input" predictor:"file" help:"CSV of (from, to) pairs, plain, gzip or zstd; - for standard input."`
	targetFlags
	pairFlags
	regroupFlag
	Rate    float64 `group:"speed" default:"200" placeholder:"N" help:"Requests per second, for the time that it takes; 0 is no limit."`
	RowRate float64 `group:"speed" default:"0" placeholder:"N" help:"Rows per second, for the time that it takes; 0 is no limit."`
	outputFlags
}

// Help is what precedes the flags in the help of plan.
func (planCommand) Help() string {
	return `Examples:

  friendsweep plan pairs.csv
  friendsweep plan --rate 50 --delete-type both pairs.csv
  zcat pairs.csv.gz | friendsweep plan --json -

Replace plan by delete in a command line to see it carried out.

` + variablesHelp
}

// Run reads and counts the input. It makes no HTTP client at all.
func (c *planCommand) Run(a *app) error {
	a.setOutput(c.logFlags)
	if err := cmp.Or(c.pairFlags.check(), c.regroupFlag.check(&c.pairFlags), c.targetFlags.checkShape(), checkRate("--rate", c.Rate), checkRate("--row-rate", c.RowRate)); err != nil {
		return refuse("%w", err)
	}
	temp, err := tempDir()
	if err != nil {
		return refuse("%w", err)
	}
	a.announceInput(c.Pairs)
	o := batch.Options{
		Pairs: c.Pairs, Stdin: a.stdin, Typed: a.typed(c.Pairs), FromColumn: c.FromColumn, ToColumn: c.ToColumn, DeleteType: c.deleteType(),
		Batch: send.Options{ChunkSize: c.ChunkSize, Rate: c.Rate, RowRate: c.RowRate}, TempDir: temp, Progress: a.progress, Log: a.log,
		Regroup: c.Regroup, CountRegrouped: true,
	}
	o.SetCall(chat.Delete(o.DeleteType), nil)
	in, err := batch.Read(a.ctx, &o)
	if code := exitCode(err); err != nil && code == exitStopped {
		return refuse("%w", err) // nothing was stopped: no room for temporary files, say
	}
	if err != nil {
		return err
	}
	defer in.Close()
	if c.MaxRows != nil && in.Rows > *c.MaxRows {
		return refuse("%s has %d records, --max-rows allows %d", c.Pairs, in.Rows, *c.MaxRows)
	}
	if err := batch.CheckInvalid(in, c.Pairs, c.MaxInvalid); err != nil {
		return err
	}
	plan := batch.NewPlan(in, o.Batch)
	plan.Endpoint, plan.SDKAppID, plan.Identifier = c.endpoint(), c.app(), c.Identifier
	plan.DeleteType = string(c.deleteType())
	a.printed = true
	if c.JSON {
		return plan.WriteJSON(a.stdout)
	}
	return plan.WriteText(a.stdout, a.text(a.stdout))
}
