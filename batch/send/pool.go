package send

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"friendsweep/input"
	"friendsweep/reports/journal/outcome"
)

// run is the state of one Run. Everything in it is fixed or safe for concurrent use.
type run struct {
	*Runner
	unstoppable context.Context // that of requests in flight, which finish when the run ends
	pace        *pace
	api         api
	signatures  signatures
	places      chan struct{} // held by the accounts at work, one for each request that may be in flight
	aside       chan struct{} // held by the accounts that have handed their place back, until they have one again
	spare       sync.Pool     // *account, ended, for the space it has
	proven      atomic.Bool   // a request of this run has succeeded
	taken       atomic.Int64  // pairs sent for the first time, against Limit
	full        atomic.Bool   // Limit is used up: what was taken is finished, nothing more is taken
	finishing   bool          // the phase sends only what an earlier one has taken; set between phases
	lostTurned  *outcome.Bits // those of asWritten that lost an answer in this run
	asWritten   *outcome.Bits // asked for from the other side than written, without a final answer; nil where nothing is
	decided     atomic.Int64  // accounts with a decided row

	// How it ended.
	fault      atomic.Pointer[error] // the first error that is no Stop
	stopped    atomic.Pointer[Stop]  // the first Stop
	unfinished atomic.Bool           // pairs are left open
}

// asidePerPlace is how many accounts may wait before a retry without a place, for each place. It bounds the accounts that
// are in memory to four for each request in flight.
const asidePerPlace = 3

func newRun(ctx context.Context, r *Runner) *run {
	run := &run{Runner: r, unstoppable: context.WithoutCancel(ctx), pace: newPace(r.Rate, r.RowRate),
		places: make(chan struct{}, r.Workers), aside: make(chan struct{}, asidePerPlace*r.Workers)}
	run.spare.New = func() any { return new(account) }
	r.Stats.pace.Store(run.pace)
	return run
}

// phase is a part of the run. It begins when all that was begun before has ended, because what it sends depends on that.
type phase struct {
	groups    iter.Seq2[input.Group, error]
	toSend    func(input.Pair) bool // tells whether a pair of the groups is to be sent
	finishing bool                  // what it sends was taken in an earlier phase, so no limit holds it up
}

// isOpen tells whether earlier runs have left the pair to be sent.
func (r *run) isOpen(p input.Pair) bool { return r.History == nil || !r.History.Final.Has(p.Line) }

// isOpenMirror tells whether a mirror is to be sent.
func (r *run) isOpenMirror(p input.Pair) bool { return r.isOpen(p) && !r.Mirrored.HasAtomic(p.First) }

// isForLater tells whether the pair, asked for from the other side, is to be asked for as it is written.
func (r *run) isForLater(line int64) bool { return r.asWritten != nil && r.asWritten.HasAtomic(line) }

// carryOut works through the groups of a phase and returns when every account that was begun has ended. The error, a *Stop
// or a fault of this machine, ends the run.
//
// The limit of the errgroup is never what an account waits for, because Go would not hear that the run ends: whoever is
// begun holds one of places or one of aside, and the feeder has a place before it calls Go.
func (r *run) carryOut(ctx context.Context, p phase) error {
	r.finishing = p.finishing
	accounts, ctx := errgroup.WithContext(ctx)
	accounts.SetLimit(1 + cap(r.places) + cap(r.aside)) // the one is the feeder
	accounts.Go(func() error { return r.note(r.feed(ctx, accounts, p)) })
	return accounts.Wait()
}

// feed begins one account after the other, as soon as there is a place, so that no group is read into memory long before.
// Where the run ends it looks whether anything is left.
func (r *run) feed(ctx context.Context, accounts *errgroup.Group, p phase) error {
	for group, err := range p.groups {
		switch {
		case err != nil:
			return err
		case r.takePlace(ctx):
			accounts.Go(func() error { return r.work(ctx, group, p.toSend) })
		case anyOpen(group, p.toSend):
			r.unfinished.Store(true)
			return nil
		}
	}
	return nil
}

// takePlace waits for a place for one more account; false if no account may be begun any more. Accounts that come back
// from a backoff wait for places in the same queue, first come, first served. It needs no other order: only one new account
// waits at a time, so neither can hold the other up for long.
func (r *run) takePlace(ctx context.Context) bool {
	if r.isOver(ctx) {
		return false
	}
	select {
	case r.places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// isOver reports whether no new chunk may be begun.
func (r *run) isOver(ctx context.Context) bool {
	return ctx.Err() != nil || r.full.Load() && !r.finishing
}

// anyOpen reports whether the group has something to send.
func anyOpen(group input.Group, toSend func(input.Pair) bool) bool {
	for p, err := range group.Pairs() {
		if err != nil || toSend(p) {
			return true
		}
	}
	return false
}

// errInterrupted is what an account ends with when others have ended the run: nothing new may be sent. It has pairs left.
var errInterrupted = errors.New("the run has ended")

// note keeps what ends the run, and returns it. The errgroup knows only which error came first; but a fault of this machine
// outranks a stop, whichever came first, because what came later may not be on record. An account that was interrupted is no
// reason.
func (r *run) note(err error) error {
	var stop *Stop
	switch {
	case err == nil, errors.Is(err, errInterrupted):
		return nil
	case errors.As(err, &stop):
		r.stopped.CompareAndSwap(nil, stop)
	default:
		r.fault.CompareAndSwap(nil, &err)
	}
	return err
}

// ended says why the run ended, once it has. A stop or a signal after the last answer changes nothing, and a stop outranks a
// signal (the contract's section 8).
func (r *run) ended(ctx context.Context) error {
	switch fault, stop := r.fault.Load(), r.stopped.Load(); {
	case fault != nil:
		return *fault
	case !r.unfinished.Load():
		return nil
	case stop != nil:
		return stop
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return &Stop{Reason: "the pairs of --limit are sent", Asked: true}
}
