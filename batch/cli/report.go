package cli

import (
	"fmt"

	"friendsweep/batch"
)

// reportCommand is `friendsweep report`.
type reportCommand struct {
	Report          string `arg:"" name:"REPORT" question:"the report of which run?" predictor:"report" help:"The report to write."`
	Input           string `predictor:"file" placeholder:"FILE" help:"The run's input, if it has moved or was standard input (- reads it there again)."`
	Failures        string `predictor:"file" placeholder:"FILE" help:"Also write the failed lines alone."`
	IgnoreNotFriend bool   `help:"Count not_friend as success; so it is when the run had this flag."`
	logFlags
}

// Help is what precedes the flags in the help of report.
func (reportCommand) Help() string {
	return `Examples:

  friendsweep report pairs.report.csv

  friendsweep report --input moved/pairs.csv --failures failures.csv \
      pairs.report.csv`
}

// Run writes the report of a run that died.
func (c *reportCommand) Run(a *app) error {
	a.setOutput(c.logFlags)
	temp, err := tempDir()
	if err != nil {
		return refuse("%w", err)
	}
	c.Report = withoutJournal(c.Report)
	var also []string
	if c.IgnoreNotFriend {
		also = append(also, "not_friend")
	}
	tally, next, err := batch.Rewrite(a.ctx, batch.Options{
		Report: c.Report, Pairs: c.Input, Stdin: a.stdin, Failures: c.Failures, AlsoSuccess: also,
		Defaults: a.defaults(), TempDir: temp, Log: a.log, Progress: a.progress,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "The report is written: %d rows, %d success, %d failure, %d of them open.\n%s\n",
		tally.Rows, tally.Success, tally.Failure, tally.Open(), c.Report)
	if next != "" {
		fmt.Fprintf(a.stdout, "\nTo continue the run:\n  %s\n", next)
	}
	return nil
}
