package journal

import "friendsweep/reports/journal/outcome"

const (
	isDeleted = outcome.Answered + iota
	isNotFriend
)

// testCall is the call of the tests' journals.
var testCall = &outcome.Call{
	Name: "delete", Loses: true,
	Answers:  []outcome.Answer{{Word: "deleted", Confirmed: true, Settles: true}, {Word: "not_friend"}},
	Presumed: outcome.Presumption{Code: 31704, From: isNotFriend, To: isDeleted},
}

var testCalls = outcome.Calls{testCall}
