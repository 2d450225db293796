package reports

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
)

func summaryText(t *testing.T, s *Summary, opts terminal.TextOptions) string {
	t.Helper()
	var out strings.Builder
	if err := s.WriteText(&out, opts); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestSummaryText(t *testing.T) {
	want := `Finished: 679 of 1,234,567 rows failed.

rows       1,234,567  of 99,999 accounts
success    1,233,888  12 of them presumed deleted: an answer was lost, then the API said 31704
failure          679  20 of them still open: --resume sends them

outcomes
deleted    1,200,012  confirmed by the API, or presumed after a lost answer
not_friend       554  was not a friend: nothing to delete
refused           75  the API said no for good
gave_up           20  still a temporary error after the last permitted attempt
invalid           30  could never be sent: the report says why
duplicate     33,876  asked for in an earlier row, and has that row's result

rows by code of the API
31704            566  not your friend
                      -> nothing is left to delete; --ignore-not-friend counts these rows as successes
30003             75  account does not exist
                      -> check the ID in the input
30006             20  not documented

this run   101,234 requests (1,200 repeated, 34 throttled) in 13m 20s, 1,500 rows/s
ended      2026-11-23 18:39:29 UTC
sent to    https://adminapisgp.im.qcloud.com, app 1400000000
report     /srv/sweep/pairs of 2026.report.csv
failures   /srv/sweep/failed.csv
journal    /srv/sweep/pairs of 2026.report.csv.journal
page       /srv/sweep/run.html

To send what is still open (20 rows):
  friendsweep delete --resume --region=singapore --sdkappid=1400000000 --report='/srv/sweep/pairs of 2026.report.csv' '/srv/sweep/pairs of 2026.csv'
`
	if diff := cmp.Diff(summaryText(t, testSummary(), terminal.TextOptions{}), want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

func TestSummaryTextFitsATerminal(t *testing.T) {
	s := testSummary()
	s.ExitCode, s.StopReason, s.Input = 4, "the credentials were refused (70003)\x1b[2J", "-"
	text := summaryText(t, s, terminal.TextOptions{Width: 60, Color: true})
	head, _, _ := strings.Cut(text, "\n\n")
	want := "\x1b[31;1mStopped before the end: the credentials were refused\x1b[0m\n" +
		"\x1b[31;1m(70003)\\x1b[2J; 20 of 1,234,567 rows still open.\x1b[0m"
	if head != want {
		t.Errorf("got head %q, want %q", head, want)
	}
	for line := range strings.Lines(text) {
		path := strings.Contains(line, "/srv/")
		if got := terminal.Visible(strings.TrimRight(line, "\n")); got > 60 && !path && !strings.HasPrefix(line, "  (") {
			t.Errorf("got %d columns in %q, want at most 60", got, line)
		}
	}
	if want := "  (with the same bytes on standard input; it also needs --yes)\n"; !strings.HasSuffix(text, want) {
		t.Errorf("got %q, want it to end with %q", text, want)
	}
}

func TestVerdict(t *testing.T) {
	done := fates.Tally{Rows: 3, Success: 3}
	done.Outcomes[journaltest.Deleted] = 3
	open := fates.Tally{Rows: 3, Success: 1, Failure: 2}
	open.Outcomes[journaltest.Deleted], open.Outcomes[outcome.Unknown], open.Outcomes[outcome.NotSent] = 1, 1, 1
	for _, c := range []struct {
		tally    fates.Tally
		finished bool
		exit     int
		reason   string
		tone     terminal.Tone
		want     string
	}{
		{done, true, 0, "", terminal.Good, "Finished: 3 of 3 rows succeeded."},
		{fates.Tally{}, true, 0, "", terminal.Good, "Finished: the input has no rows, so nothing was sent."},
		{open, true, 1, "", terminal.Fair, "Finished: 2 of 3 rows failed."},
		{open, false, 1, "", terminal.Bad, "Not finished: 2 of 3 rows still open."},
		{open, false, 4, "too many failures", terminal.Bad, "Stopped before the end: too many failures; 2 of 3 rows still open."},
		{open, true, 4, "", terminal.Bad, "Not finished: 2 of 3 rows still open."},
		{open, false, 130, "interrupted", terminal.Bad, "Interrupted by SIGINT (Ctrl-C): 2 of 3 rows still open."},
		{done, true, 4, "no room for the report", terminal.Bad, "Stopped before the end: no room for the report; no row is open."},
	} {
		s := &Summary{Call: journaltest.Call, Finished: c.finished, ExitCode: c.exit, StopReason: c.reason}
		s.SetTally(c.tally)
		if tone, got := s.Verdict(); tone != c.tone || got != c.want {
			t.Errorf("exit %d: got %s %q, want %s %q", c.exit, tone, got, c.tone, c.want)
		}
	}
}

func TestSummaryNamesTheRetry(t *testing.T) {
	s := testSummary()
	s.ResumeCommand, s.RetryCommand = "", "friendsweep delete --resume --retry-failed x"
	want := "\nTo send the refused rows again once their cause is mended (75 rows):\n  friendsweep delete --resume --retry-failed x\n"
	if got := summaryText(t, s, terminal.TextOptions{}); !strings.HasSuffix(got, want) {
		t.Errorf("got %q, want it to end with %q", got, want)
	}
}

func TestSummaryJSON(t *testing.T) {
	s := testSummary()
	s.StopReason = "a <b> & \x1b \u202e \U000e0041"
	var out strings.Builder
	if err := s.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	if want := `"stop_reason": "a <b> & \u001b \u202e \udb40\udc41"`; !strings.Contains(out.String(), want) {
		t.Errorf("got %s, want %s in it", out.String(), want)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(`version input input_sha256 input_bytes report journal endpoint sdkappid delete_type started_at finished_at rows
		accounts success failure presumed outcomes codes requests retried_requests throttled_requests rows_per_second finished
		stop_reason exit_code resume_command report_sha256 journal_head reasons note runs job_started_at`)
	for _, name := range names {
		if _, ok := got[name]; !ok {
			t.Errorf("got no %s", name)
		}
	}
	if len(got) != len(names) {
		t.Errorf("got %d names, want the %d of the contract", len(got), len(names))
	}
	if got["stop_reason"] != s.StopReason {
		t.Errorf("got stop_reason %q back, want %q", got["stop_reason"], s.StopReason)
	}
	if n := len(got["outcomes"].(map[string]any)); n != 8 {
		t.Errorf("got %d outcomes, want all 8", n)
	}
}

// TestSummaryIsBounded: however many codes and reasons a server thinks of, they are counted by the commonest, and the rest
// together.
func TestSummaryIsBounded(t *testing.T) {
	const many = 200_000
	var tally fates.Tally
	for code := range many {
		tally.CountCode(code, int64(2-min(1, code/50))) // fifty of them are twice as common, and fifty more are shown
		tally.CountReason(strings.Repeat("x", code%5) + string(rune(0x100+code%50_000)))
	}
	if len(tally.Codes) > 10_000 || len(tally.Reasons) > 1000 {
		t.Errorf("got %d codes and %d reasons counted one by one, want 10000 and 1000 at most", len(tally.Codes), len(tally.Reasons))
	}
	s := testSummary()
	s.SetTally(tally)
	if len(s.Codes) != 101 || s.Codes["49"] != 2 || s.Codes["other"] != many-100 {
		t.Errorf("got %d codes, %d and %d of the 49th and of others, want 101, 2 and %d", len(s.Codes), s.Codes["49"], s.Codes["other"], many-100)
	}
	if len(s.Reasons) != 10 {
		t.Errorf("got %d reasons, want 10", len(s.Reasons))
	}
	if text := summaryText(t, s, terminal.TextOptions{}); len(text) > 64<<10 {
		t.Errorf("got a text of %d bytes, want 64 KiB at most", len(text))
	}
}

// TestTraffic: what the run cost, as far as it is known.
func TestTraffic(t *testing.T) {
	stamp := terminal.Stamp
	for _, c := range []struct {
		s    Summary
		want string
	}{
		{Summary{Requests: 1}, "1 request"},
		{Summary{Requests: 3, RetriedRequests: 2}, "3 requests (2 repeated, 0 throttled)"},
		{Summary{Requests: 3, ThrottledRequests: 1}, "3 requests (0 repeated, 1 throttled)"},
		{Summary{Requests: 3, RowsPerSecond: 0.9}, "3 requests"},
		{Summary{Requests: 3, RowsPerSecond: 1}, "3 requests, 1 rows/s"},
		{Summary{Requests: 3, StartedAt: stamp(began), FinishedAt: stamp(ended)}, "3 requests in 13m 20s"},
		{Summary{Requests: 3, StartedAt: stamp(began)}, "3 requests"},
		{Summary{Requests: 3, FinishedAt: stamp(ended)}, "3 requests"},
	} {
		if got := c.s.traffic(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestWholeJob: a job of several runs says so, and since when it goes on.
func TestWholeJob(t *testing.T) {
	const line = "2 runs since 2026-11-23 18:26:09 UTC; all counts above are of the whole job"
	for _, c := range []struct {
		runs  int
		began string
		want  bool
	}{{2, terminal.Stamp(began), true}, {1, terminal.Stamp(began), false}, {2, "", false}} {
		s := testSummary()
		s.Runs, s.JobStartedAt = c.runs, c.began
		if text := summaryText(t, s, terminal.TextOptions{}); strings.Contains(text, line) != c.want || strings.Contains(text, "whole job") != c.want {
			t.Errorf("%d runs since %q: got %s, want the line: %v", c.runs, c.began, text, c.want)
		}
	}
}

// TestAdviceOnWhatIsDone: nobody is told to do what was done.
func TestAdviceOnWhatIsDone(t *testing.T) {
	lenient := journaltest.Call.Set([]string{"deleted", "not_friend"})
	for _, c := range []struct {
		name      string
		good      outcome.Set
		notFriend int64
		code      int
		says      bool
	}{
		{"no friends", journaltest.Good, 5, 31704, true},
		{"all presumed", journaltest.Good, 0, 31704, false},
		{"no friends, which is success", lenient, 5, 31704, false},
		{"another code", journaltest.Good, 0, 30003, true},
		{"another code, where no friends are success", lenient, 5, 30003, true},
		{"code 0", journaltest.Good, 5, 0, false},
	} {
		s := &Summary{Call: journaltest.Call, Good: c.good, Outcomes: map[string]int64{"not_friend": c.notFriend}}
		if got := s.Advice(c.code); (got != "") != c.says {
			t.Errorf("%s: got %q, want advice: %v", c.name, got, c.says)
		}
	}
}

// TestOtherCodes: the codes that are not named are counted together, and only where there are any.
func TestOtherCodes(t *testing.T) {
	few := fates.Tally{Codes: map[int]int64{0: 3, 31704: 1}}
	if got := byCode(few); len(got) != 2 {
		t.Errorf("got %v, want two codes", got)
	}
	few.OtherCodes = 4
	if got := byCode(few); got["other"] != 4 || len(got) != 3 {
		t.Errorf("got %v, want 4 others", got)
	}
}

// TestStateOf: how a job stands, in a word.
func TestStateOf(t *testing.T) {
	for _, c := range []struct {
		held, ended bool
		code, want  string
	}{
		{true, false, "", "running"}, {false, false, "", "dead"}, {false, true, "0", "finished"}, {false, true, "1", "finished"},
		{false, true, "4", "stopped"}, {false, true, "130", "stopped"}, {false, true, "10", "stopped"},
	} {
		if got := StateOf(c.held, c.ended, c.code); got != c.want {
			t.Errorf("held %v, ended %v, %q: got %s, want %s", c.held, c.ended, c.code, got, c.want)
		}
	}
}

// TestInterim: a journal without an end has no exit code; one that nobody holds has died.
func TestInterim(t *testing.T) {
	head := &entry.Head{Call: journaltest.Call, At: began}
	for _, c := range []struct {
		held, ended    bool
		code, state    string
		died, finished bool
		exit           int // -1 for none
	}{
		{true, false, "", "running", false, false, -1},
		{false, false, "", "dead", true, false, -1},
		{false, true, "0", "finished", false, true, 0},
		{false, true, "1", "finished", false, true, 1},
		{false, true, "4", "stopped", false, false, 4},
		{true, false, "4", "running", false, false, -1}, // the end of an earlier run
	} {
		i := NewInterim(head, &journal.Overview{Ended: c.ended, EndCode: c.code, EndAt: ended.UnixMilli()}, c.held)
		exit := -1
		if i.ExitCode != nil {
			exit = *i.ExitCode
		}
		if i.State != c.state || i.Died != c.died || i.Finished != c.finished || exit != c.exit || (i.FinishedAt != "") != (c.exit >= 0) || i.Summary.ExitCode != max(c.exit, 0) {
			t.Errorf("%+v: got %+v, exit code %d", c, i, exit)
		}
	}
}

// TestSecretFromEnvironment: the command that goes on needs the variable of the secret where no flag named its file.
func TestSecretFromEnvironment(t *testing.T) {
	file := entry.Text("/etc/key")
	for _, c := range []struct {
		endpoint string
		flags    entry.Flags
		want     bool
	}{
		{"https://h", nil, true}, {"https://h", entry.Flags{"secret-key-file": file}, false}, {"https://h", entry.Flags{"usersig-file": file}, false},
		{"https://h", entry.Flags{"report": file}, true}, {"sandbox", nil, false},
	} {
		if got := SecretFromEnvironment(c.endpoint, c.flags); got != c.want {
			t.Errorf("%s, %v: got %v, want %v", c.endpoint, c.flags, got, c.want)
		}
	}
}

// TestNoteInput: who continues a run of standard input must give the bytes again, and the answer that nobody can be asked for.
func TestNoteInput(t *testing.T) {
	const bytes, yes = "with the same bytes on standard input", "it also needs --yes"
	for _, c := range []struct {
		input, command string
		bytes, yes     bool
	}{
		{"/a.csv", "friendsweep delete --resume --report=r.csv /a.csv", false, false},
		{"-", "friendsweep delete --resume --report=r.csv -", true, true},
		{"-", "friendsweep delete --resume --yes --report=r.csv -", true, false},
		{"-", "friendsweep delete --resume --sandbox --report=r.csv -", true, false},
	} {
		s := testSummary()
		s.Input, s.ResumeCommand = c.input, c.command
		if got := summaryText(t, s, terminal.TextOptions{}); strings.Contains(got, bytes) != c.bytes || strings.Contains(got, yes) != c.yes {
			t.Errorf("%s: got %q, want the bytes %v and --yes %v", c.command, got[len(got)-200:], c.bytes, c.yes)
		}
	}
}

// TestAudit: an audit holds where everything does, and says for people what does not.
func TestAudit(t *testing.T) {
	holds, fails := Check{What: "journal", Holds: true, Detail: "9 lines"}, Check{What: "input", Detail: "other\x1b bytes"}
	const good, bad = "journal  holds: 9 lines\n", "input    DOES NOT HOLD: other\\x1b bytes\n"
	for _, c := range []struct {
		checks []Check
		holds  bool
		text   string
	}{{[]Check{holds}, true, good}, {[]Check{holds, fails}, false, good + bad}, {[]Check{fails}, false, bad}} {
		a := Audit{Report: "r.csv", Checks: c.checks}
		var text strings.Builder
		if err := a.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		if a.Holds() != c.holds || text.String() != c.text {
			t.Errorf("%+v: got %v and %q, want %v and %q", c.checks, a.Holds(), text.String(), c.holds, c.text)
		}
	}
}

// fullWriter is a disk without room.
type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestWhatCannotBeWritten: whoever asked for a text or an object is told that it did not come.
func TestWhatCannotBeWritten(t *testing.T) {
	full, opts := fullWriter{}, terminal.TextOptions{}
	audit := &Audit{Checks: []Check{{What: "journal", Holds: true}}}
	interim := &Interim{Summary: *testSummary()}
	info := &fates.StatusInfo{Head: entry.Head{Call: journaltest.Call}}
	for what, err := range map[string]error{
		"summary, text": testSummary().WriteText(full, opts), "summary, JSON": testSummary().WriteJSON(full),
		"plan, text": testPlan().WriteText(full, opts), "plan, JSON": testPlan().WriteJSON(full),
		"audit, text": audit.WriteText(full), "audit, JSON": audit.WriteJSON(full),
		"interim, text": interim.WriteText(full, opts), "interim, JSON": interim.WriteJSON(full),
		"status, text": testStanding().WriteText(full, ended, opts), "status, JSON": testStanding().WriteJSON(full, info),
	} {
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: got %v, want %v", what, err, syscall.ENOSPC)
		}
	}
}

// TestSummaryOfNothing: an input of a header alone leaves out all that there is nothing to say of.
func TestSummaryOfNothing(t *testing.T) {
	s := &Summary{Call: journaltest.Call, Endpoint: "sandbox", Finished: true, Report: "/r.csv", Journal: "/r.csv.journal"}
	s.SetTally(fates.Tally{})
	want := `Finished: the input has no rows, so nothing was sent.
This was the sandbox: nothing real was deleted.

rows       0
success    0
failure    0

this run   0 requests
sent to    sandbox
report     /r.csv
journal    /r.csv.journal
`
	if diff := cmp.Diff(summaryText(t, s, terminal.TextOptions{}), want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

// TestSummaryOfADeadRunWithNothingOpen: its command sends nothing, but ends the job.
func TestSummaryOfADeadRunWithNothingOpen(t *testing.T) {
	s := testSummary()
	tally := fates.Tally{Rows: 3, Success: 3}
	tally.Outcomes[journaltest.Deleted] = 3
	s.SetTally(tally)
	s.Died, s.ExitCode, s.ResumeCommand = true, 0, "friendsweep delete --resume x"
	text := summaryText(t, s, terminal.TextOptions{})
	const head = "The run died before its end (killed, crashed, power lost or disk full): no row is open.\n"
	const tail = "\nTo end the run that died, of which nothing is left to be sent:\n  friendsweep delete --resume x\n"
	if !strings.HasPrefix(text, head) || !strings.HasSuffix(text, tail) {
		t.Errorf("got %s, want it to begin with %q and to end with %q", text, head, tail)
	}
}

// TestCountedAsSuccess: an answer that is a success because the user said so names the flag, and no other one does.
func TestCountedAsSuccess(t *testing.T) {
	s := testSummary()
	s.Good = journaltest.Call.Set([]string{"deleted", "not_friend"})
	want := `
outcomes
deleted    1,200,012  confirmed by the API, or presumed after a lost answer
not_friend       554  was not a friend: nothing to delete (counted as success: --ignore-not-friend)
refused           75  the API said no for good
`
	if got := summaryText(t, s, terminal.TextOptions{}); !strings.Contains(got, want) {
		t.Errorf("got %s, want %s in it", got, want)
	}
}

// TestOutcomesOfACallThatLosesNothing: where a row is asked about again, none is unknown.
func TestOutcomesOfACallThatLosesNothing(t *testing.T) {
	words := func(loses bool) (all []string) {
		call := *journaltest.Call
		call.Loses = loses
		for _, o := range Outcomes(&call) {
			all = append(all, o.Word)
		}
		return all
	}
	if got, want := words(true), strings.Fields("deleted not_friend refused gave_up unknown not_sent invalid duplicate"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := words(false), strings.Fields("deleted not_friend refused gave_up not_sent invalid duplicate"); !slices.Equal(got, want) {
		t.Errorf("without losses: got %q, want %q", got, want)
	}
}

// TestFingerprintOfWhatCannotBeRead: what is not there, is no file, or fails while it is read has no fingerprint.
func TestFingerprintOfWhatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		dir + "/none": "fingerprinting the journal: open DIR/none: no such file or directory",
		dir:           "fingerprinting the journal: open DIR: it is not a regular file",
		// A regular file whose first page nobody can read.
		"/proc/self/mem": "fingerprinting the journal: read /proc/self/mem: input/output error",
	} {
		if _, err := os.Stat(path); path == "/proc/self/mem" && err != nil {
			t.Log("there is no /proc: a file that fails while it is read was NOT tried")
			continue
		}
		print, err := FingerprintWith("journal", path, []byte("last"))
		if err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != want || print != (Fingerprint{}) {
			t.Errorf("%s: got %+v, %v, want no fingerprint and %q", path, print, err, want)
		}
	}
}
