package reports

import (
	"friendsweep/batch/chat"
	"friendsweep/reports/journal"
)

// explainer says in one short line each what a code of the API means and what to do about it; empty where it cannot say.
type Explainer func(code int) (meaning, advice string)

// outcomes are the words of the report in the order people ask for them, each with what it means.
var Outcomes = []struct {
	Outcome journal.Outcome
	Meaning string
}{
	{journal.Deleted, "confirmed by the API, or presumed after a lost answer"},
	{journal.NotFriend, "was not a friend: nothing to delete"},
	{journal.Refused, "the API said no for good"},
	{journal.GaveUp, "still a temporary error after the last permitted attempt"},
	{journal.Unknown, "sent, but no final answer came: may have been carried out"},
	{journal.NotSent, "certainly not carried out: the run ended first"},
	{journal.Invalid, "could never be sent: the report says why"},
	{journal.Duplicate, "asked for in an earlier row, and has that row's result"},
}

func Explain(code int) (meaning, advice string) { return chat.Meaning(code), chat.Advice(code) }
