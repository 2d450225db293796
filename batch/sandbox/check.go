package sandbox

// The values of Relation.
const (
	bothWay    = "CheckResult_Type_BothWay"
	aWithB     = "CheckResult_Type_AWithB"
	bWithA     = "CheckResult_Type_BWithA"
	noRelation = "CheckResult_Type_NoRelation"
)

// checking is friend_check: https://www.tencentcloud.com/document/product/1047/34907. Of its texts only that of 30006 is
// documented, in a sample in which the failed item says NoRelation; the others follow its pattern. That the codes of a
// busy- ID and of a pair with itself can come in this call is our doing, not the vendor's.
var checking = kind{
	command: "friend_check",
	option:  "CheckType", single: "CheckResult_Type_Single", both: "CheckResult_Type_Both",
	list: "InfoItem",
	texts: map[int]string{
		codeBadParameter: "Err_SNS_FriendCheck_Invalid_Parameter",
		codeNoAccount:    "Err_SNS_FriendCheck_Account_Not_Exist",
		codeInternal:     "Err_SNS_FriendCheck_Check_Relation_Exec_Task_Fail",
		codeTimeout:      "Err_SNS_FriendCheck_Network_Timeout",
		codeConflict:     "Err_SNS_FriendCheck_Write_Conflict",
	},
	failed: noRelation,
	carryOut: func(f *friends, x *exchange, it *item) {
		there, back := f.relation(x.account, it.id)
		there = there && !never(x.from, it.to)
		back = back && !never(it.to, x.from) && !begins(it.to, notFriendPrefix)
		it.relation = relation(there, back && x.both)
	},
}

// relation is the word for who has whom. Asked for one side, the API says nothing of the other.
func relation(there, back bool) string {
	switch {
	case there && back:
		return bothWay
	case there:
		return aWithB
	case back:
		return bWithA
	}
	return noRelation
}
