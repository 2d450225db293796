package cli

import (
	"cmp"
	"fmt"

	"friendsweep/batch"
	"friendsweep/batch/chat"
	"friendsweep/reports"
)

// checkCommand is `friendsweep check`.
type checkCommand struct {
	jobFlags
	Expect string `group:"first" enum:"gone,friends,any" default:"gone" placeholder:"gone|friends|any" help:"What a success is. gone: as --delete-type would leave it. any: every answer."`
}

// Help is what precedes the flags in the help of check.
func (checkCommand) Help() string {
	return `Examples:

  friendsweep check --sandbox --expect any pairs.csv

  friendsweep check --region singapore --sdkappid 1400000000 \
      --secret-key-file key --limit 20 --expect any pairs.csv

  friendsweep check --region singapore --sdkappid 1400000000 \
      --secret-key-file key --failures left.csv pairs.csv

The second is a first look at the app: are key, region, app and columns right?
The third, after a deletion, writes those that are still friends to left.csv,
which is an input for delete. Nothing is changed, so nobody is asked.

` + variablesHelp
}

// Run checks. It changes nothing, so it never asks.
func (c *checkCommand) Run(a *app) error {
	a.setOutput(c.logFlags)
	opts, err := c.options(a)
	if err != nil {
		return refuse("%w", err)
	}
	return a.carryOut(opts)
}

// options are the run that the flags ask for.
func (c *checkCommand) options(a *app) (batch.Options, error) {
	if err := c.check(); err != nil {
		return batch.Options{}, err
	}
	c.Report = cmp.Or(c.Report, batch.ReportBeside(c.Pairs, "check"))
	o, err := c.jobFlags.options(a)
	if err != nil {
		return batch.Options{}, err
	}
	o.SetCall(chat.Check(), c.success())
	o.Allowed, o.Remark = "a check changes nothing, so nobody is asked", c.remark
	return o, nil
}

// success is the answers that are successes.
func (c *checkCommand) success() []string {
	switch {
	case c.Expect == "any":
		return []string{"friends", "one_way", "reverse", "strangers"}
	case c.Expect == "friends":
		return []string{"friends"}
	case c.deleteType() == chat.Both:
		return []string{"strangers"}
	}
	return []string{"reverse", "strangers"}
}

// remark says what the answers suggest.
func (c *checkCommand) remark(s *reports.Summary) string {
	answered := int64(0)
	for _, word := range []string{"friends", "one_way", "reverse", "strangers"} {
		answered += s.Outcomes[word]
	}
	left := s.Outcomes["friends"] + s.Outcomes["one_way"]
	if c.deleteType() == chat.Both {
		left += s.Outcomes["reverse"]
	}
	switch {
	case c.Expect != "gone" && answered > 0 && s.Outcomes["strangers"] == answered:
		return "All of them are strangers to each other. Is this the right app, and are the columns the right way round?"
	case c.Expect == "gone" && left > 0 && c.Failures != "":
		return fmt.Sprintf("Those that are not gone are in %s, which is an input for friendsweep delete.", c.Failures)
	case c.Expect == "gone" && left > 0:
		return "With --failures FILE those that are not gone are written as an input for friendsweep delete."
	}
	return ""
}
