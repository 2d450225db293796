// Package outcome is what can become of a row, and the one rule of what an answer does to it: [Call.After]. Sending,
// resuming and reporting ask it, and so a row has one fate wherever somebody looks.
//
// A request carries [Rows]. What came of it is a [Result] for some of them; what is known of a row is its [State], and at the
// end its [Outcome]. The words for that, and what may be concluded from an answer, differ by [Call]: nothing here or above
// knows a call by its name. No file is read or written here.
package outcome

// Outcome is what became of a row. The shared outcomes are named here; what the API can say of an item for good differs by
// call and begins with [Answered]: [Call.Word] is the word of each in the report's outcome column.
type Outcome uint8

// The outcomes that every call has. A run writes only Open, Refused, GaveUp and answers; the others are derived when a
// report is made.
const (
	Open      Outcome = iota // nothing final yet: it is sent again, in this run or in one that resumes it
	Refused                  // the API said no for good
	GaveUp                   // still a retryable error after the last permitted attempt
	Unknown                  // the run ended while it may have been carried out
	NotSent                  // the run ended and it was certainly not carried out
	Invalid                  // could never be sent
	Duplicate                // said before, in an earlier row
	Answered                 // the first of the call's answers; the others follow
)

// MaxAnswers is how many answers a call may have: an outcome takes four bits where there are many.
const MaxAnswers = 8

// Outcomes is how many outcomes there can be: the length of an array with a place for each.
const Outcomes = int(Answered) + MaxAnswers

var sharedWords = [Answered]string{"open", "refused", "gave_up", "unknown", "not_sent", "invalid", "duplicate"}

// IsAnswer reports whether the outcome is one of the call's answers. What the API has answered so stands: no later answer
// changes it.
func (o Outcome) IsAnswer() bool { return o >= Answered }

// IsFinal reports whether the API has answered the row for good, so that it is never sent again.
func (o Outcome) IsFinal() bool { return o.IsAnswer() || o == Refused }

// IsOpen reports whether a run that resumes the job sends the row.
func (o Outcome) IsOpen() bool { return o == Open || o == GaveUp || o == Unknown || o == NotSent }

// IsWritten reports whether a run writes the outcome: the others are derived.
func (o Outcome) IsWritten() bool { return o <= GaveUp || o.IsAnswer() }

// Set is some of a call's answers, each by its bit.
type Set uint8

// Has reports whether the outcome is an answer of the set.
func (s Set) Has(o Outcome) bool { return o.IsAnswer() && s&(1<<(o-Answered)) != 0 }

// Code is a code of the API, if it gave one.
type Code struct {
	Number int
	Given  bool
}

// Result is what an answer, or a decision of ours without one, means for some rows.
type Result struct {
	Rows     Rows    // ascending; nil is every row of the request
	Outcome  Outcome // Open, Refused, GaveUp or an answer of the call
	Code     Code    // the item's, else the request's
	Info     string  // the API's text or ours
	Lost     bool    // the request may have been carried out although no valid answer for the row came
	Presumed bool    // the outcome is what [Call.Presumed] concludes
}

// State is what is known of a row.
type State struct {
	Outcome  Outcome
	Code     Code
	Lost     bool // an answer was lost, in any run
	Presumed bool // the outcome is what [Call.Presumed] concludes
}

// After is the one rule of what a result does to a row. The last word counts, but for rows that have an answer: what
// happened to a friendship cannot be undone by a later one. A refused row may be sent again. A presumption holds only for
// a row that lost an answer: without one the truth is what was answered.
func (c *Call) After(was State, r *Result) State {
	if was.Outcome.IsAnswer() {
		return was
	}
	now := State{Outcome: r.Outcome, Code: r.Code, Lost: was.Lost || r.Lost && c.Loses}
	if p := &c.Presumed; p.Code != 0 && r.Code == (Code{p.Code, true}) && (r.Outcome == p.From || r.Outcome == p.To) {
		now.Outcome = p.From
		if now.Lost {
			now.Outcome, now.Presumed = p.To, true
		}
	}
	return now
}

// AtEnd is the outcome that the report has of the row when no run is at work. sent says that a request carried it.
func (s State) AtEnd(sent bool) Outcome {
	switch {
	case s.Outcome != Open:
		return s.Outcome
	case sent && s.Lost:
		return Unknown
	}
	return NotSent
}
