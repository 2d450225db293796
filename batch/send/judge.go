package send

import (
	"fmt"
	"time"

	"friendsweep/batch/chat"
	"friendsweep/reports/journal"
)

// verdict is what an answer means for the items of its request and for the run.
type verdict struct {
	sorted  *sorter
	open    []item // to be sent again as they are
	split   []item // to be sent again in halves
	endless bool   // splitting ends in a true fate for every row

	wait      bool // a failure: back off before sending again
	throttled bool
	accepted  bool // not refused as a whole
	renew     bool
	answer    chat.Answer
	stop      *Stop // what the answer ends the run with, if anything
}

// judge asks the retry table about every item and sorts the items by what is to be done.
func (j *job) judge(items []item, a chat.Answer) verdict {
	v := verdict{sorted: newSorter(len(items)), answer: a}
	v.accepted = a.Kind == chat.Envelope && a.Code == 0
	if v.accepted {
		j.proven.Store(true)
	}
	if a.Kind == chat.Envelope {
		j.api.hear(j.request)
	}
	keep := items[:0] // in place: an item is read before its place is written
	for i, it := range items {
		f := j.API.Row(&a, i)
		res := j.rule(&v, &it, f)
		v.sorted.add(it.line, res)
		switch {
		case res.Outcome != journal.Open:
		case j.splits(f):
			v.split, v.endless = append(v.split, it), f.Unbounded
		default:
			keep = append(keep, it)
		}
	}
	v.open = keep
	if v.stop == nil {
		j.ruleRequest(&v, a)
	}
	return v
}

// splits tells whether a ruling asks for halves. A code that may be the credentials' fault is a row's only after a
// request of this run has succeeded.
func (j *job) splits(r chat.Ruling) bool {
	return r.Verdict == chat.Split && (!r.UntilProven || j.proven.Load())
}

// rule turns the ruling about an item into its result and notes what it means for the run.
func (j *job) rule(v *verdict, it *item, f chat.Ruling) journal.Result {
	res := journal.Result{Code: journal.Code(f.Code), Info: f.Info, Lost: f.Lost}
	stops := f.UntilProven && !j.proven.Load()
	switch {
	case stops || f.Verdict == chat.Stop:
		v.halt(j.API, f)
	case f.Verdict == chat.Final:
		res.Outcome = journal.Answered + journal.Outcome(f.Outcome)
	case f.Verdict == chat.Refuse:
		res.Outcome = journal.Refused
	case f.Verdict == chat.Throttle:
		v.throttled = true
	case f.Verdict == chat.Renew:
		v.renew = true
	case f.Verdict == chat.Retry:
		res.Outcome = j.again(v, it, f)
	}
	now := j.Call.After(journal.State{Lost: it.lost}, &res)
	it.lost, res.Outcome, res.Presumed = now.Lost, now.Outcome, now.Presumed
	if now.Presumed {
		res.Info = j.Call.Presumed.Info
	}
	if j.Mirrored != nil && j.Call.Settles(now.Outcome) {
		j.Mirrored.SetAtomic(it.line)
	}
	return res
}

// again counts a retryable failure of the item, and gives it up after the last one.
func (j *job) again(v *verdict, it *item, f chat.Ruling) journal.Outcome {
	v.wait = true
	it.fails++
	it.first.fail(&j.api, v.answer.Kind, it.fails == 1)
	switch {
	case it.fails < j.MaxAttempts:
		return journal.Open
	case f.ThenStop:
		v.halt(j.API, f)
		return journal.Open
	case j.api.isOut(&it.first):
		v.stop = outage(f)
		return journal.Open
	}
	return journal.GaveUp
}

// ruleRequest notes what the answer as a whole means for the run where no item says so.
func (j *job) ruleRequest(v *verdict, a chat.Answer) {
	r := j.API.Ruling(&a)
	if r.Verdict == chat.Stop || r.UntilProven && !j.proven.Load() {
		v.halt(j.API, r)
	}
	v.throttled = v.throttled || r.Verdict == chat.Throttle
}

// halt ends the run for an answer.
func (v *verdict) halt(call chat.Call, f chat.Ruling) {
	if v.stop != nil {
		return
	}
	v.stop = &Stop{Reason: "the server cannot be used: " + f.Info, Hint: v.answer.Kind.Advice()}
	if f.Code.Given {
		v.stop = &Stop{
			Reason: fmt.Sprintf("the API refused the request with code %d, %s: %s", f.Code.Number, call.Meaning(f.Code.Number), f.Info),
			Hint:   call.Advice(f.Code.Number),
		}
	}
}

// follow does what an answer means for the run: pace, signature, stop, counters.
func (j *job) follow(v verdict, left time.Time) {
	j.accepted = j.accepted || v.accepted
	if len(v.split) > 0 && !v.endless {
		j.refusals++
	}
	switch {
	case !v.throttled && v.renew: // says nothing about the pace
	case !v.throttled:
		j.pace.answered()
		if v.answer.Kind == chat.Envelope {
			j.signatures.note(v.answer.Generation)
		}
	case !j.pace.throttled(left, v.sorted.decided() > 0):
		v.stop = &Stop{Reason: fmt.Sprintf("the API has answered nothing but \"too frequent\" for %s", giveUpAfter),
			Hint: "Another program may be using up the app's limit; lower --rate and continue later."}
	}
	if v.throttled {
		j.Stats.Throttled.Add(1)
	}
	if v.stop == nil && v.renew {
		v.stop = j.renew(v.answer)
	}
	if v.stop != nil {
		j.run.stop(v.stop)
	}
	j.count(v.sorted)
}

// count adds the decided rows to the run's figures, and stops it when too many of them failed.
func (j *job) count(s *sorter) {
	failed, decided := int64(s.count[journal.Refused]+s.count[journal.GaveUp]), int64(s.decided())
	if decided == 0 {
		return
	}
	for o, n := range s.count {
		if journal.Outcome(o).IsAnswer() && !j.Good.Has(journal.Outcome(o)) {
			j.Stats.Unwanted.Add(int64(n))
		}
	}
	all, bad := j.Stats.Decided.Add(decided), j.Stats.Failed.Add(failed)
	if !j.counted {
		j.counted = true
		j.accounts.Add(1)
	}
	if failed > 0 && j.MaxFailures.reached(bad, all, j.accounts.Load()) {
		j.run.stop(&Stop{
			Reason: fmt.Sprintf("%d of %d rows were refused or given up, --max-failures is %s", bad, all, j.MaxFailures),
			Hint:   "Look at the failures in the report before you continue.",
		})
	}
}
