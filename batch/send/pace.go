package send

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The shared pace is cut in half when the API says "too frequent", and climbs back by a part of the full pace for each
// second without such an answer: the additive increase and multiplicative decrease of TCP, which finds a limit that we
// share with callers we do not know.
const (
	cutAtMostEvery = 200 * time.Millisecond // requests under way when the pace is cut say nothing about the new one
	climbPerSecond = 0.05
	slowest        = 1.0 // requests per second
	documented     = 200 // requests per second that the API allows (vendor page 34905)
	// headroom keeps what the server counts in any one second below the limit although requests arrive less evenly
	// than they leave.
	headroom = 0.993
	// giveUpAfter is how long nothing but "too frequent" may be answered.
	giveUpAfter = 10 * time.Minute
)

// pace decides when the next request may leave. It is safe for concurrent use.
type pace struct {
	turn    chan struct{} // held by the one request that waits; the others wait for it, so that a cut holds at once
	limiter *rate.Limiter
	rows    *rate.Limiter // of rows; nil for no limit
	full    rate.Limit    // requests per second asked for

	mu      sync.Mutex
	now     rate.Limit // requests per second, at most full
	cut     time.Time  // when the pace was last cut
	climbed time.Time  // until when the climb is accounted for
	since   time.Time  // of the first of the "too frequent" answers that nothing has interrupted; zero if none
	window  time.Time  // start of the second in which sent counts, for a pace without limit
	sent    int
	before  int // sent in the second before
}

// newPace makes a pace of so many requests and rows per second; 0 is no limit.
func newPace(perSecond, rowsPerSecond float64) *pace {
	full := rate.Limit(perSecond * headroom)
	if perSecond == 0 {
		full = rate.Inf
	}
	burst := 1
	if perSecond >= 100 {
		// A goroutine that wakes up late would lose its place for good: one request may follow at once. Beyond 1000 a
		// second timers are too coarse, and requests leave in small groups.
		burst = max(2, int(perSecond/500))
	}
	p := &pace{turn: make(chan struct{}, 1), limiter: rate.NewLimiter(full, burst), full: full, now: full}
	if rowsPerSecond > 0 {
		p.rows = rate.NewLimiter(rate.Limit(rowsPerSecond), 1)
	}
	return p
}

// wait blocks until the next request, of so many rows, may leave, or the context is done.
func (p *pace) wait(ctx context.Context, rows int) error {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.turn }()
	if err := p.waitRows(ctx, rows); err != nil {
		return err
	}
	if err := p.limiter.Wait(ctx); err != nil {
		return err
	}
	if p.full == rate.Inf {
		p.tick()
	}
	return ctx.Err()
}

// waitRows waits until all rows of earlier requests have had their time, and takes the time of these: the rows of one
// request leave together, and the next one waits for it.
func (p *pace) waitRows(ctx context.Context, rows int) error {
	if p.rows == nil {
		return nil
	}
	if err := p.rows.Wait(ctx); err != nil {
		return err
	}
	now := time.Now()
	for range rows - 1 { // one by one, because a limiter refuses more at once than its burst
		p.rows.ReserveN(now, 1)
	}
	return nil
}

// tick counts the requests of each second, to know what to halve when there was no limit.
func (p *pace) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.window) >= time.Second {
		p.before, p.sent, p.window = p.sent, 0, now
	}
	p.sent++
}

// throttled takes a "too frequent" answer to a request that left at the given time; partly says that it answered some
// rows all the same. It returns false when there has been nothing else for too long.
func (p *pace) throttled(left time.Time, partly bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.since.IsZero() || partly {
		p.since = now
	}
	if now.Sub(p.since) >= giveUpAfter {
		return false
	}
	if left.Before(p.cut) || now.Sub(p.cut) < cutAtMostEvery {
		return true
	}
	if p.now == rate.Inf {
		// A run that has only begun knows no pace of its own: the API's documented limit is the better guess.
		p.now = rate.Limit(max(p.sent, p.before, documented))
	}
	p.now = max(p.now/2, min(slowest, p.full))
	p.cut, p.climbed = now, now
	p.limiter.SetLimit(p.now)
	return true
}

// answered takes any other answer: the pace climbs.
func (p *pace) answered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since = time.Time{}
	if p.now == p.full {
		return
	}
	now := time.Now()
	elapsed := min(now.Sub(p.climbed).Seconds(), 1)
	p.climbed = now
	if p.full == rate.Inf {
		p.now *= rate.Limit(1 + climbPerSecond*elapsed)
		if p.now > 2*rate.Limit(max(p.sent, p.before, 100)) {
			p.now = p.full // nothing holds us any more
		}
	} else {
		p.now = min(p.full, p.now+p.full*rate.Limit(climbPerSecond*elapsed))
	}
	p.limiter.SetLimit(p.now)
}

// slowed returns the present pace if it is below the full one, else 0.
func (p *pace) slowed() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now == p.full {
		return 0
	}
	return float64(p.now)
}
