package cli

import (
	"context"
	"time"

	"friendsweep/batch"
	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/outcome"
)

// statusCommand is `friendsweep status`.
type statusCommand struct {
	Report string `arg:"" name:"REPORT" question:"the report of which run?" predictor:"report" help:"The report of the run, whether it is there yet or not."`
	Line   *int64 `placeholder:"N" help:"Tell the whole story of the record at this line of the input."`
	Input  string `predictor:"file" placeholder:"FILE" help:"For --line: the run's input, if it has moved or was standard input (- reads it there again)."`
	JSON   bool   `name:"json" help:"As JSON: the job as it stands, as the summary has it, with state and last_answer_at; with --line, the story."`
}

// Help is what precedes the flags in the help of status.
func (statusCommand) Help() string {
	return `Examples:

  friendsweep status pairs.report.csv
  watch friendsweep status pairs.report.csv
  friendsweep status pairs.report.csv --line 812

The last tells of the record that starts at line 812 of the input: every request
that carried it and what the answer said of it, what it repeats or what repeats
it, its outcome, and why it is that. It reads journal and input, and needs as
much room for temporary files as a report does. A run may be at work.`
}

// Run tells how far a run got. It changes nothing.
func (c *statusCommand) Run(a *app) error {
	c.Report = journal.ReportOf(c.Report)
	temp, err := tempDir()
	if err != nil {
		return refuse("%w", err)
	}
	if c.Line != nil {
		return c.tell(a, temp)
	}
	if c.Input != "" && a.variables["input"] == "" { // the variable may be there for report and audit
		return refuse("--input is for --line")
	}
	info, err := fates.Status(a.ctx, c.Report, temp, batch.Calls)
	if a.ctx.Err() != nil {
		return context.Cause(a.ctx)
	}
	if err != nil {
		return refuse("%w\ngive the name of a report; its journal lies beside it", err)
	}
	status := reports.NewStatus(info, c.Report)
	if !status.Held && (status.Tally.Open() > 0 || !status.Ended) { // one that died is not at its end
		status.ResumeCommand = batch.ResumeCommand(info, c.Report, a.defaults(), false)
	}
	if !status.Held && status.Tally.Outcomes[outcome.Refused] > 0 {
		status.RetryCommand = batch.ResumeCommand(info, c.Report, a.defaults(), true)
	}
	a.printed = true
	if c.JSON {
		return status.WriteJSON(a.stdout, info)
	}
	return status.WriteText(a.stdout, time.Now(), a.text(a.stdout))
}

// tell tells the story of one record.
func (c *statusCommand) tell(a *app, temp string) error {
	if *c.Line < 2 {
		return refuse("--line %d must be 2 or more: line 1 is the header", *c.Line)
	}
	a.setOutput(logFlags{Progress: "auto"}) // a large input takes minutes
	story, err := batch.Story(a.ctx, batch.Options{
		Report: c.Report, Pairs: c.Input, Stdin: a.stdin, TempDir: temp, Log: a.log, Progress: a.progress,
	}, *c.Line)
	if err != nil {
		return err
	}
	a.printed = true
	if c.JSON {
		return story.WriteJSON(a.stdout)
	}
	return story.WriteText(a.stdout, a.text(a.stdout))
}
