package reports

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"friendsweep/reports/fates"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
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
	StartedAt         string           `json:"started_at"` // as by [terminal.Stamp]
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
	Failures        string        `json:"-"` // the failures file; empty if none was written
	Page            string        `json:"-"`
	Metrics         string        `json:"-"`
	ReportCommand   string        `json:"-"` // writes the report that this run could not write; empty if it is there
	ReportWaits     string        `json:"-"` // when that command can: "once there is room"
	RetryCommand    string        `json:"-"` // sends the refused rows again; empty when there are none
	FromEnvironment bool          `json:"-"` // see [SecretFromEnvironment]
	Allowed         string        `json:"-"` // who answered the question, or why nobody was asked
	Died            bool          `json:"-"` // the run did not write its end: it has no exit code
	Call            *outcome.Call `json:"-"`
	Remark          string        `json:"-"` // what the command has to say of the answers
	Good            outcome.Set   `json:"-"` // the answers that are successes
}

// SetTally copies the counts of t into s, whose Call is set.
func (s *Summary) SetTally(t fates.Tally) {
	s.Rows, s.Success, s.Failure, s.Presumed = t.Rows, t.Success, t.Failure, t.Presumed
	s.Outcomes, s.Codes, s.Reasons = byWord(s.Call, t), byCode(t), byReason(t)
}

func byWord(call *outcome.Call, t fates.Tally) map[string]int64 {
	words := map[string]int64{}
	for _, o := range Outcomes(call) {
		words[o.Word] = t.Outcomes[o.Outcome]
	}
	return words
}

func byCode(t fates.Tally) map[string]int64 {
	codes := map[string]int64{}
	top, other := fates.Commonest(t.Codes, fates.ShownCodes)
	for _, code := range top {
		codes[strconv.Itoa(code)] = t.Codes[code]
	}
	if other += t.OtherCodes; other > 0 {
		codes["other"] = other
	}
	return codes
}

func byReason(t fates.Tally) map[string]int64 {
	reasons := map[string]int64{}
	top, _ := fates.Commonest(t.Reasons, fates.ShownReasons)
	for _, reason := range top {
		reasons[reason] = t.Reasons[reason]
	}
	return reasons
}

// WriteJSON writes the summary as one JSON object.
func (s *Summary) WriteJSON(w io.Writer) error { return terminal.WriteJSON(w, s) }

// WriteText writes the summary for an operator: the verdict, the counts, what each code means and what to do about it,
// the files, and the next command.
func (s *Summary) WriteText(w io.Writer, opts terminal.TextOptions) error {
	out := &terminal.Sheet{TextOptions: opts, Label: 10, Number: len(terminal.Count(s.Rows))}
	t, text := s.Verdict()
	out.Headline(t, text)
	if s.Endpoint == "sandbox" {
		out.WriteString(s.Call.Texts.InSandbox + "\n")
	}
	out.WriteString("\n")
	s.writeCounts(out)
	writeCodes(out, s.Call, s.Advice, s.Codes)
	writeReasons(out, s.Reasons)
	out.WriteString("\n")
	s.writeRun(out)
	s.writeNext(out)
	return out.Print(w)
}

// Verdict is the run in one sentence.
func (s *Summary) Verdict() (terminal.Tone, string) {
	open := fmt.Sprintf("%s of %s still open", terminal.Count(s.open()), terminal.Counted(s.Rows, "row"))
	if s.open() == 0 {
		open = "no row is open"
	}
	if signal, ok := signals[s.ExitCode]; ok {
		return terminal.Bad, fmt.Sprintf("Interrupted by %s: %s.", signal, open)
	}
	switch {
	case s.Died:
		return terminal.Bad, fmt.Sprintf("The run died before its end (killed, crashed, power lost or disk full): %s.", open)
	case s.ExitCode > 1 && s.StopReason != "":
		return terminal.Bad, fmt.Sprintf("Stopped before the end: %s; %s.", s.StopReason, open)
	case s.ExitCode > 1 || !s.Finished:
		return terminal.Bad, fmt.Sprintf("Not finished: %s.", open)
	case s.Failure > 0:
		return terminal.Fair, fmt.Sprintf("Finished: %s of %s %s.", terminal.Count(s.Failure), terminal.Counted(s.Rows, "row"), s.Call.Texts.Failed)
	case s.Rows == 0:
		return terminal.Good, "Finished: the input has no rows, so nothing was sent."
	default:
		return terminal.Good, fmt.Sprintf("Finished: %s of %s %s.", terminal.Count(s.Success), terminal.Counted(s.Rows, "row"), s.Call.Texts.Succeeded)
	}
}

var signals = map[int]string{129: "SIGHUP", 130: "SIGINT (Ctrl-C)", 143: "SIGTERM"}

// open counts the rows that --resume would send.
func (s *Summary) open() (n int64) {
	for _, o := range Outcomes(s.Call) {
		if o.Outcome.IsOpen() {
			n += s.Outcomes[o.Word]
		}
	}
	return n
}

// Outcome is how many rows have this outcome.
func (s *Summary) Outcome(o outcome.Outcome) int64 { return s.Outcomes[s.Call.Word(o)] }

func (s *Summary) writeCounts(out *terminal.Sheet) {
	rows := ""
	if s.Accounts > 0 {
		rows = "of " + terminal.Counted(s.Accounts, "account")
	}
	out.Row("rows", s.Rows, rows)
	out.Row("success", s.Success, presumedNote(s.Call, s.Presumed))
	out.Row("failure", s.Failure, s.openNote())
	if s.Rows > 0 {
		out.Heading("outcomes")
	}
	writeOutcomes(out, s.Call, s.Good, s.Outcomes)
}

// openNote tells failures that are for good from rows that are only not done.
func (s *Summary) openNote() string {
	if s.open() == 0 {
		return ""
	}
	return terminal.Count(s.open()) + " of them still open: --resume sends them"
}

// presumedNote is empty where no row is presumed.
func presumedNote(call *outcome.Call, rows int64) string {
	if rows == 0 {
		return ""
	}
	p := call.Presumed
	return fmt.Sprintf("%s of them presumed %s: an answer was lost, then the API said %d", terminal.Count(rows), call.Word(p.To), p.Code)
}

// writeOutcomes leaves out what did not occur.
func writeOutcomes(out *terminal.Sheet, call *outcome.Call, good outcome.Set, counts map[string]int64) {
	for _, o := range Outcomes(call) {
		n, note := counts[o.Word], o.Meaning
		if good.Has(o.Outcome) && call.Answers[o.Outcome-outcome.Answered].CountedBy != "" {
			note += " (counted as success: " + call.Answers[o.Outcome-outcome.Answered].CountedBy + ")"
		}
		if n > 0 {
			out.Row(o.Word, n, note)
		}
	}
}

// writeCodes leaves out 0, which needs no explanation.
func writeCodes(out *terminal.Sheet, call *outcome.Call, advice func(code int) string, counts map[string]int64) {
	codes := CodesByCount(counts)
	codes = slices.DeleteFunc(codes, func(code int) bool { return code == 0 })
	if len(codes) > 0 {
		out.Heading("rows by code of the API")
	}
	defer func() {
		if n := counts["other"]; n > 0 {
			out.Row("other", n, "codes that are less common")
		}
	}()
	for _, code := range codes {
		out.Row(strconv.Itoa(code), counts[strconv.Itoa(code)], cmp.Or(call.Meaning(code), "not documented"))
		if text := advice(code); text != "" {
			out.Row("", -1, "-> "+text)
		}
	}
}

// Advice is what to do about a code; it may be empty.
func (s *Summary) Advice(code int) string {
	return adviceFor(s.Call, s.Good, s.Outcome(s.Call.Presumed.From), code)
}

// adviceFor is empty where the rows that have the code are successes already, or have it from a row that was presumed, so that
// nobody is told to do what was done. from: the rows whose outcome is the one that is presumed to be another.
func adviceFor(call *outcome.Call, good outcome.Set, from int64, code int) string {
	p := call.Presumed
	if code == 0 || code == p.Code && (good.Has(p.From) || from == 0) {
		return ""
	}
	return call.Advice(code)
}

// writeReasons says why rows failed that have no code.
func writeReasons(out *terminal.Sheet, reasons map[string]int64) {
	top, _ := fates.Commonest(reasons, fates.ShownReasons)
	if len(top) > 0 {
		out.Heading("failed rows without a code")
	}
	for _, reason := range top {
		out.Row("", reasons[reason], reason)
	}
}

// CodesByCount puts the most frequent code first.
func CodesByCount(counts map[string]int64) []int {
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

func (s *Summary) writeRun(out *terminal.Sheet) {
	if began, err := time.Parse(time.RFC3339, s.JobStartedAt); err == nil && s.Runs > 1 {
		out.Fact("whole job", fmt.Sprintf("%d runs since %s; all counts above are of the whole job", s.Runs, terminal.Clock(began)))
	}
	out.Fact("this run", s.traffic())
	if ended, err := time.Parse(time.RFC3339, s.FinishedAt); err == nil {
		out.Fact("ended", terminal.Clock(ended))
	}
	out.Fact("sent to", destination(s.Endpoint, s.SDKAppID))
	out.Fact("allowed", s.Allowed)
	out.Fact("note", s.Note)
	if s.ReportCommand == "" {
		out.Path("report", s.Report)
		out.Path("failures", s.Failures)
	}
	out.Path("journal", s.Journal)
	out.Path("page", s.Page)
	out.Path("metrics", s.Metrics)
	out.Fact("head", s.JournalHead)
}

// traffic is what this run cost.
func (s *Summary) traffic() string {
	text := terminal.Counted(s.Requests, "request")
	if s.RetriedRequests > 0 || s.ThrottledRequests > 0 {
		text += fmt.Sprintf(" (%s repeated, %s throttled)", terminal.Count(s.RetriedRequests), terminal.Count(s.ThrottledRequests))
	}
	if took, ok := s.Took(); ok {
		text += " in " + terminal.Span(took)
	}
	if s.RowsPerSecond >= 1 {
		text += ", " + terminal.Count(int64(s.RowsPerSecond)) + " rows/s"
	}
	return text
}

// Took is how long the run took by its own times; ok is false where it has none.
func (s *Summary) Took() (took time.Duration, ok bool) {
	began, err := time.Parse(time.RFC3339, s.StartedAt)
	ended, err2 := time.Parse(time.RFC3339, s.FinishedAt)
	return ended.Sub(began), err == nil && err2 == nil
}

func destination(endpoint string, app int) string {
	if endpoint == "" {
		return ""
	}
	if app == 0 { // a plan may not know it
		return endpoint
	}
	return fmt.Sprintf("%s, app %d", endpoint, app)
}

// writeNext names the one command that brings the job further.
func (s *Summary) writeNext(out *terminal.Sheet) {
	if s.Remark != "" {
		out.WriteString("\n")
		out.Note(s.Remark)
	}
	if s.ReportCommand != "" {
		out.Command("The report could not be written. To write it, without sending anything, "+s.ReportWaits+":", s.ReportCommand)
	}
	switch {
	case s.ResumeCommand != "" && s.open() == 0:
		out.Command("To end the run that died, of which nothing is left to be sent:", s.ResumeCommand)
	case s.ResumeCommand != "":
		out.Command("To send what is still open ("+terminal.Counted(s.open(), "row")+"):", s.ResumeCommand)
	case s.RetryCommand != "":
		writeRetry(out, s.Outcome(outcome.Refused), s.RetryCommand)
	default:
		return
	}
	noteInput(out, s.Input, s.ResumeCommand+s.RetryCommand)
	noteSecret(out, s.FromEnvironment)
}

func writeRetry(out *terminal.Sheet, rows int64, command string) {
	out.Command("To send the refused rows again once their cause is mended ("+terminal.Counted(rows, "row")+"):", command)
}

// noteInput: the bytes of standard input are part of the job, and no command can bring them back.
func noteInput(out *terminal.Sheet, input, command string) {
	if !IsGone(input) {
		return
	}
	text := "with the same bytes on standard input"
	if input != "-" {
		text += "; " + input + " was a pipe, and is gone"
	}
	if !strings.Contains(command, " --yes ") && !strings.Contains(command, " --sandbox ") {
		text += "; it also needs --yes"
	}
	out.WriteString("  (" + text + ")\n")
}

// SecretFromEnvironment tells whether the secret came from the environment, so that the next command needs it there again: the
// run's flags name no file that it is in, and it is not the sandbox's.
func SecretFromEnvironment(endpoint string, flags entry.Flags) bool {
	return endpoint != "sandbox" && flags["secret-key-file"] == nil && flags["usersig-file"] == nil
}

func noteSecret(out *terminal.Sheet, fromEnvironment bool) {
	if fromEnvironment {
		out.WriteString("  (with FRIENDSWEEP_SECRET_KEY or FRIENDSWEEP_USERSIG in the environment, as before)\n")
	}
}

// IsGone tells of an input that was there for one reading: standard input, and a shell's <(…).
func IsGone(input string) bool {
	return input == "-" || strings.HasPrefix(input, "/dev/fd/") || strings.HasPrefix(input, "/proc/")
}
