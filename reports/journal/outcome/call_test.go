package outcome

const (
	isDeleted = Answered + iota
	isNotFriend
)

// testCall is the call of the tests' journals.
var testCall = &Call{
	Name: "delete", Loses: true,
	Answers:  []Answer{{Word: "deleted", Confirmed: true, Settles: true}, {Word: "not_friend"}},
	Presumed: Presumption{Code: 31704, From: isNotFriend, To: isDeleted},
}
