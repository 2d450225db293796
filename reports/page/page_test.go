package page

import (
	"errors"
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
)

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

func testSummary() *reports.Summary {
	s := &reports.Summary{
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

func testTimeline() fates.Timeline {
	t := fates.Timeline{Start: began.Truncate(time.Second), Width: 4 * time.Second}
	for i := range 200 {
		level := 0.6 + 0.4*math.Sin(float64(i)/9)
		if i > 90 && i < 110 {
			level = 0.02
		}
		t.Rows = append(t.Rows, int64(9000*level))
		t.Requests = append(t.Requests, int64(700*level))
	}
	return t
}

func testPage() Data {
	group := reports.SampleGroup{Code: outcome.Code{Number: 30003, Given: true}, Outcome: outcome.Refused, Rows: 75}
	for i := range 5 {
		group.Samples = append(group.Samples, reports.Sample{Line: int64(1000 + 17*i), From: "alice", To: fmt.Sprintf("missing-%024d", i),
			Info: "Err_SNS_FriendDelete_Account_Not_Exist", Attempts: 1, At: began.Add(time.Second)})
	}
	return Data{
		Summary: testSummary(), Host: "batch-7", User: "ops", Identifier: "administrator",
		Command: terminal.ShellQuote("friendsweep", "delete", "--region=singapore", "--html=/srv/sweep/run.html", "/srv/sweep/pairs of 2026.csv"),
		Runs:    2, Began: began.Add(-time.Hour), Timeline: testTimeline(),
		Latency: fates.Latency{P50: 212 * time.Millisecond, P90: 480 * time.Millisecond, P99: 1900 * time.Millisecond, Max: 14200 * time.Millisecond},
		Samples: []reports.SampleGroup{group,
			{Code: outcome.Code{Number: 31704, Given: true}, Outcome: journaltest.NotFriend, Rows: 1, Samples: []reports.Sample{{Line: 7, From: "bob", To: "not-friend-1", Info: "Err_SNS_FriendDelete_Not_Friend", Attempts: 2, At: began}}},
			{Outcome: outcome.Invalid, Rows: 30, Samples: []reports.Sample{
				{Line: 12, From: "", To: "<script>alert(1)</script>", Info: "from_account is empty"},
				{Line: 13, From: "ca\u202erol\x1b[31m", To: "x\xff", Info: "from_account: byte 0xe2 at 3 is not printable ASCII"}}}},
		Fingerprints: []reports.Fingerprint{
			{What: "input", Path: "/srv/sweep/pairs of 2026.csv", Bytes: 41234567, SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
			{What: "report", Path: "/srv/sweep/pairs of 2026.report.csv", Bytes: 98765432, SHA256: "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"},
			{What: "journal", Path: "/srv/sweep/pairs of 2026.report.csv.journal", Bytes: 12345678, SHA256: "fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13"}},
	}
}

func rendered(t *testing.T, data Data) string {
	t.Helper()
	var page strings.Builder
	if err := Render(&page, data); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

func TestPageTellsEverything(t *testing.T) {
	text := rendered(t, testPage())
	for _, want := range []string{
		"Finished: 679 of 1,234,567 rows failed.",
		"1,233,888 successes and 679 failures are 1,234,567 rows",
		"12 of these rows are presumed.",
		`<a href="#code-30003">30003</a>`, `<h3 id="code-30003">`, "the first 5 of 75",
		"1,101,064 rows from 18:26:09 to 18:39:29 UTC; most at 18:27:05",
		"friendsweep delete --region=singapore --html=/srv/sweep/run.html &#39;/srv/sweep/pairs of 2026.csv&#39;",
		"fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13",
		"To_Account leaves the friends of From_Account", "ops on batch-7", "2 runs so far", "212ms", "never sent",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// TestEvidenceComesFirst: an auditor does not look for fingerprints behind hundreds of failed rows.
func TestEvidenceComesFirst(t *testing.T) {
	data := testPage()
	data.Summary.Note, data.Summary.Allowed, data.Summary.JournalHead = "DSAR-9", "yes, typed at a terminal", "cafe0123"
	text := rendered(t, data)
	failed := strings.Index(text, `<h2 id="failed">`)
	for _, want := range []string{"DSAR-9", "yes, typed at a terminal", "cafe0123", `<h2 id="why">`,
		"9f86d081884c", "60303ae22b99", "fd61a03af4f7"} {
		if at := strings.Index(text, want); at < 0 || at > failed {
			t.Errorf("%q: got it at %d, want it before the failed rows at %d", want, at, failed)
		}
	}
}

// TestWhy: every failed row is counted once, by its code or else by its reason.
func TestWhy(t *testing.T) {
	s := testSummary()
	s.Failure = 679
	s.Reasons = map[string]int64{"from_account is empty": 20, "5 fields instead of 2": 9}
	group := func(code int, rows int64) groupView {
		return newGroup(s.Call, reports.SampleGroup{Code: outcome.Code{Number: code, Given: true}, Rows: rows})
	}
	duplicates := newGroup(s.Call, reports.SampleGroup{Outcome: outcome.Duplicate, Rows: 4})
	invalid := newGroup(s.Call, reports.SampleGroup{Outcome: outcome.Invalid, Rows: 30})
	got := newWhy(s, []groupView{group(31704, 550), group(30003, 75), invalid, group(30006, 20), duplicates})
	want := []whyView{
		{"code-31704", "31704", 550, "not your friend", "nothing is left to delete; --ignore-not-friend counts these rows as successes"},
		{"code-30003", "30003", 75, "account does not exist", "check the ID in the input"},
		{"code-30006", "30006", 20, "not documented", ""},
		{"", "–", 20, "from_account is empty", ""},
		{"", "–", 9, "5 fields instead of 2", ""},
		{"outcome-duplicate", "–", 4, "the same pair as an earlier row, which failed without a code", ""},
		{"", "other", 1, "codes and reasons that are less common; the report has them", ""},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
	if got := newWhy(s, nil); len(got) != 2 {
		t.Errorf("without samples: got %v, want the two reasons alone", got)
	}
	var many []groupView
	for code := range 150 {
		many = append(many, group(40000+code, 1))
	}
	if got := newWhy(s, many); len(got) != mostWhy+3 || got[len(got)-1].Rows != 679-mostWhy-29 {
		t.Errorf("of 150 codes: got %d lines, the last %v, want %d, the last of %d rows", len(got), got[len(got)-1], mostWhy+3, 679-mostWhy-29)
	}
}

func TestSpanOfMilliseconds(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "under 1 ms", time.Millisecond: "1ms", 1500 * time.Millisecond: "1.5s"} {
		if got := span(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

func TestPageIsSelfContained(t *testing.T) {
	text := rendered(t, testPage())
	outside := regexp.MustCompile(`(?i)<script|\son\w+=|\ssrc=|@import|url\(|href="[^#d]`)
	if got := outside.FindAllString(text, -1); got != nil {
		t.Errorf("the page has %q, want nothing that loads or runs", got)
	}
	heads := regexp.MustCompile(`<th\b[^>]*>`).FindAllString(text, -1)
	for _, head := range heads {
		if !strings.Contains(head, "scope=") {
			t.Errorf("got %s, want a scope", head)
		}
	}
}

func TestPageShowsHostileTextHarmlessly(t *testing.T) {
	text := rendered(t, testPage())
	for _, want := range []string{"&lt;script&gt;alert(1)&lt;/script&gt;", `ca\u202erol\x1b[31m`, `x\xff`, "(empty)"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && terminal.Unshowable(r) }); i >= 0 {
		t.Errorf("got %q in the page, want no unshowable character", text[i:min(len(text), i+10)])
	}
}

func TestPageOfNothing(t *testing.T) {
	s := &reports.Summary{Call: journaltest.Call, Endpoint: "sandbox", Finished: true}
	s.SetTally(fates.Tally{})
	text := rendered(t, Data{Summary: s})
	for _, want := range []string{"the input has no rows", "nothing real was deleted", "No request was answered."} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestWritePageIsPrivateAndWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run.html")
	if err := Write(path, testPage()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("got mode %o, want 600", got)
	}
	assertOnly(t, dir, "run.html")
	if err := Write(filepath.Join(dir, "gone", "run.html"), testPage()); err == nil || !strings.HasPrefix(err.Error(), "writing page ") {
		t.Errorf("got error %v, want one that begins with what was done", err)
	}
}

// assertOnly: no temporary file may stay behind.
func assertOnly(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("got files %q, want %q", got, want)
	}
}

func TestFingerprintFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := reports.FingerprintFile("report", path)
	want := reports.Fingerprint{What: "report", Path: path, Bytes: 3, SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := reports.FingerprintFile("report", path+"x"); err == nil {
		t.Error("got no error for a file that is not there")
	}
}

func TestShare(t *testing.T) {
	for _, c := range []struct {
		part, whole int64
		want        string
	}{{0, 0, "0%"}, {0, 5, "0%"}, {5, 5, "100%"}, {1, 3, "33.3%"}, {1, 1e6, "<0.1%"}, {1, 1000, "0.1%"}, {999, 1000, "99.9%"}, {1e6 - 1, 1e6, ">99.9%"}} {
		if got := share(c.part, c.whole); got != c.want {
			t.Errorf("share(%d, %d): got %s, want %s", c.part, c.whole, got, c.want)
		}
	}
}

func TestChart(t *testing.T) {
	start := time.Date(2026, 11, 23, 23, 59, 0, 0, time.UTC)
	got := newChart(fates.Timeline{Start: start, Width: 30 * time.Second, Rows: []int64{10, 0, 30, 1}, Requests: []int64{1, 0, 3, 1}})
	want := &chart{
		Drawings: []drawingView{
			{Title: "Rows decided per 30 s", Words: "41 rows from Nov 23 23:59:00 to Nov 24 00:01:00 UTC; most at Nov 24 00:00:00, with 30 per 30 s.",
				Path: "M0 100V75H1V100ZM2 100V25H3V100ZM3 100V97.5H4V100Z", Width: 4, Top: "40", Half: "20"},
			{Title: "Requests answered per 30 s", Words: "5 requests from Nov 23 23:59:00 to Nov 24 00:01:00 UTC; most at Nov 24 00:00:00, with 3 per 30 s.",
				Path: "M0 100V75H1V100ZM2 100V25H3V100ZM3 100V75H4V100Z", Width: 4, Top: "4", Half: "2"},
		},
		Times: [3]string{"Nov 23 23:59:00", "Nov 24 00:00:00", "Nov 24 00:01:00"},
		Table: []chartRow{{"Nov 23 23:59:00", 10, 1}, {"Nov 23 23:59:30", 0, 0}, {"Nov 24 00:00:00", 30, 3}, {"Nov 24 00:00:30", 1, 1}},
		Date:  "2026-11-23",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

func TestRoundUp(t *testing.T) {
	for n, want := range map[int64]int64{1: 1, 3: 4, 7: 8, 9: 10, 10: 10, 11: 20, 8999: 10000, 41000: 50000} {
		if got := roundUp(n); got != want {
			t.Errorf("roundUp(%d): got %d, want %d", n, got, want)
		}
	}
}

// tables has the page's tables in the section that the heading of this id begins: a line a row, cells apart by a bar.
func tables(t *testing.T, page, id string) (rows []string) {
	t.Helper()
	_, section, found := strings.Cut(page, `<h2 id="`+id+`">`)
	if !found {
		t.Fatalf("the page lacks the section %s", id)
	}
	section, _, _ = strings.Cut(section, "</section>")
	tag := regexp.MustCompile(`<[^>]*>`)
	for _, row := range regexp.MustCompile(`(?s)<tr.*?</tr>`).FindAllString(section, -1) {
		row = regexp.MustCompile(`</th>|</td>`).ReplaceAllString(row, "|")
		row = strings.ReplaceAll(row, "<small>", " (")
		row = strings.ReplaceAll(row, "</small>", ")")
		row = regexp.MustCompile(`<i style="width:([^"]*)">`).ReplaceAllString(row, "bar of $1")
		rows = append(rows, html.UnescapeString(strings.ReplaceAll(tag.ReplaceAllString(row, ""), "\n", "")))
	}
	return rows
}

// TestPageTables: what a reader finds in the tables of outcomes, reasons and codes, to the last word.
func TestPageTables(t *testing.T) {
	data := testPage()
	data.Summary.Codes["other"] = 5
	page := rendered(t, data)
	for id, want := range map[string][]string{
		"outcomes": {
			"outcome|status|rows|share||",
			"deleted (confirmed by the API, or presumed after a lost answer)|success|1,200,012|97.2%|bar of 97.20%|",
			"not_friend (was not a friend: nothing to delete)|failure|554|<0.1%|bar of 0.04%|",
			"refused (the API said no for good)|failure|75|<0.1%|bar of 0.01%|",
			"gave_up (still a temporary error after the last permitted attempt)|failure|20|<0.1%|bar of 0.00%|",
			"unknown (sent, but no final answer came: may have been carried out)|failure|0|0%||",
			"not_sent (certainly not carried out: the run ended first)|failure|0|0%||",
			"invalid (could never be sent: the report says why)|failure|30|<0.1%|bar of 0.00%|",
			"duplicate (asked for in an earlier row, and has that row's result)|as the first|33,876|2.7%|bar of 2.74%|",
		},
		"codes": {
			"code|rows|meaning|",
			"0|1,200,000||",
			"31704|566|not your friend|",
			"30003|75|account does not exist|",
			"30006|20||",
			"other|5|codes that are less common|",
		},
	} {
		if diff := cmp.Diff(tables(t, page, id), want); diff != "" {
			t.Errorf("%s: got -, want +:\n%s", id, diff)
		}
	}
}

// TestAdviceIsGivenOnce: beside the failed rows, and where these are not told of by their code, beside the code.
func TestAdviceIsGivenOnce(t *testing.T) {
	data := testPage()
	data.Samples = nil
	want := []string{
		"code|rows|meaning|",
		"0|1,200,000||",
		"31704|566|not your friend (nothing is left to delete; --ignore-not-friend counts these rows as successes)|",
		"30003|75|account does not exist (check the ID in the input)|",
		"30006|20||",
	}
	if diff := cmp.Diff(tables(t, rendered(t, data), "codes"), want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

// TestNothingElseWhereAllIsTold: a line of no rows would only raise a question.
func TestNothingElseWhereAllIsTold(t *testing.T) {
	s := testSummary()
	s.Failure = 75
	group := newGroup(s.Call, reports.SampleGroup{Code: outcome.Code{Number: 30003, Given: true}, Rows: 75})
	want := []whyView{{"code-30003", "30003", 75, "account does not exist", "check the ID in the input"}}
	if diff := cmp.Diff(newWhy(s, []groupView{group}), want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

// TestTimesThatAreNotThere: neither a run without times nor one without answers has a duration to tell.
func TestTimesThatAreNotThere(t *testing.T) {
	data := testPage()
	all := rendered(t, data)
	for _, want := range []string{
		"2026-11-23T18:26:09.123Z to 2026-11-23T18:39:29.123Z (13m 20s); 101,234 requests, 1,200 repeated, 34 throttled; exit code 1",
		"How long the API took", "<td>212ms</td><td>480ms</td><td>1.9s</td><td>14s</td>",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	data.Summary.StartedAt, data.Latency = "", fates.Latency{}
	none := rendered(t, data)
	if want := " to 2026-11-23T18:39:29.123Z; 101,234 requests"; !strings.Contains(none, want) {
		t.Errorf("the page lacks %q", want)
	}
	if strings.Contains(none, "How long the API took") {
		t.Error("the page tells how long answers took, where none came")
	}
}

// fullWriter takes no byte more than it has room for.
type fullWriter struct{ room int }

func (w *fullWriter) Write(p []byte) (int, error) {
	if len(p) > w.room {
		return 0, syscall.ENOSPC
	}
	w.room -= len(p)
	return len(p), nil
}

func TestRenderSaysThatTheDiskIsFull(t *testing.T) {
	for _, room := range []int{0, 2000} {
		if err := Render(&fullWriter{room}, testPage()); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("room for %d bytes: got %v, want %v", room, err, syscall.ENOSPC)
		}
	}
}

// TestChartTimes: times have their day as soon as there are two, and their seconds while a bar is shorter than a minute.
func TestChartTimes(t *testing.T) {
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		start time.Time
		width time.Duration
		bars  int
		title string
		times [3]string
	}{
		{day.Add(9 * time.Hour), time.Second, 4, "Rows decided per second", [3]string{"09:00:00", "09:00:02", "09:00:04"}},
		{day.Add(9 * time.Hour), 2 * time.Second, 4, "Rows decided per 2 s", [3]string{"09:00:00", "09:00:04", "09:00:08"}},
		{day.Add(9 * time.Hour), time.Minute, 4, "Rows decided per 1m 00s", [3]string{"09:00:00", "09:02:00", "09:04:00"}},
		{day.Add(9 * time.Hour), 64 * time.Second, 2, "Rows decided per 1m 04s", [3]string{"09:00:00", "09:01:04", "09:02:08"}},
		{day, time.Hour, 24, "Rows decided per 1h 00m", [3]string{"Nov 23 00:00", "Nov 23 12:00", "Nov 24 00:00"}},
		{day.Add(-time.Minute), time.Minute, 2, "Rows decided per 1m 00s", [3]string{"Nov 22 23:59", "Nov 23 00:00", "Nov 23 00:01"}},
		{day.Add(-32 * time.Second), 32 * time.Second, 2, "Rows decided per 32 s", [3]string{"Nov 22 23:59:28", "Nov 23 00:00:00", "Nov 23 00:00:32"}},
	} {
		got := newChart(fates.Timeline{Start: c.start, Width: c.width, Rows: make([]int64, c.bars), Requests: make([]int64, c.bars)})
		if got.Drawings[0].Title != c.title || got.Times != c.times {
			t.Errorf("%d bars of %v from %v: got %q, %q, want %q, %q", c.bars, c.width, c.start, got.Drawings[0].Title, got.Times, c.title, c.times)
		}
	}
}

// TestChartScale: the height of the drawing is named, and its half where that is a whole number.
func TestChartScale(t *testing.T) {
	for _, c := range []struct {
		most      int64
		top, half string
	}{{0, "1", ""}, {1, "1", ""}, {2, "2", "1"}, {5, "5", ""}, {11, "20", "10"}} {
		got := newChart(fates.Timeline{Start: began, Width: time.Second, Rows: []int64{c.most}}).Drawings[0]
		if got.Top != c.top || got.Half != c.half {
			t.Errorf("at most %d: got %q and %q, want %q and %q", c.most, got.Top, got.Half, c.top, c.half)
		}
	}
}

// TestChartOfUnevenCounts: requests that ended with the run's first bars leave the later ones empty, and of two bars that are
// the highest the first is named.
func TestChartOfUnevenCounts(t *testing.T) {
	got := newChart(fates.Timeline{Start: began.Truncate(time.Second), Width: time.Second, Rows: []int64{2, 7, 7}, Requests: []int64{1}})
	if diff := cmp.Diff(got.Table, []chartRow{{"18:26:09", 2, 1}, {"18:26:10", 7, 0}, {"18:26:11", 7, 0}}); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
	if got, want := got.Drawings[0].Words, "16 rows from 18:26:09 to 18:26:12 UTC; most at 18:26:10, with 7 per second."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
