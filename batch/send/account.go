package send

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v4"

	"friendsweep/batch/chat"
	"friendsweep/input"
	"friendsweep/reports/journal/outcome"
)

// searchLimit is the number of requests that may be refused as a whole while no part of an account has succeeded.
// Then the account itself is taken for the cause.
const searchLimit = 64

// item is a row on its way.
type item struct {
	line   int64
	to     string
	lost   bool // an answer for it was lost, in this run or an earlier one
	turned bool // it is asked for from the other side than written
	failed failures
}

// part is a chunk, or what a refused request is split into.
type part struct {
	items     []item
	half      bool      // it comes from a split
	refusal   chat.Item // why the request was refused that was split
	unbounded bool      // splitting ends in a true fate, so the search limit is not for it
}

// account is one From_Account at work. It is for one goroutine.
type account struct {
	*run
	name     string
	holds    chan struct{} // places, or aside
	accepted bool          // a request was not refused as a whole, so the account is not to blame for refusals
	refusals int           // requests refused as a whole while looking for the rows to blame
	counted  bool          // the account counts among those with a decided row
	request  int64         // number of the newest one
	open     int           // pairs that were taken and have no outcome yet

	buffers
}

// buffers have the space that one account needs after another.
type buffers struct {
	items []item
	lines []int64
	tos   []string
}

// forget lets go of the names of n pairs, not of the space that they took.
func (b *buffers) forget(n int) {
	clear(b.items[:n])
	clear(b.tos[:min(n, cap(b.tos))])
}

// work sends what is open of an account that has a place, and returns the error that ends the run, if it has met one. Then
// it keeps its place: else another account could begin in its stead before the errgroup has ended ctx.
func (r *run) work(ctx context.Context, group input.Group, toSend func(input.Pair) bool) error {
	growStack()
	a := r.spare.Get().(*account)
	defer r.spare.Put(a)
	*a = account{run: r, name: group.Account, holds: r.places, buffers: a.buffers}
	err := r.note(a.send(ctx, group, toSend))
	if a.open > 0 {
		r.unfinished.Store(true)
	}
	if err == nil {
		<-a.holds
	}
	return err
}

// send sends the pairs chunk after chunk.
func (a *account) send(ctx context.Context, group input.Group, toSend func(input.Pair) bool) error {
	most := int(min(group.Size, int64(a.ChunkSize)))
	a.items = slices.Grow(a.items[:0], most)[:most]
	defer a.forget(most)
	chunk := a.items[:0]
	for p, err := range group.Pairs() {
		if err != nil {
			return err
		}
		if !toSend(p) {
			continue
		}
		if len(chunk) == most {
			if err := a.chunk(ctx, chunk); err != nil || a.isOver(ctx) {
				a.unfinished.Store(true)
				return err
			}
			chunk = chunk[:0]
		}
		chunk = append(chunk, item{line: p.Line, to: p.To, lost: a.hasLost(p.Line), turned: p.Turned})
	}
	return a.chunk(ctx, chunk)
}

// hasLost tells whether an answer for the row was lost in an earlier run of the job, or an earlier phase of this one.
func (r *run) hasLost(line int64) bool {
	return r.History != nil && r.History.Lost.Has(line) || r.finishing && r.lostTurned.HasAtomic(line)
}

// chunk works on so many of the items as the limit permits until each is decided or the run ends. Parts of a split are
// tried largest first: the sooner one of them succeeds, the sooner it is known that the account is not to blame.
func (a *account) chunk(ctx context.Context, items []item) error {
	items = items[:a.take(len(items))]
	if len(items) == 0 {
		return nil
	}
	a.open += len(items)
	for parts := []part{{items: items}}; len(parts) > 0; parts = parts[1:] {
		more, err := a.part(ctx, parts[0])
		if err != nil {
			return err
		}
		parts = append(parts, more...)
	}
	return nil
}

// take asks for n pairs more under the limit and returns how many may be sent.
func (a *account) take(n int) int {
	if a.Limit == 0 || n == 0 || a.finishing {
		return n
	}
	over := a.taken.Add(int64(n)) - a.Limit
	if over <= 0 {
		return n
	}
	a.full.Store(true)
	a.unfinished.Store(true)
	return max(0, n-int(over))
}

// part sends a part of a chunk, unless it is one that the search for the rows to blame has given up.
func (a *account) part(ctx context.Context, p part) (halves []part, err error) {
	if p.half && !a.accepted && a.refusals >= searchLimit && !p.unbounded {
		return nil, a.refuseUntried(p)
	}
	return a.sendPart(ctx, p)
}

// refuseUntried refuses a part of a split that is not worth a request of its own.
func (a *account) refuseUntried(p part) error {
	s := newSorter(len(p.items))
	for _, it := range p.items {
		s.add(it.line, outcome.Result{Outcome: outcome.Refused, Code: outcome.Code{Number: p.refusal.Code, Given: true}, Info: fmt.Sprintf(
			"%s (not tried alone: %d requests found no part of this account that is accepted)", p.refusal.Info, searchLimit)})
	}
	if err := a.Journal.Decide(a.name, s.results(nil)); err != nil {
		return err
	}
	return a.count(s)
}

// sendPart sends the items, and again those that stay open, until all are decided, the run ends, or the request is refused
// for what one of them contains: then it returns the halves.
func (a *account) sendPart(ctx context.Context, p part) (halves []part, err error) {
	var delays *backoff.ExponentialBackOff // made for the first failure: nearly every request succeeds
	for again := false; ; again = true {
		c, err := a.attempt(ctx, p.items, again)
		if err != nil {
			return nil, err
		}
		halves = append(halves, c.halves()...)
		if p.items = c.open; len(p.items) == 0 {
			return halves, nil
		}
		if !c.backOff {
			continue
		}
		if delays == nil {
			delays = backoff.NewExponentialBackOff(backoff.WithInitialInterval(a.BackoffInitial),
				backoff.WithMaxInterval(a.BackoffMax), backoff.WithMaxElapsedTime(0))
		}
		if err := a.backOff(ctx, delays.NextBackOff()); err != nil {
			return nil, err
		}
	}
}

// backOff waits before a retry. Meanwhile the account's place is another's, so that a few busy accounts do not hold up the
// run; but where very many wait so, an account keeps its place, so that no more are begun.
func (a *account) backOff(ctx context.Context, delay time.Duration) error {
	select {
	case a.aside <- struct{}{}:
		<-a.holds
		a.holds = a.aside
	default:
	}
	if err := a.sleep(ctx, delay); err != nil || a.holds == a.places {
		return err
	}
	select {
	case a.places <- struct{}{}:
		<-a.holds
		a.holds = a.places
		return nil
	case <-ctx.Done():
		return errInterrupted
	}
}

func (a *account) sleep(ctx context.Context, delay time.Duration) error {
	a.Stats.InBackoff.Add(1)
	defer a.Stats.InBackoff.Add(-1)
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return errInterrupted
	}
}

// attempt makes one request for the items: the turn of the pace, the journal's line and its sync, the request, the
// journal's line about the answer. So a crash leaves no row unknown that only waited for the pace. The error ends the run or
// is errInterrupted.
func (a *account) attempt(ctx context.Context, items []item, again bool) (c consequences, err error) {
	if a.turn(ctx, len(items)) != nil {
		return c, errInterrupted
	}
	id, err := a.announce(items)
	if err != nil {
		return c, err
	}
	if ctx.Err() != nil {
		return c, cmp.Or(a.Journal.Withdraw(id), errInterrupted)
	}
	a.Stats.Requests.Add(1)
	if again {
		a.Stats.Retried.Add(1)
	}
	a.request = a.api.sent.Add(1)
	sentAt := time.Now()
	answer := a.Client.Do(a.unstoppable, a.name, a.tos)
	c = a.consequencesOf(items, answer)
	if err := a.Journal.After(id, time.Since(sentAt), c.sorted.results(a.lines)); err != nil {
		return c, err
	}
	return c, a.follow(&c, sentAt)
}

// turn waits for the pace of so many rows.
func (a *account) turn(ctx context.Context, rows int) error {
	a.Stats.InPace.Add(1)
	defer a.Stats.InPace.Add(-1)
	return a.pace.wait(ctx, rows)
}

// announce puts on record that the items are about to be sent.
func (a *account) announce(items []item) (id int64, err error) {
	a.lines, a.tos = a.lines[:0], a.tos[:0]
	for i := range items {
		a.lines, a.tos = append(a.lines, items[i].line), append(a.tos, items[i].to)
	}
	return a.Journal.Before(a.name, a.lines)
}

// stack is about what a request needs of its goroutine's stack. A goroutine begins with less, and each account has a new
// one: where the stack grew step by step in the middle of the request, copying it was 12 % of the CPU time of an account with
// a single pair (BenchmarkSinglePairs). It grows once instead, while it is still empty.
const stack = 3 << 10

//go:noinline
func growStack() {
	var room [stack]byte
	use(&room)
}

//go:noinline
func use(*[stack]byte) {}
