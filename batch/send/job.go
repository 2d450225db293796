package send

import (
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v4"

	"friendsweep/batch/chat"
	"friendsweep/input"
	"friendsweep/reports/journal"
)

// searchLimit is the number of requests that may be refused as a whole while no part of an account has succeeded.
// Then the account itself is taken for the cause.
const searchLimit = 64

// item is a row on its way.
type item struct {
	line  int64
	to    string
	fails int   // retryable failures in this run
	lost  bool  // an answer for it was lost, in this run or an earlier one
	first sight // what the run had seen of the API when it failed for the first time
}

// part is a chunk, or what a refused request is split into.
type part struct {
	items   []item
	half    bool      // it comes from a split
	refusal chat.Item // why the request was refused that was split
	endless bool      // splitting ends in a true fate, so the search limit is not for it
}

// job works through one account.
type job struct {
	*run
	account  string
	accepted bool  // a request was not refused as a whole, so the account is not to blame for refusals
	refusals int   // requests refused as a whole while looking for the rows to blame
	counted  bool  // the account counts among those with a decided row
	request  int64 // number of the newest one
	holds    bool  // it is the account's turn: it has one of the run's hands

	*scratch
}

// scratch is what an account needs while it is at work, and the next one after it.
type scratch struct {
	items []item
	lines []int64
	tos   []string
}

// forget lets go of the account's pairs, not of the space that they took.
func (s *scratch) forget() {
	clear(s.items[:cap(s.items)])
	clear(s.tos[:cap(s.tos)])
}

func newJob(r *run, account string, s *scratch) *job {
	return &job{run: r, account: account, scratch: s}
}

// whole works through the account when it is its turn, and tells begun when it is.
func (j *job) whole(group input.Group, open func(input.Pair) bool, begun chan<- struct{}) {
	ok := j.grasp()
	begun <- struct{}{}
	if !ok {
		j.left.CompareAndSwap(false, j.anyOpen(group, open))
		return
	}
	defer j.release()
	j.work(group, open)
}

// grasp waits until the account may be at work; false if the run ends before.
func (j *job) grasp() bool {
	select {
	case j.hands <- struct{}{}:
		j.holds = true
	case <-j.ctx.Done():
	}
	return j.holds
}

// release lets another account work.
func (j *job) release() {
	if j.holds {
		<-j.hands
		j.holds = false
	}
}

// work sends the open pairs of the group, chunk after chunk.
func (j *job) work(group input.Group, open func(input.Pair) bool) {
	most := int(min(group.Size, int64(j.ChunkSize)))
	j.items = slices.Grow(j.items[:0], most)
	defer j.forget()
	chunk := j.items
	for p, err := range group.Pairs() {
		if err != nil {
			j.fail(err)
			return
		}
		if !open(p) {
			continue
		}
		if len(chunk) == most {
			if j.chunk(chunk); j.over() {
				j.left.Store(true)
				return
			}
			chunk = chunk[:0]
		}
		chunk = append(chunk, item{line: p.Line, to: p.To, lost: j.lost(p.Line)})
	}
	if len(chunk) > 0 {
		j.chunk(chunk)
	}
}

// chunk works on so many of the items as the limit permits until each is decided or the run ends. Parts of a split are
// tried largest first: the sooner one of them succeeds, the sooner it is known that the account is not to blame.
func (j *job) chunk(items []item) {
	items = items[:j.take(len(items))]
	if len(items) == 0 {
		return
	}
	parts := []part{{items: items}}
	for len(parts) > 0 {
		p := parts[0]
		parts = parts[1:]
		if p.half && !j.accepted && j.refusals >= searchLimit && !p.endless {
			j.condemn(p)
			continue
		}
		parts = append(parts, j.part(p)...)
	}
}

// take asks for n pairs more under the limit and returns how many may be sent.
func (j *job) take(n int) int {
	if j.Limit == 0 {
		return n
	}
	over := j.taken.Add(int64(n)) - j.Limit
	if over <= 0 {
		return n
	}
	j.full.Store(true)
	j.left.Store(true)
	return max(0, n-int(over))
}

// condemn refuses a part of a split that is not worth a request of its own.
func (j *job) condemn(p part) {
	s := newSorter(len(p.items))
	for _, it := range p.items {
		s.add(it.line, journal.Result{Outcome: journal.Refused, Code: journal.Code{Number: p.refusal.Code, Given: true}, Info: fmt.Sprintf(
			"%s (not tried alone: %d requests found no part of this account that is accepted)", p.refusal.Info, searchLimit)})
	}
	if err := j.Journal.Decide(j.account, s.results(nil)); err != nil {
		j.fail(err)
		return
	}
	j.count(s)
}

// part sends the items, and again those that stay open, until all are decided, the run ends, or the request is refused
// for what one of them contains: then it returns the halves.
func (j *job) part(p part) (halves []part) {
	var retry *backoff.ExponentialBackOff // made for the first failure: nearly every request succeeds
	for again := false; ; again = true {
		v, ok := j.attempt(p, again)
		if !ok {
			j.left.Store(true)
			return nil
		}
		halves = append(halves, v.halves()...)
		if p.items = v.open; len(p.items) == 0 {
			return halves
		}
		if retry == nil {
			retry = backoff.NewExponentialBackOff(backoff.WithInitialInterval(j.BackoffInitial),
				backoff.WithMaxInterval(j.BackoffMax), backoff.WithMaxElapsedTime(0))
		}
		if !j.pause(v.wait, retry) {
			j.left.Store(true)
			return nil
		}
	}
}

// halves are the parts that a refused request is split into. A single item is a part of its own when the others were
// answered.
func (v *verdict) halves() []part {
	refusal := chat.Item{Code: v.answer.Code, Info: v.answer.Info}
	mid := (len(v.split) + 1) / 2
	var parts []part
	for _, items := range [][]item{v.split[:mid], v.split[mid:]} {
		if len(items) > 0 {
			parts = append(parts, part{items: items, half: true, refusal: refusal, endless: v.endless})
		}
	}
	return parts
}

// pause waits before a retry; false if the run ends meanwhile.
func (j *job) pause(wait bool, retry *backoff.ExponentialBackOff) bool {
	if !wait {
		return j.ctx.Err() == nil
	}
	j.release()
	j.Stats.InBackoff.Add(1)
	timer := time.NewTimer(retry.NextBackOff())
	select {
	case <-timer.C:
	case <-j.ctx.Done():
	}
	timer.Stop()
	j.Stats.InBackoff.Add(-1)
	return j.grasp() && j.ctx.Err() == nil
}

// attempt makes one request for the items: the turn of the pace, the journal's line and its sync, the request, the
// journal's line about the answer. So a crash leaves no row unknown that only waited for the pace. It returns false when
// nothing was sent because the run ends, or when the journal failed.
func (j *job) attempt(p part, again bool) (v verdict, ok bool) {
	if j.turn(len(p.items)) != nil {
		return verdict{}, false
	}
	j.lines, j.tos = j.lines[:0], j.tos[:0]
	for _, it := range p.items {
		j.lines, j.tos = append(j.lines, it.line), append(j.tos, it.to)
	}
	id, err := j.Journal.Before(j.account, j.lines)
	if err != nil {
		j.fail(err)
		return verdict{}, false
	}
	if j.ctx.Err() != nil {
		if err := j.Journal.Withdraw(id); err != nil {
			j.fail(err)
		}
		return verdict{}, false
	}
	j.Stats.Requests.Add(1)
	if again {
		j.Stats.Retried.Add(1)
	}
	j.request = j.api.sent.Add(1)
	left := time.Now()
	answer := j.Client.Do(j.outlasting, j.account, j.tos)
	v = j.judge(p.items, answer)
	if err := j.Journal.After(id, time.Since(left), v.sorted.results(j.lines)); err != nil {
		j.fail(err)
		return verdict{}, false
	}
	j.follow(v, left)
	return v, true
}

// turn waits for the pace of so many rows.
func (j *job) turn(rows int) error {
	j.Stats.InPace.Add(1)
	defer j.Stats.InPace.Add(-1)
	return j.pace.wait(j.ctx, rows)
}
