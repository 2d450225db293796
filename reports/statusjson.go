package reports

import (
	"fmt"
	"io"
	"strconv"

	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/terminal"
)

// Interim is the summary's object for the job as it stands, for a command that is not its run. Requests are those of all
// runs, the times are those of the last one, and what only a run at its end knows is empty.
type Interim struct {
	Summary
	ExitCode     *int   `json:"exit_code"`      // of the last run; null where it has not written its end
	State        string `json:"state"`          // running, dead, finished or stopped
	LastAnswerAt string `json:"last_answer_at"` // empty where none came
}

// NewInterim is what a journal alone tells: the first line, and what its runs did. held: a process works on it. The counts of
// rows are yet to be set.
func NewInterim(head *entry.Head, seen *journal.Overview, held bool) *Interim {
	job, last := head.Job, seen.LastRun
	i := &Interim{State: StateOf(held, seen.Ended, seen.EndCode), LastAnswerAt: terminal.Stamp(journal.UnixMilli(seen.LastAnswer)), Summary: Summary{
		Call: head.Call, FromEnvironment: SecretFromEnvironment(job.Endpoint, last.Flags), Good: head.Call.Set(last.Success), Version: last.Version, Input: string(last.Input), InputSHA256: job.InputSHA256, InputBytes: job.InputBytes, Endpoint: job.Endpoint,
		SDKAppID: job.AppID, DeleteType: job.DeleteType, StartedAt: terminal.Stamp(journal.UnixMilli(seen.LastStart)),
		JobStartedAt: terminal.Stamp(head.At), Requests: seen.Requests, Runs: seen.Runs, Note: last.Note, Allowed: last.Allowed,
		StopReason: seen.Stopped, JournalHead: seen.Link, Died: !held && !seen.Ended,
	}}
	i.Finished = i.State == "finished"
	if code, err := strconv.Atoi(seen.EndCode); err == nil && seen.Ended {
		i.ExitCode, i.Summary.ExitCode = &code, code
		i.FinishedAt = terminal.Stamp(journal.UnixMilli(seen.EndAt))
	}
	return i
}

// WriteText says for people that the report was written, and how the job goes on.
func (i *Interim) WriteText(w io.Writer, opts terminal.TextOptions) error {
	out := &terminal.Sheet{TextOptions: opts, Label: 10}
	out.Headline(terminal.Bold, fmt.Sprintf("The report is written: %s, %s success, %s failure, %s of them open.",
		terminal.Counted(i.Rows, "row"), terminal.Count(i.Success), terminal.Count(i.Failure), terminal.Count(i.open())))
	out.Path("report", i.Report)
	out.Path("failures", i.Failures)
	out.Path("page", i.Page)
	i.writeNext(out)
	return out.Print(w)
}

// WriteJSON writes it as one JSON object.
func (i *Interim) WriteJSON(w io.Writer) error { return terminal.WriteJSON(w, i) }

// StateOf is how a job stands, in a word. held: a process works on it; ended: the last run wrote its end, with the code.
func StateOf(held, ended bool, code string) string {
	switch {
	case held:
		return "running"
	case !ended:
		return "dead"
	case code == "0" || code == "1":
		return "finished"
	}
	return "stopped"
}

// WriteJSON writes how the job stands as one JSON object; info is what the journal says.
func (s *Status) WriteJSON(w io.Writer, info *fates.StatusInfo) error {
	out := NewInterim(&info.Head, &info.Overview, info.Held)
	out.Report, out.Journal, out.ResumeCommand = s.Report, s.Journal, s.ResumeCommand
	out.SetTally(s.Tally)
	if print, err := FingerprintFile("report", s.Report); err == nil && info.Ended {
		out.ReportSHA256 = print.SHA256
	}
	return out.WriteJSON(w)
}
