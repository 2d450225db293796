package send

import (
	"cmp"
	"fmt"
	"time"

	"friendsweep/batch/chat"
	"friendsweep/reports/journal/outcome"
)

// consequences are what follows from an answer, for the items of its request and for the run.
type consequences struct {
	sorted    *sorter
	open      []item // to be sent again as they are
	later     int    // items that were asked for from the other side than written, and are to be asked for as written
	split     []item // to be sent again in halves
	unbounded bool   // splitting ends in a true fate for every row

	backOff   bool // a failure: wait before sending again
	throttled bool
	accepted  bool // not refused as a whole
	renew     bool // the signature has to be made anew
	answer    chat.Answer
	stop      error // a *Stop where the answer ends the run
}

// consequencesOf asks the retry table about every item and sorts the items by what is to be done.
func (a *account) consequencesOf(items []item, answer chat.Answer) consequences {
	c := consequences{sorted: newSorter(len(items)), answer: answer}
	c.accepted = answer.Kind == chat.Envelope && answer.Code == 0
	if c.accepted {
		a.proven.Store(true)
	}
	if answer.Kind == chat.Envelope {
		a.api.noteAnswer(a.request)
	}
	keep := items[:0] // in place: an item is read before its place is written
	for i := range items {
		it, ruling := items[i], a.API.Row(&answer, i)
		res := a.resultOf(&c, &it, &ruling)
		c.sorted.add(it.line, res)
		switch {
		case res.Outcome != outcome.Open:
		case it.turned && a.isForLater(it.line):
			c.later++
		case a.splits(&ruling):
			c.split, c.unbounded = append(c.split, it), ruling.Unbounded
		default:
			keep = append(keep, it)
		}
	}
	c.open = keep
	if c.stop == nil {
		a.noteWhole(&c)
	}
	return c
}

// splits tells whether a ruling asks for halves. A code that may be the credentials' fault is a row's only after a
// request of this run has succeeded.
func (a *account) splits(r *chat.Ruling) bool {
	return r.Verdict == chat.Split && (!r.UntilProven || a.proven.Load())
}

// resultOf turns the ruling about an item into its result and notes what it means for the run.
func (a *account) resultOf(c *consequences, it *item, r *chat.Ruling) outcome.Result {
	res := outcome.Result{Code: outcome.Code(r.Code), Info: r.Info, Lost: r.Lost}
	stops := r.UntilProven && !a.proven.Load()
	switch {
	case stops || r.Verdict == chat.Stop:
		c.stopFor(&a.API, r)
	case r.Verdict == chat.Final:
		res.Outcome = outcome.Answered + outcome.Outcome(r.Outcome)
	case r.Verdict == chat.Refuse:
		res.Outcome = outcome.Refused
	case r.Verdict == chat.Throttle:
		c.throttled = true
	case r.Verdict == chat.Renew:
		c.renew = true
	case r.Verdict == chat.Retry:
		res.Outcome = a.retryOrGiveUp(c, it, r)
	}
	if it.turned {
		a.settleTurned(it, r, &res)
	}
	now := a.Call.After(outcome.State{Lost: it.lost}, &res)
	it.lost, res.Outcome, res.Presumed = now.Lost, now.Outcome, now.Presumed
	if now.Presumed {
		res.Info = a.Call.Presumed.Info
	}
	if a.Mirrored != nil && a.Call.Settles(now.Outcome) {
		a.Mirrored.SetAtomic(it.line)
	}
	return res
}

// settleTurned is for a pair that was asked for from the other side than written. Code 0 is final; with anything else that
// would be final, or be searched for the row to blame, the pair is asked for as it is written, after everything else.
func (a *account) settleTurned(it *item, r *chat.Ruling, res *outcome.Result) {
	switch {
	case res.Outcome.IsAnswer() && res.Code == outcome.Code{Number: 0, Given: true}:
		res.Info = a.API.OtherSide
	case res.Outcome != outcome.Open || a.splits(r):
		res.Outcome = outcome.Open
		a.asWritten.SetAtomic(it.line)
		if it.lost || res.Lost {
			a.lostTurned.SetAtomic(it.line)
		}
	}
}

// retryOrGiveUp counts a retryable failure of the item, and gives it up after the last one.
func (a *account) retryOrGiveUp(c *consequences, it *item, r *chat.Ruling) outcome.Outcome {
	c.backOff = true
	it.failed.add(&a.api, c.answer.Kind)
	switch {
	case it.failed.count < a.MaxAttempts:
		return outcome.Open
	case r.ThenStop:
		c.stopFor(&a.API, r)
		return outcome.Open
	case a.api.isOut(&it.failed):
		c.stop = outage(r)
		return outcome.Open
	}
	return outcome.GaveUp
}

// noteWhole notes what the answer as a whole means for the run where no item says so.
func (a *account) noteWhole(c *consequences) {
	r := a.API.Ruling(&c.answer)
	if r.Verdict == chat.Stop || r.UntilProven && !a.proven.Load() {
		c.stopFor(&a.API, &r)
	}
	c.throttled = c.throttled || r.Verdict == chat.Throttle
}

// stopFor ends the run for an answer. The first item that asks for it gives the reason.
func (c *consequences) stopFor(call *chat.Call, r *chat.Ruling) {
	if c.stop != nil {
		return
	}
	c.stop = &Stop{Reason: "the server cannot be used: " + r.Info, Hint: c.answer.Kind.Advice()}
	if r.Code.Given {
		c.stop = &Stop{
			Reason: fmt.Sprintf("the API refused the request with code %d, %s: %s", r.Code.Number, call.Meaning(r.Code.Number), r.Info),
			Hint:   call.Advice(r.Code.Number),
		}
	}
}

// halves are the parts that a refused request is split into. A single item is a part of its own when the others were
// answered.
func (c *consequences) halves() []part {
	refusal := chat.Item{Code: c.answer.Code, Info: c.answer.Info}
	mid := (len(c.split) + 1) / 2
	var parts []part
	for _, items := range [][]item{c.split[:mid], c.split[mid:]} {
		if len(items) > 0 {
			parts = append(parts, part{items: items, half: true, refusal: refusal, unbounded: c.unbounded})
		}
	}
	return parts
}

// follow does what an answer means for the run: pace, signature, figures. The error ends the run.
func (a *account) follow(c *consequences, sentAt time.Time) error {
	a.accepted = a.accepted || c.accepted
	if len(c.split) > 0 && !c.unbounded {
		a.refusals++
	}
	stop := cmp.Or(a.adjustPace(c, sentAt), c.stop)
	if stop == nil && c.renew {
		stop = a.renew(c.answer)
	}
	a.open -= c.later
	return cmp.Or(stop, a.count(c.sorted))
}

// adjustPace tells the pace what it must know of the answer. It returns a stop when the API has asked us to slow down for
// too long.
func (a *account) adjustPace(c *consequences, sentAt time.Time) error {
	switch {
	case c.throttled:
		a.Stats.Throttled.Add(1)
		if a.pace.throttled(sentAt, c.sorted.decided() > 0) {
			return nil
		}
		return &Stop{Reason: fmt.Sprintf("the API has answered nothing but \"too frequent\" for %s", giveUpAfter),
			Hint: "Another program may be using up the app's limit; lower --rate and continue later."}
	case c.renew: // says nothing about the pace
		return nil
	}
	a.pace.answered()
	if c.answer.Kind == chat.Envelope {
		a.signatures.note(c.answer.Generation)
	}
	return nil
}

// count adds the decided rows to the run's figures, and returns a stop when too many of them failed.
func (a *account) count(s *sorter) error {
	failed, decided := int64(s.count[outcome.Refused]+s.count[outcome.GaveUp]), s.decided()
	if decided == 0 {
		return nil
	}
	a.open -= decided
	for o, n := range s.count {
		if outcome.Outcome(o).IsAnswer() && !a.Good.Has(outcome.Outcome(o)) {
			a.Stats.Unwanted.Add(int64(n))
		}
	}
	all, bad := a.Stats.Decided.Add(int64(decided)), a.Stats.Failed.Add(failed)
	if !a.counted {
		a.counted = true
		a.decided.Add(1)
	}
	if failed == 0 || !a.MaxFailures.reached(bad, all, a.decided.Load()) {
		return nil
	}
	return &Stop{
		Reason: fmt.Sprintf("%d of %d rows were refused or given up, --max-failures is %s", bad, all, a.MaxFailures),
		Hint:   "Look at the failures in the report before you continue.",
	}
}
