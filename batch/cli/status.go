package cli

import (
	"os"
	"time"

	"friendsweep/reports"
	"friendsweep/reports/sweep"
)

// statusCommand is `friendsweep status`.
type statusCommand struct {
	Report string `arg:"" name:"REPORT" predictor:"file" help:"The report of the run, whether it is there yet or not."`
}

// Help is what precedes the flags in the help of status.
func (statusCommand) Help() string {
	return `Examples:

  friendsweep status pairs.report.csv
  watch friendsweep status pairs.report.csv`
}

// Run tells how far a run got. It changes nothing.
func (c *statusCommand) Run(a *app) error {
	info, err := reports.Status(a.ctx, c.Report, os.TempDir())
	if err != nil {
		return refuse("%w\ngive the name of a report; its journal lies beside it", err)
	}
	standing := info.Standing(c.Report)
	if !standing.Held && standing.Tally.Open() > 0 {
		standing.ResumeCommand = sweep.ResumeCommand(info, c.Report, a.defaults)
	}
	return standing.WriteText(a.stdout, time.Now(), a.text(a.stdout))
}
