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

// info is what ResultInfo or ErrorInfo says.
func (x *exchange) info(code int) string {
	if x.service != nil && x.service.texts[code] != "" {
		return x.service.texts[code]
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

// encode writes the answer. A partly failed one is documented for a check, and for a deletion it is not; there it looks the
// same: an OK envelope, the failed items in the list, and their IDs again in Fail_Account. ErrorInfo is "0" on success, as in
// the vendor's sample of a deletion.
func (x *exchange) encode(code int) {
	a := &x.answer
	a.Reset()
	if code != 0 {
		a.RawStr(`{"ActionStatus":"FAIL","ErrorCode":`)
		a.Int(code)
		a.RawStr(`,"ErrorInfo":`)
		a.Str(x.info(code))
		a.RawStr(`}`)
		return
	}
	x.encodeItems()
	x.encodeFailed()
	a.RawStr(`"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"0","ErrorDisplay":""}`)
}

func (x *exchange) encodeItems() {
	a := &x.answer
	a.RawStr(`{"`)
	a.RawStr(x.service.list)
	separator := `":[{"To_Account":`
	for _, it := range x.items {
		a.RawStr(separator)
		a.ByteStr(it.to)
		if it.relation != "" {
			a.RawStr(`,"Relation":"`)
			a.RawStr(it.relation)
			a.RawStr(`"`)
		}
		a.RawStr(`,"ResultCode":`)
		a.Int(it.code)
		a.RawStr(`,"ResultInfo":`)
		a.Str(x.itemInfo(it.code))
		separator = `},{"To_Account":`
	}
	a.RawStr(`}],`)
}

func (x *exchange) itemInfo(code int) string {
	if code == 0 { // nearly always
		return ""
	}
	return x.info(code)
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
