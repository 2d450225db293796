package chat

import "strings"

// Verdict is what to do about an answer.
type Verdict uint8

// The verdicts.
const (
	Deleted   Verdict = iota // code 0; of a request: look at its rows
	NotFriend                // code 31704: final
	Refuse                   // the API says no for good
	Split                    // refused for what one of several rows contains: send them apart
	Retry                    // send again after a while
	Throttle                 // slow the whole run down, then send again; not counted as a failure
	Resign                   // renew the signature and send again; where it cannot be renewed, or was just now, stop
	Stop                     // nothing more may be sent
)

var verdictNames = [...]string{"deleted", "not friend", "refuse", "split", "retry", "throttle", "resign", "stop"}

// String is the verdict in words.
func (v Verdict) String() string { return verdictNames[v] }

// Ruling is a verdict and its conditions.
type Ruling struct {
	Verdict Verdict
	// Lost: it may have been carried out all the same, so a later 31704 does not mean that it was never a friend.
	Lost bool
	// ThenStop: when the attempts are used up stop the run, instead of giving up the row.
	ThenStop bool
	// UntilProven: stop instead, as long as no request of this run has succeeded. The code is either the run's credentials'
	// fault or one row's, and only a success tells.
	UntilProven bool
	// Unbounded: splitting ends in a true fate for every row, so it is worth any number of requests.
	Unbounded bool
}

// Where is what [Judge] judges: a code with its place, or the lack of one.
type Where uint8

// The places. [Answer.Ruling] and [Answer.Row] know which one applies.
const (
	AtItem         Where = iota // the code of an item
	AtRow                       // the code of a request of a single row: nothing is left to split
	AtRequest                   // the code of a request of several rows
	AtMissing                   // an item without an answer in an accepted request
	AtContradicted              // an item with more than one answer
	AtDial                      // the faults, by Kind
	AtTLS
	AtRedirect
	AtHTTP429
	AtHTTP4xx
	AtHTTP5xx
	AtLost
	AtUnreadable
	AtCancelled
)

var whereFault = [...]Where{
	Envelope: AtRequest, DialFault: AtDial, TLSFault: AtTLS, RedirectFault: AtRedirect, HTTP429: AtHTTP429, HTTP4xx: AtHTTP4xx,
	HTTP5xx: AtHTTP5xx, LostFault: AtLost, UnreadableFault: AtUnreadable, CancelledFault: AtCancelled,
}

var (
	deleted   = Ruling{Verdict: Deleted}
	notFriend = Ruling{Verdict: NotFriend}
	refuse    = Ruling{Verdict: Refuse}
	split     = Ruling{Verdict: Split}
	retry     = Ruling{Verdict: Retry}
	retryLost = Ruling{Verdict: Retry, Lost: true}
	throttle  = Ruling{Verdict: Throttle}
	resign    = Ruling{Verdict: Resign}
	stop      = Ruling{Verdict: Stop}
	splitOnce = Ruling{Verdict: Split, UntilProven: true}
	splitAll  = Ruling{Verdict: Split, Unbounded: true}
	retryStop = Ruling{Verdict: Retry, ThenStop: true}
)

// withoutCode rules where the API gave no code.
var withoutCode = map[Where]Ruling{
	AtMissing: retryLost, AtContradicted: retryLost, AtLost: retryLost, AtUnreadable: retryLost, AtHTTP5xx: retryLost,
	AtDial: retry, AtCancelled: retry, AtHTTP429: throttle, AtTLS: stop, AtRedirect: stop, AtHTTP4xx: stop,
}

// notFriendText tells the 30001 that means "not in the friend list" from the one that means a wrong parameter, after
// texts like Err_SNS_FriendDelete_Not_Friend.
const notFriendText = "Not_Friend"

// Judge is the retry table: where a code stands, the code and the text that came with it in, the ruling out. Code and text
// are ignored where there is no code. The sources of each line are in the table of codes.
func Judge(where Where, code int, text string) Ruling {
	switch where {
	case AtItem:
		return judgeItem(code, text)
	case AtRow:
		return judgeRow(code, text)
	case AtRequest:
		return judgeWhole(code, text)
	}
	return withoutCode[where]
}

func judgeItem(code int, text string) Ruling {
	if code == 0 { // nearly always: spare a look-up per row
		return deleted
	}
	if code == 30001 && strings.Contains(text, notFriendText) {
		return notFriend
	}
	if e, ok := codes[code]; ok && e.item != nil {
		return *e.item
	}
	return refuse
}

// judgeWhole is about a request of several rows: one that is no friend says nothing about the others.
func judgeWhole(code int, text string) Ruling {
	if code == 30001 && strings.Contains(text, notFriendText) {
		return splitAll
	}
	return judgeRequest(code)
}

// judgeRow turns what can no longer be split into the row's own fate.
func judgeRow(code int, text string) Ruling {
	r := judgeRequest(code)
	if r.Verdict != Split {
		return r
	}
	if code == 31704 || code == 30001 && strings.Contains(text, notFriendText) {
		return notFriend
	}
	r.Verdict = Refuse
	return r
}

func judgeRequest(code int) Ruling {
	if e, ok := codes[code]; ok {
		return e.request
	}
	switch code / 1000 {
	case 60:
		return retryStop
	case 70:
		return stop
	}
	return retry
}

// Meaning is one line for operators on what a code says; it is never empty.
func Meaning(code int) string {
	if e, ok := codes[code]; ok {
		return e.meaning
	}
	return "not a code that is documented for this call"
}

// Advice is one line for operators on what to do about a code; it is never empty.
func Advice(code int) string {
	if e, ok := codes[code]; ok && e.advice != "" {
		return e.advice
	}
	return "look the code up: https://www.tencentcloud.com/document/product/1047/34348"
}
