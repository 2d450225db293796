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
			{"friends", "both have each other"},
			{"one_way", "only From has To"},
			{"reverse", "only To has From"},
			{"strangers", "neither has the other"},
		},
		path:   "/v4/sns/friend_check",
		option: [2]string{"CheckType", "CheckResult_Type_Both"},
		list:   "InfoItem",
		state:  "Relation",
		states: []string{"CheckResult_Type_BothWay", "CheckResult_Type_AWithB", "CheckResult_Type_BWithA", "CheckResult_Type_NoRelation"},
	}
}
