package reports

import (
	"io"
	"strconv"
	"time"

	"friendsweep/reports/fates"
	"friendsweep/reports/terminal"
)

// statusJSON is the summary's object for the job as it stands. What only a run at its end knows is empty.
type statusJSON struct {
	Summary
	State        string `json:"state"`          // running, dead, finished or stopped
	LastAnswerAt string `json:"last_answer_at"` // empty where none came
}

// stateOf is how a job stands, in a word. held: a process works on it; ended: the last run wrote its end, with the code.
func stateOf(held, ended bool, code string) string {
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
func (s *Standing) WriteJSON(w io.Writer, info *fates.StatusInfo) error {
	job := info.Head.Job
	out := statusJSON{State: stateOf(s.Held, s.Ended, s.ExitCode), LastAnswerAt: terminal.Stamp(info.LastAnswer), Summary: Summary{
		Version: info.LastRun.Version, Input: info.LastRun.Input, InputSHA256: job.InputSHA256, InputBytes: job.InputBytes,
		Report: s.Report, Journal: s.Journal, Endpoint: job.Endpoint, SDKAppID: job.AppID, DeleteType: job.DeleteType,
		StartedAt: terminal.Stamp(info.LastStart), JobStartedAt: terminal.Stamp(info.Head.At), Requests: info.Requests, Runs: info.Runs, Note: info.LastRun.Note,
		StopReason: info.Stopped, ResumeCommand: s.ResumeCommand, JournalHead: info.Link,
	}}
	out.SetTally(s.Tally)
	out.Finished = out.State == "finished"
	out.ExitCode, _ = strconv.Atoi(info.EndCode)
	if info.Ended {
		out.FinishedAt = terminal.Stamp(time.UnixMilli(info.EndAt))
	}
	if print, err := FingerprintFile("report", s.Report); err == nil && info.Ended {
		out.ReportSHA256 = print.SHA256
	}
	return terminal.WriteJSON(w, out)
}
