package reports

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"friendsweep/batch"
)

// Standing is how far a run got, as `status` tells it. The counts are those that the journal alone can know.
type Standing struct {
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
	Tally                  Tally
	ResumeCommand          string // empty where no row is open, or while the run is held
	FromEnvironment        bool   // the credentials came from the environment, so the command needs them there again
}

// NewStanding is what the journal of the report says, for people.
func NewStanding(s *StatusInfo, report string) *Standing {
	return &Standing{
		Head: s.Link, Report: report, Journal: JournalPath(report), Input: s.LastRun.Input, Held: s.Held, PID: s.LastRun.PID,
		Host: s.LastRun.Host, User: s.LastRun.User, Ended: s.Ended, ExitCode: s.EndCode, StopReason: s.Stopped,
		Endpoint: s.Head.Job.Endpoint, SDKAppID: s.Head.Job.AppID, Started: s.Head.At, LastAnswer: s.LastAnswer,
		Requests: s.Requests, Tally: s.Tally(s.LastRun.Flags["ignore-not-friend"] == "true"),
	}
}

// WriteText writes where the run stands at the time now.
func (s *Standing) WriteText(w io.Writer, now time.Time, opts TextOptions) error {
	return s.writeText(w, now, opts, explain)
}

func (s *Standing) writeText(w io.Writer, now time.Time, opts TextOptions, explain explainer) error {
	out := &sheet{TextOptions: opts, label: 11, number: len(count(s.Tally.Rows))}
	out.headline(s.verdict())
	if s.Endpoint == "sandbox" {
		out.WriteString("This is a sandbox run: nothing real is deleted.\n")
	}
	out.WriteString("\n")
	out.row("rows", s.Tally.Rows, "")
	decided := s.Tally.Rows - s.open()
	out.row("decided", decided, strconv.FormatInt(percent(decided, s.Tally.Rows), 10)+"%")
	out.row("open", s.open(), "")
	out.heading("outcomes")
	s.writeOutcomes(out)
	writeCodes(out, byCode(s.Tally), explain)
	out.WriteString("\n")
	s.writeFacts(out, now)
	s.writeNext(out)
	return out.writeTo(w)
}

func (s *Standing) open() int64 {
	t := s.Tally.Outcomes
	return t[batch.Open] + t[batch.GaveUp] + t[batch.Unknown] + t[batch.NotSent]
}

func (s *Standing) verdict() (tone, string) {
	open := fmt.Sprintf("%s of %s still open", count(s.open()), counted(s.Tally.Rows, "row"))
	switch {
	case s.Held:
		return good, fmt.Sprintf("Running: process %d%s, %s.", s.PID, at(s.Host), open)
	case !s.Ended:
		return bad, fmt.Sprintf("Dead: process %d%s ended without a word (killed, crashed or power lost); %s.", s.PID, at(s.Host), open)
	case s.StopReason != "":
		return bad, fmt.Sprintf("Stopped with exit code %s: %s; %s.", s.ExitCode, s.StopReason, open)
	case s.open() > 0:
		return fair, fmt.Sprintf("Ended with exit code %s; %s.", s.ExitCode, open)
	default:
		return good, fmt.Sprintf("Finished with exit code %s; no row is open.", s.ExitCode)
	}
}

func at(host string) string {
	if host == "" {
		return ""
	}
	return " on " + host
}

// writeOutcomes has other words for open rows while a process still works on them: nobody gave up on those.
func (s *Standing) writeOutcomes(out *sheet) {
	counts := byWord(s.Tally)
	if s.Held {
		delete(counts, batch.Unknown.String())
		delete(counts, batch.NotSent.String())
	}
	writeOutcomes(out, counts, false)
	if n := s.Tally.Outcomes[batch.Unknown]; s.Held && n > 0 {
		out.row("in flight", n, "sent or about to be sent again")
	}
	if n := s.Tally.Outcomes[batch.NotSent] + s.Tally.Outcomes[batch.Open]; s.Held && n > 0 {
		out.row("waiting", n, "their turn has not come")
	}
}

func (s *Standing) writeFacts(out *sheet, now time.Time) {
	out.fact("requests", count(s.Requests)+" sent, all runs together")
	if !s.Started.IsZero() {
		out.fact("began", clock(s.Started)+", "+ago(s.Started, now))
	}
	if !s.LastAnswer.IsZero() {
		out.fact("last answer", clock(s.LastAnswer)+", "+ago(s.LastAnswer, now))
	} else {
		out.fact("last answer", "none yet")
	}
	if s.User != "" {
		out.fact("run by", s.User+at(s.Host))
	}
	out.fact("sent to", destination(s.Endpoint, s.SDKAppID))
	out.path("input", inputName(s.Input))
	out.path("report", s.Report)
	out.path("journal", s.Journal)
	out.fact("head", s.Head)
}

func (s *Standing) writeNext(out *sheet) {
	if s.Held || s.ResumeCommand == "" {
		return
	}
	out.command("To continue:", s.ResumeCommand)
	noteInput(out, s.Input)
	if s.FromEnvironment {
		out.WriteString("  (with FRIENDSWEEP_SECRET_KEY or FRIENDSWEEP_USERSIG in the environment, as before)\n")
	}
	if !s.Ended {
		out.command("To get the report of the rows so far without sending anything:", ShellQuote("friendsweep", "report", s.Report))
	}
}
