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

// Outcome is a word of the report's outcome column, and one line on what it means for people.
type Outcome struct{ Word, Meaning string }

// Presumption is what a code is taken for in an answer for a row of which an earlier answer was lost: the first request may
// well have done what the second one found done.
type Presumption struct {
	Code    int    // of the later answer; 0 presumes nothing
	Outcome int    // what is presumed, as in [Ruling.Outcome]
	Info    string // the report's text for it
}

// Covers tells whether an answer with this code is to be presumed for a row of which an earlier answer was lost.
func (p Presumption) Covers(code Code) bool {
	return p.Code != 0 && code == Code{p.Code, true}
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
func (c Call) entry(code int) (e entry, ok bool) {
	if e, ok = c.codes[code]; ok {
		return e, true
	}
	e, ok = codes[code]
	return e, ok
}
