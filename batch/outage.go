package batch

import (
	"sync/atomic"

	"friendsweep/batch/chat"
)

// api is what the run has seen of the API so far, over all accounts.
type api struct {
	sent     atomic.Int64 // requests
	answered atomic.Int64 // of these, answered by the API itself, whatever it said
}

// sight is what a row's failures saw of the API.
type sight struct {
	sent, answered int64 // of the run, at the row's second failure, when what was under way at the first is over
	own            int64 // requests since then that carried the row itself
	spoke          bool  // one of the failures was an answer of the API
}

// fail notes a retryable failure of the row, the nth.
func (s *sight) fail(seen *api, kind chat.Kind, n int) {
	if n <= 2 {
		s.sent, s.answered = seen.sent.Load(), seen.answered.Load()
	} else {
		s.own++
	}
	s.spoke = s.spoke || kind == chat.Envelope
}

// isOut tells whether the API answers nobody: no request of this run at all, or none since the row's first failure
// although requests of other accounts were sent. Then it is not the row's fault, and the row is not given up. An account
// that fails alone while others are answered is no outage.
func (a *api) isOut(row *sight) bool {
	if row.spoke {
		return false
	}
	answered := a.answered.Load()
	return answered == 0 || answered == row.answered && a.sent.Load()-row.sent > row.own
}

// outage stops the run where nobody is answered.
func outage(f chat.Fate) *Stop {
	return &Stop{
		Reason: "the API cannot be reached: " + f.Info,
		Hint:   "No row was given up for it. Continue with --resume when the API answers again.",
	}
}
