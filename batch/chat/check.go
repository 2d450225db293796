package chat

// Check is the call that asks who is whose friend and changes nothing, friend_check:
// https://www.tencentcloud.com/document/product/1047/34907. It always asks about both directions.
//
// An item that failed says NoRelation in the vendor's own sample, so what an item says of the friendship counts with code 0
// alone.
func Check() Call {
	return Call{
		Name: "check", MaxItems: 1000,
		Outcomes: []Outcome{
			{Word: "friends", Meaning: "both have each other", Confirmed: true, CountedBy: "--expect"},
			{Word: "one_way", Meaning: "only From has To", Confirmed: true, CountedBy: "--expect"},
			{Word: "reverse", Meaning: "only To has From", Confirmed: true, CountedBy: "--expect"},
			{Word: "strangers", Meaning: "neither has the other", Confirmed: true, CountedBy: "--expect"},
		},
		Texts:  checkTexts,
		path:   "/v4/sns/friend_check",
		option: [2]string{"CheckType", "CheckResult_Type_Both"},
		list:   "InfoItem",
		state:  "Relation",
		states: []string{"CheckResult_Type_BothWay", "CheckResult_Type_AWithB", "CheckResult_Type_BWithA", "CheckResult_Type_NoRelation"},
	}
}

var checkTexts = Texts{
	ToDo: "To check", Nothing: "There is nothing to check.",
	Sandbox: "This is the sandbox: its people are not real.", InSandbox: "This was the sandbox: its people are not real.",
	Sides: map[string]string{
		string(Single): "gone is a pair of which From_Account does not have To_Account, whatever To_Account has",
		string(Both):   "gone is a pair of which neither has the other",
	},
	Succeeded: "are as expected", Failed: "are not as expected",
	Record: "a bulk check of friendships, which changed nothing",
	Row: "One record of the input: a pair to ask about, from (the From_Account) and to (the To_Account). What is told is who of " +
		"them has the other among their friends at the time of the answer, and not who ended a friendship or that there ever was one.",
}
