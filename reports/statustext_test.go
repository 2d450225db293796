package reports

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"friendsweep/reports/fates"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
)

func testStanding() *Status {
	t := fates.Tally{Rows: 1000, Success: 700, Failure: 300, Codes: map[int]int64{0: 700, 30003: 5}}
	t.Outcomes[journaltest.Deleted], t.Outcomes[outcome.Refused], t.Outcomes[outcome.Unknown], t.Outcomes[outcome.NotSent] = 700, 5, 95, 200
	return &Status{Call: journaltest.Call, Report: "/srv/r.csv", Journal: "/srv/r.csv.journal", Input: "/srv/i.csv", PID: 4711, Host: "batch-7", User: "ops",
		Endpoint: "https://adminapisgp.im.qcloud.com", SDKAppID: 1400000000, Started: began, LastAnswer: ended, Requests: 99, Tally: t,
		ResumeCommand: "friendsweep delete --resume --report=/srv/r.csv /srv/i.csv", FromEnvironment: true}
}

func standingText(t *testing.T, s *Status) string {
	t.Helper()
	var out strings.Builder
	if err := s.WriteText(&out, ended.Add(time.Hour), terminal.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestStatusOfADeadRun(t *testing.T) {
	want := `Dead: process 4711 on batch-7 ended without a word (killed, crashed, power lost or disk full); 295 of 1,000 rows still open.

rows        1,000
decided       705  70%
open          295

outcomes
deleted       700  confirmed by the API, or presumed after a lost answer
refused         5  the API said no for good
unknown        95  sent, but no final answer came: may have been carried out
not_sent      200  certainly not carried out: the run ended first

rows by code of the API
30003           5  account does not exist
                   -> check the ID in the input

requests    99 sent, all runs together
began       2026-11-23 18:26:09 UTC, 1h 13m ago
last answer 2026-11-23 18:39:29 UTC, 1h 00m ago
run by      ops on batch-7
sent to     https://adminapisgp.im.qcloud.com, app 1400000000
input       /srv/i.csv
report      /srv/r.csv
journal     /srv/r.csv.journal

To continue:
  friendsweep delete --resume --report=/srv/r.csv /srv/i.csv
  (with FRIENDSWEEP_SECRET_KEY or FRIENDSWEEP_USERSIG in the environment, as before)

To get the report of the rows so far without sending anything:
  friendsweep report /srv/r.csv
`
	if diff := cmp.Diff(standingText(t, testStanding()), want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

func TestStatusOfARunAtWork(t *testing.T) {
	s := testStanding()
	s.Held, s.LastAnswer = true, time.Time{}
	got := standingText(t, s)
	for _, want := range []string{"Running: process 4711 on batch-7, 295 of 1,000 rows still open.\n",
		"\nin flight      95  sent or about to be sent again\n", "\nwaiting       200  their turn has not come\n", "\nlast answer none yet\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want %q in it", got, want)
		}
	}
	for _, not := range []string{"To continue", "unknown", "not_sent"} {
		if strings.Contains(got, not) {
			t.Errorf("got %s, want no %q in it", got, not)
		}
	}
}

func TestStatusVerdict(t *testing.T) {
	stopped, ended, finished := testStanding(), testStanding(), testStanding()
	stopped.Ended, stopped.ExitCode, stopped.StopReason = true, "4", "disk full"
	ended.Ended, ended.ExitCode = true, "1"
	finished.Ended, finished.ExitCode, finished.Tally = true, "0", fates.Tally{Rows: 5, Success: 5}
	for _, c := range []struct {
		status *Status
		want   string
	}{
		{stopped, "Stopped with exit code 4: disk full; 295 of 1,000 rows still open."},
		{ended, "Ended with exit code 1; 295 of 1,000 rows still open."},
		{finished, "Finished with exit code 0; no row is open."},
	} {
		if _, got := c.status.verdict(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestStatusOfARunWithNothingOut: what there is none of has no line, and a row whose answer said to ask again waits.
func TestStatusOfARunWithNothingOut(t *testing.T) {
	s := testStanding()
	s.Held, s.Tally.Outcomes[outcome.Unknown], s.Tally.Outcomes[outcome.Open] = true, 0, 7
	const want = `
outcomes
deleted       700  confirmed by the API, or presumed after a lost answer
refused         5  the API said no for good
waiting       207  their turn has not come

`
	if got := standingText(t, s); !strings.Contains(got, want) {
		t.Errorf("got %s, want %s in it", got, want)
	}
	s.Tally.Outcomes[outcome.NotSent], s.Tally.Outcomes[outcome.Open] = 0, 0
	if got := standingText(t, s); strings.Contains(got, "waiting") || strings.Contains(got, "in flight") {
		t.Errorf("got %s, want neither rows in flight nor rows that wait", got)
	}
}

// TestStatusNamesTheRetry: where no row is open, refused ones can be sent again; where there are none, nothing is left to do.
func TestStatusNamesTheRetry(t *testing.T) {
	s := testStanding()
	s.Ended, s.ExitCode, s.ResumeCommand, s.RetryCommand = true, "1", "", "friendsweep delete --resume --retry-failed x"
	const want = "journal     /srv/r.csv.journal\n\nTo send the refused rows again once their cause is mended (5 rows):\n  friendsweep delete --resume --retry-failed x\n" +
		"  (with FRIENDSWEEP_SECRET_KEY or FRIENDSWEEP_USERSIG in the environment, as before)\n"
	if got := standingText(t, s); !strings.HasSuffix(got, want) {
		t.Errorf("got %s, want it to end with %q", got, want)
	}
	s.RetryCommand = ""
	if got := standingText(t, s); !strings.HasSuffix(got, "journal     /srv/r.csv.journal\n") {
		t.Errorf("got %s, want it to end with the files", got)
	}
}

// TestStatusJSONOfTheReport: the report's SHA-256 is told where the run that wrote it ended, and there is one.
func TestStatusJSONOfTheReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.csv")
	must(t, os.WriteFile(path, []byte("abc"), 0o600))
	for _, c := range []struct {
		report string
		ended  bool
		want   string
	}{
		{path, true, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{path, false, ""},
		{path + ".none", true, ""},
	} {
		s, info := testStanding(), &fates.StatusInfo{Head: entry.Head{Call: journaltest.Call}, Ended: c.ended}
		s.Report = c.report
		var out strings.Builder
		must(t, s.WriteJSON(&out, info))
		var got Interim
		must(t, json.Unmarshal([]byte(out.String()), &got))
		if got.ReportSHA256 != c.want || got.Report != c.report || got.Rows != 1000 || got.ResumeCommand != s.ResumeCommand {
			t.Errorf("%s, ended %v: got %s, want the report's SHA-256 %q", c.report, c.ended, out.String(), c.want)
		}
	}
}
