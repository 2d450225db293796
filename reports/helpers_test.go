package reports

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"friendsweep/reports/fates"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func content(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return string(data)
}

// child starts this binary again with a role.
func child(t *testing.T, role, arg string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], arg)
	cmd.Env = append(os.Environ(), "REPORTS_TEST_CHILD="+role)
	return cmd
}

// TestMain is also what a child of a test runs.
func TestMain(m *testing.M) {
	switch dir := os.Args[len(os.Args)-1]; os.Getenv("REPORTS_TEST_CHILD") {
	case "limit":
		os.Exit(writeUnderLimit(dir))
	case "much":
		os.Exit(writeMuch(dir))
	}
	os.Exit(m.Run())
}

var (
	began = time.Date(2026, 11, 23, 18, 26, 9, 123e6, time.UTC)
	ended = began.Add(13*time.Minute + 20*time.Second)
)

func testTally() fates.Tally {
	t := fates.Tally{Rows: 1234567, Success: 1233888, Failure: 679, Presumed: 12,
		Codes: map[int]int64{0: 1200000, 31704: 566, 30003: 75, 30006: 20}}
	t.Outcomes[journaltest.Deleted] = 1200012
	t.Outcomes[journaltest.NotFriend] = 554
	t.Outcomes[outcome.Refused] = 75
	t.Outcomes[outcome.GaveUp] = 20
	t.Outcomes[outcome.Unknown] = 0
	t.Outcomes[outcome.Invalid] = 30
	t.Outcomes[outcome.Duplicate] = 33876
	return t
}

func testSummary() *Summary {
	s := &Summary{
		Call: journaltest.Call, Good: journaltest.Good,
		Version: "v1.2.3", Input: "/srv/sweep/pairs of 2026.csv", InputSHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		InputBytes: 41234567, Report: "/srv/sweep/pairs of 2026.report.csv", Journal: "/srv/sweep/pairs of 2026.report.csv.journal",
		Endpoint: "https://adminapisgp.im.qcloud.com", SDKAppID: 1400000000, DeleteType: "Delete_Type_Single",
		StartedAt: terminal.Stamp(began), FinishedAt: terminal.Stamp(ended), Accounts: 99999, Requests: 101234, RetriedRequests: 1200, ThrottledRequests: 34,
		RowsPerSecond: 1500.3, Finished: true, ExitCode: 1,
		ResumeCommand: "friendsweep delete --resume --region=singapore --sdkappid=1400000000 --report='/srv/sweep/pairs of 2026.report.csv' '/srv/sweep/pairs of 2026.csv'",
		Failures:      "/srv/sweep/failed.csv", Page: "/srv/sweep/run.html",
	}
	s.SetTally(testTally())
	return s
}
