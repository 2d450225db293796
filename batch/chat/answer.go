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

// ItemState is what an answer says about one row.
type ItemState uint8

// The states of an item. Only an Answered one has a code.
const (
	Missing      ItemState = iota // the answer does not name the row, or gives it no integer code
	Contradicted                  // two codes, or code 0 and listed as failed
	Answered                      // one code
)

var stateNames = [...]string{"missing", "contradicted", "answered"}

// String is the state in a word.
func (s ItemState) String() string { return stateNames[s] }

// Item is the answer for one To_Account.
type Item struct {
	State ItemState
	Code  int    // of an Answered item; 0 is success
	Info  string // the API's text, or how the item contradicts itself
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

// Ruling is what the answer as a whole asks for. Deleted means: look at the rows.
func (a *Answer) Ruling() Ruling {
	if a.Kind != Envelope {
		return Judge(whereFault[a.Kind], 0, "")
	}
	if len(a.Items) == 1 {
		return Judge(AtRow, a.Code, a.Info)
	}
	return Judge(AtRequest, a.Code, a.Info)
}

// Fate is what an answer means for one row.
type Fate struct {
	Ruling
	HasCode bool   // whether the API gave a code
	Code    int    // the item's, else the request's
	Info    string // the API's text or ours
}

// Row is the fate of to[i]. Its own item comes first, in a refused request too; a row without one shares the fate of the
// request, but no answer for an item is no success.
func (a *Answer) Row(i int) Fate {
	if a.Kind != Envelope {
		return Fate{Ruling: a.Ruling(), Info: a.Info}
	}
	item := a.Items[i]
	switch {
	case item.State == Answered:
		return Fate{Judge(AtItem, item.Code, item.Info), true, item.Code, item.Info}
	case item.State == Contradicted:
		return Fate{Ruling: Judge(AtContradicted, 0, ""), Info: item.Info}
	case a.Code == 0:
		return Fate{Ruling: Judge(AtMissing, 0, ""), Info: "the answer says nothing about this row"}
	}
	return Fate{a.Ruling(), true, a.Code, a.Info}
}
