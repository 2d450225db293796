package chat

// Kind is what came back for a request.
type Kind uint8

// The kinds. All but Envelope are faults, for which the API gave no code.
const (
	Envelope        Kind = iota // a JSON object with an integer ErrorCode, whatever the code
	DialFault                   // no connection, nothing was sent: refused, unknown host, dial time-out
	TLSFault                    // nothing was sent: the other side is not who it should be
	RedirectFault               // HTTP 3xx; never followed
	HTTP429                     // too many requests
	HTTP4xx                     // any other 4xx
	HTTP5xx                     // the server, or a gateway before it, broke
	LostFault                   // bytes may have been sent and no whole answer came: time-out, reset, end of stream
	UnreadableFault             // an answer came and cannot be understood: HTML, empty, cut, over 8 MiB, no ErrorCode
	CancelledFault              // the context ended before anything was sent
)

var kindNames = [...]string{"envelope", "dial fault", "tls fault", "redirect", "http 429", "http 4xx", "http 5xx", "lost answer", "unreadable answer", "cancelled"}

// String is the kind in words.
func (k Kind) String() string { return kindNames[k] }

// Advice is one line for operators on what to do about a fault; empty where there is nothing to say.
func (k Kind) Advice() string {
	switch k {
	case TLSFault:
		return "check --endpoint, this machine's clock and its certificates; the connection is never made without verifying the server"
	case RedirectFault:
		return "check --endpoint: the API never redirects, so this is not the API"
	case HTTP4xx:
		return "check --endpoint: the API answers every request with status 200, so a proxy or another server said no"
	case DialFault:
		return "check the network, and --region or --endpoint"
	}
	return ""
}

// ItemState is what an answer says about one row.
type ItemState uint8

// The states of an item. Only Answered and Unclear ones have a code.
const (
	Missing      ItemState = iota // the answer does not name the row, or gives it no integer code
	Contradicted                  // two codes, two outcomes, or code 0 and listed as failed
	Answered                      // one code
	Unclear                       // code 0, and no word that we know on what is so
)

var stateNames = [...]string{"missing", "contradicted", "answered", "unclear"}

// String is the state in a word.
func (s ItemState) String() string { return stateNames[s] }

// Item is the answer for one To_Account.
type Item struct {
	State   ItemState
	Outcome int    // of an Answered item with code 0: which of [Call.Outcomes]
	Code    int    // of an Answered item; 0 is success
	Info    string // the API's text, or what is wrong with the item
}

// Answer is all that is known after a request.
//
// Texts in it come from the server only after they were cleaned: valid UTF-8, control characters spelled out (\n, \x1b),
// key and UserSigs replaced by [secret], at most 300 bytes.
type Answer struct {
	Kind       Kind
	HTTPStatus int    // 0 where no status line was read
	Code       int    // ErrorCode of an Envelope
	Info       string // ErrorInfo of an Envelope, or a short text of ours about the fault
	Items      []Item // of an Envelope: Items[i] is about to[i] of the request; nil for a fault
	Generation int    // of the signature that was used, for [Signer.Renew]; 0 where there was none
}

// Ruling is what the answer as a whole asks for. Accepted means: look at the rows.
func (c *Call) Ruling(a *Answer) Ruling {
	if a.Kind != Envelope {
		return c.Judge(whereFault[a.Kind], 0, "").of(Code{}, a.Info)
	}
	where := AtRequest
	if len(a.Items) == 1 {
		where = AtRow
	}
	return c.Judge(where, a.Code, a.Info).of(Code{a.Code, true}, a.Info)
}

// Row is what the answer means for to[i]. Its own item comes first, in a refused request too; a row without one shares the
// fate of the request, but no answer for an item is no success.
func (c *Call) Row(a *Answer, i int) Ruling {
	if a.Kind != Envelope {
		return c.Ruling(a)
	}
	item := &a.Items[i]
	switch {
	case item.State == Answered:
		r := c.Judge(AtItem, item.Code, item.Info)
		r.Code, r.Info = Code{item.Code, true}, item.Info
		if item.Code == 0 {
			r.Outcome = item.Outcome
		}
		return r
	case item.State == Unclear:
		return c.Judge(AtUnclear, 0, "").of(Code{0, true}, item.Info)
	case item.State == Contradicted:
		return c.Judge(AtContradicted, 0, "").of(Code{}, item.Info)
	case a.Code == 0:
		return c.Judge(AtMissing, 0, "").of(Code{}, "the answer says nothing about this row")
	}
	return c.Ruling(a)
}

// of is the ruling with the code and the text that it is about.
func (r Ruling) of(code Code, info string) Ruling {
	r.Code, r.Info = code, info
	return r
}
