package send

import (
	"fmt"
	"sync"

	"friendsweep/batch/chat"
)

// signatures knows which signatures were refused as expired.
type signatures struct {
	mu       sync.Mutex
	renewed  int // the newest generation that was made because an older one was refused
	accepted int // the newest generation that the API took for good
}

// note takes an answer that says the signature is good: neither expired nor "too frequent", which may come before any look
// at it.
func (s *signatures) note(generation int) {
	s.mu.Lock()
	s.accepted = max(s.accepted, generation)
	s.mu.Unlock()
}

// renew makes a new signature after one was refused as expired. A new one that is refused, too, before the API took it for
// good, stops the run, as does one that cannot be renewed.
func (r *run) renew(a chat.Answer) error {
	s := &r.signatures
	s.mu.Lock()
	defer s.mu.Unlock()
	again := a.Generation == s.renewed && s.accepted < a.Generation
	if !again && r.Signer.Renew(a.Generation) {
		s.renewed = max(s.renewed, a.Generation+1)
		return nil
	}
	return &Stop{
		Reason: fmt.Sprintf("the API refused the UserSig with code %d, %s: %s", a.Code, r.API.Meaning(a.Code), a.Info),
		Hint:   r.API.Advice(a.Code),
	}
}
