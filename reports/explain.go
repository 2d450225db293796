package reports

import "friendsweep/reports/journal"

// Outcome is a word of the report's outcome column, and what it means.
type Outcome struct {
	Outcome       journal.Outcome
	Word, Meaning string
}

// Outcomes are the words of a call's reports, in the order in which people ask for them.
func Outcomes(call *journal.Call) (all []Outcome) {
	for i, a := range call.Answers {
		all = append(all, Outcome{journal.Answered + journal.Outcome(i), a.Word, a.Meaning})
	}
	for _, o := range []Outcome{
		{journal.Refused, "", "the API said no for good"},
		{journal.GaveUp, "", "still a temporary error after the last permitted attempt"},
		{journal.Unknown, "", "sent, but no final answer came: may have been carried out"},
		{journal.NotSent, "", "certainly not carried out: the run ended first"},
		{journal.Invalid, "", "could never be sent: the report says why"},
		{journal.Duplicate, "", "asked for in an earlier row, and has that row's result"},
	} {
		if o.Word = call.Word(o.Outcome); o.Outcome != journal.Unknown || call.Loses {
			all = append(all, o)
		}
	}
	return all
}
