package reports

import (
	"friendsweep/reports/journal/outcome"
)

// Outcome is a word of the report's outcome column, and what it means.
type Outcome struct {
	Outcome       outcome.Outcome
	Word, Meaning string
}

// Outcomes are the words of a call's reports, in the order in which people ask for them.
func Outcomes(call *outcome.Call) (all []Outcome) {
	for i, a := range call.Answers {
		all = append(all, Outcome{outcome.Answered + outcome.Outcome(i), a.Word, a.Meaning})
	}
	for _, o := range []Outcome{
		{outcome.Refused, "", "the API said no for good"},
		{outcome.GaveUp, "", "still a temporary error after the last permitted attempt"},
		{outcome.Unknown, "", "sent, but no final answer came: may have been carried out"},
		{outcome.NotSent, "", "certainly not carried out: the run ended first"},
		{outcome.Invalid, "", "could never be sent: the report says why"},
		{outcome.Duplicate, "", "asked for in an earlier row, and has that row's result"},
	} {
		if o.Word = call.Word(o.Outcome); o.Outcome != outcome.Unknown || call.Loses {
			all = append(all, o)
		}
	}
	return all
}
