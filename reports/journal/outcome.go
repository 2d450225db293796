package journal

// Outcome is what became of a row. Its String is the word in the report's outcome column.
type Outcome uint8

// The outcomes of the report. A Runner gives only Open, Deleted, NotFriend, Refused and GaveUp; the others are derived
// when a report is made.
const (
	Open      Outcome = iota // nothing final yet: it is sent again, in this run or in one that resumes it
	Deleted                  // the API confirmed it, or it is presumed after a lost answer
	NotFriend                // code 31704
	Refused                  // the API said no for good
	GaveUp                   // still a retryable error after the last permitted attempt
	Unknown                  // the run ended while it may have been carried out
	NotSent                  // the run ended and it was certainly not carried out
	Invalid                  // could never be sent
	Duplicate                // said before, in an earlier row
)

var outcomeNames = [...]string{"open", "deleted", "not_friend", "refused", "gave_up", "unknown", "not_sent", "invalid", "duplicate"}

// String is the word in the report's outcome column; "open" stands in no report.
func (o Outcome) String() string { return outcomeNames[o] }

// ParseOutcome is the inverse of [Outcome.String]; ok is false for any other word.
func ParseOutcome(word string) (o Outcome, ok bool) {
	for i, name := range outcomeNames {
		if name == word {
			return Outcome(i), true
		}
	}
	return Open, false
}

// Final reports whether the API has answered the row for good, so that it is never sent again.
func (o Outcome) Final() bool { return o == Deleted || o == NotFriend || o == Refused }

// Result is what an answer, or a decision of ours without one, means for some rows.
type Result struct {
	Lines    []int64 // the rows, by the line where their record starts; nil is every row of the request
	Outcome  Outcome // Open, Deleted, NotFriend, Refused or GaveUp
	HasCode  bool    // whether the API gave a code
	Code     int     // the item's, else the request's
	Info     string  // the API's text or ours
	Lost     bool    // the request may have been carried out although no valid answer for the row came
	Presumed bool    // Deleted, because an earlier answer was lost and the code is 31704
}
