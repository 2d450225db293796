package sandbox

// deletion is friend_delete: https://www.tencentcloud.com/document/product/1047/34905. Of its texts only that of 31704 was
// seen; the others follow its pattern.
var deletion = kind{
	command: "friend_delete",
	option:  "DeleteType", single: "Delete_Type_Single", both: "Delete_Type_Both",
	list: "ResultItem",
	texts: map[int]string{
		codeNotFriend:    "Err_SNS_FriendDelete_Not_Friend",
		codeBadParameter: "Err_SNS_FriendDelete_Invalid_Parameter",
		codeNoAccount:    "Err_SNS_FriendDelete_Account_Not_Exist",
		codeInternal:     "Err_SNS_FriendDelete_Internal_Error",
		codeTimeout:      "Err_SNS_FriendDelete_Network_Timeout",
		codeConflict:     "Err_SNS_FriendDelete_Write_Conflict",
	},
	writes: true,
	carryOut: func(f *friends, x *exchange, it *item) {
		if never(x.from, it.to) || !f.remove(x.account, it.id, x.both) {
			it.code = codeNotFriend
		}
	},
}
