package chat

import "strings"

// Verdict is what to do about an answer.
type Verdict uint8

// The verdicts. The zero value is the harmless one.
const (
	Retry    Verdict = iota // send again after a while
	Throttle                // slow the whole run down, then send again; not counted as a failure
	Renew                   // renew the signature and send again; where it cannot be renewed, or was just now, stop
	Split                   // refused for what one of several rows contains: send them apart
	Refuse                  // the API says no for good
	Stop                    // nothing more may be sent
	Accepted                // of a request alone: look at its rows
	Final                   // of a row alone: it has the Outcome
)

var verdictNames = [...]string{"retry", "throttle", "renew", "split", "refuse", "stop", "accepted", "final"}

// String is the verdict in words.
func (v Verdict) String() string { return verdictNames[v] }

// Ruling is what an answer means for a request or for one row of it: a verdict and its conditions.
type Ruling struct {
	Verdict Verdict
	Outcome int // of a Final verdict: which of [Call.Outcomes]

	Code Code   // the item's, else the request's
	Info string // the API's text or ours

	// Lost: it may have been carried out all the same, so a later answer may be a presumption. Never for a call that loses
	// nothing.
	Lost bool
	// ThenStop: when the attempts are used up stop the run, instead of giving up the row.
	ThenStop bool
	// UntilProven: stop instead, as long as no request of this run has succeeded. The code is either the run's credentials'
	// fault or one row's, and only a success tells.
	UntilProven bool
	// Unbounded: splitting ends in a true fate for every row, so it is worth any number of requests.
	Unbounded bool
}

// Code is a code of the API. The zero value is none, which is not the code 0.
type Code struct {
	Number int
	Given  bool // whether the API gave one
}

// Where is what [Call.Judge] judges: a code with its place, or the lack of one.
type Where uint8

// The places. [Call.Ruling] and [Call.Row] know which one applies.
const (
	AtItem         Where = iota // the code of an item
	AtRow                       // the code of a request of a single row: nothing is left to split
	AtRequest                   // the code of a request of several rows
	AtMissing                   // an item without an answer in an accepted request
	AtContradicted              // an item with more than one answer
	AtUnclear                   // an item with code 0 that gives no outcome
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
	accepted  = Ruling{Verdict: Accepted}
	firstEnd  = Ruling{Verdict: Final} // the first of a call's outcomes
	refuse    = Ruling{Verdict: Refuse}
	split     = Ruling{Verdict: Split}
	retry     = Ruling{Verdict: Retry}
	retryLost = Ruling{Verdict: Retry, Lost: true}
	throttle  = Ruling{Verdict: Throttle}
	renew     = Ruling{Verdict: Renew}
	stop      = Ruling{Verdict: Stop}
	splitOnce = Ruling{Verdict: Split, UntilProven: true}
	splitAll  = Ruling{Verdict: Split, Unbounded: true}
	retryStop = Ruling{Verdict: Retry, ThenStop: true}
)

// withoutCode rules where the API gave no code, or none that says enough.
var withoutCode = map[Where]Ruling{
	AtMissing: retryLost, AtContradicted: retryLost, AtLost: retryLost, AtUnreadable: retryLost, AtHTTP5xx: retryLost,
	AtDial: retry, AtCancelled: retry, AtHTTP429: throttle, AtTLS: stop, AtRedirect: stop, AtHTTP4xx: stop, AtUnclear: refuse,
}

// Judge is the retry table: where a code stands, the code and the text that came with it in, the ruling out, without Code
// and Info. Code and text are ignored where there is no code. The sources of each line are in the table of codes. Code 0 of
// an item is the first of the call's outcomes here; [Call.Row] knows better.
func (c *Call) Judge(where Where, code int, text string) (r Ruling) {
	code = c.unalias(code, text)
	switch where {
	case AtItem:
		r = c.judgeItem(code)
	case AtRow:
		r = c.judgeRow(code)
	case AtRequest:
		r = c.judgeRequest(code)
	default:
		r = withoutCode[where]
	}
	r.Lost = r.Lost && c.Loses
	return r
}

// unalias gives the code that is meant.
func (c *Call) unalias(code int, text string) int {
	if c.alias.text != "" && code == c.alias.code && strings.Contains(text, c.alias.text) {
		return c.alias.means
	}
	return code
}

func (c *Call) judgeItem(code int) Ruling {
	if code == 0 { // nearly always: spare a look-up per row
		return firstEnd
	}
	if e, ok := c.entry(code); ok && e.item != nil {
		return *e.item
	}
	return refuse
}

// judgeRow turns what can no longer be split into the row's own fate.
func (c *Call) judgeRow(code int) Ruling {
	r := c.judgeRequest(code)
	switch {
	case r.Verdict != Split:
		return r
	case r.Unbounded:
		return c.judgeItem(code)
	}
	r.Verdict = Refuse
	return r
}

func (c *Call) judgeRequest(code int) Ruling {
	if e, ok := c.entry(code); ok {
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
