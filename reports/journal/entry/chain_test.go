package entry_test

import (
	"strings"
	"testing"

	"friendsweep/reports/journal/entry"
)

// TestWhatIsNoLink: only 32 hexadecimal digits, small ones, in the last member of the line are one.
func TestWhatIsNoLink(t *testing.T) {
	h := strings.Repeat("0123456789abcdef", 2)
	digit := func(c string) string { return `{"withdraw":1,"h":"` + h[:31] + c + `"}` }
	for line, want := range map[string]bool{
		`{"withdraw":1,"h":"` + h + `"}`:         true,
		`,"h":"` + h + `"}`:                      true, // no line of ours, but that is for a Parser to say
		``:                                       false,
		`}`:                                      false,
		`"h":"` + h + `"}`:                       false,
		`{"withdraw":1}`:                         false,
		`{"withdraw":1,"h":"` + h + `"} `:        false,
		`{"withdraw":1,"h":"` + h + `","at":""}`: false,
		`{"withdraw":1,"g":"` + h + `"}`:         false,
		`{"withdraw":1,"h":"` + h + `0"}`:        false,
		`{"withdraw":1,"h":"` + h[1:] + `"}`:     false,
		`{"withdraw":1,"h":"` + h + `"]`:         false,
		digit("0"):                               true, digit("9"): true, digit("a"): true, digit("f"): true,
		digit("/"): false, digit(":"): false, digit("`"): false, digit("g"): false, digit("A"): false, digit("F"): false,
	} {
		got, fits, ok := entry.Link([]byte(line), "")
		if ok != want || fits || !ok && got != "" {
			t.Errorf("%s: got %q, %v, %v; want a link: %v", line, got, fits, ok, want)
		}
	}
}

// TestHidesALine: a whole line with something behind it that is no line break.
func TestHidesALine(t *testing.T) {
	seal := func(text, previous string) (string, string) {
		line, h := entry.Seal([]byte(text), previous)
		return strings.TrimSuffix(string(line), "\n"), h
	}
	_, before := seal(`{"withdraw":1`, "")
	line, h := seal(`{"withdraw":2`, before)
	next, _ := seal(`{"withdraw":3`, h)
	// Keys of a later version, named as ours.
	nested, _ := seal(`{"withdraw":2,"later":[{"a":1,"h":"x"},{"a":2,"h":"yy"},{"a":3,"h":"zzz"}]`, before)
	for _, tc := range []struct {
		name, line string
		want       bool
	}{
		{"run into the next", line + next, true},
		{"its end changed", line + "x", true},
		{"members of this name before it", nested + "x" + next, true},
		{"a whole line", line, false},
		{"a torn one", line[:len(line)-1], false},
		{"torn within the link", line[:len(line)-20], false},
		{"nothing", "", false},
		{"a line that follows another", next + "x", false},
		{"a changed one", strings.Replace(line, "2", "4", 1) + "x", false},
		{"something before it", "x" + line + "x", false},
		{"a link of other digits", strings.ToUpper(line) + "x", false},
		{"members of this name alone", nested[:strings.LastIndex(nested, `,"h"`)] + strings.Repeat(" ", 60), false},
	} {
		if got := entry.HidesALine([]byte(tc.line), before); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}
