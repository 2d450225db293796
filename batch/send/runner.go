// Package batch is the run: it sends the pairs of every account in chunks through a bounded pool, at a shared pace, and
// again with backoff until each row has an outcome or the run must stop.
//
// Fill in a [Runner] and call [Runner.Run]. The runner knows the remote API through Send and the journal through
// Before, After, Withdraw and Decide. What becomes of a row is data and goes to the journal as a [journal.Result]; an error of
// the runner, a [*Stop] most often, ends the run.
//
// One job is one account, its chunks one after the other, because the API answers 30008, a write conflict, to
// concurrent requests for one account. Jobs of different accounts run side by side.
package send

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"friendsweep/batch/chat"
	"friendsweep/input"
	"friendsweep/reports/journal"
)

// Options are the bounds of a run. The defaults stand in the command line's help.
type Options struct {
	Call           *journal.Call // what is asked for
	Good           journal.Set   // the answers that are successes
	ChunkSize      int           // pairs per request, 1 to 1000 (vendor page 34905)
	Workers        int           // requests in flight, at least 1
	Rate           float64       // requests per second, retries included; 0 is no limit
	RowRate        float64       // rows per second, retries included; 0 is no limit
	MaxAttempts    int           // retryable failures of one row before it is given up, at least 1
	BackoffInitial time.Duration // first delay before a retry
	BackoffMax     time.Duration // longest delay before a retry
	MaxFailures    Failures      // how many refused or given up rows stop the run
	Limit          int64         // pairs that may be sent; 0 is no limit
	Deadline       time.Time     // when the run must stop; zero is never
}

// Runner carries out one run. It may be run once.
type Runner struct {
	Options

	Client  *chat.Client // makes the requests
	API     chat.Call    // the call that it makes: knows what an answer means
	Signer  *chat.Signer // the client's, which makes a new signature where one was refused as expired
	Journal Journal      // is told of every request before it leaves, and of what became of it

	// History is what earlier runs of the job left behind: rows that are not sent again, and rows that lost an answer.
	// It is nil where there were none.
	History *journal.History
	// Mirrored takes the rows whose answer settles their mirrors, too, and has those of earlier runs: it decides which
	// mirrors are sent. It is nil where there are no mirrors.
	Mirrored *journal.Bits

	Stats Stats
}

// Journal is a [journal.Journal] that a run is begun in, or the one with which package proof lets a process die between any
// two calls. Its methods are called from many goroutines at once.
type Journal interface {
	// Before puts on record that the rows are about to be sent and returns when that is safe from a crash.
	Before(account string, lines []int64) (id int64, err error)
	// After puts on record what was answered.
	After(id int64, took time.Duration, results []journal.Result) error
	// Withdraw puts on record that the request was not sent after all.
	Withdraw(id int64) error
	// Decide puts on record what became of rows without a request of their own.
	Decide(account string, results []journal.Result) error
}

// Stats are the figures of a run while it goes on.
type Stats struct {
	Requests  atomic.Int64 // sent
	Retried   atomic.Int64 // of these, sent again after a failure
	Throttled atomic.Int64 // of these, answered with "too frequent"
	Decided   atomic.Int64 // rows with an outcome
	Failed    atomic.Int64 // of these, refused or given up
	Unwanted  atomic.Int64 // of these, answered with what is no success
	InBackoff atomic.Int64 // accounts that wait before a retry
	InPace    atomic.Int64 // requests that wait for their turn
	pace      atomic.Pointer[pace]
}

// Pace returns the requests per second that the API's "too frequent" answers have left us, 0 if they have not slowed
// the run down.
func (s *Stats) Pace() float64 {
	if p := s.pace.Load(); p != nil {
		return p.slowed()
	}
	return 0
}

// Stop says why a run ended before its end. What is still open can be resumed.
type Stop struct {
	Reason string
	Hint   string // what to check; may be empty
	Asked  bool   // the user wanted it so: --limit, --max-duration
}

// Error is the reason, and the hint on a second line.
func (s *Stop) Error() string {
	if s.Hint == "" {
		return s.Reason
	}
	return s.Reason + "\n" + s.Hint
}

// parked is how many accounts may be under work for each request in flight. One that waits before a retry hands its turn
// to another, so that a few busy accounts do not hold up the run; this bounds how many may wait so.
const parked = 4

// Run sends groups, then those pairs of mirrors whose first row does not settle them. It returns nil when every row had
// its turn; a *Stop or an error of the journal when the run had to stop; and the cause of ctx when that was cancelled
// with rows still open. In each case no request is in flight any more.
func (r *Runner) Run(ctx context.Context, groups, mirrors iter.Seq2[input.Group, error]) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	run := &run{Runner: r, ctx: ctx, outlasting: context.WithoutCancel(ctx), cancel: cancel, pace: newPace(r.Rate, r.RowRate),
		hands: make(chan struct{}, r.Workers)}
	r.Stats.pace.Store(run.pace)
	if !r.Deadline.IsZero() {
		timer := time.AfterFunc(time.Until(r.Deadline), func() { run.stop(&Stop{Reason: "the time of --max-duration is over", Asked: true}) })
		defer timer.Stop()
	}
	run.all(groups, run.open)
	run.all(mirrors, run.waiting)
	return run.end()
}

// run is the state of one Run. Everything but the fields below mu is fixed or safe for concurrent use.
type run struct {
	*Runner
	ctx        context.Context // done when nothing new may be sent
	outlasting context.Context // ctx, but never done: that of requests in flight
	cancel     context.CancelCauseFunc
	pace       *pace
	hands      chan struct{} // held by the accounts at work, one for each request that may be in flight
	proven     atomic.Bool   // a request of this run has succeeded
	api        api
	signatures signatures
	taken      atomic.Int64 // pairs sent for the first time, against Limit
	full       atomic.Bool  // Limit is used up: what was taken is finished, nothing more is taken
	left       atomic.Bool  // rows are left open

	accounts atomic.Int64 // with a decided row

	mu      sync.Mutex
	fault   error // the first error that is no Stop
	stopped *Stop // the first Stop
}

// open tells whether a pair of the groups is to be sent.
func (r *run) open(p input.Pair) bool { return r.History == nil || !r.History.Final.Has(p.Line) }

// waiting tells whether a mirror is to be sent.
func (r *run) waiting(p input.Pair) bool { return r.open(p) && !r.Mirrored.HasAtomic(p.First) }

// lost tells whether an answer for the row was lost in an earlier run of the job.
func (r *run) lost(line int64) bool { return r.History != nil && r.History.Lost.Has(line) }

// all works through the groups. It returns when every job has ended.
func (r *run) all(groups iter.Seq2[input.Group, error], open func(input.Pair) bool) {
	pool := pool{run: r, open: open, feed: make(chan ticket), begun: make(chan struct{})}
	pool.jobs.SetLimit(parked * r.Workers)
	defer pool.wait()
	for group, err := range groups {
		if err != nil {
			r.fail(err)
			return
		}
		if r.over() {
			if r.anyOpen(group, open) {
				r.left.Store(true)
				return
			}
			continue
		}
		pool.begin(group)
	}
}

// pool is the goroutines that work through accounts, one after the other: a new one for each account would have to grow
// its stack and make its slices anew, which is much of the cost of an account with a single pair.
type pool struct {
	*run
	open  func(input.Pair) bool
	feed  chan ticket
	jobs  errgroup.Group // jobs return no errors: they stop the run and end by themselves
	begun chan struct{}
	size  int
}

// ticket is an account whose turn comes next.
type ticket struct {
	group input.Group
	begun chan<- struct{} // told when its turn has come
}

// begin hands the group to the pool and returns when its turn has come, so that no group is read into memory long before.
func (p *pool) begin(group input.Group) {
	next := ticket{group, p.begun}
	select {
	case p.feed <- next:
	default:
		p.grow()
		p.feed <- next
	}
	<-p.begun
}

// grow adds a goroutine unless there are as many as may be. It ends when the feed is closed.
func (p *pool) grow() {
	if p.size == parked*p.Workers {
		return
	}
	p.size++
	p.jobs.Go(func() error {
		var s scratch
		for next := range p.feed {
			newJob(p.run, next.group.Account, &s).whole(next.group, p.open, next.begun)
		}
		return nil
	})
}

// wait returns when every account that was begun has ended.
func (p *pool) wait() {
	close(p.feed)
	p.jobs.Wait()
}

// over reports whether no new chunk may be begun.
func (r *run) over() bool { return r.ctx.Err() != nil || r.full.Load() }

func (r *run) anyOpen(group input.Group, open func(input.Pair) bool) bool {
	for p, err := range group.Pairs() {
		if err != nil || open(p) {
			return true
		}
	}
	return false
}

// fail stops the run for an error that is not the remote side's doing, a full disk for example.
func (r *run) fail(err error) {
	r.mu.Lock()
	if r.fault == nil {
		r.fault = err
	}
	r.mu.Unlock()
	r.cancel(err)
}

// stop ends the run: requests in flight finish, nothing new is sent.
func (r *run) stop(s *Stop) {
	r.mu.Lock()
	if r.stopped == nil {
		r.stopped = s
	}
	r.mu.Unlock()
	r.cancel(s)
}

// end says how the run ended. A stop or a signal after the last answer changes nothing.
func (r *run) end() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.fault != nil:
		return r.fault
	case !r.left.Load():
		return nil
	case r.stopped != nil:
		return r.stopped
	case r.ctx.Err() != nil:
		return context.Cause(r.ctx)
	}
	return &Stop{Reason: "the pairs of --limit are sent", Asked: true}
}
