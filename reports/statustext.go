package reports

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
)

// Status is how far a run got, as `status` tells it. The counts are those that the journal alone can know.
type Status struct {
	Call                   *outcome.Call
	Good                   outcome.Set // the answers that are successes of the last run
	Report, Journal, Input string
	Head                   string // of the journal's chain
	Held                   bool   // a process works on it now
	PID                    int    // of the last run
	Host, User             string // of the last run
	Ended                  bool   // the last run closed its journal: it was not killed
	ExitCode               string // of the last run; empty unless Ended
	StopReason             string
	Endpoint               string
	SDKAppID               int
	Started                time.Time // of the job
	LastAnswer             time.Time // zero where none came
	Requests               int64     // sent, over all runs
	Tally                  fates.Tally
	ResumeCommand          string // empty where no row is open, or while the run is held
	RetryCommand           string // also sends the refused rows again; empty where there are none, or while the run is held
	FromEnvironment        bool   // see [SecretFromEnvironment]
}

// NewStatus is what the journal of the report says, for people.
func NewStatus(s *fates.StatusInfo, report string) *Status {
	good := s.Head.Call.Set(s.LastRun.Success)
	return &Status{
		Good: good,
		Head: s.Link, Report: report, Journal: journal.Found(report), Input: string(s.LastRun.Input), Held: s.Held, PID: s.LastRun.PID,
		Host: s.LastRun.Host, User: s.LastRun.User, Ended: s.Ended, ExitCode: s.EndCode, StopReason: s.Stopped,
		Endpoint: s.Head.Job.Endpoint, SDKAppID: s.Head.Job.AppID, Started: s.Head.At, LastAnswer: s.LastAnswer,
		FromEnvironment: SecretFromEnvironment(s.Head.Job.Endpoint, s.LastRun.Flags), Requests: s.Requests, Call: s.Head.Call, Tally: s.Tally(good),
	}
}

// WriteText writes where the run stands at the time now.
func (s *Status) WriteText(w io.Writer, now time.Time, opts terminal.TextOptions) error {
	out := &terminal.Sheet{TextOptions: opts, Label: 11, Number: len(terminal.Count(s.Tally.Rows))}
	out.Headline(s.verdict())
	if s.Endpoint == "sandbox" {
		out.WriteString(s.Call.Texts.Sandbox + "\n")
	}
	out.WriteString("\n")
	out.Row("rows", s.Tally.Rows, "")
	decided := s.Tally.Rows - s.Tally.Open()
	share := strconv.FormatInt(terminal.Percent(decided, s.Tally.Rows), 10) + "%"
	if note := presumedNote(s.Call, s.Tally.Presumed); note != "" {
		share += "; " + note
	}
	out.Row("decided", decided, share)
	out.Row("open", s.Tally.Open(), "")
	out.Heading("outcomes")
	s.writeOutcomes(out)
	writeCodes(out, s.Call, s.advice, byCode(s.Tally))
	writeReasons(out, byReason(s.Tally))
	out.WriteString("\n")
	s.writeFacts(out, now)
	s.writeNext(out)
	return out.Print(w)
}

func (s *Status) verdict() (terminal.Tone, string) {
	open := fmt.Sprintf("%s of %s still open", terminal.Count(s.Tally.Open()), terminal.Counted(s.Tally.Rows, "row"))
	switch {
	case s.Held:
		return terminal.Good, fmt.Sprintf("Running: process %d%s, %s.", s.PID, On(s.Host), open)
	case !s.Ended:
		return terminal.Bad, fmt.Sprintf("Dead: process %d%s ended without a word (killed, crashed, power lost or disk full); %s.", s.PID, On(s.Host), open)
	case s.StopReason != "":
		return terminal.Bad, fmt.Sprintf("Stopped with exit code %s: %s; %s.", s.ExitCode, s.StopReason, open)
	case s.Tally.Open() > 0:
		return terminal.Fair, fmt.Sprintf("Ended with exit code %s; %s.", s.ExitCode, open)
	default:
		return terminal.Good, fmt.Sprintf("Finished with exit code %s; no row is open.", s.ExitCode)
	}
}

// On is where something ran, behind who ran it; empty where nobody knows.
func On(host string) string {
	if host == "" {
		return ""
	}
	return " on " + host
}

// writeOutcomes has other words for open rows while a process still works on them: nobody gave up on those.
func (s *Status) writeOutcomes(out *terminal.Sheet) {
	counts := byWord(s.Call, s.Tally)
	if s.Held {
		delete(counts, s.Call.Word(outcome.Unknown))
		delete(counts, s.Call.Word(outcome.NotSent))
	}
	writeOutcomes(out, s.Call, s.Good, counts)
	if n := s.Tally.Outcomes[outcome.Unknown]; s.Held && n > 0 {
		out.Row("in flight", n, "sent or about to be sent again")
	}
	if n := s.Tally.Outcomes[outcome.NotSent] + s.Tally.Outcomes[outcome.Open]; s.Held && n > 0 {
		out.Row("waiting", n, "their turn has not come")
	}
}

func (s *Status) advice(code int) string {
	return adviceFor(s.Call, s.Good, s.Tally.Outcomes[s.Call.Presumed.From], code)
}

func (s *Status) writeFacts(out *terminal.Sheet, now time.Time) {
	out.Fact("requests", terminal.Count(s.Requests)+" sent, all runs together")
	if !s.Started.IsZero() {
		out.Fact("began", terminal.Clock(s.Started)+", "+terminal.Ago(s.Started, now))
	}
	if !s.LastAnswer.IsZero() {
		out.Fact("last answer", terminal.Clock(s.LastAnswer)+", "+terminal.Ago(s.LastAnswer, now))
	} else {
		out.Fact("last answer", "none yet")
	}
	if s.User != "" {
		out.Fact("run by", s.User+On(s.Host))
	}
	out.Fact("sent to", destination(s.Endpoint, s.SDKAppID))
	out.Path("input", InputName(s.Input))
	out.Path("report", s.Report)
	out.Path("journal", s.Journal)
	out.Fact("head", s.Head)
}

func (s *Status) writeNext(out *terminal.Sheet) {
	switch {
	case s.Held:
		return
	case s.ResumeCommand != "":
		out.Command("To continue:", s.ResumeCommand)
	case s.RetryCommand != "":
		writeRetry(out, s.Tally.Outcomes[outcome.Refused], s.RetryCommand)
	default:
		return
	}
	noteInput(out, s.Input, s.ResumeCommand)
	noteSecret(out, s.FromEnvironment)
	if !s.Ended {
		out.Command("To get the report of the rows so far without sending anything:", terminal.ShellQuote("friendsweep", "report", s.Report))
	}
}
