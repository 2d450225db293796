package reports

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gocarina/gocsv"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"friendsweep/input"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
)

func recordsOf(all ...input.Record) iter.Seq2[input.Record, error] {
	return func(yield func(input.Record, error) bool) {
		for _, rec := range all {
			if !yield(rec, nil) {
				return
			}
		}
	}
}

// small is a job with one row of every kind.
func small(t testing.TB) (*journal.Journal, entry.Job, []input.Record, []input.Repeat) {
	t.Helper()
	job := journaltest.Job(11, 13)
	job.Invalid, job.Duplicates, job.Mirrors = 1, 2, 1
	j := journaltest.Start(t, job)
	send := func(lines ...int64) int64 {
		id, err := j.Before("a", lines)
		must(t, err)
		return id
	}
	answer := func(id int64, results ...outcome.Result) { must(t, j.After(id, 20*time.Millisecond, results)) }
	answer(send(2, 3, 4, 6, 7, 8),
		outcome.Result{Rows: outcome.RowsAt(2), Outcome: journaltest.Deleted, Code: outcome.Code{Given: true}},
		outcome.Result{Rows: outcome.RowsAt(3), Outcome: journaltest.NotFriend, Code: outcome.Code{Number: 31704, Given: true}, Info: "Err_SNS_FriendDelete_Not_Friend"},
		outcome.Result{Rows: outcome.RowsAt(4), Outcome: outcome.Refused, Code: outcome.Code{Number: 30003, Given: true}, Info: `no "account"`},
		outcome.Result{Rows: outcome.RowsAt(6), Outcome: outcome.GaveUp, Code: outcome.Code{Number: 30006, Given: true}},
		outcome.Result{Rows: outcome.RowsAt(7, 8), Outcome: outcome.Open, Lost: true, Info: "no answer within 15s"})
	answer(send(8), outcome.Result{Outcome: journaltest.Deleted, Code: outcome.Code{Number: 31704, Given: true}, Presumed: true})
	answer(send(9), outcome.Result{Outcome: outcome.Open, Code: outcome.Code{Number: 70003, Given: true}, Info: "bad signature"})
	must(t, j.End("4", "credentials"))
	records := []input.Record{
		{Line: 2, From: "a", To: "b"}, {Line: 3, From: "a", To: "=1+1"}, {Line: 4, From: "a", To: "d"},
		{Line: 5, From: "", To: "x\ny\r\n\"", Reason: "from_account is empty"}, {Line: 6, From: "a", To: "f"},
		{Line: 7, From: "a", To: "g"}, {Line: 8, From: "a", To: "h"}, {Line: 9, From: "a", To: "i"},
		{Line: 11, From: "b", To: "a"}, {Line: 12, From: "a", To: "=1+1"}, {Line: 13, From: "z", To: "y"},
	}
	return j, job, records, []input.Repeat{{Line: 12, First: 3}, {Line: 11, First: 2, Mirror: true}}
}

func repeatsOf(all []input.Repeat) iter.Seq2[input.Repeat, error] {
	return func(yield func(input.Repeat, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestReport(t *testing.T) {
	j, job, records, repeats := small(t)
	f, err := fates.New(t.Context(), j, fates.Options{Job: job, Repeats: repeatsOf(repeats), Dir: t.TempDir()})
	must(t, err)
	defer f.Close()
	dir := t.TempDir()
	o := ReportOptions{Good: journaltest.Good, Path: filepath.Join(dir, "r.csv"), Failures: filepath.Join(dir, "f.csv"), Job: job, Records: recordsOf(records...)}
	written, err := Report(t.Context(), o, f)
	must(t, err)
	tally, groups := written.Tally, written.Samples
	want := `line,from_account,to_account,status,outcome,result_code,result_info,attempts,finished_at
2,a,b,success,deleted,0,,1,T
3,a,=1+1,failure,not_friend,31704,Err_SNS_FriendDelete_Not_Friend,1,T
4,a,d,failure,refused,30003,"no ""account""",1,T
5,,"x
y` + "\r" + `
""",failure,invalid,,from_account is empty,0,
6,a,f,failure,gave_up,30006,,1,T
7,a,g,failure,unknown,,no answer within 15s,1,T
8,a,h,success,deleted,31704,31704 after a lost answer: presumed deleted; it may never have been a friend,2,T
9,a,i,failure,not_sent,70003,bad signature,1,T
11,b,a,success,duplicate,0,"same friendship as line 2, deleted from both sides",0,
12,a,=1+1,failure,duplicate,31704,same pair as line 3,0,
13,z,y,failure,not_sent,,its turn never came,0,
`
	if diff := cmp.Diff(untimed(t, content(t, o.Path)), want); diff != "" {
		t.Errorf("report: got -, want +\n%s", diff)
	}
	if got := strings.Count(content(t, o.Failures), "failure"); got != 8 {
		t.Errorf("failures: got %d lines, want 8", got)
	}
	wantTally := fates.Tally{Rows: 11, Success: 3, Failure: 8, Presumed: 1,
		Codes:   map[int]int64{0: 2, 31704: 3, 30003: 1, 30006: 1, 70003: 1},
		Reasons: map[string]int64{"from_account is empty": 1, "no answer within 15s": 1, "its turn never came": 1}}
	for o, n := range map[outcome.Outcome]int64{journaltest.Deleted: 2, journaltest.NotFriend: 1, outcome.Refused: 1, outcome.GaveUp: 1,
		outcome.Unknown: 1, outcome.NotSent: 2, outcome.Invalid: 1, outcome.Duplicate: 2} {
		wantTally.Outcomes[o] = n
	}
	if diff := cmp.Diff(tally, wantTally); diff != "" {
		t.Errorf("tally: got -, want +\n%s", diff)
	}
	if len(groups) != 7 || groups[0].Code.Number != 31704 || groups[0].Rows != 2 || len(groups[0].Samples) != 2 {
		t.Errorf("groups: got %+v", groups)
	}
	stands, err := FingerprintFile("report", o.Path)
	must(t, err)
	if diff := cmp.Diff(written.Print, stands); diff != "" {
		t.Errorf("fingerprint: got -, want that of the file +\n%s", diff)
	}
	if l := f.Latency(); l.P50 != 20*time.Millisecond || l.Max != 20*time.Millisecond {
		t.Errorf("latency: got %+v", l)
	}
	if tl := f.Timeline(); len(tl.Rows) == 0 || sum(tl.Rows) != 5 || sum(tl.Requests) != 3 {
		t.Errorf("timeline: got %+v", tl)
	}
	s, err := fates.Status(t.Context(), journaltest.Report(j), t.TempDir(), journaltest.Calls)
	must(t, err)
	if s.Waiting != 2 || s.Mirrors != 1 || s.Outcomes[outcome.Unknown] != 1 || s.Outcomes[outcome.NotSent] != 1 || s.Outcomes[journaltest.Deleted] != 2 || !s.Ended || !s.Held || s.Requests != 3 {
		t.Errorf("status: got %+v", s)
	}
}

func sum(all []int64) (n int64) {
	for _, v := range all {
		n += v
	}
	return n
}

// untimed replaces every time by T.
func untimed(t testing.TB, text string) string {
	t.Helper()
	for i := 0; i+24 <= len(text); i++ {
		if _, err := time.Parse(entry.StampLayout, text[i:i+24]); err == nil {
			text = text[:i] + "T" + text[i+24:]
		}
	}
	return text
}

// With --ignore-not-friend the row and what repeats it are successes.
func TestIgnoreNotFriend(t *testing.T) {
	j, job, records, repeats := small(t)
	f, err := fates.New(t.Context(), j, fates.Options{Job: job, Repeats: repeatsOf(repeats), Dir: t.TempDir()})
	must(t, err)
	defer f.Close()
	o := ReportOptions{Path: journaltest.Report(j), Good: journaltest.Call.Set([]string{"deleted", "not_friend"}), Job: job, Records: recordsOf(records...)}
	written, err := Report(t.Context(), o, f)
	must(t, err)
	if written.Tally.Success != 5 {
		t.Errorf("success: got %d, want 5", written.Tally.Success)
	}
}

// The report does not depend on the file of failed rows.
func TestReportWithoutItsFailures(t *testing.T) {
	j, job, records, repeats := small(t)
	for failures, want := range map[string]struct {
		text string
		is   error // nil where the error is one of ours
	}{
		"no/f.csv":   {"writing DIR/no/f.csv: the folder DIR/no does not exist", nil},
		"folder":     {"writing DIR/folder: it is not a regular file", nil},
		"file/f.csv": {"writing DIR/file/f.csv: not a directory", syscall.ENOTDIR},
	} {
		f, err := fates.New(t.Context(), j, fates.Options{Job: job, Repeats: repeatsOf(repeats), Dir: t.TempDir()})
		must(t, err)
		dir := t.TempDir()
		must(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
		must(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
		o := ReportOptions{Good: journaltest.Good, Path: filepath.Join(dir, "r.csv"), Failures: filepath.Join(dir, failures), Job: job, Records: recordsOf(records...)}
		written, err := Report(t.Context(), o, f)
		if err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != want.text || want.is != nil && !errors.Is(err, want.is) {
			t.Errorf("%s: got error %v, want %q, which is %v", failures, err, want.text, want.is)
		}
		if !errors.As(err, new(LesserError)) || written.Tally.Rows != job.Rows {
			t.Errorf("%s: got %v and %d rows, want a lesser error and all rows", failures, err, written.Tally.Rows)
		}
		if lines := strings.Count(content(t, o.Path), "\n"); lines < len(records) {
			t.Errorf("%s: got a report of %d lines", failures, lines)
		}
		must(t, f.Close())
	}
}

// A report that cannot be true, or cannot be written, leaves everything as it was.
func TestReportWholeOrNotAtAll(t *testing.T) {
	j, job, records, repeats := small(t)
	changed := errors.New("the input changed")
	cancelled, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("somebody pressed Ctrl-C"))
	broken := func(yield func(input.Record, error) bool) {
		_ = yield(records[0], nil) && yield(input.Record{}, changed)
	}
	reason := slices.Clone(records)
	reason[0].Reason = "to_account is empty"
	unsent := slices.Clone(records)
	unsent[10].Reason = "to_account is empty"
	moved := slices.Clone(records)
	moved[9].Line = 10 // a line without a record, in the place of line 12
	moved[8], moved[9] = moved[9], moved[8]
	for name, c := range map[string]struct {
		ctx     context.Context
		records iter.Seq2[input.Record, error]
		change  func(dir string, o *ReportOptions)
		want    string
	}{
		"a record less":             {records: recordsOf(records[:10]...), want: "writing DIR/r.csv: 11 records (1 invalid) were read first, 10 (1 invalid) now; 3 successes and 7 failures"},
		"the last two less":         {records: recordsOf(records[:9]...), want: "joining the journal with the input: the journal speaks of line 12, where the input has no record"},
		"a record more":             {records: recordsOf(append(slices.Clone(records), input.Record{Line: 14})...), want: "joining the journal with the input: line 14 cannot follow line 13"},
		"a record twice":            {records: recordsOf(append(slices.Clone(records), records[10])...), want: "joining the journal with the input: line 13 cannot follow line 13"},
		"a sent row is no record":   {records: recordsOf(moved...), want: "joining the journal with the input: the journal speaks of line 12, where the input has no record"},
		"a sent row is invalid":     {records: recordsOf(reason...), want: "joining the journal with the input: the journal has a result for line 2, which is invalid: to_account is empty"},
		"an unsent row is invalid":  {records: recordsOf(unsent...), want: "writing DIR/r.csv: 11 records (1 invalid) were read first, 11 (2 invalid) now; 3 successes and 8 failures"},
		"no folder":                 {records: recordsOf(records...), change: func(dir string, o *ReportOptions) { o.Path = dir + "/no/r.csv" }, want: "writing DIR/no/r.csv: the folder DIR/no does not exist"},
		"a folder in its place":     {records: recordsOf(records...), change: func(dir string, o *ReportOptions) { o.Path = dir + "/folder" }, want: "writing DIR/folder: it is not a regular file"},
		"the input changed":         {records: broken, want: "the input changed"},
		"cancelled":                 {ctx: cancelled, records: recordsOf(records...), want: "somebody pressed Ctrl-C"},
		"a job of other bytes":      {records: recordsOf(records...), change: func(_ string, o *ReportOptions) { o.Job.InputSHA256 = "cd" }, want: "writing DIR/r.csv: the journal belongs to another job: input: other bytes (100 bytes with sha256 cd, was 100 bytes with sha256 abababababab…)"},
		"a job that counts another": {records: recordsOf(records...), change: func(_ string, o *ReportOptions) { o.Job.Invalid = 0 }, want: "writing DIR/r.csv: the same input was read differently: 11 rows, 0 invalid, 2 duplicates, 1 mirrors up to line 13; the journal has 11, 1, 2, 1 and 13\nuse the version of friendsweep that began the job"},
	} {
		f, err := fates.New(t.Context(), j, fates.Options{Job: job, Repeats: repeatsOf(repeats), Dir: t.TempDir()})
		must(t, err)
		dir := t.TempDir()
		must(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
		must(t, os.WriteFile(filepath.Join(dir, "r.csv"), []byte("earlier"), 0o600))
		o := ReportOptions{Good: journaltest.Good, Path: filepath.Join(dir, "r.csv"), Failures: filepath.Join(dir, "f.csv"), Job: job, Records: c.records}
		if c.change != nil {
			c.change(dir, &o)
		}
		if c.ctx == nil {
			c.ctx = t.Context()
		}
		if _, err := Report(c.ctx, o, f); err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != c.want {
			t.Errorf("%s: got error %v, want %q", name, err, c.want)
		}
		if got := content(t, filepath.Join(dir, "r.csv")); got != "earlier" {
			t.Errorf("%s: the earlier report became %q", name, got)
		}
		if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) != 2 {
			t.Errorf("%s: got %q, want nothing new", name, names)
		}
		must(t, f.Close())
	}
}

// TestNamesTakenMeanwhile: whatever stands in a name when the file is done is left as it is.
func TestNamesTakenMeanwhile(t *testing.T) {
	j, job, records, repeats := small(t)
	for name, lesser := range map[string]bool{"r.csv": false, "f.csv": true} {
		f, err := fates.New(t.Context(), j, fates.Options{Job: job, Repeats: repeatsOf(repeats), Dir: t.TempDir()})
		must(t, err)
		dir := t.TempDir()
		o := ReportOptions{Good: journaltest.Good, Path: filepath.Join(dir, "r.csv"), Failures: filepath.Join(dir, "f.csv"), Job: job}
		o.Records = func(yield func(input.Record, error) bool) {
			must(t, os.Mkdir(filepath.Join(dir, name), 0o700))
			recordsOf(records...)(yield)
		}
		written, err := Report(t.Context(), o, f)
		must(t, f.Close())
		if want := "writing DIR/" + name + ": it is not a regular file"; err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != want {
			t.Errorf("%s: got error %v, want %q", name, err, want)
		}
		if errors.As(err, new(LesserError)) != lesser || (written.Tally.Rows > 0) != lesser {
			t.Errorf("%s: got a lesser error %v and %d rows, want only that of the failures to be one", name, err, written.Tally.Rows)
		}
		if names := namesIn(t, dir); lesser && !slices.Equal(names, []string{"f.csv", "r.csv"}) || !lesser && !slices.Equal(names, []string{"r.csv"}) {
			t.Errorf("%s: got %q, want the folder, and the report unless it is in its place", name, names)
		}
	}
}

func namesIn(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestCompare: who compares is given the whole report, its error is that of the report, and no file is left.
func TestCompare(t *testing.T) {
	j, job, records, repeats := small(t)
	differs := errors.New("line 7 differs")
	for _, want := range []error{nil, differs} {
		f, err := fates.New(t.Context(), j, fates.Options{Job: job, Repeats: repeatsOf(repeats), Dir: t.TempDir()})
		must(t, err)
		dir := t.TempDir()
		o := ReportOptions{Good: journaltest.Good, Path: filepath.Join(dir, "r.csv"), Job: job, Records: recordsOf(records...)}
		var given string
		o.Compare = func(report io.Reader) error {
			text, err := io.ReadAll(report)
			must(t, err)
			given = string(text)
			return want
		}
		written, err := Report(t.Context(), o, f)
		must(t, f.Close())
		if err != want || want == nil && written.Tally.Rows != job.Rows {
			t.Errorf("got %v and %d rows, want %v and all %d where it is nil", err, written.Tally.Rows, want, job.Rows)
		}
		sum := fmt.Sprintf("%x", sha256.Sum256([]byte(given)))
		if lines := strings.Count(given, "\n"); lines != 14 || want == nil && written.Print.SHA256 != sum { // one cell has two line ends
			t.Errorf("got %d lines, fingerprint %s, want 14 lines of %s", lines, sum, written.Print.SHA256)
		}
		if names := namesIn(t, dir); names != nil {
			t.Errorf("got files %q, want none", names)
		}
		if open := openIn(t, dir); open != nil {
			t.Errorf("got files open still: %q", open)
		}
	}
}

// openIn is what this process has open in the folder, whether it has a name or not; nothing where the system does not tell.
func openIn(t testing.TB, dir string) (open []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	must(t, err)
	if len(links) == 0 {
		t.Log("there is no /proc: open files were NOT looked for")
	}
	for _, link := range links {
		if name, err := os.Readlink(link); err == nil && strings.HasPrefix(name, dir+"/") {
			open = append(open, name)
		}
	}
	return open
}

// TestReportIsCancelledSoon: within so many rows as it says, and with the cause.
func TestReportIsCancelledSoon(t *testing.T) {
	const rows, at = 4 * checkEvery, 2*checkEvery + 3
	job := journaltest.Job(rows, rows+1)
	j := journaltest.Start(t, job)
	must(t, j.End("0", ""))
	f, err := fates.New(t.Context(), j, fates.Options{Job: job, Dir: t.TempDir()})
	must(t, err)
	defer f.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	cause, read := errors.New("somebody pressed Ctrl-C"), 0
	records := func(yield func(input.Record, error) bool) {
		for read < rows && yield(input.Record{Line: int64(read) + 2, From: "a", To: "b"}, nil) {
			if read++; read == at {
				cancel(cause)
			}
		}
	}
	o := ReportOptions{Good: journaltest.Good, Path: filepath.Join(t.TempDir(), "r.csv"), Job: job, Records: records}
	if _, err := Report(ctx, o, f); err != cause || read > at+checkEvery {
		t.Errorf("got %v after %d rows, want %v after %d rows at most", err, read, cause, at+checkEvery)
	}
}

// TestReasonsOfDuplicates: a duplicate is no failure of its own, so why its first one failed is counted once.
func TestReasonsOfDuplicates(t *testing.T) {
	job := journaltest.Job(2, 3)
	job.Duplicates = 1
	j := journaltest.Start(t, job)
	must(t, j.End("4", ""))
	f, err := fates.New(t.Context(), j, fates.Options{Job: job, Repeats: repeatsOf([]input.Repeat{{Line: 3, First: 2}}), Dir: t.TempDir()})
	must(t, err)
	defer f.Close()
	records := recordsOf(input.Record{Line: 2, From: "a", To: "b"}, input.Record{Line: 3, From: "a", To: "b"})
	written, err := Report(t.Context(), ReportOptions{Good: journaltest.Good, Path: filepath.Join(t.TempDir(), "r.csv"), Job: job, Records: records}, f)
	must(t, err)
	if diff := cmp.Diff(written.Tally.Reasons, map[string]int64{"its turn never came": 1}); diff != "" || written.Tally.Failure != 2 {
		t.Errorf("got %d failures, want 2; reasons: got -, want +\n%s", written.Tally.Failure, diff)
	}
}

// TestSamplesAreBounded: the first hundred of each kind, all of which are counted.
func TestSamplesAreBounded(t *testing.T) {
	const sent, rows = samplesPerKind, 2*samplesPerKind + 1
	job := journaltest.Job(rows, rows+1)
	j := journaltest.Start(t, job)
	var lines []int64
	var records []input.Record
	for line := int64(2); line < rows+2; line++ {
		records = append(records, input.Record{Line: line, From: "a", To: "b"})
		if line < sent+2 {
			lines = append(lines, line)
		}
	}
	id, err := j.Before("a", lines)
	must(t, err)
	must(t, j.After(id, time.Millisecond, []outcome.Result{{Outcome: outcome.Refused, Code: outcome.Code{Number: 30003, Given: true}}}))
	must(t, j.End("1", ""))
	f, err := fates.New(t.Context(), j, fates.Options{Job: job, Dir: t.TempDir()})
	must(t, err)
	defer f.Close()
	o := ReportOptions{Good: journaltest.Good, Path: filepath.Join(t.TempDir(), "r.csv"), Job: job, Records: recordsOf(records...)}
	written, err := Report(t.Context(), o, f)
	must(t, err)
	type group struct {
		rows    int64
		samples int
		first   int64
		last    int64
	}
	var got []group
	for _, g := range written.Samples {
		got = append(got, group{g.Rows, len(g.Samples), g.Samples[0].Line, g.Samples[len(g.Samples)-1].Line})
	}
	want := []group{{101, 100, 102, 201}, {100, 100, 2, 101}} // those that were not sent, then the refused ones
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// What is in the report is read back by a CSV reader as it was, whatever the cells hold.
func TestReportComesBack(t *testing.T) {
	j := journaltest.Start(t, journaltest.Job(3, 4))
	must(t, j.End("0", ""))
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		var records []input.Record
		for line := int64(2); line < 5; line++ {
			cell := rapid.StringMatching("[a\"\\n, =\\\\.\\x00é]{0,6}")
			records = append(records, input.Record{Line: line, From: cell.Draw(t, "from"), To: cell.Draw(t, "to")})
		}
		f, err := fates.New(context.Background(), j, fates.Options{Job: journaltest.Job(3, 4), Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		o := ReportOptions{Good: journaltest.Good, Path: filepath.Join(dir, "r.csv"), Job: journaltest.Job(3, 4), Records: recordsOf(records...)}
		if _, err := Report(context.Background(), o, f); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(o.Path)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil || len(rows) != 4 {
			t.Fatalf("got %q, %v", rows, err)
		}
		for i, rec := range records {
			if row := rows[i+1]; row[1] != rec.From || row[2] != rec.To {
				t.Errorf("line %d: got %q, want %q and %q", rec.Line, row, rec.From, rec.To)
			}
		}
	})
}

// writeUnderLimit makes reports under a limit on the size of files, for every limit up to what is needed. It runs in a
// process of its own, because the limit is the process's.
func writeUnderLimit(dir string) int {
	for _, compare := range []func(io.Reader) error{compareNothing, nil} { // nil leaves a report, so it comes last
		if code := writeUnderLimits(dir, compare); code != 0 {
			return code
		}
	}
	return 0
}

func compareNothing(io.Reader) error { return nil }

func writeUnderLimits(dir string, compare func(io.Reader) error) int {
	signal.Ignore(syscall.SIGXFSZ)
	j, err := journal.Lock(filepath.Join(dir, "r.csv"), journaltest.Calls)
	if err != nil {
		return 1
	}
	defer j.Close()
	var had syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_FSIZE, &had) != nil {
		return 2
	}
	head, err := j.Head()
	if err != nil {
		return 3
	}
	for limit := uint64(0); limit < 4000; limit += 11 {
		syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: had.Max})
		f, err := fates.New(context.Background(), j, fates.Options{Job: head.Job, Dir: dir})
		if err == nil {
			records := recordsOf(input.Record{Line: 2, From: "a", To: strings.Repeat("x", 2000)}, input.Record{Line: 3, From: "a", To: "y"})
			o := ReportOptions{Good: journaltest.Good, Path: filepath.Join(dir, "r.csv"), Job: head.Job, Records: records, Compare: compare}
			_, err = Report(context.Background(), o, f)
			f.Close()
		}
		names, _ := filepath.Glob(filepath.Join(dir, "*"))
		if err == nil {
			fmt.Println("written at", limit)
			if report := len(names) == 2; report != (compare == nil) || limit < 2000 {
				return 4
			}
			syscall.Setrlimit(syscall.RLIMIT_FSIZE, &had)
			return 0
		}
		if len(names) != 1 || !errors.Is(err, syscall.EFBIG) {
			fmt.Println(limit, names, err)
			return 5
		}
	}
	return 6
}

// writeMuch makes reports of many rows under a limit on the size of files that only a part of them fits under, of rows that are
// successes and of rows that are not. It runs in a process of its own, because the limit is the process's.
func writeMuch(dir string) int {
	signal.Ignore(syscall.SIGXFSZ)
	j, err := journal.Lock(filepath.Join(dir, "r.csv"), journaltest.Calls)
	if err != nil {
		return 1
	}
	defer j.Close()
	head, err := j.Head()
	if err != nil {
		return 2
	}
	f, err := fates.New(context.Background(), j, fates.Options{Job: head.Job, Dir: dir})
	if err != nil {
		return 3
	}
	defer f.Close()
	if syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 100 << 10, Max: 100 << 10}) != nil {
		return 4
	}
	read := int64(0)
	records := func(yield func(input.Record, error) bool) {
		for read < head.Job.Rows && yield(input.Record{Line: read + 2, From: "a", To: strings.Repeat("b", 30)}, nil) {
			read++
		}
	}
	_, err = Report(context.Background(), ReportOptions{Good: journaltest.Good, Path: filepath.Join(dir, "r.csv"), Job: head.Job, Records: records}, f)
	fmt.Println(errors.Is(err, syscall.EFBIG), read < head.Job.Rows, err)
	return 0
}

// TestReportThatDoesNotFit: it ends at the first write that fails, and says which file and why.
func TestReportThatDoesNotFit(t *testing.T) {
	const rows = 10_000
	done, _ := journaltest.Filled(t, rows, 1000, false)
	waits := journaltest.Start(t, journaltest.Job(rows, rows+1))
	must(t, waits.End("4", ""))
	for name, j := range map[string]*journal.Journal{"successes": done, "failures": waits} {
		must(t, j.Close())
		dir := filepath.Dir(j.Path())
		out, err := child(t, "much", dir).CombinedOutput()
		if got, want := strings.ReplaceAll(string(out), dir, "DIR"), "true true writing DIR/r.csv: file too large\n"; err != nil || got != want {
			t.Errorf("%s: got %v, %q, want %q", name, err, got, want)
		}
		if names := namesIn(t, dir); !slices.Equal(names, []string{"r.csv.journal"}) {
			t.Errorf("%s: got files %q, want the journal alone", name, names)
		}
	}
}

func TestReportOnAFullDisk(t *testing.T) {
	j := journaltest.Start(t, journaltest.Job(2, 3))
	must(t, j.End("0", ""))
	must(t, j.Close())
	if out, err := child(t, "limit", filepath.Dir(j.Path())).CombinedOutput(); err != nil {
		t.Errorf("got %v\n%s", err, out)
	}
}

// The checks that the other tests cannot reach, because nothing else goes wrong before them.
func TestLastChecks(t *testing.T) {
	sheet, err := createSheet(filepath.Join(t.TempDir(), "r.csv"))
	must(t, err)
	defer sheet.discard()
	must(t, sheet.add(&reportRow{Line: "2", To: "\n\""}))
	if err := sheet.close(2); err == nil || !strings.Contains(err.Error(), "1 lines for 2 records") {
		t.Errorf("a line is missing: got %v", err)
	}
	j, job, _, repeats := small(t)
	f, err := fates.New(t.Context(), j, fates.Options{Job: job, Repeats: repeatsOf(repeats), Dir: t.TempDir()})
	must(t, err)
	defer f.Close()
	for _, line := range []int64{2, 3, 4} {
		_, err := f.Next(line)
		must(t, err)
	}
	if _, err := f.Next(7); err == nil || !strings.Contains(err.Error(), "speaks of line 6") {
		t.Errorf("a row left out: got %v", err)
	}
	for _, line := range []int64{6, 7, 8, 9, 11} {
		_, err := f.Next(line)
		must(t, err)
	}
	if err := f.Finish(); err == nil || !strings.Contains(err.Error(), "speaks of line 12") {
		t.Errorf("a row left out at the end: got %v", err)
	}
}

func perSecond(b *testing.B, n int, unit string) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), unit+"s/s")
	b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(n)/float64(b.N), "ns/"+unit)
}

func BenchmarkReport(b *testing.B) {
	const n = 500_000
	j, job := journaltest.Filled(b, n, 1000, false)
	dir := b.TempDir()
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		f, err := fates.New(b.Context(), j, fates.Options{Job: job, Dir: dir})
		must(b, err)
		records := func(yield func(input.Record, error) bool) {
			for line := int64(2); line < n+2; line++ {
				if !yield(input.Record{Line: line, From: "account-12345", To: "account-67890"}, nil) {
					return
				}
			}
		}
		_, err = Report(b.Context(), ReportOptions{Good: journaltest.Good, Path: filepath.Join(dir, "r.csv"), Job: job, Records: records}, f)
		must(b, err)
		must(b, f.Close())
	}
	perSecond(b, n, "row")
	info, err := os.Stat(filepath.Join(dir, "r.csv"))
	must(b, err)
	b.ReportMetric(float64(info.Size())/n, "B/row")
}

// BenchmarkWriters is why the rows do not go through gocsv: both write one batch after the other.
func BenchmarkWriters(b *testing.B) {
	rows := make([]reportRow, 512)
	for i := range rows {
		rows[i] = reportRow{strconv.Itoa(1234567 + i), "account-12345", "account-67890", "success", "deleted", "0", "", "1", "2026-11-23T18:26:09.123Z"}
	}
	b.Run("gocsv", func(b *testing.B) {
		w := csv.NewWriter(io.Discard)
		for b.Loop() {
			must(b, gocsv.MarshalCSVWithoutHeaders(rows, w))
		}
		perSecond(b, len(rows), "row")
	})
	b.Run("encoding-csv", func(b *testing.B) {
		s := sheetTo(io.Discard)
		for b.Loop() {
			for i := range rows {
				must(b, s.add(&rows[i]))
			}
			must(b, s.flush())
		}
		perSecond(b, len(rows), "row")
	})
}

func sheetTo(w io.Writer) *sheetFile {
	buf := bufio.NewWriterSize(w, 256<<10)
	return &sheetFile{countedFile: &countedFile{buf: buf}, csv: csv.NewWriter(buf)}
}

// BenchmarkFingerprint is why a report is fingerprinted while it is written: as it is, against reading it again. CPU time
// says more than the clock on a shared machine.
func BenchmarkFingerprint(b *testing.B) {
	const row = "1234567,user_100000000,friend_1000000000,success,deleted,0,,1,2026-11-23T18:26:09.123Z\n"
	const rows = 1_000_000
	path := filepath.Join(b.TempDir(), "r.csv")
	must(b, os.WriteFile(path, bytes.Repeat([]byte(row), rows), 0o600))
	b.Run("read-again", func(b *testing.B) {
		before := cpuTime()
		for b.Loop() {
			_, err := FingerprintFile("report", path)
			must(b, err)
		}
		b.ReportMetric(float64(cpuTime()-before)/rows/float64(b.N), "cpu-ns/row")
	})
	block := []byte(strings.Repeat(row, 256<<10/len(row)))
	b.Run("as-written", func(b *testing.B) {
		before, seen := cpuTime(), sha256.New()
		for b.Loop() {
			for left := rows * len(row); left > 0; left -= len(block) {
				seen.Write(block)
			}
		}
		b.ReportMetric(float64(cpuTime()-before)/rows/float64(b.N), "cpu-ns/row")
	})
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
