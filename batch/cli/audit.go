package cli

import (
	"friendsweep/batch"
	"friendsweep/reports"
	"friendsweep/reports/journal"
)

// auditCommand is `friendsweep audit`.
type auditCommand struct {
	Report string `arg:"" name:"REPORT" question:"the report of which run?" predictor:"report" help:"The report to hold against its journal and its input."`
	Input  string `predictor:"file" placeholder:"FILE" help:"The run's input, if it has moved or was standard input (- reads it there again)."`
	outputFlags
}

// Help is what precedes the flags in the help of audit.
func (auditCommand) Help() string {
	return `Examples:

  friendsweep audit pairs.report.csv
  friendsweep audit --json --input archive/pairs.csv pairs.report.csv

It changes nothing and contacts nobody. Exit code 0: all holds; 1: something
does not; 2: there is nothing to audit, or the run has not ended.`
}

// Run looks at the three files.
func (c *auditCommand) Run(a *app) error {
	a.setOutput(c.logFlags)
	temp, err := tempDir()
	if err != nil {
		return refuse("%w", err)
	}
	c.Report = journal.ReportOf(c.Report)
	checks, err := batch.Audit(a.ctx, batch.Options{
		Report: c.Report, Pairs: c.Input, Stdin: a.stdin, TempDir: temp, Log: a.log, Progress: a.progress,
	})
	if err != nil {
		return err
	}
	audit := reports.Audit{Report: c.Report, Checks: checks}
	if !audit.Holds() {
		a.code = exitRowsFailed
	}
	audit.ExitCode = a.code
	a.printed = true
	if c.JSON {
		return audit.WriteJSON(a.stdout)
	}
	return audit.WriteText(a.stdout)
}
