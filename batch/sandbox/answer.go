package sandbox

// The codes of https://www.tencentcloud.com/document/product/1047/34348 that the emulator gives.
const (
	codeBadParameter        = 30001
	codeNoAccount           = 30003
	codeInternal            = 30006
	codeTimeout             = 30007
	codeConflict            = 30008
	codeNotFriend           = 31704
	codeBadURL              = 60002
	codeBadJSON             = 60003
	codeBadAccount          = 60004
	codeWrongApp            = 60006
	codeTooFrequent         = 60007
	codeNotAdmin            = 60010
	codeNoApp               = 60012
	codeAccountNoString     = 60015
	codeUserSigExpired      = 70001
	codeNoUserSig           = 70002
	codeUserSigUnreadable   = 70003
	codeUserSigIllegal      = 70005
	codeUserSigWrongKey     = 70009
	codeUserSigWrongAccount = 70013
	codeUserSigWrongApp     = 70014
)

// text is what ResultInfo or ErrorInfo says. Only that of 31704 was seen; the others follow its pattern or are ours.
func text(code int) string {
	switch code {
	case 0:
		return ""
	case codeNotFriend:
		return "Err_SNS_FriendDelete_Not_Friend"
	case codeBadParameter:
		return "Err_SNS_FriendDelete_Invalid_Parameter"
	case codeNoAccount:
		return "Err_SNS_FriendDelete_Account_Not_Exist"
	case codeInternal:
		return "Err_SNS_FriendDelete_Internal_Error"
	case codeTimeout:
		return "Err_SNS_FriendDelete_Network_Timeout"
	case codeConflict:
		return "Err_SNS_FriendDelete_Write_Conflict"
	}
	return gatewayText(code)
}

// gatewayText has the texts of refusals that never reached the call itself.
func gatewayText(code int) string {
	switch code {
	case codeBadURL:
		return "request URL, method or parameters are wrong"
	case codeBadJSON:
		return "request body is not the JSON object expected"
	case codeAccountNoString:
		return "account is not a string"
	case codeTooFrequent:
		return "rest api call frequency exceeded limit"
	case codeBadAccount, codeNotAdmin:
		return "identifier is not an app admin account"
	case codeNoApp, codeWrongApp:
		return "sdkappid is missing or not of this app"
	case codeUserSigExpired:
		return "usersig expired"
	}
	return "usersig is not valid for this app, key and identifier"
}

// encode writes the answer. A partly failed one is not documented for this call; like those of its sister calls it has an
// OK envelope, the failed items in the list, and their IDs again in Fail_Account. ErrorInfo is "0" on success, as in the
// vendor's sample.
func (x *exchange) encode(code int) {
	a := &x.answer
	a.Reset()
	if code != 0 {
		a.RawStr(`{"ActionStatus":"FAIL","ErrorCode":`)
		a.Int(code)
		a.RawStr(`,"ErrorInfo":`)
		a.Str(text(code))
		a.RawStr(`}`)
		return
	}
	x.encodeItems()
	x.encodeFailed()
	a.RawStr(`"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"0","ErrorDisplay":""}`)
}

func (x *exchange) encodeItems() {
	a := &x.answer
	separator := `{"ResultItem":[{"To_Account":`
	for _, it := range x.items {
		a.RawStr(separator)
		a.ByteStr(it.to)
		a.RawStr(`,"ResultCode":`)
		a.Int(it.code)
		a.RawStr(`,"ResultInfo":`)
		a.Str(text(it.code))
		separator = `},{"To_Account":`
	}
	a.RawStr(`}],`)
}

func (x *exchange) encodeFailed() {
	a := &x.answer
	opening, closing := `"Fail_Account":[`, ``
	for _, it := range x.items {
		if it.code != 0 {
			a.RawStr(opening)
			a.ByteStr(it.to)
			opening, closing = `,`, `],`
		}
	}
	a.RawStr(closing)
}
