package chat

// entry is what is known about one code.
type entry struct {
	request Ruling
	item    *Ruling // nil: as an item's code it is refused, like every code that is not documented for items
	meaning string
	advice  string
}

// Advice that several codes share.
const (
	transient    = "nothing while the run goes on; for rows it gave up: run again with --resume later"
	slower       = "lower --rate: the limit is shared with everyone who calls the API for this app"
	againLater   = "run again with --resume later"
	checkIDs     = "look at the refused rows: an account may be misspelt or never imported"
	checkApp     = "check --sdkappid and the app's state in the console"
	checkAdmin   = "check that --identifier is an app administrator"
	checkSecret  = "check that secret key or UserSig, --sdkappid and --identifier belong together"
	checkRegion  = "is this the right region? key and app are known only where the app lives: check --region"
	checkNewer   = "the API may have changed: look for a newer version of this program"
	checkAddress = "check --endpoint: something between here and the API changes the URL"
)

// codes is the retry table of the codes that mean the same in every call, from
// https://www.tencentcloud.com/document/product/1047/34905 and /34907 (30xxx) and /34348 (all others); a call may have lines
// of its own over it. The vendor says what a code means; what we do follows its words for 30006 and 30007 (and 30008 of a
// deletion), for the "too frequent" and "try again" codes, and for 70001 and 70052. The rest is a guess.
var codes = map[int]entry{
	0: {accepted, &firstEnd, "success", "nothing"},

	30001: {split, &refuse, "a request parameter is wrong", checkIDs},
	30002: {stop, &refuse, "the SDKAppID does not match", checkApp},
	30003: {split, &refuse, "the account does not exist", checkIDs},
	30004: {stop, &stop, "app administrator permission is needed", checkAdmin},
	30006: {retry, &retry, "internal server error", transient},
	30007: {retryLost, &retryLost, "network timeout inside the service", transient},

	60007: {throttle, &throttle, "this call is made too frequently", slower},
	60011: {throttle, &throttle, "the app makes too many requests", slower},
	60018: {throttle, &throttle, "too many requests", slower},
	60019: {throttle, &throttle, "too many requests", slower},

	60008: {retryLost, &retryLost, "service timeout or malformed request", transient},
	60013: {retryLost, &retryLost, "the service could not read its back end's answer", transient},
	60014: {retryLost, &retryLost, "account exchange timed out inside the service", transient},
	70169: {retry, &retry, "internal timeout", transient},
	70202: {retry, &retry, "internal timeout", transient},
	70500: {retry, &retry, "internal server error", transient},

	70001: {renew, nil, "the UserSig has expired", "give a new UserSig, or the secret key so that it is renewed; check this machine's clock"},
	70052: {renew, nil, "the UserSig was invalidated", "give a new UserSig, or the secret key so that it is renewed"},
	70050: {stop, nil, "a bad UserSig was checked too often", "wait a minute; " + checkSecret},

	60002: {stop, nil, "the URL is wrong", checkAddress},
	60009: {stop, nil, "the requested resource is wrong", checkAddress},
	60012: {stop, nil, "the SDKAppID is missing from the URL", checkAddress},
	60003: {split, nil, "the request's JSON is wrong", checkNewer},
	60015: {split, nil, "an account is not a string", checkNewer},
	60004: {splitOnce, nil, "account or signature is wrong in URL or body", checkSecret},
	60005: {splitOnce, nil, "account or signature is wrong in URL or body", checkSecret},

	60006: {stop, nil, "the SDKAppID is invalid", checkApp},
	60010: {stop, nil, "the caller is not an app administrator", checkAdmin},
	60016: {stop, nil, "the app is disabled", checkApp},
	60017: {stop, nil, "the request is disabled", checkApp},
	60020: {stop, nil, "the app's package has expired", "renew the app's package in the console, then run again with --resume"},
	60021: {stop, nil, "this machine's IP address is not allowed", "add the address to the app's allow list in the console"},

	70002: {stop, nil, "the UserSig is empty", checkSecret},
	70003: {stop, nil, "the UserSig cannot be read", checkSecret + "; was it cut?"},
	70005: {stop, nil, "the UserSig is illegal", checkSecret + "; was it cut?"},
	70009: {stop, nil, "the UserSig was made with another key", checkSecret},
	70013: {stop, nil, "the UserSig is another identifier's", checkSecret},
	70014: {stop, nil, "the UserSig is another app's", checkSecret},
	70016: {stop, nil, "the app's key was not found: wrong region?", checkRegion},
	70020: {stop, nil, "the app was not found: wrong region?", checkRegion},
	70051: {stop, nil, "the admin account is blocked", checkAdmin},
	70114: {stop, nil, "the admin account is restricted", checkAdmin},
	70403: {stop, nil, "an app administrator is needed", checkAdmin},
	80005: {stop, nil, "the service is stopped", againLater},

	70107: {split, nil, "the account was not imported", checkIDs},
	70206: {split, nil, "the number of accounts in the request is illegal", "lower --chunk-size"},
	70402: {split, nil, "a request parameter is illegal", checkIDs},
}
