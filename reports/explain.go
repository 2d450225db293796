package reports

import (
	"friendsweep/batch"
	"friendsweep/batch/chat"
)

// explainer says in one short line each what a code of the API means and what to do about it; empty where it cannot say.
type explainer func(code int) (meaning, advice string)

// outcomes are the words of the report in the order people ask for them, each with what it means.
var outcomes = []struct {
	Outcome batch.Outcome
	Meaning string
}{
	{batch.Deleted, "confirmed by the API, or presumed after a lost answer"},
	{batch.NotFriend, "was not a friend: nothing to delete"},
	{batch.Refused, "the API said no for good"},
	{batch.GaveUp, "still a temporary error after the last permitted attempt"},
	{batch.Unknown, "sent, but no final answer came: may have been carried out"},
	{batch.NotSent, "certainly not carried out: the run ended first"},
	{batch.Invalid, "could never be sent: the report says why"},
	{batch.Duplicate, "asked for in an earlier row, and has that row's result"},
}

func explain(code int) (meaning, advice string) {
	call := chat.Delete(chat.Single)
	return call.Meaning(code), call.Advice(code)
}
