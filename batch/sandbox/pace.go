package sandbox

import (
	"math"
	"sync"
	"time"
)

// pace is the limit of calls per second. It remembers the calls of the window that ends now, because a bucket or a window
// with fixed borders would let up to twice the limit through within some second, and so hide a client that is too fast.
type pace struct {
	most   int           // calls per window; 0 is no limit
	window time.Duration // a second, or longer where the limit is no whole number

	mu     sync.Mutex
	passed []time.Time // the calls let through within the window, oldest first
}

// newPace rounds a broken limit up to whole calls and stretches the window by as much. Rounding down instead would leave
// nothing of the headroom in 1.1 times a small rate, and refuse a caller who keeps to it.
func newPace(limit float64) *pace {
	if !(limit > 0) || limit > math.MaxInt32 {
		return &pace{}
	}
	most := math.Ceil(limit - 1e-9) // 1.1 times 200 is a hair more than 220
	most = max(most, 1)
	window := math.Ceil(most / limit * float64(time.Second))
	return &pace{most: int(most), window: time.Duration(min(window, math.MaxInt64/2))}
}

// admit lets a call through if the limit permits; refused calls do not count. The returned time is that of the decision.
func (p *pace) admit() (at time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now() // under the lock, so that passed is in order
	return now, p.most == 0 || p.pass(now)
}

func (p *pace) pass(now time.Time) bool {
	for len(p.passed) > 0 && now.Sub(p.passed[0]) >= p.window {
		p.passed = p.passed[1:]
	}
	if len(p.passed) >= p.most {
		return false
	}
	p.passed = append(p.passed, now)
	return true
}

// accounts holds the From_Accounts that have a call in flight. Its zero value is ready.
type accounts struct {
	mu     sync.Mutex
	flying map[ident]struct{}
}

// hold marks the account; false if it has a call in flight already. The real service then has a write conflict some of the
// time; here it has one always, so that a caller who lets chunks of one account overlap is found out.
func (a *accounts) hold(account ident) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, flying := a.flying[account]; flying {
		return false
	}
	if a.flying == nil {
		a.flying = make(map[ident]struct{})
	}
	a.flying[account] = struct{}{}
	return true
}

func (a *accounts) release(account ident) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.flying, account)
}
