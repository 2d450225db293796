package chat

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

const testSig = "eJyrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oy0zLBwg*Q-weQxSmZxYVQ_SBBYwMDAyjPzSxKzM0E_"

func TestCleanRedacts(t *testing.T) {
	r := newRedactor()
	r.learn(testSig)
	r.learn(testKey)
	r.learn("tiny*")
	r.learn("")
	r.learn(`quo"te\ and <html>`)
	query := url.QueryEscape(testSig)
	for in, want := range map[string]string{
		"":                                   "",
		"plain":                              "plain",
		testSig:                              "[secret]",
		"sig=" + testSig + "&x=1":            "sig=[secret]&x=1",
		"sig=" + query + ".":                 "sig=[secret].",
		"sig=" + lowerHex(query) + ".":       "sig=[secret].",
		"cut " + testSig[:40]:                "cut [secret]",
		"tail " + testSig[30:]:               "tail [secret]",
		"end " + testSig[len(testSig)-gram:]: "end [secret]",
		testSig[:11] + " is too short":       testSig[:11] + " is too short",
		testSig + testKey:                    "[secret][secret]",
		"two " + testKey + " and " + testSig: "two [secret] and [secret]",
		"a tiny* one, tiny%2A, tiny%2a":      "a [secret] one, [secret], [secret]",
		`say quo"te\ and <html>`:             "say [secret]",
		`say quo\"te\\ and \u003chtml\u003e`: "say [secret]",
		"line\n" + testKey + "\x1b[0m":       `line\n[secret]\x1b[0m`,
	} {
		if got := r.clean([]byte(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestCleanEscapes(t *testing.T) {
	r := newRedactor()
	for in, want := range map[string]string{
		"\x1b[31mred\x07":           `\x1b[31mred\x07`,
		"a\r\nb\tc\x00":             `a\r\nb\tc\x00`,
		"\x7f\u0080\u009b":          `\x7f\x80\x9b`,
		"\u2028\u2029":              `\u2028\u2029`,
		"\u202e\u2066\u200f\u061c":  `\u202e\u2066\u200f\u061c`,
		"\ufeff\u200b\U000e0041":    `\ufeff\u200b\U000e0041`,
		"\xff\xfe":                  "\ufffd\ufffd",
		"好友 ü 🙂":                    "好友 ü 🙂",
		strings.Repeat("x", 300):    strings.Repeat("x", 300),
		strings.Repeat("x", 301):    strings.Repeat("x", 297) + "…",
		strings.Repeat("é", 151):    strings.Repeat("é", 148) + "…",
		strings.Repeat("好", 100):    strings.Repeat("好", 100),
		strings.Repeat("\x1b", 100): strings.Repeat(`\x1b`, 74) + "…",
		strings.Repeat("x", 9<<20):  strings.Repeat("x", 297) + "…",
		strings.Repeat("\x1b", 75):  strings.Repeat(`\x1b`, 75),
	} {
		if got := r.clean([]byte(in)); got != want {
			t.Errorf("%.40q of %d bytes: got %q, want %q", in, len(in), got, want)
		}
	}
}

// So much of a text is looked at as may be one: that the rest is missing is said also where secrets made it short.
func TestCleanCutsWhatItDidNotRead(t *testing.T) {
	r := newRedactor()
	var long strings.Builder
	for i := range maxRead / 4 / 8 {
		fmt.Fprintf(&long, "%08x", i*i)
	}
	r.learn(Secret(long.String()))
	for times, want := range map[int]string{
		1: "[secret]", 4: "[secret][secret][secret][secret]", 5: "[secret][secret][secret][secret]…",
	} {
		if got := r.clean([]byte(strings.Repeat(long.String(), times))); got != want {
			t.Errorf("%d times: got %q, want %q", times, got, want)
		}
	}
}

func TestCleanProperties(t *testing.T) {
	r := newRedactor()
	r.learn(testSig)
	rapid.Check(t, func(t *rapid.T) {
		junk := rapid.SliceOfN(rapid.Byte(), 0, 400)
		in := append(append(junk.Draw(t, "before"), testSig...), junk.Draw(t, "after")...)
		checkClean(t, r.clean(in))
		if got := r.clean(in); strings.Contains(got, testSig[:gram]) {
			t.Fatalf("got %q, want no secret", got)
		}
	})
}

func checkClean(t interface{ Fatalf(string, ...any) }, got string) {
	switch {
	case !utf8.ValidString(got):
		t.Fatalf("got %q, want valid UTF-8", got)
	case len(got) > maxInfo:
		t.Fatalf("got %d bytes, want at most %d", len(got), maxInfo)
	case strings.ContainsFunc(got, unsafe):
		t.Fatalf("got %q, want no control characters", got)
	}
}
