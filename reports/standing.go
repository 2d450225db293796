package reports

import "friendsweep/batch"

// Tally is what the journal alone knows about the rows of the job: a duplicate is no success here, because which row it
// repeats only the input tells.
func (s *StatusInfo) Tally(ignoreNotFriend bool) Tally {
	t := Tally{Rows: s.Head.Job.Rows, Presumed: s.Presumed, Outcomes: s.Outcomes, Codes: s.Codes, OtherCodes: s.OtherCodes}
	if s.Ended && (s.EndCode == "0" || s.EndCode == "1") {
		t.Outcomes[batch.Duplicate] += s.Waiting // mirrors of deleted rows: a finished run leaves nothing else
	} else {
		t.Outcomes[batch.NotSent] += s.Waiting
	}
	t.Success = t.Outcomes[batch.Deleted]
	if ignoreNotFriend {
		t.Success += t.Outcomes[batch.NotFriend]
	}
	t.Failure = t.Rows - t.Success
	return t
}

// Open is the number of rows that a run that resumes the job would send.
func (t Tally) Open() int64 {
	return t.Outcomes[batch.GaveUp] + t.Outcomes[batch.Unknown] + t.Outcomes[batch.NotSent]
}

// Standing is what the journal of the report says, for people.
func (s *StatusInfo) Standing(report string) *Standing {
	return &Standing{
		Head: s.Link, Report: report, Journal: JournalPath(report), Input: s.LastRun.Input, Held: s.Held, PID: s.LastRun.PID,
		Host: s.LastRun.Host, User: s.LastRun.User, Ended: s.Ended, ExitCode: s.EndCode, StopReason: s.Stopped,
		Endpoint: s.Head.Job.Endpoint, SDKAppID: s.Head.Job.AppID, Started: s.Head.At, LastAnswer: s.LastAnswer,
		Requests: s.Requests, Tally: s.Tally(s.LastRun.Flags["ignore-not-friend"] == "true"),
	}
}
