package cli

import (
	"context"
	"os"
	"strings"
	"time"

	"friendsweep/batch"
	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
)

// statusCommand is `friendsweep status`.
type statusCommand struct {
	Report string `arg:"" name:"REPORT" question:"the report of which run?" predictor:"report" help:"The report of the run, whether it is there yet or not."`
	JSON   bool   `name:"json" help:"The job as it stands as JSON, as the summary has it, with state and last_answer_at."`
}

// Help is what precedes the flags in the help of status.
func (statusCommand) Help() string {
	return `Examples:

  friendsweep status pairs.report.csv
  watch friendsweep status pairs.report.csv`
}

// Run tells how far a run got. It changes nothing.
func (c *statusCommand) Run(a *app) error {
	c.Report = withoutJournal(c.Report)
	temp, err := tempDir()
	if err != nil {
		return refuse("%w", err)
	}
	info, err := fates.Status(a.ctx, c.Report, temp, batch.Calls)
	if a.ctx.Err() != nil {
		return context.Cause(a.ctx)
	}
	if err != nil {
		return refuse("%w\ngive the name of a report; its journal lies beside it", err)
	}
	standing := reports.NewStanding(info, c.Report)
	if !standing.Held && standing.Tally.Open() > 0 {
		standing.ResumeCommand = batch.ResumeCommand(info, c.Report, false, a.defaults())
	}
	a.printed = true
	if c.JSON {
		return standing.WriteJSON(a.stdout, info)
	}
	return standing.WriteText(a.stdout, time.Now(), a.text(a.stdout))
}

// withoutJournal is the report's name if somebody gives the journal's, which lies beside it and may be all that is there.
func withoutJournal(name string) string {
	report, isJournal := strings.CutSuffix(name, ".journal")
	if _, err := os.Stat(journal.Path(name)); err == nil || !isJournal {
		return name
	}
	return report
}
