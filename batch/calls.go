package batch

import (
	"friendsweep/batch/chat"
	"friendsweep/reports/journal"
)

// The calls, as journal and report know them.
var (
	Delete = &journal.Call{
		Name: "delete",
		Answers: []journal.Answer{
			{Word: "deleted", Meaning: "confirmed by the API, or presumed after a lost answer", Confirmed: true, Settles: true},
			{Word: "not_friend", Meaning: "was not a friend: nothing to delete", CountedBy: "--ignore-not-friend"},
		},
		Loses: true,
		Presumed: journal.Presumption{Code: 31704, From: notFriend, To: deleted,
			Info: "31704 after a lost answer: presumed deleted; it may never have been a friend"},
		Meaning: chat.Meaning, Advice: chat.Advice,
		Texts: journal.Texts{
			ToDo: "To delete", Nothing: "There is nothing to delete.",
			Sandbox: "This is the sandbox: nothing real is deleted.", InSandbox: "This was the sandbox: nothing real was deleted.",
			Sides: map[string]string{
				string(chat.Single): "one side: To_Account leaves the friends of From_Account, which stays among the friends of To_Account",
				string(chat.Both):   "both sides: From_Account and To_Account leave each other's friends",
			},
			Record: "a bulk deletion of friendships",
			Row: "One record of the input: a friendship to delete, between from (the From_Account, whose list of friends is changed) " +
				"and to (the To_Account, who is taken off it).",
			Presumed: "The answer to the request that carried such a row was lost, and when the row was sent again the API said that " +
				"there is no such friend (31704). It counts as a success, because the lost request most likely deleted it; it may also " +
				"never have been a friendship. The report marks each of these rows.",
			OtherSide: "deleted from the other side",
		},
	}

	// Calls are all of them.
	Calls = journal.Calls{Delete}
)

const (
	deleted   = journal.Answered
	notFriend = journal.Answered + 1
)
