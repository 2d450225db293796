// Package page draws a run as one self-contained HTML page: what became of the rows, why some failed, when it happened, and
// what proves it.
//
// [Write] writes the page of a run's [Data]. It has no script and loads nothing, and everything that came from elsewhere is
// escaped.
package page

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"time"

	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
	"friendsweep/reports/whole"
)

// Data is what the page tells. Summary must be set; what else is empty is left out.
type Data struct {
	Summary      *reports.Summary
	Host, User   string
	Identifier   string         // the app admin account that was used
	Command      string         // of this run, quoted by [terminal.ShellQuote]; it must not contain a secret
	Runs         int            // how many runs the job took so far
	Began        time.Time      // when the first of them began
	Timeline     fates.Timeline // of all runs
	Latency      fates.Latency  // of all runs
	Samples      []reports.SampleGroup
	Fingerprints []reports.Fingerprint
	Later        time.Time // when another command than the run wrote the page; zero where the run did
}

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"shown": terminal.Printable, "n": terminal.Count, "n64": func(n int) string { return terminal.Count(int64(n)) }, "size": terminal.Size, "stamp": terminal.Stamp,
}).Parse(pageText))

// Write writes the page to path, whole or not at all, with mode 0600 because it names accounts.
func Write(path string, data Data) error {
	var page bytes.Buffer
	err := Render(&page, data)
	if err == nil {
		err = whole.Write(path, 0o600, page.Bytes())
	}
	if err != nil {
		return fmt.Errorf("writing page %s: %w", terminal.Printable(path), err)
	}
	return nil
}

// Render writes the run as one self-contained HTML page without a script: the browser fetches nothing for it, and its
// own policy forbids it to.
func Render(w io.Writer, data Data) error {
	return pageTemplate.Execute(w, newView(data))
}

// view is PageData in the words and order of the page.
type view struct {
	Data
	Mark, Tone, Verdict string
	Sandbox             bool
	Took                string
	Sides               string
	Outcomes            []outcomeView
	Why                 []whyView // failed rows, by code and where there is none by reason
	Codes               []codeView
	Chart               *chart // nil where nothing was answered
	Quantiles           []quantile
	Groups              []groupView
}

type outcomeView struct {
	Name, Meaning, Status string
	Failed                bool
	Rows                  int64
	Share                 string // in words: 12.3%
	Bar                   string // the same as a length in percent
}

type codeView struct {
	Code            string
	Rows            int64
	Meaning, Advice string // advice only where the table above does not have it
}

type whyView struct {
	Link           string // of the examples further down the page; empty for none
	Code           string // a dash where there is none
	Rows           int64
	Reason, Advice string
}

type quantile struct{ Name, Time string }

type groupView struct {
	reports.SampleGroup
	ID, Title string
}

func newView(data Data) view {
	s := data.Summary
	t, text := s.Verdict()
	v := view{Data: data, Verdict: text, Sandbox: s.Endpoint == "sandbox", Sides: s.Call.Texts.Sides[s.DeleteType]}
	v.Tone, v.Mark = toneClass(t)
	if took, ok := s.Took(); ok {
		v.Took = span(took)
	}
	for _, o := range reports.Outcomes(s.Call) {
		v.Outcomes = append(v.Outcomes, newOutcome(s, o))
	}
	for _, g := range data.Samples {
		v.Groups = append(v.Groups, newGroup(s.Call, g))
	}
	v.Why = newWhy(s, v.Groups)
	v.Codes = newCodes(s, v.Why)
	if len(data.Timeline.Rows) > 0 {
		v.Chart = newChart(data.Timeline)
	}
	if l := data.Latency; l.Max > 0 {
		v.Quantiles = []quantile{{"half of them within", span(l.P50)}, {"90% within", span(l.P90)}, {"99% within", span(l.P99)}, {"slowest", span(l.Max)}}
	}
	return v
}

// toneClass gives the verdict a sign as well as a colour, because not everybody sees colours and not every printer has them.
func toneClass(t terminal.Tone) (class, mark string) {
	switch t {
	case terminal.Good:
		return "good", "✓"
	case terminal.Fair:
		return "fair", "!"
	default:
		return "bad", "✕"
	}
}

func newOutcome(s *reports.Summary, o reports.Outcome) outcomeView {
	v := outcomeView{Name: o.Word, Meaning: o.Meaning, Rows: s.Outcomes[o.Word], Bar: "0"}
	v.Share = share(v.Rows, s.Rows)
	if s.Rows > 0 {
		v.Bar = strconv.FormatFloat(float64(v.Rows)/float64(s.Rows)*100, 'f', 2, 64)
	}
	switch {
	case s.Good.Has(o.Outcome):
		v.Status = "success"
	case o.Outcome == outcome.Duplicate:
		v.Status = "as the first"
	default:
		v.Status, v.Failed = "failure", true
	}
	return v
}

// share never rounds something to nothing, nor nearly all to all.
func share(part, whole int64) string {
	switch {
	case part == 0:
		return "0%"
	case part == whole:
		return "100%"
	}
	of := float64(part) / float64(whole) * 100
	switch {
	case of < 0.1:
		return "<0.1%"
	case of > 99.9:
		return ">99.9%"
	}
	return fmt.Sprintf("%.1f%%", of)
}

// mostWhy is how many codes are told one by one: more are not seen at a glance.
const mostWhy = 20

// newWhy has the failed rows of each code, then those without one by their reason, the commonest first, and what is left of
// both together.
func newWhy(s *reports.Summary, groups []groupView) (why []whyView) {
	rest := s.Failure
	tell := func(link, code string, rows int64, reason, advice string) {
		why, rest = append(why, whyView{link, code, rows, reason, advice}), rest-rows
	}
	for _, g := range groups {
		if g.Code.Given && len(why) < mostWhy {
			code := g.Code.Number
			tell(g.ID, strconv.Itoa(code), g.Rows, cmp.Or(s.Call.Meaning(code), "not documented"), s.Advice(code))
		}
	}
	top, _ := fates.Commonest(s.Reasons, fates.ShownReasons)
	for _, reason := range top {
		tell("", none, s.Reasons[reason], reason, "")
	}
	for _, g := range groups {
		if !g.Code.Given && g.Outcome == outcome.Duplicate {
			tell(g.ID, none, g.Rows, "the same pair as an earlier row, which failed without a code", "")
		}
	}
	if rest > 0 && len(groups) > 0 { // there are none where there is no report: then codes are not known by failed rows
		tell("", "other", rest, "codes and reasons that are less common; the report has them", "")
	}
	return why
}

// none stands for a code where there is none.
const none = "–"

// span is a time that was measured in whole milliseconds.
func span(d time.Duration) string {
	if d < time.Millisecond {
		return "under 1 ms"
	}
	return terminal.Span(d)
}

func newCodes(s *reports.Summary, why []whyView) []codeView {
	told := map[string]bool{}
	for _, w := range why {
		told[w.Code] = true
	}
	var views []codeView
	for _, code := range reports.CodesByCount(s.Codes) {
		v := codeView{Code: strconv.Itoa(code), Meaning: s.Call.Meaning(code)}
		if v.Rows = s.Codes[v.Code]; !told[v.Code] {
			v.Advice = s.Advice(code)
		}
		views = append(views, v)
	}
	if n := s.Codes["other"]; n > 0 {
		views = append(views, codeView{Code: "other", Rows: n, Meaning: "codes that are less common"})
	}
	return views
}

func newGroup(call *outcome.Call, g reports.SampleGroup) groupView {
	if !g.Code.Given {
		return groupView{g, "outcome-" + call.Word(g.Outcome), "No code: " + call.Word(g.Outcome)}
	}
	code := strconv.Itoa(g.Code.Number)
	return groupView{g, "code-" + code, "Code " + code + ": " + call.Meaning(g.Code.Number)}
}
