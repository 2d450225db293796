package reports

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"friendsweep/reports/fates"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
)

// Plan is a bill and a clock: what a run would delete, in how many requests and in what time at least. The JSON names are
// a promise to scripts.
type Plan struct {
	Input              string           `json:"input"`
	InputSHA256        string           `json:"input_sha256"`
	InputBytes         int64            `json:"input_bytes"`
	Rows               int64            `json:"rows"`
	Pairs              int64            `json:"pairs"` // what would be sent
	Accounts           int64            `json:"accounts"`
	Requests           int64            `json:"requests"` // as written, if nothing has to be sent again
	Invalid            int64            `json:"invalid"`
	Duplicates         int64            `json:"duplicates"`
	LargestAccountRows int64            `json:"largest_account_rows"`
	MinSeconds         float64          `json:"min_seconds"`                  // at the chosen rates; 0 without a limit
	Endpoint           string           `json:"endpoint"`                     // empty where none was named
	SDKAppID           int              `json:"sdkappid"`                     // 0 where none was named
	DeleteType         string           `json:"delete_type"`                  // as the API spells it
	InvalidReasons     map[string]int64 `json:"invalid_reasons"`              // invalid rows by reason, the commonest
	RequestsRegrouped  *int64           `json:"requests_regrouped,omitempty"` // only where both sides are deleted

	// For the text alone. What is empty is not shown.
	Asked            int64         `json:"-"` // requests as they will be asked: fewer than Requests with --regroup
	Call             *outcome.Call `json:"-"`
	ChunkSize        int           `json:"-"`
	Rate             float64       `json:"-"` // requests per second; 0 is no limit
	RowRate          float64       `json:"-"` // rows per second; 0 is no limit
	Identifier       string        `json:"-"` // as whom
	Report           string        `json:"-"`
	SecondsRegrouped float64       `json:"-"` // MinSeconds of RequestsRegrouped
	Reasons          []InvalidRow  `json:"-"` // the first invalid rows
	Largest          []AccountRows `json:"-"` // the largest accounts, largest first
	Asking           bool          `json:"-"` // a run is about to begin: the text ends without saying that nothing was sent
}

// InvalidRow is a row that can never be sent.
type InvalidRow struct {
	Line   int64
	Reason string
}

// AccountRows is a From_Account with the number of its rows.
type AccountRows struct {
	Account string
	Rows    int64
}

// WriteJSON writes the plan as one JSON object.
func (p *Plan) WriteJSON(w io.Writer) error { return terminal.WriteJSON(w, p) }

// WriteText writes the plan for the person who must say yes or no.
func (p *Plan) WriteText(w io.Writer, opts terminal.TextOptions) error {
	out := &terminal.Sheet{TextOptions: opts, Label: 10, Number: len(terminal.Count(p.Rows))}
	out.Headline(terminal.Bold, p.verdict())
	if p.Endpoint == "sandbox" {
		out.WriteString(p.Call.Texts.Sandbox + "\n")
	}
	out.WriteString("\n")
	p.writeCounts(out)
	p.writeReasons(out)
	p.writeLargest(out)
	out.WriteString("\n")
	out.Fact("time", p.time())
	out.Fact("load", p.load())
	out.Fact("deletes", p.sides())
	out.Fact("send to", p.where())
	out.Fact("input", p.input())
	out.Path("report", p.Report)
	if !p.Asking {
		out.WriteString("\nNothing was sent.\n")
	}
	return out.Print(w)
}

func (p *Plan) verdict() string {
	if p.Pairs == 0 {
		return p.Call.Texts.Nothing
	}
	return fmt.Sprintf("%s: %s of %s, in %s.", p.Call.Texts.ToDo,
		terminal.Counted(p.Pairs, "pair"), terminal.Counted(p.Accounts, "account"), terminal.Counted(p.Asked, "request"))
}

func (p *Plan) writeCounts(out *terminal.Sheet) {
	out.Row("rows", p.Rows, "")
	out.Row("pairs", p.Pairs, "each is sent once")
	out.Row("duplicates", p.Duplicates, "asked for in an earlier row")
	out.Row("invalid", p.Invalid, "never sent; they count as failures")
	out.Row("accounts", p.Accounts, "")
	chunk := ""
	if p.ChunkSize > 0 {
		chunk = fmt.Sprintf("of at most %s, more if some must be repeated", terminal.Counted(int64(p.ChunkSize), "pair"))
	}
	out.Row("requests", p.Requests, chunk)
	if p.RequestsRegrouped != nil {
		note := "with --regroup, which asks from the side that needs fewer"
		if p.SecondsRegrouped > 0 {
			note += ": " + atLeast(p.SecondsRegrouped)
		}
		out.Row("", *p.RequestsRegrouped, note)
	}
}

func (p *Plan) writeReasons(out *terminal.Sheet) {
	if len(p.Reasons) == 0 {
		return
	}
	out.Heading("invalid rows")
	reasons, _ := fates.Commonest(p.InvalidReasons, fates.ShownReasons)
	for _, reason := range reasons {
		out.Row("", p.InvalidReasons[reason], reason)
	}
	for _, r := range p.Reasons {
		out.Fact(fmt.Sprintf("line %d", r.Line), r.Reason)
	}
	if more := p.Invalid - int64(len(p.Reasons)); more > 0 {
		out.Fact("", fmt.Sprintf("and %s more", terminal.Count(more)))
	}
}

func (p *Plan) writeLargest(out *terminal.Sheet) {
	if len(p.Largest) == 0 {
		return
	}
	out.Heading("largest accounts")
	for _, a := range p.Largest {
		out.Row("", a.Rows, rowsOf(a.Rows)+a.Account)
	}
}

func (p *Plan) time() string {
	var rates []string
	if p.Rate > 0 {
		rates = append(rates, trimmed(p.Rate)+" requests")
	}
	if p.RowRate > 0 {
		rates = append(rates, trimmed(p.RowRate)+" rows")
	}
	if len(rates) == 0 {
		return "no limit of requests per second was set: as fast as the API answers"
	}
	return fmt.Sprintf("%s, at %s a second", atLeast(p.MinSeconds), strings.Join(rates, " and "))
}

// atLeast is so many seconds in words. They may be more than the 292 years that a [time.Duration] can tell.
func atLeast(seconds float64) string {
	least := time.Duration(math.MaxInt64)
	if ns := seconds * float64(time.Second); ns < math.MaxInt64 { // which as a float64 is one more than itself, and does not fit
		least = time.Duration(ns)
	}
	return "at least " + terminal.Span(least)
}

// load is what the app's own back end will see of it, and when the vendor warns its owner.
func (p *Plan) load() string {
	if p.Call.Texts.Webhook == "" || p.Asked == 0 {
		return ""
	}
	text := p.Call.Texts.Webhook
	perSecond := p.Rate * float64(p.Pairs) / float64(p.Asked)
	if p.RowRate > 0 && (p.RowRate < perSecond || p.Rate == 0) {
		perSecond = p.RowRate
	}
	if perSecond > 0 {
		text += ": up to " + terminal.Count(int64(math.Ceil(min(perSecond, float64(p.Pairs))))) + " a second at these rates"
	}
	if p.Rate == 0 || p.Rate >= alertRate {
		text += fmt.Sprintf("; the vendor's alert, if it is set up, comes from %d requests a second on", alertRate)
	}
	return text
}

// alertRate is where Alert.RequestOverLimit fires: 80 % of the API's 200 requests a second (vendor page 34905).
const alertRate = 160

// trimmed writes 200 and 0.5, not 200.000000.
func trimmed(f float64) string { return fmt.Sprintf("%.6g", f) }

func (p *Plan) sides() string {
	if text, ok := p.Call.Texts.Sides[p.DeleteType]; ok {
		return text + " (" + p.DeleteType + ")"
	}
	return p.DeleteType
}

func (p *Plan) where() string {
	text := destination(p.Endpoint, p.SDKAppID)
	if text != "" && p.Identifier != "" {
		text += " as " + p.Identifier
	}
	return text
}

func (p *Plan) input() string {
	return fmt.Sprintf("%s, %s, sha256 %s", InputName(p.Input), terminal.Size(p.InputBytes), p.InputSHA256)
}

// InputName is PAIRS as people say it.
func InputName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}

func rowsOf(n int64) string {
	if n == 1 {
		return "row of "
	}
	return "rows of "
}
