package terminal

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Printable returns text that is safe to show to a person: on a terminal, in a log or on the page. What a terminal would
// obey (control characters), what would reorder its line (bidi controls), what nobody sees (other format characters) and
// bytes that are not UTF-8 are spelt as escapes like \n, \x1b or \u202e. Everything else stays as it is, backslashes
// too, so escaping twice changes nothing.
func Printable(text string) string {
	if strings.IndexFunc(text, Unshowable) < 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case Unshowable(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteString(text[i : i+size])
		}
		i += size
	}
	return b.String()
}

// Unshowable also holds for U+FFFD, because invalid bytes decode to it; a real one is a rune that says nothing anyway.
func Unshowable(r rune) bool { return r == utf8.RuneError || !unicode.IsGraphic(r) }

// Count spells n with commas between thousands.
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// Counted is n with its noun, which takes an s unless n is one.
func Counted(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Count(n) + " " + noun + "s"
}

// Size spells n bytes in decimal units, as disk makers and rclone's --si do.
func Size(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return Counted(n, "byte")
	}
	value, unit := float64(n)/1000, 0
	for value >= 999.95 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	return fmt.Sprintf("%.1f %cB", value, units[unit])
}

// Percent is part of whole in whole percent, rounded down so that 100 means all; 0 where there is nothing.
func Percent(part, whole int64) int64 {
	if whole <= 0 || part <= 0 {
		return 0
	}
	return min(100, int64(float64(part)*100/float64(whole)))
}

// Span spells a duration for people: two units at most, and tenths only below ten seconds.
func Span(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d.Round(time.Second) < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	case d.Round(time.Second) < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm %02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 48*time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%dh %02dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		d = d.Round(time.Hour)
		return fmt.Sprintf("%dd %dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	}
}

// Stamp is the one way times are written: RFC 3339, UTC, milliseconds; empty for the zero time.
func Stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// Clock is a time for people, to the second.
func Clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// Ago says how long before now t was.
func Ago(t, now time.Time) string {
	if d := now.Sub(t); d >= time.Second {
		return Span(d) + " ago"
	}
	return "just now"
}
