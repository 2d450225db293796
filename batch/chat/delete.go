package chat

// DeleteType says from whose list of friends the other is removed. The API's own default is not documented and pages of the
// vendor disagree about it, so it is always sent.
type DeleteType string

// The delete types of https://www.tencentcloud.com/document/product/1047/34905.
const (
	Single DeleteType = "Delete_Type_Single" // To_Account leaves the list of From_Account, which stays in To_Account's
	Both   DeleteType = "Delete_Type_Both"   // each leaves the other's list
)

// The outcomes of a deletion, in the order of its Outcomes.
const (
	deletedOutcome = iota
	notFriendOutcome
)

// notFriendCode is final, for it is the state that was asked for; how it came about is another question.
const notFriendCode = 31704

// Delete is the call that removes friends, friend_delete. With another type than [Single] and [Both] it is a call that no
// client takes.
func Delete(t DeleteType) Call {
	c := Call{
		Name: "delete", MaxItems: 1000,
		Outcomes: []Outcome{
			deletedOutcome:   {Word: "deleted", Meaning: "confirmed by the API, or presumed after a lost answer", Confirmed: true, Settles: true},
			notFriendOutcome: {Word: "not_friend", Meaning: "was not a friend: nothing to delete", CountedBy: "--ignore-not-friend"},
		},
		Presumes: Presumption{Code: notFriendCode, From: notFriendOutcome, To: deletedOutcome,
			Info: "31704 after a lost answer: presumed deleted; it may never have been a friend"},
		Loses:  true,
		Texts:  deleteTexts,
		option: [2]string{"DeleteType", string(t)},
		list:   "ResultItem",
		codes:  deleteCodes,
		alias:  alias{30001, "Not_Friend", notFriendCode}, // the vendor's FAQ; texts are like Err_SNS_FriendDelete_Not_Friend
	}
	if t == Single || t == Both {
		c.path = "/v4/sns/friend_delete"
	}
	if t == Both {
		c.OtherSide = "deleted from the other side"
	}
	return c
}

// deleteCodes are those of https://www.tencentcloud.com/document/product/1047/34905 that no other call knows, or not so.
// A request for several rows that is refused with "not a friend" says nothing of the others: it is split, to the end.
var deleteCodes = map[int]entry{
	30001:         {split, &refuse, "a request parameter is wrong, or not in the friend list", checkIDs},
	30008:         {retry, &retry, "write conflict: another client changes the same account", "do not change the same accounts from elsewhere meanwhile"},
	notFriendCode: {splitAll, &Ruling{Verdict: Final, Outcome: notFriendOutcome}, "not a friend", "nothing to delete; --ignore-not-friend counts it as success"},
	31707:         {throttle, &throttle, "security policy: deleting too frequently", slower},
}

var deleteTexts = Texts{
	ToDo: "To delete", Nothing: "There is nothing to delete.",
	Sandbox: "This is the sandbox: nothing real is deleted.", InSandbox: "This was the sandbox: nothing real was deleted.",
	Sides: map[string]string{
		string(Single): "one side: To_Account leaves the friends of From_Account, which stays among the friends of To_Account",
		string(Both):   "both sides: From_Account and To_Account leave each other's friends",
	},
	Succeeded: "succeeded", Failed: "failed",
	Record: "a bulk deletion of friendships",
	Row: "One record of the input: a friendship to delete, between from (the From_Account, whose list of friends is changed) " +
		"and to (the To_Account, who is taken off it).",
	Mirrored: "deleted from both sides",
	Webhook:  "every deletion fires the app's own webhook",
	Presumed: "The answer to the request that carried such a row was lost, and when the row was sent again the API said that " +
		"there is no such friend (31704). It counts as a success, because the lost request most likely deleted it; it may also " +
		"never have been a friendship. The report marks each of these rows.",
}
