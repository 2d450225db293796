package terminal

import (
	"math"
	"testing"
	"time"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"Err_SNS no\\friend":  "Err_SNS no\\friend",
		"two\nlines\r\t":      `two\nlines\r\t`,
		"\x1b[31mred\x07\x7f": `\x1b[31mred\a\x7f`,
		"c1 \u009b":           `c1 \u009b`,
		"a\u202eb\u2066c":     `a\u202eb\u2066c`,
		"\u2028\u200b\ufeff":  `\u2028\u200b\ufeff`,
		"bad \xff\xc3":        `bad \xff\xc3`,
		"好友 é\u00a0":          "好友 é\u00a0",
	} {
		if got := Printable(in); got != want {
			t.Errorf("Printable(%q): got %s, want %s", in, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\x1b\xff\u202e\ufffd")
	f.Fuzz(func(t *testing.T, text string) {
		got := Printable(text)
		for _, r := range got {
			if Unshowable(r) || !utf8.ValidRune(r) {
				t.Errorf("Printable(%q): got %q in it", text, r)
			}
		}
		if again := Printable(got); again != got {
			t.Errorf("Printable twice: got %q, want %q", again, got)
		}
	})
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 60 * time.Millisecond: "60ms", 9949 * time.Millisecond: "9.9s", 9990 * time.Millisecond: "10s",
		999 * time.Microsecond: "999µs", time.Millisecond: "1ms", time.Second: "1.0s", 9950 * time.Millisecond: "10s",
		48*time.Hour - time.Minute: "47h 59m", 48 * time.Hour: "2d 0h", 59600 * time.Millisecond: "1m 00s", 3599600 * time.Millisecond: "1h 00m", 100 * time.Minute: "1h 40m", 50 * time.Hour: "2d 2h",
	} {
		if got := Span(d); got != want {
			t.Errorf("span(%d): got %s, want %s", d, got, want)
		}
	}
}

func TestSizeAndCount(t *testing.T) {
	for n, want := range map[int64]string{1: "1 byte", 999: "999 bytes", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", math.MaxInt64: "9.2 EB", 1 << 40: "1.1 TB"} {
		if got := Size(n); got != want {
			t.Errorf("size(%d): got %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := Count(n); got != want {
			t.Errorf("count(%d): got %s, want %s", n, got, want)
		}
	}
}
