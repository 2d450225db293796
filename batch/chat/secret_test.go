package chat

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

const testKey = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e" // the vendor's public sample

func TestSecretPrintsNothing(t *testing.T) {
	s := Secret(testKey)
	signer := NewSigner(1400000000, "administrator", s)
	sig, _, err := signer.Signature()
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Endpoint: "https://h", AppID: 1, Identifier: "i", Signer: signer, Call: Delete(Both), Timeout: time.Second, Workers: 1, Secrets: []Secret{s}}
	client, err := NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "group", slog.GroupValue(slog.Any("s", s)))
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "secrets", []Secret{s})
	js, err := json.Marshal([]any{s, &s, struct{ S Secret }{s}})
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"slog": log.String(), "json": string(js), "error": fmt.Errorf("x: %v", s).Error()}
	for _, v := range []any{s, &s, []Secret{s}, map[Secret]Secret{s: s}, struct{ S Secret }{s}, signer, *FixedSigner(sig), cfg, client} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s"} {
			texts[fmt.Sprintf("%T %s", v, verb)] = fmt.Sprintf(verb, v)
		}
	}
	for name, text := range texts {
		for _, spelling := range []string{testKey, sig.Reveal(), hex.EncodeToString([]byte(testKey))} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(spelling[:12])) {
				t.Errorf("%s: got %.300s, want no secret", name, text)
			}
		}
	}
	if got := fmt.Sprintf("%s %v", s, &s); !strings.HasPrefix(got, "[secret]") {
		t.Errorf("got %s, want [secret]", got)
	}
	if got := s.Reveal(); got != testKey {
		t.Errorf("revealed: got %s, want the key", got)
	}
}
