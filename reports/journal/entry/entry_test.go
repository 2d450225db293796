package entry_test

import (
	"bufio"
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
)

// TestEntriesComeBack: a parser says of each line what was written.
func TestEntriesComeBack(t *testing.T) {
	const at = 1767225600123
	first := entry.Head{Version: journaltest.Run.Version, Call: journaltest.Call, Job: journaltest.Job(5, 9), Run: journaltest.Run}
	parser, previous := entry.NewParser(journaltest.Calls), ""
	for _, want := range []entry.Entry{
		{Kind: entry.Begin, Head: first},
		{Kind: entry.Send, ID: 1, Account: "alice", Rows: outcome.Rows{{Lo: 2, Hi: 2}, {Lo: 5, Hi: 9}}},
		{Kind: entry.Answer, ID: 1, Took: 80, Results: []outcome.Result{
			journaltest.Deletes(2), {Rows: outcome.Rows{{Lo: 5, Hi: 9}}, Lost: true, Info: "no answer within 15s"},
		}},
		{Kind: entry.Withdraw, ID: 2},
		{Kind: entry.Decide, Account: "carol", Results: []outcome.Result{
			{Rows: outcome.RowsAt(4), Outcome: outcome.Refused, Code: outcome.Code{Number: 30003, Given: true}, Info: "not tried alone"},
		}},
		{Kind: entry.End, Code: "130", Stopped: "interrupted by SIGINT"},
		{Kind: entry.Resume, Head: entry.Head{Run: journaltest.Run}},
	} {
		want.At = at
		line, err := entry.Append(nil, journaltest.Call, &want)
		if err != nil {
			t.Fatal(err)
		}
		sealed, h := entry.Seal(line, previous)
		line = bytes.TrimSuffix(sealed, []byte("\n"))
		if got, fits, ok := entry.Link(line, previous); got != h || !fits || !ok {
			t.Errorf("%s: got %s, %v, %v; want its own h", line, got, fits, ok)
		}
		if _, fits, ok := entry.Link(line, strings.Repeat("0", 32)); fits || !ok {
			t.Errorf("%s: got %v, %v behind another line, want a line that does not fit", line, fits, ok)
		}
		got, err := parser.Parse(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		want.Account = "" // nobody who reads a journal asks for it
		got.Head.At = want.Head.At
		if diff := cmp.Diff(*got, want, cmp.Comparer(func(a, b *outcome.Call) bool { return a == b }),
			cmp.Transformer("none", func(all []outcome.Result) []outcome.Result { return append([]outcome.Result{}, all...) })); diff != "" {
			t.Errorf("%s: got -, want +\n%s", line, diff)
		}
		previous = h
	}
}

// TestTheGrammarsExamples: every line that the package comment shows is one, once it has what is left out there.
func TestTheGrammarsExamples(t *testing.T) {
	source, err := os.Open("entry.go")
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	job := `{"call":"delete","input_sha256":"9f86","rows":900,"last_line":900}`
	kinds, parser := map[entry.Kind]bool{}, entry.NewParser(journaltest.Calls)
	for lines := bufio.NewScanner(source); lines.Scan() && !strings.HasPrefix(lines.Text(), "package"); {
		line, ok := strings.CutPrefix(lines.Text(), "//\t")
		if !ok {
			continue
		}
		line = strings.Replace(line, `{"call":"delete","input_sha256":"9f86…","rows":3,…}`, job, 1)
		line = strings.NewReplacer(`{…},…}`, `{}}`, `{…}`, `{}`).Replace(line)
		if !strings.Contains(line, `"at":`) {
			line = strings.TrimSuffix(line, "}") + `,"at":"2026-01-31T02:00:00.000Z"}`
		}
		e, err := parser.Parse([]byte(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		kinds[e.Kind] = true
	}
	if got, want := len(kinds), int(entry.End); got != want {
		t.Errorf("got examples of %d kinds, want %d", got, want)
	}
}
