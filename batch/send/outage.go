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

// noteAnswer notes that the API answered a request.
func (a *api) noteAnswer(request int64) {
	a.mu.Lock()
	a.answered = max(a.answered, request)
	a.mu.Unlock()
}

// failures are the retryable failures of a row in this run, and what was seen of the API meanwhile.
type failures struct {
	count    int
	since    int64 // the newest request of the run at the first of them
	answered bool  // one of them was an answer of the API
}

// add notes one more.
func (f *failures) add(seen *api, kind chat.Kind) {
	f.count++
	if f.count == 1 {
		f.since = seen.sent.Load()
	}
	f.answered = f.answered || kind == chat.Envelope
}

// isOut tells whether the API answers nobody: no request of this run at all, or none that left since the row's first
// failure although other accounts' did. Then it is not the row's fault, and the row is not given up. An account that fails
// alone while others are answered is no outage.
func (a *api) isOut(row *failures) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	own := int64(row.count - 1) // requests since its first failure that carried the row itself
	return !row.answered && (a.answered == 0 || a.answered <= row.since && a.sent.Load()-row.since > own)
}

// outage stops the run where nobody is answered.
func outage(f *chat.Ruling) *Stop {
	return &Stop{
		Reason: "the API cannot be reached: " + f.Info,
		Hint:   "No row was given up for it. Continue with --resume when the API answers again.",
	}
}
