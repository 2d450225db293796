package entry_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
)

const (
	at    = `"at":"2026-01-31T02:00:00.000Z"`
	begin = `{"friendsweep":"v1",` + at + `,"job":{"call":"delete","rows":900,"last_line":901},"run":{}}`
)

const (
	noLine    = "it is not a line of a journal"
	noLines   = `its "lines" are not ascending line numbers like 2,5-900`
	badResult = "one of its results contradicts itself"
)

// parserOf is the parser of a journal whose first line was read.
func parserOf(t *testing.T, first string) *entry.Parser {
	t.Helper()
	p := entry.NewParser(journaltest.Calls)
	if _, err := p.Parse([]byte(first)); err != nil {
		t.Fatalf("%s: %v", first, err)
	}
	return p
}

// TestBadLines: whatever is wrong with a line, it is refused in our own words, and the next line is read as if it had not come.
func TestBadLines(t *testing.T) {
	answer := func(results string) string { return `{"answer":1,` + at + `,"ms":80,"results":` + results + `}` }
	for _, tc := range []struct{ name, line, want string }{
		{"nothing", ``, noLine},
		{"no object", `7`, noLine},
		{"an object of nothing", `{}`, noLine},
		{"a time alone", `{` + at + `}`, noLine},
		{"torn", `{"send":1,` + at, noLine},
		{"two objects", `{"withdraw":1,` + at + `}{"withdraw":2,` + at + `}`, noLine},

		{"a request without rows", `{"send":1,` + at + `,"account":"a"}`, noLine},
		{"a request without a time", `{"send":1,"account":"a","lines":"2"}`, noLine},
		{"a request that took time", `{"send":1,` + at + `,"account":"a","lines":"2","ms":5}`, noLine},
		{"a withdrawal of rows", `{"withdraw":1,` + at + `,"lines":"2"}`, noLine},
		{"an answer without results", `{"answer":1,` + at + `,"ms":80}`, noLine},
		{"a decision with a number", `{"decide":"a","send":1,` + at + `,"results":[]}`, noLine},
		{"a request that is decided", `{"send":1,"decide":"a",` + at + `,"lines":"2"}`, noLine},

		{"a number twice", `{"send":1,"send":1,` + at + `,"account":"a","lines":"2"}`, noLine},
		{"a time twice", `{"send":1,` + at + `,` + at + `,"account":"a","lines":"2"}`, noLine},
		{"an account twice", `{"send":1,` + at + `,"account":"a","account":"b","lines":"2"}`, noLine},
		{"rows twice", `{"send":1,` + at + `,"account":"a","lines":"2","lines":"3"}`, noLine},
		{"results twice", `{"decide":"a",` + at + `,"results":[],"results":[]}`, noLine},

		{"a number below zero", `{"withdraw":-1,` + at + `}`, noLine},
		{"a number in words", `{"withdraw":"one",` + at + `}`, noLine},
		{"a duration below zero", `{"answer":1,` + at + `,"ms":-1,"results":[]}`, noLine},
		{"a time of no day", `{"withdraw":1,"at":"2026-02-31T02:00:00.000Z"}`, noLine},
		{"a time as a number", `{"withdraw":1,"at":5}`, noLine},
		{"an account as a number", `{"send":1,` + at + `,"account":5,"lines":"2"}`, noLine},
		{"rows as a number", `{"send":1,` + at + `,"account":"a","lines":5}`, noLine},
		{"rows that descend", `{"send":1,` + at + `,"account":"a","lines":"3,2"}`, noLines},
		{"a row beyond the input", `{"send":1,` + at + `,"account":"a","lines":"902"}`, noLines},

		{"an account with an escape that is none", `{"send":1,` + at + `,"account":"\q,"lines":"2"}`, noLine},
		{"rows with an escape that is none", `{"send":1,` + at + `,"account":"a","lines":"\q}`, noLine},
		{"a time with an escape that is none", `{"withdraw":1,"at":"\q}`, noLine},

		{"results that are none", answer(`"all"`), noLine},
		{"a result that is none", answer(`[7]`), noLine},
		{"an outcome that nobody knows", answer(`[{"outcome":"deletes","code":0}]`), badResult},
		{"an outcome that is never written", answer(`[{"outcome":"unknown"}]`), badResult},
		{"an outcome as a number", answer(`[{"outcome":1}]`), noLine},
		{"a code in words", answer(`[{"outcome":"refused","code":"thirty"}]`), noLine},
		{"a text as a number", answer(`[{"outcome":"refused","info":5}]`), noLine},
		{"a text with an escape that is none", answer(`[{"outcome":"refused","info":"\q}]`), noLine},
		{"an outcome with an escape that is none", answer(`[{"outcome":"\q}]`), noLine},
		{"a loss in words", answer(`[{"outcome":"open","lost":"yes"}]`), noLine},
		{"a presumption in words", answer(`[{"outcome":"deleted","code":31704,"presumed":"yes"}]`), noLine},
		{"rows of a result as a number", answer(`[{"outcome":"refused","lines":5}]`), noLine},
		{"rows of a result that descend", answer(`[{"outcome":"refused","lines":"3,2"}]`), noLines},
		{"deleted without a code", answer(`[{"outcome":"deleted"}]`), badResult},
		{"a sound one before it", answer(`[{"outcome":"refused","lines":"2"},{"outcome":"deleted","lines":"3"}]`), badResult},

		{"a first line that is torn", `{"friendsweep":"v1"`, noLine},
		{"a first line without a version", strings.Replace(begin, `"v1"`, `null`, 1), noLine},
		{"a first line without a job", `{"friendsweep":"v1",` + at + `,"run":{}}`, noLine},
		{"a first line without a run", strings.Replace(begin, `,"run":{}`, ``, 1), noLine},
		{"a first line of no time", strings.Replace(begin, `"at":"2`, `"at":"x`, 1), noLine},
		{"a call of a later version", strings.Replace(begin, `"delete"`, `"block"`, 1), noLine + `: its call "block" is not one that this version knows`},
		{"a resumed run without a version", `{"resume":null,` + at + `,"run":{}}`, noLine},
		{"a resumed run of nobody", `{"resume":"v1",` + at + `}`, noLine},
		{"an end without a code", `{"end":null,` + at + `,"stopped":""}`, noLine},
		{"an end without a reason", `{"end":"0",` + at + `}`, noLine},
	} {
		p := parserOf(t, begin)
		got, err := p.Parse([]byte(tc.line))
		if err == nil || err.Error() != tc.want {
			t.Errorf("%s: got %+v, %v; want %s", tc.name, got, err, tc.want)
		}
		if tc.want == noLine && !errors.Is(err, entry.ErrLine) {
			t.Errorf("%s: got %v, want ErrLine", tc.name, err)
		}
		if strings.HasPrefix(tc.line, `{"friendsweep"`) {
			continue // it may have taken the call away, and nothing is read after it
		}
		const next = `{"answer":1,` + at + `,"ms":0,"results":[{"outcome":"deleted","code":0}]}`
		if got, err := p.Parse([]byte(next)); err != nil || got.Took != 0 || len(got.Results) != 1 || got.Rows != nil {
			t.Errorf("%s: the next line: got %+v, %v", tc.name, got, err)
		}
	}
}

// TestResultsBeforeTheFirstLine: nobody knows their words.
func TestResultsBeforeTheFirstLine(t *testing.T) {
	line := `{"decide":"a",` + at + `,"results":[{"outcome":"deleted","code":0,"lines":"2"}]}`
	if got, err := entry.NewParser(journaltest.Calls).Parse([]byte(line)); !errors.Is(err, entry.ErrLine) {
		t.Errorf("got %+v, %v; want %v", got, err, entry.ErrLine)
	}
}

// TestCountsOfAJob: a first line whose counts cannot be those of an input is none.
func TestCountsOfAJob(t *testing.T) {
	for counts, want := range map[string]bool{
		`"rows":0,"last_line":0`:                                              true, // a header alone
		`"rows":5,"last_line":5`:                                              true,
		`"rows":6,"last_line":5`:                                              false,
		`"rows":1,"last_line":17179869184`:                                    true,
		`"rows":1,"last_line":17179869185`:                                    false,
		`"rows":-1,"last_line":5`:                                             false,
		`"rows":5,"last_line":9,"invalid":-1`:                                 false,
		`"rows":5,"last_line":9,"duplicates":-1,"mirrors":-1`:                 false,
		`"rows":5,"last_line":9,"duplicates":2,"mirrors":-1`:                  false,
		`"rows":5,"last_line":9,"duplicates":2,"mirrors":2`:                   true,
		`"rows":5,"last_line":9,"duplicates":2,"mirrors":3`:                   false,
		`"rows":5,"last_line":9,"invalid":5`:                                  true,
		`"rows":5,"last_line":9,"invalid":6`:                                  false,
		`"rows":5,"last_line":9,"invalid":3,"duplicates":2`:                   true,
		`"rows":5,"last_line":9,"invalid":4,"duplicates":2`:                   false,
		`"rows":5,"last_line":9,"duplicates":6`:                               false,
		`"rows":9223372036854775807,"last_line":9223372036854775807`:          false,
		`"rows":5,"last_line":9,"duplicates":9223372036854775807,"invalid":1`: false,
	} {
		line := strings.Replace(begin, `"rows":900,"last_line":901`, counts, 1)
		if _, err := entry.NewParser(journaltest.Calls).Parse([]byte(line)); (err == nil) != want {
			t.Errorf("%s: got %v, want it read: %v", counts, err, want)
		}
	}
}

// TestKeysOfALaterVersion are skipped, wherever they stand and whatever is in them.
func TestKeysOfALaterVersion(t *testing.T) {
	p := parserOf(t, strings.Replace(begin, `"run"`, `"later":[{}],"run"`, 1))
	line := `{"answer":1,"later":{"send":2},` + at + `,"ms":80,"results":[{"outcome":"refused","later":["lines"],"lines":"2"}]}`
	if got, err := p.Parse([]byte(line)); err != nil || got.Kind != entry.Answer || got.ID != 1 || len(got.Results) != 1 || !got.Results[0].Rows.Has(2) {
		t.Errorf("got %+v, %v; want the answer to request 1", got, err)
	}
}

// TestLongTexts: what is kept of a result's text has at most MaxInfo bytes, and whole characters.
func TestLongTexts(t *testing.T) {
	text := func(size int, end string) string { return strings.Repeat("x", size-len(end)) + end }
	for _, tc := range []struct{ name, info, want string }{
		{"as long as may be", text(entry.MaxInfo, ""), text(entry.MaxInfo, "")},
		{"a byte longer", text(entry.MaxInfo+1, ""), text(entry.MaxInfo, "")},
		{"a character that ends at the border", text(entry.MaxInfo, "€") + "y", text(entry.MaxInfo, "€")},
		{"a character across it", text(entry.MaxInfo+1, "€"), text(entry.MaxInfo-2, "")},
		{"one with a byte within", text(entry.MaxInfo+2, "€"), text(entry.MaxInfo-1, "")},
		{"no characters at all", strings.Repeat("\x80", entry.MaxInfo+1), ""},
	} {
		e := entry.Entry{Kind: entry.Decide, Results: []outcome.Result{{Rows: outcome.RowsAt(2), Outcome: outcome.Refused, Info: tc.info}}}
		line, err := entry.Append(nil, journaltest.Call, &e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parserOf(t, begin).Parse(append(line, '}'))
		if err != nil || got.Results[0].Info != tc.want {
			t.Errorf("%s: got %+v, %v; want %d bytes", tc.name, got, err, len(tc.want))
		}
	}
}

// TestALineThatCannotBeMade: flags are texts and switches, and what no JSON can say is no line.
func TestALineThatCannotBeMade(t *testing.T) {
	run := journaltest.Run
	run.Flags = entry.Flags{"rate": math.Inf(1)}
	for _, kind := range []entry.Kind{entry.Begin, entry.Resume} {
		if line, err := entry.Append(nil, journaltest.Call, &entry.Entry{Kind: kind, Head: entry.Head{Run: run}}); err == nil {
			t.Errorf("kind %d: got %s, want an error", kind, line)
		}
	}
}
