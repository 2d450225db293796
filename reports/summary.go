package reports

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"friendsweep/batch"
)

// Summary is what a run says when it ends. Rows, success, failure, outcomes and codes are of the whole job; requests,
// times and rate of this run. The JSON names are a promise to scripts.
type Summary struct {
	Version           string           `json:"version"`
	Input             string           `json:"input"`
	InputSHA256       string           `json:"input_sha256"`
	InputBytes        int64            `json:"input_bytes"`
	Report            string           `json:"report"`
	Journal           string           `json:"journal"`
	Endpoint          string           `json:"endpoint"` // "sandbox" where nothing real was deleted
	SDKAppID          int              `json:"sdkappid"`
	DeleteType        string           `json:"delete_type"`
	StartedAt         string           `json:"started_at"` // as by [Stamp]
	FinishedAt        string           `json:"finished_at"`
	Rows              int64            `json:"rows"`
	Accounts          int64            `json:"accounts"`
	Success           int64            `json:"success"`
	Failure           int64            `json:"failure"`
	Presumed          int64            `json:"presumed"`
	Outcomes          map[string]int64 `json:"outcomes"` // every word of the report's outcome column
	Codes             map[string]int64 `json:"codes"`    // the 100 commonest, and "other"
	Reasons           map[string]int64 `json:"reasons"`  // failures without a code, the commonest ten
	Note              string           `json:"note"`
	Runs              int              `json:"runs"`           // of the job, this one included
	JobStartedAt      string           `json:"job_started_at"` // when the first of them began
	Requests          int64            `json:"requests"`
	RetriedRequests   int64            `json:"retried_requests"`
	ThrottledRequests int64            `json:"throttled_requests"`
	RowsPerSecond     float64          `json:"rows_per_second"`
	Finished          bool             `json:"finished"`
	StopReason        string           `json:"stop_reason"`
	ExitCode          int              `json:"exit_code"`
	ResumeCommand     string           `json:"resume_command"` // empty when no row is open
	ReportSHA256      string           `json:"report_sha256"`  // hex; empty where no report was written
	JournalHead       string           `json:"journal_head"`   // the h of the journal's last line

	// For the text and the page alone.
	Failures      string `json:"-"` // the failures file; empty if none was written
	Page          string `json:"-"`
	Metrics       string `json:"-"`
	ReportCommand string `json:"-"` // writes the report that this run could not write; empty if it is there
	RetryCommand  string `json:"-"` // sends the refused rows again; empty when there are none
	Allowed       string `json:"-"` // who answered the question, or why nobody was asked
	NotFriendOK   bool   `json:"-"` // --ignore-not-friend: not_friend is a success
}

// SetTally copies the counts of t into s.
func (s *Summary) SetTally(t Tally) {
	s.Rows, s.Success, s.Failure, s.Presumed = t.Rows, t.Success, t.Failure, t.Presumed
	s.Outcomes, s.Codes, s.Reasons = byWord(t), byCode(t), byReason(t)
}

func byWord(t Tally) map[string]int64 {
	words := make(map[string]int64, len(outcomes))
	for _, o := range outcomes {
		words[o.Outcome.String()] = t.Outcomes[o.Outcome]
	}
	return words
}

func byCode(t Tally) map[string]int64 {
	codes := map[string]int64{}
	top, other := commonest(t.Codes, shownCodes)
	for _, code := range top {
		codes[strconv.Itoa(code)] = t.Codes[code]
	}
	if other += t.OtherCodes; other > 0 {
		codes["other"] = other
	}
	return codes
}

func byReason(t Tally) map[string]int64 {
	reasons := map[string]int64{}
	top, _ := commonest(t.Reasons, shownReasons)
	for _, reason := range top {
		reasons[reason] = t.Reasons[reason]
	}
	return reasons
}

// WriteJSON writes the summary as one JSON object.
func (s *Summary) WriteJSON(w io.Writer) error { return writeJSON(w, s) }

// WriteText writes the summary for an operator: the verdict, the counts, what each code means and what to do about it,
// the files, and the next command.
func (s *Summary) WriteText(w io.Writer, opts TextOptions) error {
	return s.writeText(w, opts, explain)
}

func (s *Summary) writeText(w io.Writer, opts TextOptions, explain explainer) error {
	out := &sheet{TextOptions: opts, label: 10, number: len(count(s.Rows))}
	t, text := s.verdict()
	out.headline(t, text)
	if s.Endpoint == "sandbox" {
		out.WriteString("This was the sandbox: nothing real was deleted.\n")
	}
	out.WriteString("\n")
	s.writeCounts(out)
	writeCodes(out, s.Codes, explain)
	writeReasons(out, s.Reasons)
	out.WriteString("\n")
	s.writeRun(out)
	s.writeNext(out)
	return out.writeTo(w)
}

// verdict is the run in one sentence.
func (s *Summary) verdict() (tone, string) {
	open := fmt.Sprintf("%s of %s still open", count(s.open()), counted(s.Rows, "row"))
	if s.open() == 0 {
		open = "no row is open"
	}
	if signal, ok := signals[s.ExitCode]; ok {
		return bad, fmt.Sprintf("Interrupted by %s: %s.", signal, open)
	}
	switch {
	case s.ExitCode > 1 && s.StopReason != "":
		return bad, fmt.Sprintf("Stopped before the end: %s; %s.", s.StopReason, open)
	case s.ExitCode > 1 || !s.Finished:
		return bad, fmt.Sprintf("Not finished: %s.", open)
	case s.Failure > 0:
		return fair, fmt.Sprintf("Finished: %s of %s failed.", count(s.Failure), counted(s.Rows, "row"))
	case s.Rows == 0:
		return good, "Finished: the input has no rows, so nothing was sent."
	default:
		return good, fmt.Sprintf("Finished: %s of %s succeeded.", count(s.Success), counted(s.Rows, "row"))
	}
}

var signals = map[int]string{129: "SIGHUP", 130: "SIGINT (Ctrl-C)", 143: "SIGTERM"}

// open counts the rows that --resume would send.
func (s *Summary) open() int64 {
	return s.outcome(batch.GaveUp) + s.outcome(batch.Unknown) + s.outcome(batch.NotSent)
}

func (s *Summary) outcome(o batch.Outcome) int64 { return s.Outcomes[o.String()] }

func (s *Summary) writeCounts(out *sheet) {
	rows := ""
	if s.Accounts > 0 {
		rows = "of " + counted(s.Accounts, "account")
	}
	out.row("rows", s.Rows, rows)
	out.row("success", s.Success, s.presumedNote())
	out.row("failure", s.Failure, "")
	if s.Rows > 0 {
		out.heading("outcomes")
	}
	writeOutcomes(out, s.Outcomes, s.NotFriendOK)
}

func (s *Summary) presumedNote() string {
	if s.Presumed == 0 {
		return ""
	}
	return count(s.Presumed) + " of them presumed deleted: an answer was lost, then the API said 31704"
}

// writeOutcomes leaves out what did not occur.
func writeOutcomes(out *sheet, counts map[string]int64, notFriendOK bool) {
	for _, o := range outcomes {
		n, note := counts[o.Outcome.String()], o.Meaning
		if o.Outcome == batch.NotFriend && notFriendOK {
			note += " (counted as success: --ignore-not-friend)"
		}
		if n > 0 {
			out.row(o.Outcome.String(), n, note)
		}
	}
}

// writeCodes leaves out 0, which needs no explanation.
func writeCodes(out *sheet, counts map[string]int64, explain explainer) {
	codes := codesByCount(counts)
	codes = slices.DeleteFunc(codes, func(code int) bool { return code == 0 })
	if len(codes) > 0 {
		out.heading("rows by code of the API")
	}
	defer func() {
		if n := counts["other"]; n > 0 {
			out.row("other", n, "codes that are less common")
		}
	}()
	for _, code := range codes {
		meaning, advice := explain(code)
		out.row(strconv.Itoa(code), counts[strconv.Itoa(code)], cmp.Or(meaning, "not documented"))
		if advice != "" {
			out.row("", -1, "-> "+advice)
		}
	}
}

// writeReasons says why rows failed that have no code.
func writeReasons(out *sheet, reasons map[string]int64) {
	top, _ := commonest(reasons, shownReasons)
	if len(top) > 0 {
		out.heading("failed rows without a code")
	}
	for _, reason := range top {
		out.row("", reasons[reason], reason)
	}
}

// codesByCount puts the most frequent code first.
func codesByCount(counts map[string]int64) []int {
	var codes []int
	for text := range maps.Keys(counts) {
		if code, err := strconv.Atoi(text); err == nil {
			codes = append(codes, code)
		}
	}
	slices.SortFunc(codes, func(a, b int) int {
		return cmp.Or(cmp.Compare(counts[strconv.Itoa(b)], counts[strconv.Itoa(a)]), cmp.Compare(a, b))
	})
	return codes
}

func (s *Summary) writeRun(out *sheet) {
	out.fact("this run", s.traffic())
	out.fact("sent to", destination(s.Endpoint, s.SDKAppID))
	out.fact("allowed", s.Allowed)
	out.fact("note", s.Note)
	out.path("report", s.Report)
	out.path("failures", s.Failures)
	out.path("journal", s.Journal)
	out.path("page", s.Page)
	out.path("metrics", s.Metrics)
	out.fact("head", s.JournalHead)
}

// traffic is what this run cost.
func (s *Summary) traffic() string {
	text := counted(s.Requests, "request")
	if s.RetriedRequests > 0 || s.ThrottledRequests > 0 {
		text += fmt.Sprintf(" (%s repeated, %s throttled)", count(s.RetriedRequests), count(s.ThrottledRequests))
	}
	if took, ok := s.took(); ok {
		text += " in " + span(took)
	}
	if s.RowsPerSecond >= 1 {
		text += ", " + count(int64(s.RowsPerSecond)) + " rows/s"
	}
	return text
}

func (s *Summary) took() (took time.Duration, ok bool) {
	began, err := time.Parse(time.RFC3339, s.StartedAt)
	ended, err2 := time.Parse(time.RFC3339, s.FinishedAt)
	return ended.Sub(began), err == nil && err2 == nil
}

func destination(endpoint string, app int) string {
	if endpoint == "" {
		return ""
	}
	return fmt.Sprintf("%s, app %d", endpoint, app)
}

// writeNext names the one command that brings the job further.
func (s *Summary) writeNext(out *sheet) {
	if s.ReportCommand != "" {
		out.command("The report could not be written. To write it, without sending anything, once there is room:", s.ReportCommand)
	}
	switch {
	case s.ResumeCommand != "":
		out.command("To send what is still open ("+counted(s.open(), "row")+"):", s.ResumeCommand)
		noteInput(out, s.Input)
	case s.RetryCommand != "":
		out.command("To send the refused rows again once their cause is mended ("+
			counted(s.outcome(batch.Refused), "row")+"):", s.RetryCommand)
		noteInput(out, s.Input)
	}
}

// noteInput: the bytes of standard input are part of the job, and no command can bring them back.
func noteInput(out *sheet, input string) {
	if input == "-" {
		out.WriteString("  (with the same bytes on standard input; it also needs --yes)\n")
	}
}
