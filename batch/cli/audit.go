package cli

import (
	"encoding/json"
	"fmt"

	"friendsweep/batch"
	"friendsweep/reports/journal"
	"friendsweep/reports/terminal"
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
	for _, check := range checks {
		if !check.Holds {
			a.code = exitRowsFailed
		}
	}
	a.printed = true
	if c.JSON {
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"report": c.Report, "checks": checks, "exit_code": a.code})
	}
	for _, check := range checks {
		holds := "holds"
		if !check.Holds {
			holds = "DOES NOT HOLD"
		}
		if _, err := fmt.Fprintf(a.stdout, "%-7s  %s: %s\n", check.What, holds, terminal.Printable(check.Detail)); err != nil {
			return err
		}
	}
	return nil
}
