package send

import (
	"sync"
	"sync/atomic"

	"friendsweep/batch/chat"
)

// api is what the run has seen of the API so far, over all accounts. Requests are numbered in the order in which they left.
type api struct {
	sent     atomic.Int64 // number of the newest request
	mu       sync.Mutex
	answered int64 // number of the newest request that the API itself answered, whatever it said; 0 for none
}

// hear notes that the API answered a request.
func (a *api) hear(request int64) {
	a.mu.Lock()
	a.answered = max(a.answered, request)
	a.mu.Unlock()
}

// sight is what a row's failures saw of the API.
type sight struct {
	sent  int64 // the newest request at the row's first failure
	own   int64 // requests since then that carried the row itself
	spoke bool  // one of the failures was an answer of the API
}

// fail notes a retryable failure of the row.
func (s *sight) fail(seen *api, kind chat.Kind, first bool) {
	if first {
		s.sent = seen.sent.Load()
	} else {
		s.own++
	}
	s.spoke = s.spoke || kind == chat.Envelope
}

// isOut tells whether the API answers nobody: no request of this run at all, or none that left since the row's first
// failure although other accounts' did. Then it is not the row's fault, and the row is not given up. An account that fails
// alone while others are answered is no outage.
func (a *api) isOut(row *sight) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !row.spoke && (a.answered == 0 || a.answered <= row.sent && a.sent.Load()-row.sent > row.own)
}

// outage stops the run where nobody is answered.
func outage(f chat.Ruling) *Stop {
	return &Stop{
		Reason: "the API cannot be reached: " + f.Info,
		Hint:   "No row was given up for it. Continue with --resume when the API answers again.",
	}
}
