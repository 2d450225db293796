package chat

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"
)

// sigLife is the least that the vendor recommends: https://www.tencentcloud.com/document/product/1047/34385.
const sigLife = 24 * time.Hour

// Signer gives the UserSig of requests. It is safe for concurrent use; all workers share one signature.
type Signer struct {
	appID      int
	identifier string
	key        *Secret // nil: the signature is fixed

	mu         sync.Mutex
	sig        *Secret // behind a pointer, like key, so that fmt cannot print it
	made       time.Time
	generation int
}

// NewSigner makes signatures of 24 hours from the app's secret key, and makes them anew when less than a tenth of that is
// left. The identifier is an app admin account. It does not check its arguments: [NewClient] tries the first signature.
func NewSigner(appID int, identifier string, key Secret) *Signer {
	return &Signer{appID: appID, identifier: identifier, key: &key}
}

// FixedSigner gives a ready-made signature, which cannot be renewed.
func FixedSigner(sig Secret) *Signer { return &Signer{sig: &sig, generation: 1} }

// Format keeps fmt away from the fields.
func (s *Signer) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// Signature is the signature to send now and its generation, counted from 1, for [Signer.Renew].
func (s *Signer) Signature() (sig Secret, generation int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stale() {
		if err := s.remake(); err != nil {
			return "", s.generation, err
		}
	}
	return *s.sig, s.generation, nil
}

// Renew makes a new signature if generation is still the current one, so that of many workers whose requests were refused
// with the same signature only the first makes one. It reports whether a newer signature than generation is now there:
// never for a fixed one.
func (s *Signer) Renew(generation int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key == nil || generation > s.generation {
		return false
	}
	return generation < s.generation || s.remake() == nil
}

// stale goes by the wall clock, as the server does: a laptop's monotonic clock stands still while it sleeps. A clock that
// was set back makes the signature one of the future.
func (s *Signer) stale() bool {
	if s.key == nil {
		return false
	}
	age := time.Now().Round(0).Sub(s.made)
	return s.sig == nil || age < 0 || age > sigLife-sigLife/10
}

func (s *Signer) remake() error {
	made := time.Now().Round(0)
	text, err := tencentyun.GenUserSig(s.appID, s.key.Reveal(), s.identifier, int(sigLife/time.Second))
	if err != nil {
		return errors.New("making a UserSig: the signing library refused") // its text may hold what it was given
	}
	sig := Secret(text)
	s.sig, s.made, s.generation = &sig, made, s.generation+1
	return nil
}
