// Package send is the middle of a run: it sends the pairs of every account in chunks through a bounded pool, at a shared
// pace, and again with backoff until each row has an outcome or the run must stop.
//
// Fill in a [Runner] and call [Runner.Run]. What becomes of a row is data and goes to the journal as an [outcome.Result]; an
// error, a [*Stop] most often, ends the run.
//
// The pool (pool.go) works on many accounts side by side, and each account (account.go) sends its chunks one after the other,
// because the API answers 30008, a write conflict, to concurrent requests for one account. A request waits for the pace, then
// its line goes into the journal and onto the disk, then it leaves: in this order, in account.go. What an answer means stands
// in answer.go, when a request may leave in pace.go.
package send

import (
	"context"
	"iter"
	"sync/atomic"
	"time"

	"friendsweep/batch/chat"
	"friendsweep/input"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/outcome"
)

// Options are the bounds of a run. The defaults stand in the command line's help.
type Options struct {
	Call           *outcome.Call // what is asked for
	Good           outcome.Set   // the answers that are successes
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
	Mirrored *outcome.Bits

	Stats Stats
}

// Journal is a [journal.Journal] that a run is begun in, or the one with which package proof lets a process die between any
// two calls. Its methods are called from many goroutines at once.
type Journal interface {
	// Before puts on record that the rows are about to be sent and returns when that is safe from a crash.
	Before(account string, lines []int64) (id int64, err error)
	// After puts on record what was answered.
	After(id int64, took time.Duration, results []outcome.Result) error
	// Withdraw puts on record that the request was not sent after all.
	Withdraw(id int64) error
	// Decide puts on record what became of rows without a request of their own.
	Decide(account string, results []outcome.Result) error
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

// Pairs are what a run sends, as [input.Input] groups them. What is nil is nothing.
type Pairs struct {
	Groups iter.Seq2[input.Group, error] // as they are asked for first
	// Turned are those of Groups that are asked for from the other side, as they were written: for those that way brings
	// no final answer.
	Turned   iter.Seq2[input.Group, error]
	Mirrors  iter.Seq2[input.Group, error] // they are sent if their first row does not settle them
	LastLine int64                         // none of them is above
}

// Run sends the pairs: Groups, then what is left of Turned, then Mirrors. It returns nil when every row had
// its turn; a *Stop or an error of the journal when the run had to stop; and the cause of ctx when that was cancelled
// with rows still open. In each case no request is in flight any more.
func (r *Runner) Run(ctx context.Context, pairs Pairs) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	run := newRun(ctx, r)
	if !r.Deadline.IsZero() {
		timer := time.AfterFunc(time.Until(r.Deadline), func() {
			cancel(run.note(&Stop{Reason: "the time of --max-duration is over", Asked: true}))
		})
		defer timer.Stop()
	}
	if pairs.Turned != nil {
		run.asWritten, run.lostTurned = outcome.NewBits(pairs.LastLine), outcome.NewBits(pairs.LastLine)
	}
	for _, p := range []phase{
		{groups: pairs.Groups, toSend: run.isOpen},
		{groups: pairs.Turned, toSend: func(p input.Pair) bool { return run.isForLater(p.Line) }, finishing: true},
		{groups: pairs.Mirrors, toSend: run.isOpenMirror},
	} {
		if p.groups == nil {
			continue
		}
		if err := run.carryOut(ctx, p); err != nil {
			cancel(err) // the phases that follow only look whether they have anything to send
		}
	}
	return run.ended(ctx)
}
