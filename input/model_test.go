package input

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// model is what Read has to find, worked out naively.
type model struct {
	text    strings.Builder
	line    int64
	records []Record
	groups  map[string][]Pair
	mirrors map[string][]Pair
	repeats []Repeat
	invalid int64
}

var badCells = []struct{ cell, reason string }{
	{"", "is empty"},
	{"b\tb", "has the byte 0x09, which is not printable ASCII"},
	{"é", "has the byte 0xc3, which is not printable ASCII"},
	{"a\nb", "has the byte 0x0a, which is not printable ASCII"},
	{strings.Repeat("x", 33), "is 33 bytes long, 32 is the most"},
}

// draw invents an input and writes down what is in it.
func draw(t *rapid.T, both bool) *model {
	m := &model{line: 1, groups: map[string][]Pair{}, mirrors: map[string][]Pair{}}
	eol := rapid.SampledFrom([]string{"\n", "\r\n"})
	m.write("note,from,to" + eol.Draw(t, "eol"))
	ids := rapid.SampledFrom(accounts(rapid.SampledFrom([]int{2, 5, 40}).Draw(t, "accounts")))
	seen := map[[2]string]int64{}
	for range rapid.IntRange(0, 120).Draw(t, "records") {
		m.write(strings.Repeat(eol.Draw(t, "eol"), rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(t, "blank lines")))
		m.record(t, ids.Draw(t, "from"), ids.Draw(t, "to"), seen, both)
		m.write(eol.Draw(t, "eol"))
	}
	return m
}

func accounts(n int) []string {
	list := []string{`q"uo,te`, "user 1", strings.Repeat("y", 32)}
	for i := range n {
		list = append(list, fmt.Sprint("u", i))
	}
	return list[:n]
}

func (m *model) write(s string) {
	m.text.WriteString(s)
	m.line += int64(strings.Count(s, "\n"))
}

func (m *model) record(t *rapid.T, from, to string, seen map[[2]string]int64, both bool) {
	rec := Record{Line: m.line, From: from, To: to}
	switch fault := rapid.SampledFrom([]string{"", "", "", "", "", "", "from", "to", "short", "long"}).Draw(t, "fault"); fault {
	case "from", "to":
		f := rapid.SampledFrom(badCells).Draw(t, "bad")
		rec.Reason = fault + " " + f.reason
		if fault == "from" {
			rec.From = f.cell
		} else {
			rec.To = f.cell
		}
	case "short":
		rec.To, rec.Reason = "", "too few fields: 2 instead of 3"
		m.write(cell(t, "n") + "," + cell(t, rec.From))
		m.add(rec, seen, both)
		return
	case "long":
		rec.Reason = "too many fields: 4 instead of 3"
	}
	if rec.Reason == "" && rec.From == rec.To {
		rec.Reason = "from and to are the same account"
	}
	note := rapid.SampledFrom([]string{"", "n", "two\nlines", `"`, "\x80"}).Draw(t, "note")
	m.write(cell(t, note) + "," + cell(t, rec.From) + "," + cell(t, rec.To))
	if strings.HasPrefix(rec.Reason, "too many") {
		m.write(",")
	}
	m.add(rec, seen, both)
}

// cell quotes what needs it, and sometimes what does not.
func cell(t *rapid.T, s string) string {
	if strings.ContainsAny(s, "\",\n") || rapid.Bool().Draw(t, "quoted") {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

func (m *model) add(rec Record, seen map[[2]string]int64, both bool) {
	m.records = append(m.records, rec)
	if rec.Reason != "" {
		m.invalid++
		return
	}
	pair, other := [2]string{rec.From, rec.To}, [2]string{rec.To, rec.From}
	if first, ok := seen[pair]; ok {
		m.repeats = append(m.repeats, Repeat{Line: rec.Line, First: first})
		return
	}
	seen[pair] = rec.Line
	if first, ok := seen[other]; ok && both {
		m.repeats = append(m.repeats, Repeat{Line: rec.Line, First: first, Mirror: true})
		m.mirrors[rec.From] = append(m.mirrors[rec.From], Pair{Line: rec.Line, First: first, To: rec.To})
		return
	}
	m.groups[rec.From] = append(m.groups[rec.From], Pair{Line: rec.Line, To: rec.To})
}

// counts is the part of an Input that a model predicts.
type counts struct {
	Rows, Pairs, Invalid, Duplicates, Mirrors, Accounts, Requests, LastLine, Largest int64
}

func (m *model) counts(chunk int) counts {
	c := counts{Rows: int64(len(m.records)), Invalid: m.invalid, Duplicates: int64(len(m.repeats)), Accounts: int64(len(m.groups)), LastLine: 1}
	for _, pairs := range m.groups {
		c.Pairs += int64(len(pairs))
		c.Requests += int64((len(pairs) + chunk - 1) / chunk)
		c.Largest = max(c.Largest, int64(len(pairs)))
	}
	for _, r := range m.repeats {
		if r.Mirror {
			c.Mirrors++
		}
	}
	if n := len(m.records); n > 0 {
		c.LastLine = m.records[n-1].Line
	}
	return c
}

func countsOf(in *Input) counts {
	c := counts{in.Rows, in.Pairs, in.Invalid, in.Duplicates, in.Mirrors, in.Accounts, in.Requests, in.LastLine, 0}
	for _, a := range in.Largest {
		c.Largest = max(c.Largest, a.Pairs)
	}
	return c
}

// tiny limits make the smallest inputs take every way that a large one can take.
var tiny = limits{bytes: 64, rows: 3, parts: 3, depth: 40}

func TestReadFindsWhatTheModelFinds(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		opts := Options{Path: filepath.Join(dir, "pairs.csv"), TempDir: dir, ChunkSize: rapid.IntRange(1, 4).Draw(t, "chunk"),
			Both: rapid.Bool().Draw(t, "both"), limits: rapid.SampledFrom([]limits{usual, tiny}).Draw(t, "limits")}
		m := draw(t, opts.Both)
		if err := os.WriteFile(opts.Path, []byte(m.text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := Read(t.Context(), opts)
		if err != nil {
			t.Fatalf("got %v for %q", err, m.text.String())
		}
		defer in.Close()
		for range 2 { // every sequence can be had again
			same(t, countsOf(in), m.counts(opts.ChunkSize))
			same(t, collect(t, in.Records(t.Context())), m.records)
			same(t, byAccountName(t, in.Groups()), m.groups)
			same(t, byAccountName(t, in.MirrorGroups()), m.mirrors)
			same(t, sorted(collect(t, in.Repeats())), m.repeats)
		}
	})
}

type failing interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func same[T any](t failing, got, want T) {
	t.Helper()
	if diff := gocmp.Diff(got, want); diff != "" {
		t.Fatalf("got (-) and want (+) differ:\n%s", diff)
	}
}

func collect[T any](t failing, seq func(func(T, error) bool)) (list []T) {
	t.Helper()
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	return list
}

func sorted(list []Repeat) []Repeat {
	slices.SortFunc(list, func(a, b Repeat) int { return cmp.Compare(a.Line, b.Line) })
	return list
}

// byAccountName reads all groups. Only within an account that had to be split is the order of the pairs free.
func byAccountName(t failing, seq func(func(Group, error) bool)) map[string][]Pair {
	t.Helper()
	all := map[string][]Pair{}
	for _, g := range collect(t, seq) {
		if all[g.Account] != nil {
			t.Fatalf("account %q comes in two groups", g.Account)
		}
		pairs := collect(t, g.Pairs())
		if int64(len(pairs)) != g.Size {
			t.Fatalf("got %d pairs in a group of %d", len(pairs), g.Size)
		}
		all[g.Account] = pairs
	}
	inOrder(all)
	return all
}

func inOrder(all map[string][]Pair) {
	for _, pairs := range all {
		slices.SortFunc(pairs, func(a, b Pair) int { return cmp.Compare(a.Line, b.Line) })
	}
}
