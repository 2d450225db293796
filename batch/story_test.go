package batch

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"friendsweep/batch/chat"
	"friendsweep/reports/journal"
	"friendsweep/reports/story"
)

// finished is a job that has ended, of pairs that are deleted from both sides, and what its journal and report say is read by
// the options that are returned.
func finished(t *testing.T, pairs string) (Options, string) {
	t.Helper()
	o := options(t, serve(t), pairs)
	o.DeleteType, o.Note, o.Allowed = chat.Both, "ticket 7", "a test"
	o.SetCall(chat.Delete(chat.Both), []string{"deleted"})
	if _, code, err := carryOut(t, o); err != nil || code != exitRowsFailed {
		t.Fatalf("got exit code %d and %v, want 1", code, err)
	}
	return Options{Report: o.Report, TempDir: o.TempDir, Log: o.Log, Progress: o.Progress}, o.Pairs
}

// manyKin repeat each other in every way. Line 6 is blank.
const manyKin = "a,b\na,b\nb,a\nb,a\n\nc,not-friend-d\nnot-friend-d,c\nc,not-friend-d\nz,missing-y\n"

// A record's story says of its fate what the report says, and names its kin.
func TestStoriesAgreeWithTheReport(t *testing.T) {
	o, pairs := finished(t, manyKin)
	file, err := os.Open(o.Report)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil || len(rows) != 9 {
		t.Fatalf("got %d rows, %v, want 8 and a header", len(rows), err)
	}
	sent := map[int64]bool{2: true, 7: true, 8: true, 10: true}
	repeats := map[int64]string{3: "2", 4: "2 mirrored", 5: "4", 8: "7 mirrored", 9: "7"}
	repeated := map[int64]string{2: "3, 4 mirrored, 5 mirrored", 4: "5", 7: "8 mirrored, 9"}
	for _, row := range rows[1:] {
		line, _ := strconv.ParseInt(row[0], 10, 64)
		s, err := Story(t.Context(), o, line)
		if err != nil {
			t.Fatal(err)
		}
		code := ""
		if s.Code != nil {
			code = strconv.Itoa(*s.Code)
		}
		got := []string{strconv.FormatInt(s.Line, 10), s.From, s.To, s.Status, s.Outcome, code, s.Info, strconv.FormatInt(s.Attempts, 10), s.FinishedAt}
		if !slices.Equal(got, row) {
			t.Errorf("line %d: got %q, want %q", line, got, row)
		}
		if (len(s.Events) > 0) != sent[line] || (len(s.Runs) == 1) != sent[line] || s.State != "finished" || s.Input != pairs || s.Report != o.Report || s.Why == "" {
			t.Errorf("line %d: got %+v, want a story of a finished run with events: %v", line, s, sent[line])
		}
		if sent[line] && (s.Runs[0].Run != 1 || s.Runs[0].Note != "ticket 7" || s.Runs[0].Allowed != "a test") {
			t.Errorf("line %d: got the run %+v", line, s.Runs[0])
		}
		kin := ""
		if s.Repeats != nil {
			kin = kinText(*s.Repeats)
		}
		var by []string
		for _, k := range s.RepeatedBy {
			by = append(by, kinText(k))
		}
		slices.Sort(by)
		if kin != repeats[line] || strings.Join(by, ", ") != repeated[line] {
			t.Errorf("line %d: got that it repeats %q and is repeated by %q, want %q and %q", line, kin, by, repeats[line], repeated[line])
		}
	}
}

func kinText(k story.Kin) string {
	if k.Mirror {
		return fmt.Sprint(k.Line, " mirrored")
	}
	return fmt.Sprint(k.Line)
}

// There is no story of a line that has no record, and none without its input.
func TestNoStory(t *testing.T) {
	o, pairs := finished(t, manyKin)
	elsewhere, other := pairs+".moved", pairs+".other"
	if err := os.WriteFile(other, []byte("from,to\na,c\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	edited := func(edit func(*Options)) Options {
		changed := o
		edit(&changed)
		return changed
	}
	for _, tc := range []struct {
		o    Options
		line int64
		want []string // empty for a story
	}{
		{o, 2, nil},
		{o, 10, nil},
		{o, 1, []string{"no record at line 1", "the first one is at line 2"}},
		{o, 6, []string{"no record at line 6", "lines 5 and 7"}},
		{o, 11, []string{"no record at line 11", "the last one is at line 10"}},
		{edited(func(o *Options) { o.Report += ".none" }), 2, []string{"give the name of a report"}},
		{edited(func(o *Options) { o.Pairs = other }), 2, []string{"is not the input of this run"}},
	} {
		if _, err := Story(t.Context(), tc.o, tc.line); (err != nil) != (tc.want != nil) || err != nil && !isRefusal(err, tc.want...) {
			t.Errorf("line %d of %s: got %v, want %q", tc.line, tc.o.Pairs, err, tc.want)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(signal{})
	if _, err := Story(ctx, o, 2); !errors.Is(err, signal{}) {
		t.Errorf("interrupted: got %v", err)
	}
	if err := os.Rename(pairs, elsewhere); err != nil {
		t.Fatal(err)
	}
	if _, err := Story(t.Context(), o, 2); !isRefusal(err, "no longer at "+pairs, "--input") {
		t.Errorf("the input has moved: got %v", err)
	}
	if s, err := Story(t.Context(), edited(func(o *Options) { o.Pairs = elsewhere }), 2); err != nil || s.Input != elsewhere {
		t.Errorf("where it is now: got %+v, %v", s, err)
	}
}

// What somebody changed is found, and in which line.
func TestAuditFindsChanges(t *testing.T) {
	replace := func(old, new string) func(string) string {
		return func(text string) string { return strings.Replace(text, old, new, 1) }
	}
	for name, tc := range map[string]struct {
		file   string // report, journal or pairs
		change func(string) string
		what   string
		holds  int // checks before it
		detail string
	}{
		"nothing":                     {"pairs", func(s string) string { return s }, "", 3, ""},
		"a cell of the report":        {"report", replace("not_friend", "deleted"), "report", 2, "line 6 is not"},
		"the report's first line":     {"report", replace("line,", "row,"), "report", 2, "line 1 is not"},
		"a line too many":             {"report", func(s string) string { return s + "\n" }, "report", 2, "line 10 is not"},
		"the last line is gone":       {"report", func(s string) string { return s[:strings.LastIndex(strings.TrimSpace(s), "\n")+1] }, "report", 2, "line 9 is not"},
		"a pair of the input":         {"pairs", replace("z,missing-y", "z,missing-x"), "input", 1, "input"},
		"an input that is none":       {"pairs", func(string) string { return "" }, "input", 1, ""},
		"a byte of the journal":       {"journal", replace("ticket 7", "ticket 8"), "journal", 0, "line 1"},
		"what follows the last line":  {"journal", func(s string) string { return s + "{" }, "journal", 0, "follow its last line"},
		"the journal's first journey": {"journal", replace(`{"send":`, `{"sent":`), "journal", 0, "line 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, pairs := finished(t, manyKin)
			path := map[string]string{"report": o.Report, "journal": o.Report + ".journal", "pairs": pairs}[tc.file]
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(tc.change(string(text))), 0o600); err != nil {
				t.Fatal(err)
			}
			checks, err := Audit(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			holds := 0
			for _, c := range checks {
				if c.Holds {
					holds++
				}
			}
			last := checks[len(checks)-1]
			if holds != tc.holds || last.Holds != (tc.what == "") || tc.what != "" && (last.What != tc.what || len(checks) != holds+1) || !strings.Contains(last.Detail, tc.detail) {
				t.Errorf("got %+v, want %d checks that hold and %s that does not, for %q", checks, tc.holds, tc.what, tc.detail)
			}
		})
	}
}

// A report with another flag than the run's is told from one that was changed, where the flag makes a difference.
func TestAuditOfAReportWithAnotherFlag(t *testing.T) {
	o, _ := finished(t, manyKin)
	lenient := o
	lenient.AlsoSuccess = []string{"not_friend"}
	if _, err := Rewrite(t.Context(), lenient); err != nil {
		t.Fatal(err)
	}
	checks, err := Audit(t.Context(), o)
	if last := checks[len(checks)-1]; err != nil || last.Holds || !strings.Contains(last.Detail, "it is what `report` writes with --ignore-not-friend") {
		t.Errorf("got %+v, %v, want the flag named", checks, err)
	}
	text, err := os.ReadFile(o.Report)
	if err == nil {
		err = os.WriteFile(o.Report, append(text, "\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	checks, err = Audit(t.Context(), o)
	if last := checks[len(checks)-1]; err != nil || last.Holds || strings.Contains(last.Detail, "--ignore-not-friend") {
		t.Errorf("changed as well: got %+v, %v, want no flag named", checks, err)
	}
}

// What was moved aside is audited under its new name, but no run can be continued there.
func TestAuditOfWhatWasMovedAside(t *testing.T) {
	o := options(t, serve(t), fewPairs)
	for range 2 {
		if _, code, err := carryOut(t, o); err != nil || code != exitRowsFailed {
			t.Fatalf("got exit code %d and %v, want 1", code, err)
		}
		o.Overwrite = true
	}
	aside := Options{Report: o.Report + ".1", TempDir: o.TempDir, Log: o.Log, Progress: o.Progress}
	checks, err := Audit(t.Context(), aside)
	if err != nil || len(checks) != 3 || !checks[0].Holds || !checks[1].Holds || !checks[2].Holds {
		t.Errorf("got %+v, %v, want all three to hold", checks, err)
	}
	if _, err := Rewrite(t.Context(), aside); !isRefusal(err, "give the name of a report") {
		t.Errorf("got %v, want that there is no journal of this name to write to", err)
	}
}

// A run that is at work cannot be audited, and one whose input was standard input needs it again.
func TestWhatHasNoStory(t *testing.T) {
	o, _ := finished(t, manyKin)
	held, err := journal.Lock(o.Report, Calls)
	if err != nil {
		t.Fatal(err)
	}
	if checks, err := Audit(t.Context(), o); !isRefusal(err, "a run that is at work cannot be audited") {
		t.Errorf("at work: got %+v, %v, want a refusal", checks, err)
	}
	held.Close()
	if err := os.Truncate(o.Report+".journal", 30); err != nil {
		t.Fatal(err)
	}
	if _, err := Story(t.Context(), o, 2); !isRefusal(err) {
		t.Errorf("of a damaged journal: got %v, want a refusal", err)
	}
	piped := died(t, "from,to\na,b\n")
	piped.Pairs = ""
	if _, err := Story(t.Context(), piped, 2); !isRefusal(err, "the run read standard input", "--input") {
		t.Errorf("of standard input: got %v, want that it is needed again", err)
	}
}

// What cannot be audited is refused: that is no verdict.
func TestWhatIsNotAudited(t *testing.T) {
	o, _ := finished(t, manyKin)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(signal{})
	if checks, err := Audit(ctx, o); !errors.Is(err, signal{}) {
		t.Errorf("interrupted: got %+v, %v", checks, err)
	}
	elsewhere := o
	elsewhere.TempDir = filepath.Join(o.TempDir, "none")
	if checks, err := Audit(t.Context(), elsewhere); !isRefusal(err) {
		t.Errorf("no room for temporary files: got %+v, %v, want a refusal", checks, err)
	}
	if err := os.Remove(o.Report); err != nil {
		t.Fatal(err)
	}
	if checks, err := Audit(t.Context(), o); !isRefusal(err, o.Report, "friendsweep report") {
		t.Errorf("no report: got %+v, %v, want a refusal that says how to write it", checks, err)
	}
	if checks, err := Audit(t.Context(), died(t, "from,to\na,b\n")); !isRefusal(err, "has not ended", "friendsweep status") {
		t.Errorf("a run that died: got %+v, %v, want a refusal", checks, err)
	}
}
