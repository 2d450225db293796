package chat

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"
)

const testApp = 1400000000

// fields takes a UserSig apart as the vendor describes it, without the vendor's module.
func fields(t *testing.T, sig Secret) map[string]any {
	t.Helper()
	text := strings.NewReplacer("*", "+", "-", "/", "_", "=").Replace(sig.Reveal())
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.NewDecoder(r).Decode(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

func signature(t *testing.T, s *Signer) (Secret, int) {
	t.Helper()
	sig, generation, err := s.Signature()
	if err != nil {
		t.Fatal(err)
	}
	return sig, generation
}

// The vector of the vendor's Node library.
func TestSignatureVector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pass(time.Until(time.Unix(1700000000, 0)))
		sig, _ := signature(t, NewSigner(testApp, "administrator", testKey))
		got := fields(t, sig)
		for field, want := range map[string]any{
			"TLS.sig": "yLAe+w7WUeUuqbV9h/TX78u21oTGi+i9Zp1u3PpnY60=", "TLS.identifier": "administrator", "TLS.sdkappid": 1400000000.0,
			"TLS.time": 1700000000.0, "TLS.expire": 86400.0,
		} {
			if got[field] != want {
				t.Errorf("%s: got %v, want %v", field, got[field], want)
			}
		}
	})
}

func TestSignatureRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSigner(testApp, "administrator", testKey)
		first, generation := signature(t, s)
		if generation != 1 {
			t.Errorf("first generation: got %d, want 1", generation)
		}
		pass(sigLife * 9 / 10)
		if again, generation := signature(t, s); again.Reveal() != first.Reveal() || generation != 1 {
			t.Errorf("with a tenth left: got generation %d, want the first signature", generation)
		}
		pass(time.Second)
		second, generation := signature(t, s)
		if second.Reveal() == first.Reveal() || generation != 2 {
			t.Errorf("with less than a tenth left: got generation %d, want a new signature of generation 2", generation)
		}
		if err := tencentyun.VerifyUserSig(testApp, testKey, "administrator", second.Reveal(), time.Now().Add(sigLife)); err != nil {
			t.Errorf("verifying a day later: got %v, want none", err)
		}
	})
}

func TestSignerRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSigner(testApp, "administrator", testKey)
		first, generation := signature(t, s)
		pass(time.Second)
		if !s.Renew(generation) {
			t.Error("renewing the current one: got false, want true")
		}
		second, generation := signature(t, s)
		if second.Reveal() == first.Reveal() || generation != 2 {
			t.Errorf("renewed: got generation %d, want a new signature of generation 2", generation)
		}
		if !s.Renew(1) {
			t.Error("renewing an old one: got false, want true: a newer one is there")
		}
		if _, generation := signature(t, s); generation != 2 {
			t.Errorf("after renewing an old one: got generation %d, want 2", generation)
		}
		if s.Renew(3) {
			t.Error("renewing one that never was: got true, want false")
		}
	})
}

func TestSignerClockSetBack(t *testing.T) {
	s := NewSigner(testApp, "administrator", testKey)
	signature(t, s)
	s.made = s.made.Add(time.Hour)
	if _, generation := signature(t, s); generation != 2 {
		t.Errorf("signature from the future: got generation %d, want 2", generation)
	}
}

func TestFixedSigner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := FixedSigner(testSig)
		pass(100 * 24 * time.Hour)
		sig, generation := signature(t, s)
		if sig.Reveal() != testSig || generation != 1 {
			t.Errorf("got generation %d, want the given signature of generation 1", generation)
		}
		if s.Renew(1) || s.Renew(0) {
			t.Error("renewing: got true, want false")
		}
	})
}

// Of many workers refused with one signature only the first makes a new one.
func TestSignerConcurrentRenewal(t *testing.T) {
	s := NewSigner(testApp, "administrator", testKey)
	signature(t, s)
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			sig, generation, err := s.Signature()
			if err != nil || sig.Reveal() == "" || !s.Renew(1) {
				t.Errorf("got generation %d, error %v, want a signature and a renewal", generation, err)
			}
		})
	}
	all.Wait()
	if _, generation := signature(t, s); generation != 2 {
		t.Errorf("got generation %d, want 2", generation)
	}
}
