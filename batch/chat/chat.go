// Package chat is the remote API: it deletes friends of one account in a Tencent Cloud Chat app by friend_delete, and says
// what an answer means.
//
// Start with [NewClient] and [Client.Delete]. Delete never returns an error: whatever can happen to a request is in its
// [Answer], an unreachable host as well as an answer that contradicts itself. [Answer.Ruling] says what the whole request's
// answer asks for and [Answer.Row] what became of one row of it; both ask [Judge], the one retry table of the program.
//
// A [Signer] makes the credential (UserSig) and makes it anew before it expires. A [Secret] prints as nothing but its name.
// [ParseEndpoint] and [Host] say where requests may go. The package keeps no state of a run: pace, retries and splitting
// belong to its caller.
package chat

// DeleteType says from whose list of friends the other is removed. The API's own default is not documented and pages of the
// vendor disagree about it, so it is always sent.
type DeleteType string

// The delete types of https://www.tencentcloud.com/document/product/1047/34905.
const (
	Single DeleteType = "Delete_Type_Single" // To_Account leaves the list of From_Account, which stays in To_Account's
	Both   DeleteType = "Delete_Type_Both"   // each leaves the other's list
)

// MaxRows is the largest number of To_Accounts in one request, from the same page.
const MaxRows = 1000

var regions = []struct{ name, host string }{
	{"china", "console.tim.qq.com"},
	{"singapore", "adminapisgp.im.qcloud.com"},
	{"seoul", "adminapikr.im.qcloud.com"},
	{"tokyo", "adminapijpn.im.qcloud.com"},
	{"frankfurt", "adminapiger.im.qcloud.com"},
	{"silicon-valley", "adminapiusa.im.qcloud.com"},
	{"jakarta", "adminapiidn.im.qcloud.com"},
}

// Host is the API host of a region, from https://www.tencentcloud.com/document/product/1047/34620; ok is false for a name
// that is not in [Regions].
func Host(region string) (host string, ok bool) {
	for _, r := range regions {
		if r.name == region {
			return r.host, true
		}
	}
	return "", false
}

// Regions are the names that [Host] knows, always in the same order.
func Regions() []string {
	names := make([]string, len(regions))
	for i, r := range regions {
		names[i] = r.name
	}
	return names
}
