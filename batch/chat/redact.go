package chat

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

const (
	maxInfo = 300  // bytes of a text that are kept
	maxRead = 4096 // bytes of a text that are looked at: an answer may be one text of 8 MiB
	gram    = 12   // so much of a secret in a row counts as the secret: servers cut what they echo
)

// redactor makes texts of the server fit for logs and reports: no secret, no control character, no undue length.
type redactor struct {
	seed   maphash.Seed
	mu     sync.RWMutex
	grams  map[uint64]struct{} // hashes of every run of gram bytes of every spelling of every longer secret
	shorts []string            // spellings of secrets below that length
}

func newRedactor() *redactor {
	return &redactor{seed: maphash.MakeSeed(), grams: map[uint64]struct{}{}}
}

// learn adds a secret in the spellings in which an answer or an error text may repeat it.
func (r *redactor) learn(secret Secret) {
	raw := secret.Reveal()
	quoted, _ := json.Marshal(raw) // a string always encodes
	query := url.QueryEscape(raw)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range []string{raw, query, lowerHex(query), url.PathEscape(raw), string(quoted[1 : len(quoted)-1])} {
		r.add(s)
	}
}

func (r *redactor) add(s string) {
	if s != "" && len(s) < gram && !slices.Contains(r.shorts, s) {
		r.shorts = append(r.shorts, s)
	}
	for i := 0; i+gram <= len(s); i++ {
		r.grams[maphash.String(r.seed, s[i:i+gram])] = struct{}{}
	}
}

// lowerHex spells %2A as %2a.
func lowerHex(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i:i+3], strings.ToLower(string(b[i:i+3])))
		}
	}
	return string(b)
}

// clean gives the text as it may be stored and shown. Secrets go first: an escape in the middle of one would hide it.
func (r *redactor) clean(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	return escape(r.redact(string(raw[:min(len(raw), maxRead)])), len(raw) > maxRead)
}

func (r *redactor) redact(s string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, short := range r.shorts {
		s = strings.ReplaceAll(s, short, hidden)
	}
	var out strings.Builder
	kept := 0 // s[:kept] is dealt with
	for i := 0; i+gram <= len(s); i++ {
		if !r.secretAt(s, i) {
			continue
		}
		end := r.runEnd(s, i)
		out.WriteString(s[kept:i])
		out.WriteString(hidden)
		kept, i = end, end-1
	}
	if kept == 0 {
		return s
	}
	out.WriteString(s[kept:])
	return out.String()
}

// runEnd is where the run of overlapping grams that starts at i ends.
func (r *redactor) runEnd(s string, i int) int {
	end := i + gram
	for i++; i+gram <= len(s) && r.secretAt(s, i); i++ {
		end = i + gram
	}
	return end
}

func (r *redactor) secretAt(s string, i int) bool {
	_, found := r.grams[maphash.String(r.seed, s[i:i+gram])]
	return found
}

// escape spells out what could move a terminal's cursor, split a log line or turn the direction of reading, and cuts at
// maxInfo bytes; cut says that the text went on.
func escape(s string, cut bool) string {
	if len(s) <= maxInfo && !cut && !strings.ContainsFunc(s, unsafe) && utf8.ValidString(s) {
		return s
	}
	const more = "…"
	out := make([]byte, 0, maxInfo+16)
	fits := 0 // out[:fits] leaves room for more
	for _, c := range s {
		out = appendSafe(out, c)
		if len(out) <= maxInfo-len(more) {
			fits = len(out)
		}
		if len(out) > maxInfo {
			cut = true
			break
		}
	}
	if cut {
		out = append(out[:fits], more...)
	}
	return string(out)
}

// unsafe finds control characters of every kind. Format characters (Cf) hold the bidirectional controls.
func unsafe(c rune) bool {
	return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

func appendSafe(out []byte, c rune) []byte {
	switch {
	case !unsafe(c):
		return utf8.AppendRune(out, c)
	case c == '\n':
		return append(out, `\n`...)
	case c == '\r':
		return append(out, `\r`...)
	case c == '\t':
		return append(out, `\t`...)
	case c < 0x100:
		return fmt.Appendf(out, `\x%02x`, c)
	case c < 0x10000:
		return fmt.Appendf(out, `\u%04x`, c)
	}
	return fmt.Appendf(out, `\U%08x`, c)
}
