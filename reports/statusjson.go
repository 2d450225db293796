package reports

import (
	"io"
	"strconv"
	"time"
)

// statusJSON is the summary's object for the job as it stands. What only a run at its end knows is empty.
type statusJSON struct {
	Summary
	State        string `json:"state"`          // running, dead, finished or stopped
	LastAnswerAt string `json:"last_answer_at"` // empty where none came
}

// state is how the job stands, in a word.
func (s *Standing) state() string {
	switch {
	case s.Held:
		return "running"
	case !s.Ended:
		return "dead"
	case s.ExitCode == "0" || s.ExitCode == "1":
		return "finished"
	}
	return "stopped"
}

// WriteJSON writes how the job stands as one JSON object.
func (s *StatusInfo) WriteJSON(w io.Writer, standing *Standing) error {
	job := s.Head.Job
	out := statusJSON{State: standing.state(), LastAnswerAt: Stamp(s.LastAnswer), Summary: Summary{
		Version: s.LastRun.Version, Input: s.LastRun.Input, InputSHA256: job.InputSHA256, InputBytes: job.InputBytes,
		Report: standing.Report, Journal: standing.Journal, Endpoint: job.Endpoint, SDKAppID: job.AppID, DeleteType: job.DeleteType,
		StartedAt: Stamp(s.LastStart), JobStartedAt: Stamp(s.Head.At), Requests: s.Requests, Runs: s.Runs, Note: s.LastRun.Note,
		StopReason: s.Stopped, ResumeCommand: standing.ResumeCommand, JournalHead: s.Link,
	}}
	out.SetTally(standing.Tally)
	out.Finished = out.State == "finished"
	out.ExitCode, _ = strconv.Atoi(s.EndCode)
	if s.Ended {
		out.FinishedAt = Stamp(time.UnixMilli(s.endAt))
	}
	if print, err := FingerprintFile("report", standing.Report); err == nil && s.Ended {
		out.ReportSHA256 = print.SHA256
	}
	return writeJSON(w, out)
}
