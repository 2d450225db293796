// Package chat is the remote API: it asks a Tencent Cloud Chat app about the friends of one account, and says what an
// answer means.
//
// Start with [Delete] or [Check], the calls of the API, then [NewClient] and [Client.Do]. A [Call] is data: how a request is
// written, how its answer is read, what each code means and which outcomes a row can have. A new call is one more file like
// delete.go.
//
// Do never returns an error: whatever can happen to a request is in its [Answer], an unreachable host as well as an answer
// that contradicts itself. [Call.Ruling] says what the whole request's answer asks for and [Call.Row] what became of one row
// of it; both ask [Call.Judge], the one retry table of the program.
//
// A [Signer] makes the credential (UserSig) and makes it anew before it expires. A [Secret] prints as nothing but its name.
// [ParseEndpoint] and [Host] say where requests may go. The package keeps no state of a run: pace, retries and splitting
// belong to its caller.
package chat

import "slices"

// Call is one call of the API, made by a function of its own such as [Delete]. It is safe for concurrent use and not to be
// changed.
type Call struct {
	Name     string    // the word for it: the program's command
	MaxItems int       // the most accounts in one request, from the vendor's page of the call
	Outcomes []Outcome // what can be so in the end: [Ruling.Outcome] counts in them

	// Presumes is what a row's answer may stand for once an earlier answer for the row was lost; zero for a call that
	// presumes nothing.
	Presumes Presumption
	// Loses tells that a request may have been carried out although its answer was lost. Where it is false, no answer is
	// ever [Ruling.Lost].
	Loses bool
	Texts Texts
	// OtherSide is the report's text for a row that was carried out by a request from To_Account's side; empty where that
	// is not the same thing.
	OtherSide string

	path   string        // of the URL
	option [2]string     // key and value in a request's body, beside the accounts
	list   string        // the key of an answer's items
	state  string        // the key of an item that tells which of Outcomes is so; empty where code 0 is the first of them
	states []string      // its values, in the order of Outcomes
	codes  map[int]entry // over the table of all calls
	alias  alias
}

// alias is a code that means another one if the text that comes with it contains a certain one. The zero value is none.
type alias struct {
	code  int
	text  string
	means int
}

// Outcome is what can be so in the end.
type Outcome struct {
	Word    string // in the report's outcome column
	Meaning string // in one line, for people
	// CountedBy is the flag by which it counts as a success; empty where it always does, or never.
	CountedBy string
	// Confirmed says that only code 0 says so.
	Confirmed bool
	// Settles says that nothing is left to ask of the pair from the other side, where (A,B) and (B,A) are one friendship.
	Settles bool
}

// Presumption is what an outcome is taken for in an answer for a row of which an earlier answer was lost: the first request
// may well have done what the second one found done.
type Presumption struct {
	Code     int    // of the later answer; 0 presumes nothing
	From, To int    // what was answered and what is presumed, as in [Ruling.Outcome]
	Info     string // the report's text for it
}

// Texts are a call in the words of people: whole sentences, but where it says otherwise.
type Texts struct {
	ToDo      string            // how the plan begins its first line: To delete
	Nothing   string            // the plan's first line where there is nothing to do
	Sandbox   string            // of a run in the sandbox, to come or at work
	InSandbox string            // of a run in the sandbox that is over
	Sides     map[string]string // what each delete type means, without a full stop
	Succeeded string            // what rows did that are successes: succeeded
	Failed    string            // what the others did: failed
	Record    string            // what the page is a record of: a bulk deletion of friendships
	Row       string            // what a row of the input asks for
	Webhook   string            // what each row fires in the app's own back end; empty for nothing
	Mirrored  string            // of a row whose friendship another row has settled from the other side: deleted from both sides
	Presumed  string            // follows the number of rows that are presumed, on the page
}

// Settles reports whether some answer is one for the pair seen from the other side, too: then (A,B) and (B,A) are one
// friendship where both sides are asked for.
func (c Call) Settles() bool {
	return slices.ContainsFunc(c.Outcomes, func(o Outcome) bool { return o.Settles })
}

// Meaning is one line for operators on what a code says in an answer to this call; it is never empty.
func (c Call) Meaning(code int) string {
	if e, ok := c.entry(code); ok {
		return e.meaning
	}
	return "not a code that is documented for this call"
}

// Advice is one line for operators on what to do about a code; it is never empty.
func (c Call) Advice(code int) string {
	if e, ok := c.entry(code); ok {
		return e.advice
	}
	return "look the code up: https://www.tencentcloud.com/document/product/1047/34348"
}

// entry is the line of a code in the tables: the call's own first.
func (c *Call) entry(code int) (e entry, ok bool) {
	if e, ok = c.codes[code]; ok {
		return e, true
	}
	e, ok = codes[code]
	return e, ok
}
