package terminal

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// A sheet lines its columns up, breaks its notes below themselves and leaves out what there is nothing to say of.
func TestSheet(t *testing.T) {
	s := Sheet{TextOptions: TextOptions{Width: 44}, Label: 8, Number: 6}
	s.Headline(Bad, "Stopped before the end: the disk is full; 20 rows open.")
	s.Heading("counts")
	s.Row("rows", 12345, "of 7 accounts")
	s.Row("none", 0, "")
	s.Row("", -1, "-> what can be done about it, in more words")
	s.Fact("by", "")
	s.Fact("by", "root")
	s.Path("page", "")
	s.Path("page", "/a/very/long/path/that/is/never/broken.html")
	s.Command("To go on:", "friendsweep delete --resume --report=/a/very/long/path.csv")
	want := `Stopped before the end: the disk is full; 20
rows open.

counts
rows     12,345  of 7 accounts
none          0
                 -> what can be done about
                 it, in more words
by       root
page     /a/very/long/path/that/is/never/broken.html

To go on:
  friendsweep delete --resume --report=/a/very/long/path.csv
`
	if got := s.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSheetOfColours(t *testing.T) {
	s := Sheet{TextOptions: TextOptions{Color: true}}
	s.Headline(Good, "Finished.")
	s.Heading("counts")
	if got, want := s.String(), "\x1b[32;1mFinished.\x1b[0m\n\n\x1b[1mcounts\x1b[0m\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A column too thin to be read is left to the terminal.
func TestSheetOfThinColumns(t *testing.T) {
	const note = "one two three four five six"
	for width, want := range map[int]string{
		0:  "label " + note + "\n",
		29: "label " + note + "\n",
		30: "label one two three four five\n      six\n",
		33: "label " + note + "\n",
	} {
		s := Sheet{TextOptions: TextOptions{Width: width}, Label: 5}
		if s.Fact("label", note); s.String() != want {
			t.Errorf("%d columns: got %q, want %q", width, s.String(), want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tc := range []struct {
		text  string
		width int
		want  string // its lines, joined by |
	}{
		{"", 5, ""}, {"a b", 0, "a b"}, {"a b", -1, "a b"}, {"a b", 1, "a|b"}, {"a b", 2, "a|b"}, {"a b", 3, "a b"},
		{"ab cd ef", 5, "ab cd|ef"}, {"ab cd ef", 7, "ab cd|ef"}, {"ab cd ef", 8, "ab cd ef"}, {"toolong a b", 3, "toolong|a b"}, {"a toolong b", 3, "a|toolong|b"},
		{"é é é", 3, "é é|é"},
	} {
		if got := strings.Join(wrap(tc.text, tc.width), "|"); got != tc.want {
			t.Errorf("%q at %d columns: got %q, want %q", tc.text, tc.width, got, tc.want)
		}
	}
}

// What a terminal would obey is spelled out in JSON, and is the same value to every program.
func TestWriteJSON(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"a <b> & é", `"a <b> & é"`}, {"\x1b", `"\u001b"`}, {"\u202e", `"\u202e"`}, {"\U000e0041", `"\udb40\udc41"`}, {"\U0001f642", `"🙂"`}, {"\uffff", `"\uffff"`}, {"\U0010ffff", `"\udbff\udfff"`}, {"two\nlines", `"two\nlines"`},
	} {
		var out strings.Builder
		if err := WriteJSON(&out, map[string]string{"text": tc.text}); err != nil {
			t.Fatal(err)
		}
		if got, want := out.String(), "{\n  \"text\": "+tc.want+"\n}\n"; got != want {
			t.Errorf("%q: got %q, want %q", tc.text, got, want)
		}
		var back map[string]string
		if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back["text"] != tc.text {
			t.Errorf("%q: got %q back, %v", tc.text, back["text"], err)
		}
	}
	var out strings.Builder
	if err := WriteJSON(&out, func() {}); err == nil || out.Len() > 0 {
		t.Errorf("what is no JSON: got %q, %v, want an error and nothing", out.String(), err)
	}
}

func TestTimesForPeople(t *testing.T) {
	now := time.Date(2026, 11, 23, 18, 26, 9, 123e6, time.FixedZone("", 3600))
	for _, tc := range []struct{ got, want string }{
		{Stamp(time.Time{}), ""}, {Stamp(now), "2026-11-23T17:26:09.123Z"}, {Clock(now), "2026-11-23 17:26:09 UTC"},
		{Ago(now, now), "just now"}, {Ago(now.Add(-time.Second+1), now), "just now"}, {Ago(now.Add(-time.Second), now), "1.0s ago"}, {Ago(now.Add(time.Hour), now), "just now"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
	for _, tc := range []struct{ part, whole, want int64 }{{0, 0, 0}, {5, 0, 0}, {0, 5, 0}, {-1, 5, 0}, {1, 3, 33}, {999, 1000, 99}, {5, 5, 100}, {6, 5, 100}} {
		if got := Percent(tc.part, tc.whole); got != tc.want {
			t.Errorf("%d of %d: got %d %%, want %d", tc.part, tc.whole, got, tc.want)
		}
	}
}
