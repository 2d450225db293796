package cli

import (
	"friendsweep/batch"
	"friendsweep/reports/journal"
)

// reportCommand is `friendsweep report`.
type reportCommand struct {
	Report          string `arg:"" name:"REPORT" question:"the report of which run?" predictor:"report" help:"The report to write."`
	Input           string `predictor:"file" placeholder:"FILE" help:"The run's input, if it has moved or was standard input (- reads it there again)."`
	Failures        string `predictor:"file" placeholder:"FILE" help:"Also write the failed lines alone."`
	HTML            string `predictor:"file" name:"html" placeholder:"FILE" help:"Also write the job as it stands as one self-contained page."`
	IgnoreNotFriend bool   `help:"Count not_friend as success; so it is when the run had this flag."`
	outputFlags
}

// Help is what precedes the flags in the help of report.
func (reportCommand) Help() string {
	return `Examples:

  friendsweep report pairs.report.csv

  friendsweep report --input moved/pairs.csv --failures failures.csv \
      pairs.report.csv

  friendsweep report --html run.html --json pairs.report.csv

With --json standard output has the summary of the job as it stands, as
` + "`friendsweep status --json`" + ` has it, with the counts of the report.`
}

// Run writes the report of a run that died.
func (c *reportCommand) Run(a *app) error {
	a.setOutput(c.logFlags)
	temp, err := tempDir()
	if err != nil {
		return refuse("%w", err)
	}
	c.Report = journal.ReportOf(c.Report)
	var also []string
	if c.IgnoreNotFriend {
		also = append(also, "not_friend")
	}
	sum, err := batch.Rewrite(a.ctx, batch.Options{
		Report: c.Report, Pairs: c.Input, Stdin: a.stdin, Failures: c.Failures, HTML: c.HTML, AlsoSuccess: also,
		Defaults: a.defaults(), TempDir: temp, Log: a.log, Progress: a.progress,
	})
	if err != nil {
		return err
	}
	a.printed = true
	if c.JSON {
		return sum.WriteJSON(a.stdout)
	}
	return sum.WriteText(a.stdout, a.text(a.stdout))
}
