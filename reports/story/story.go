// Package story is what became of one record and why, as `status --line` tells it.
//
// [New] begins a [Story]; it is told with [Story.Add] what each request did about the record, and [Story.Conclude] ends it. The
// sentence that says why the outcome is what it is stands in why.go.
package story

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"

	"friendsweep/input"
	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
)

// Story is what became of one record and why, as `status --line` tells it. Status to Presumed are what the report says, or
// would say if the run ended now. The JSON names are a promise to scripts.
type Story struct {
	Report     string `json:"report"`
	Journal    string `json:"journal"`
	Input      string `json:"input"`
	Head       string `json:"journal_head"`
	State      string `json:"state"` // of the job: running, dead, finished or stopped
	Line       int64  `json:"line"`
	From       string `json:"from_account"`
	To         string `json:"to_account"`
	Status     string `json:"status"`
	Outcome    string `json:"outcome"`
	Code       *int   `json:"result_code"` // null where the API gave none
	Info       string `json:"result_info"`
	Attempts   int64  `json:"attempts"`
	FinishedAt string `json:"finished_at"`
	Presumed   bool   `json:"presumed"`
	Why        string `json:"why"` // a whole sentence

	Repeats        *Kin    `json:"repeats"`          // the record that this one repeats; null for none
	RepeatedBy     []Kin   `json:"repeated_by"`      // the first of those that repeat this one
	MoreRepeatedBy int64   `json:"more_repeated_by"` // how many more there are
	Runs           []Begun `json:"runs"`             // those that did something about the record
	Events         []Event `json:"events"`           // what the journal says, in its order
	EventsLeftOut  int64   `json:"events_left_out"`  // in the middle, where there are very many

	call       *outcome.Call
	good       outcome.Set
	canRetry   bool
	fate       fates.Fate
	stopReason string
	lastRun    int
}

// Kin is a record that asks for what another asks for.
type Kin struct {
	Line   int64 `json:"line"`
	Mirror bool  `json:"mirror"` // it is the same friendship from the other side
}

// Begun is a run of the job.
type Begun struct {
	Run     int    `json:"run"` // counted from 1
	At      string `json:"started_at"`
	User    string `json:"user"`
	Host    string `json:"host"`
	Allowed string `json:"allowed"`
	Note    string `json:"note"`
}

// Event is one thing that the journal says about the record.
type Event struct {
	Run      int    `json:"run"`
	Kind     string `json:"kind"`    // one of the Kinds below
	Request  int64  `json:"request"` // its number; 0 for a decision
	SentAt   string `json:"sent_at"` // empty for a decision
	At       string `json:"at"`      // of the answer, the withdrawal or the decision; empty where no answer came
	Outcome  string `json:"outcome"` // what it meant for the record: an outcome of the report, or open
	Code     *int   `json:"result_code"`
	Info     string `json:"result_info"`
	Lost     bool   `json:"lost"` // the answer was: it may have been carried out all the same
	Presumed bool   `json:"presumed"`
}

// Kinds of events.
const (
	Answered  = "answered"  // the API answered with a code
	Failed    = "failed"    // no valid answer for the record came: lost, or the request did not get there
	NoAnswer  = "no_answer" // none came before its run ended
	Awaited   = "awaited"   // the run is at work, and none has come yet
	Withdrawn = "withdrawn" // it was not sent after all
	Decided   = "decided"   // an outcome without a request of its own
)

// mostEvents bounds what is kept of a row that was sent without end; the first and the last half stay.
const mostEvents = 1000

// New is one without events, of a job of the call.
func New(call *outcome.Call) *Story {
	return &Story{call: call, RepeatedBy: []Kin{}, Runs: []Begun{}, Events: []Event{}}
}

// began notes the run that did what is added next.
func (s *Story) began(b Begun) {
	if n := len(s.Runs); n == 0 || s.Runs[n-1].Run != b.Run {
		s.Runs = append(s.Runs, b)
	}
}

// Add adds what a run did about the record. Where it is withdrawn the change says nothing else.
func (s *Story) Add(d *journal.Change, run Begun, withdrawn bool) {
	s.began(run)
	e := Event{
		Run: d.Run, Kind: kindOf(d, withdrawn), Request: d.Request, SentAt: terminal.Stamp(journal.UnixMilli(d.Sent)),
		Outcome: s.call.Word(d.Outcome), Info: d.Info, Lost: d.Lost, Presumed: d.Presumed,
	}
	if !d.NoAnswer {
		e.At = terminal.Stamp(journal.UnixMilli(d.At))
	}
	if d.Code.Given {
		e.Code = new(d.Code.Number)
	}
	if len(s.Events) == mostEvents {
		s.Events = slices.Delete(s.Events, mostEvents/2, mostEvents/2+1)
		s.EventsLeftOut++
	}
	s.Events = append(s.Events, e)
}

func kindOf(d *journal.Change, withdrawn bool) string {
	switch {
	case withdrawn:
		return Withdrawn
	case d.NoAnswer:
		return NoAnswer
	case d.Request == 0:
		return Decided
	case !d.Code.Given:
		return Failed
	}
	return Answered
}

// RepeatOf notes that the record repeats an earlier one.
func (s *Story) RepeatOf(r input.Repeat) { s.Repeats = &Kin{r.First, r.Mirror} }

// mostKin is how many of the records that repeat this one are named.
const mostKin = 20

// Repeated notes a record that repeats this one, in any order. The first ones are named, the others counted.
func (s *Story) Repeated(line int64, mirror bool) {
	at, _ := slices.BinarySearchFunc(s.RepeatedBy, line, func(k Kin, line int64) int { return cmp.Compare(k.Line, line) })
	s.RepeatedBy = slices.Insert(s.RepeatedBy, at, Kin{line, mirror})
	if len(s.RepeatedBy) > mostKin {
		s.RepeatedBy = s.RepeatedBy[:mostKin]
		s.MoreRepeatedBy++
	}
}

// Conclude tells the story's end: the record, what the journal says of its line, and how the job stands. held: a process
// works on it.
func (s *Story) Conclude(rec *input.Record, fate fates.Fate, seen *journal.Overview, held bool) (err error) {
	if s.fate, err = fate.For(rec); err != nil {
		return err
	}
	held = held && !seen.Ended // else somebody writes its report, or reads it
	s.Head, s.State = seen.Link, reports.StateOf(held, seen.Ended, seen.EndCode)
	s.stopReason, s.lastRun = seen.Stopped, seen.Runs
	s.good, s.canRetry = s.call.Set(seen.LastRun.Success), reports.Next{Flags: seen.LastRun.Flags}.CanRetry()
	s.Line, s.From, s.To = rec.Line, rec.From, rec.To
	s.Status, s.Outcome, s.Info, s.Attempts = "failure", s.call.Word(s.fate.Outcome), s.fate.Info, s.fate.Attempts
	if s.fate.Success(s.good) {
		s.Status = "success"
	}
	s.FinishedAt, s.Presumed = terminal.Stamp(s.fate.At), s.fate.Presumed
	if s.fate.Code.Given {
		s.Code = new(s.fate.Code.Number)
	}
	if s.running() {
		s.await()
	}
	s.Why = s.why()
	return nil
}

// await: what has no answer yet in the run that is at work may still get one.
func (s *Story) await() {
	for i := range s.Events {
		if e := &s.Events[i]; e.Kind == NoAnswer && e.Run == s.lastRun {
			e.Kind, e.Info, e.Lost = Awaited, "", false
		}
	}
}

func (s *Story) running() bool { return s.State == "running" }

// WriteJSON writes the story as one JSON object.
func (s *Story) WriteJSON(w io.Writer) error { return terminal.WriteJSON(w, s) }

// WriteText writes the story for the person who asks about this one row.
func (s *Story) WriteText(w io.Writer, opts terminal.TextOptions) error {
	out := &terminal.Sheet{TextOptions: opts, Label: 11}
	for _, e := range s.Events {
		out.Label = max(out.Label, len(e.label()))
	}
	now := ""
	if s.running() {
		now = " so far; a run is at work"
	}
	tone := terminal.Bad
	if s.Status == "success" {
		tone = terminal.Good
	}
	out.Headline(tone, fmt.Sprintf("Line %d: %s, %s%s.", s.Line, s.Outcome, s.Status, now))
	out.Paragraph(s.Why)
	out.WriteString("\n")
	out.Fact("from", s.From)
	out.Fact("to", s.To)
	s.writeResult(out)
	s.writeKin(out)
	s.writeEvents(out)
	out.WriteString("\n")
	out.Path("input", reports.InputName(s.Input))
	out.Path("report", s.Report)
	out.Path("journal", s.Journal)
	out.Fact("head", s.Head)
	return out.Print(w)
}

func (s *Story) writeResult(out *terminal.Sheet) {
	if s.Code != nil {
		out.Fact("result_code", strconv.Itoa(*s.Code)+": "+s.call.Meaning(*s.Code))
		if s.Status == "failure" {
			out.Fact("", "-> "+s.call.Advice(*s.Code))
		}
	}
	out.Fact("result_info", s.Info)
	out.Fact("attempts", terminal.Count(s.Attempts))
	out.Fact("finished_at", s.FinishedAt)
}

func (s *Story) writeKin(out *terminal.Sheet) {
	if s.Repeats != nil {
		out.Fact("repeats", s.Repeats.String())
	}
	for i, k := range s.RepeatedBy {
		label := ""
		if i == 0 {
			label = "repeated by"
		}
		out.Fact(label, k.String())
	}
	if s.MoreRepeatedBy > 0 {
		out.Fact("", "and "+terminal.Count(s.MoreRepeatedBy)+" more")
	}
}

// String is the record for people.
func (k Kin) String() string {
	if k.Mirror {
		return fmt.Sprintf("line %d, the same friendship from the other side", k.Line)
	}
	return fmt.Sprintf("line %d, the same pair", k.Line)
}

func (s *Story) writeEvents(out *terminal.Sheet) {
	if len(s.Events) == 0 {
		out.Heading("the journal says nothing about it: no request carried it")
		return
	}
	out.Heading("what the journal says about it")
	run := 0
	for i, e := range s.Events {
		if i == mostEvents/2 && s.EventsLeftOut > 0 {
			out.Fact("…", terminal.Count(s.EventsLeftOut)+" more are left out here")
		}
		if e.Run != run {
			run = e.Run
			out.Fact(fmt.Sprintf("run %d", run), s.run(run))
		}
		out.Fact(e.label(), e.String())
	}
}

// run is who began the run, and when.
func (s *Story) run(number int) string {
	i := slices.IndexFunc(s.Runs, func(b Begun) bool { return b.Run == number })
	b := s.Runs[i]
	text := "began " + b.At + " by " + b.User + reports.On(b.Host)
	if b.Allowed != "" {
		text += " (" + b.Allowed + ")"
	}
	if b.Note != "" {
		text += ": " + b.Note
	}
	return text
}

// label is what the line of the event begins with.
func (e *Event) label() string {
	if e.Request > 0 {
		return fmt.Sprintf("request %d", e.Request)
	}
	return "decided"
}

// String is the event for people.
func (e *Event) String() string {
	switch e.Kind {
	case Withdrawn:
		return "withdrawn " + e.At + ": it was not sent after all"
	case NoAnswer:
		return "sent " + e.SentAt + "; no answer was recorded before the run ended"
	case Awaited:
		return "sent " + e.SentAt + "; no answer has come yet"
	case Decided:
		return e.At + ": " + e.said()
	}
	return "sent " + e.SentAt + ", " + e.Kind + " " + e.At + ": " + e.said()
}

// openWord is the word of every call for what is not settled.
var openWord = (*outcome.Call)(nil).Word(outcome.Open)

// said is what the answer or decision means for the record.
func (e *Event) said() string {
	text := e.Outcome
	switch {
	case e.Lost && e.Outcome == openWord:
		text = "it may have been carried out"
	case e.Outcome == openWord:
		text = "it was not carried out"
	case e.Lost:
		text += ", and it may have been carried out"
	}
	if e.Code != nil {
		text += ", code " + strconv.Itoa(*e.Code)
	}
	if e.Info != "" {
		text += ": " + e.Info
	}
	return text
}
