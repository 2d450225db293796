package fates

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"friendsweep/input"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
)

// The model (saga) keeps everything that happened to every row as a list, and looks at all of it for every question.

type happened struct {
	request int64  // 0 for a decision
	what    string // "lost", or "said"
	result  outcome.Result
}

type saga struct {
	rows    []int64 // the lines that are records
	invalid map[int64]bool
	repeats map[int64]input.Repeat
	story   map[int64][]happened
	out     map[int64][]int64 // rows of requests without an answer
}

func (m *saga) lose() {
	for _, id := range slices.Sorted(maps.Keys(m.out)) {
		for _, line := range m.out[id] {
			m.story[line] = append(m.story[line], happened{id, "lost", outcome.Result{Info: journal.InfoNoAnswer}})
		}
	}
	clear(m.out)
}

func (m *saga) lostBefore(line int64, n int) bool {
	return slices.ContainsFunc(m.story[line][:n], func(h happened) bool { return h.what == "lost" || h.result.Lost })
}

// settledAt is the index of the answer that settled the row for good, or -1.
func (m *saga) settledAt(line int64) int {
	return slices.IndexFunc(m.story[line], func(h happened) bool {
		return h.what == "said" && (h.result.Outcome == journaltest.Deleted || h.result.Outcome == journaltest.NotFriend)
	})
}

// own is the fate of the row from what happened to itself.
func (m *saga) own(line int64) Fate {
	story := m.story[line]
	var fate Fate
	for _, h := range story {
		if h.request > 0 {
			fate.Attempts++
		}
	}
	last := len(story) - 1
	if i := m.settledAt(line); i >= 0 {
		last = i
	}
	if last < 0 {
		return Fate{Outcome: outcome.NotSent, Info: infoNoTurn}
	}
	word := story[last].result
	fate.Code, fate.Info = word.Code, word.Info
	fate.Outcome = word.Outcome
	switch {
	case word.Code == (outcome.Code{Number: 31704, Given: true}) && word.Outcome.IsAnswer() && m.lostBefore(line, last):
		fate.Outcome, fate.Presumed, fate.Info = journaltest.Deleted, true, journaltest.Call.Presumed.Info
	case word.Presumed:
		fate.Outcome = journaltest.NotFriend
	case word.Outcome == outcome.Open && fate.Attempts > 0 && m.lostBefore(line, len(story)):
		fate.Outcome = outcome.Unknown
	case word.Outcome == outcome.Open:
		fate.Outcome = outcome.NotSent
		if fate.Attempts == 0 && fate.Info == "" {
			fate.Info = infoNoTurn
		}
	}
	return fate
}

func (m *saga) fate(line int64) Fate {
	own := m.own(line)
	r, repeats := m.repeats[line]
	if !repeats || own.Outcome.IsFinal() && !(r.Mirror && own.Outcome == outcome.Refused) {
		return own
	}
	first := m.fate(r.First)
	stands, of, turned := first.Outcome, r.First, r.Mirror
	if first.Outcome == outcome.Duplicate {
		stands, of = first.First, first.Of
		turned = r.Mirror != strings.Contains(first.Info, "friendship")
	}
	if r.Mirror && stands != journaltest.Deleted {
		return own
	}
	info := fmt.Sprintf("same pair as line %d", of)
	if turned {
		info = fmt.Sprintf("same friendship as line %d, deleted from both sides", of)
	}
	return Fate{Outcome: outcome.Duplicate, First: stands, Of: of, Code: first.Code, Info: info}
}

func (m *saga) sendable() []int64 {
	return slices.DeleteFunc(slices.Clone(m.rows), func(line int64) bool {
		r, repeat := m.repeats[line]
		return m.invalid[line] || repeat && !r.Mirror
	})
}

func (m *saga) job(last int64) entry.Job {
	job := journaltest.Job(int64(len(m.rows)), last)
	job.Invalid, job.Duplicates = int64(len(m.invalid)), int64(len(m.repeats))
	for _, r := range m.repeats {
		if r.Mirror {
			job.Mirrors++
		}
	}
	return job
}

func (m *saga) repeatSeq() iter.Seq2[input.Repeat, error] {
	return func(yield func(input.Repeat, error) bool) {
		for _, r := range m.repeats { // in no order
			if !yield(r, nil) {
				return
			}
		}
	}
}

const modelLast = 150

// drawRows is the lines of records, far apart or side by side.
func drawRows(t *rapid.T) []int64 {
	if rapid.Bool().Draw(t, "sparse") {
		return drawLines(t, "rows", modelLast)
	}
	var rows []int64
	first := rapid.Int64Range(2, modelLast-60).Draw(t, "first row")
	for line := range rapid.Int64Range(1, 60).Draw(t, "number") {
		rows = append(rows, first+line)
	}
	return rows
}

func drawModel(t *rapid.T) *saga {
	m := &saga{
		rows: drawRows(t), invalid: map[int64]bool{}, repeats: map[int64]input.Repeat{},
		story: map[int64][]happened{}, out: map[int64][]int64{},
	}
	for i, line := range m.rows {
		kind := rapid.SampledFrom([]string{"pair", "pair", "pair", "pair", "pair", "pair", "invalid", "repeat", "repeat", "mirror"}).Draw(t, "kind")
		if kind == "invalid" {
			m.invalid[line] = true
		}
		earlier := slices.DeleteFunc(slices.Clone(m.rows[:i]), func(l int64) bool {
			r, repeats := m.repeats[l]
			// A repeat's first is no plain repeat itself, and a mirror's first is no mirror either.
			return m.invalid[l] || repeats && !(r.Mirror && kind == "repeat")
		})
		if (kind == "repeat" || kind == "mirror") && len(earlier) > 0 {
			m.repeats[line] = input.Repeat{Line: line, First: rapid.SampledFrom(earlier).Draw(t, "first"), Mirror: kind == "mirror"}
		}
	}
	return m
}

func drawResult(t *rapid.T, lines []int64) outcome.Result {
	r := rapid.SampledFrom([]outcome.Result{
		{Outcome: journaltest.Deleted, Code: outcome.Code{Given: true}},
		{Outcome: journaltest.Deleted, Code: outcome.Code{Number: 31704, Given: true}, Presumed: true},
		{Outcome: journaltest.NotFriend, Code: outcome.Code{Number: 31704, Given: true}, Info: "Not_Friend"},
		{Outcome: outcome.Refused, Code: outcome.Code{Number: 30003, Given: true}, Info: "no account"},
		{Outcome: outcome.GaveUp, Code: outcome.Code{Number: 30006, Given: true}, Info: "again"},
		{Outcome: outcome.GaveUp, Lost: true, Info: "no answer within 15s"},
		{Outcome: outcome.Open, Code: outcome.Code{Number: 30006, Given: true}, Info: "again"},
		{Outcome: outcome.Open, Code: outcome.Code{Number: 60007, Given: true}, Info: strings.Repeat("x", 300)},
		{Outcome: outcome.Open, Code: outcome.Code{Number: 1 << 40, Given: true}},
		{Outcome: outcome.Open, Lost: true, Info: "no answer within 15s"},
	}).Draw(t, "result")
	if rapid.Bool().Draw(t, "own text") && !r.Presumed {
		r.Info = fmt.Sprintf("text %d", rapid.IntRange(0, 1e6).Draw(t, "text"))
	}
	r.Rows = outcome.RowsAt(lines...)
	return r
}

// drawSplit deals lines to results.
func drawSplit(t *rapid.T, lines []int64) []outcome.Result {
	if rapid.Bool().Draw(t, "whole") {
		return []outcome.Result{drawResult(t, nil)}
	}
	var results []outcome.Result
	hands := make([][]int64, 3)
	for _, line := range lines {
		h := rapid.IntRange(0, 2).Draw(t, "hand")
		hands[h] = append(hands[h], line)
	}
	for _, hand := range hands {
		if len(hand) > 0 {
			results = append(results, drawResult(t, hand))
		}
	}
	return results
}

// play lets something happen, to the journal and to the model.
type play struct {
	m    *saga
	j    *journal.Journal
	t    *rapid.T
	ends bool // the last run wrote its end
}

func (p *play) check(err error) {
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *play) step() {
	if p.ends {
		p.resume()
		return
	}
	action := rapid.SampledFrom([]string{"send", "send", "send", "answer", "answer", "answer", "withdraw", "decide", "crash", "end"}).Draw(p.t, "action")
	switch ids := slices.Sorted(maps.Keys(p.m.out)); {
	case action == "send":
		p.send()
	case action == "decide":
		p.decide()
	case action == "crash":
		p.resume()
	case action == "end":
		p.check(p.j.End("4", "stopped"))
		p.m.lose()
		p.ends = true
	case len(ids) == 0:
	case action == "answer":
		p.answer(rapid.SampledFrom(ids).Draw(p.t, "id"))
	case action == "withdraw":
		id := rapid.SampledFrom(ids).Draw(p.t, "id")
		p.check(p.j.Withdraw(id))
		delete(p.m.out, id)
	}
}

// free is the rows that may be in a new request.
func (p *play) free() []int64 {
	return slices.DeleteFunc(p.m.sendable(), func(line int64) bool {
		for _, lines := range p.m.out {
			if slices.Contains(lines, line) {
				return true
			}
		}
		return false
	})
}

func (p *play) some(from []int64) []int64 {
	if len(from) == 0 {
		return nil
	}
	if rapid.Bool().Draw(p.t, "many") {
		at := rapid.IntRange(0, len(from)-1).Draw(p.t, "at")
		return slices.Clone(from[at:])
	}
	lines := rapid.SliceOfNDistinct(rapid.SampledFrom(from), 1, min(6, len(from)), rapid.ID).Draw(p.t, "lines")
	return lines // in any order
}

func (p *play) send() {
	if lines := p.some(p.free()); lines != nil {
		id, err := p.j.Before("account", lines)
		p.check(err)
		p.m.out[id] = lines
	}
}

func (p *play) answer(id int64) {
	lines := p.m.out[id]
	results := drawSplit(p.t, lines)
	p.check(p.j.After(id, time.Millisecond, results))
	delete(p.m.out, id)
	for _, r := range results {
		rows := journaltest.Lines(r.Rows)
		if rows == nil {
			rows = lines
		}
		for _, line := range rows {
			p.m.story[line] = append(p.m.story[line], happened{id, "said", r})
		}
	}
}

func (p *play) decide() {
	if lines := p.some(p.free()); lines != nil {
		r := outcome.Result{Rows: outcome.RowsAt(lines...), Outcome: outcome.Refused, Info: "not tried alone"}
		p.check(p.j.Decide("account", []outcome.Result{r}))
		for _, line := range lines {
			p.m.story[line] = append(p.m.story[line], happened{0, "said", r})
		}
	}
}

func (p *play) resume() {
	p.check(p.j.Close())
	if !p.ends && rapid.Bool().Draw(p.t, "torn") {
		f, err := os.OpenFile(p.j.Path(), os.O_WRONLY|os.O_APPEND, 0)
		p.check(err)
		f.WriteString(`{"send":99,"at":"2026`)
		f.Close()
	}
	j, err := journal.Lock(journaltest.Report(p.j), journaltest.Calls)
	p.check(err)
	_, err = j.Replay(context.Background(), false)
	p.check(err)
	p.check(j.Resume(journaltest.Run))
	p.j, p.ends = j, false
	p.m.lose()
}

var smallSizes = sizes{shift: 4, texts: 2, group: 4}

// playOut makes a model and a journal of the same story.
func playOut(t *rapid.T, dir string) (*saga, *journal.Journal) {
	m := drawModel(t)
	report := filepath.Join(dir, "r.csv")
	if err := os.RemoveAll(journal.Path(report)); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Lock(report, journaltest.Calls)
	if err != nil {
		t.Fatal(err)
	}
	p := &play{m: m, j: j, t: t}
	p.check(j.Start(m.job(modelLast), journaltest.Run))
	for range rapid.IntRange(0, 40).Draw(t, "steps") {
		p.step()
	}
	m.lose() // what is out has no answer
	return m, p.j
}

// TestFarLinesTakeLittleMemory: a journal says how many lines its input has, and a small compressed file can have thousands of
// millions.
func TestFarLinesTakeLittleMemory(t *testing.T) {
	head := &entry.Head{Call: journaltest.Call, Job: entry.Job{LastLine: 4_000_000_000}}
	s := newStore(t.TempDir(), head, usualSizes)
	if bytes, most := len(s.cells)*int(reflect.TypeFor[cell]().Size()), 64<<20; bytes > most {
		t.Errorf("got %d bytes of cells for rows as far apart as %d, want at most %d", bytes, head.Job.LastLine, most)
	}
}

// TestBucketsReachTheLastLine: as many as there may be at most, and enough for every line.
func TestBucketsReachTheLastLine(t *testing.T) {
	for _, last := range []int64{2, 1<<14 - 1, 1 << 14, mostBuckets<<14 - 1, mostBuckets << 14, mostBuckets<<15 - 1, mostBuckets << 15, 4_000_000_000} {
		s := newStore(t.TempDir(), &entry.Head{Call: journaltest.Call, Job: entry.Job{LastLine: last}}, usualSizes)
		b := s.bucketOf(last)
		if n := s.rows.Len(); n > mostBuckets || n != s.links.Len() || b != n-1 || last-int64(b)<<s.shift >= int64(len(s.cells)) {
			t.Errorf("last line %d: got %d buckets of %d lines, want the line in the last one of at most %d", last, n, len(s.cells), mostBuckets)
		}
	}
}

func TestFatesAreThoseOfTheModel(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		m, j := playOut(t, dir)
		defer j.Close()
		f, err := New(context.Background(), j, Options{Job: m.job(modelLast), Repeats: m.repeatSeq(), Dir: dir, sizes: smallSizes})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for _, line := range m.rows {
			got, err := f.Next(line)
			if err != nil {
				t.Fatal(err)
			}
			if sent := !got.At.IsZero(); sent != (got.Attempts > 0) {
				t.Errorf("line %d: got a time: %v, %d attempts", line, sent, got.Attempts)
			}
			got.At = time.Time{}
			if diff := cmp.Diff(got, m.fate(line)); diff != "" {
				t.Errorf("line %d: got -, want +\n%s", line, diff)
			}
		}
		if err := f.Finish(); err != nil {
			t.Error(err)
		}
	})
}

func TestReplayIsThatOfTheModel(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		m, j := playOut(t, dir)
		defer j.Close()
		retry := rapid.Bool().Draw(t, "retry failed")
		h, err := j.Replay(context.Background(), retry)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range m.rows {
			own := m.own(line)
			final := own.Outcome.IsFinal() && !(retry && own.Outcome == outcome.Refused)
			// Once the API has spoken for good nobody asks whether an answer was lost.
			lost := m.lostBefore(line, len(m.story[line]))
			if got, want := h.Final.Has(line), final; got != want {
				t.Errorf("line %d: final: got %v, want %v", line, got, want)
			}
			if got, want := h.Mirrored.Has(line), own.Outcome == journaltest.Deleted; got != want {
				t.Errorf("line %d: deleted: got %v, want %v", line, got, want)
			}
			if got := h.Lost.Has(line); got != lost && m.settledAt(line) < 0 {
				t.Errorf("line %d: lost: got %v, want %v", line, got, lost)
			}
		}
	})
}

func sameRows(a, b *outcome.Bits) bool {
	for line := int64(1); line <= modelLast; line++ {
		if a.Has(line) != b.Has(line) {
			return false
		}
	}
	return a.Count() == b.Count()
}

// Any cut of a journal is a crash: what is left is the story up to some line, never an error, and can be resumed.
func TestAnyCutReplays(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		_, j := playOut(t, dir)
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		must(j.Close())
		data, err := os.ReadFile(j.Path())
		must(err)
		cut := rapid.IntRange(0, len(data)).Draw(t, "cut")
		replay := func(text []byte) (*journal.History, *journal.Journal) {
			must(os.WriteFile(j.Path(), text, 0o600))
			j, err := journal.Lock(journaltest.Report(j), journaltest.Calls)
			must(err)
			h, err := j.Replay(context.Background(), false)
			must(err)
			return h, j
		}
		whole := bytes.LastIndexByte(data[:cut], '\n') + 1
		want, j1 := replay(data[:whole])
		must(j1.Close())
		got, j2 := replay(data[:cut])
		defer j2.Close()
		if (got == nil) != (whole == 0) {
			t.Fatalf("cut at %d of %d: got %v, want a history only behind a whole first line", cut, len(data), got)
		}
		if got == nil {
			must(j2.Start(journaltest.Job(1, 2), journaltest.Run))
			return
		}
		if got.TornBytes != int64(cut-whole) {
			t.Errorf("torn: got %d, want %d", got.TornBytes, cut-whole)
		}
		got.TornBytes = 0
		if diff := cmp.Diff(got, want, cmp.Comparer(sameRows)); diff != "" {
			t.Errorf("got -, want +\n%s", diff)
		}
		must(j2.Resume(journaltest.Run))
		again, err := j2.Replay(context.Background(), false)
		must(err)
		if again.TornBytes != 0 || again.Runs != want.Runs+1 {
			t.Errorf("after resume: got %+v", again)
		}
	})
}

// FuzzReplay reads any bytes as a journal: it must not panic, must agree with itself, and must not claim more than the
// bytes say.
func FuzzReplay(f *testing.F) {
	j := journaltest.Start(f, journaltest.Job(10, 11))
	id, err := j.Before("a", []int64{2, 3, 5})
	must(f, err)
	must(f, j.After(id, time.Second, []outcome.Result{journaltest.Deletes(2, 5), {Rows: outcome.RowsAt(3), Outcome: outcome.Open, Lost: true, Info: "x"}}))
	id, err = j.Before("a", []int64{3})
	must(f, err)
	must(f, j.After(id, 0, []outcome.Result{{Outcome: journaltest.Deleted, Code: outcome.Code{Number: 31704, Given: true}, Presumed: true}}))
	id, err = j.Before("b", []int64{7})
	must(f, err)
	must(f, j.Withdraw(id))
	must(f, j.Decide("b", []outcome.Result{{Rows: outcome.RowsAt(7), Outcome: outcome.Refused}}))
	_, err = j.Before("b", []int64{8, 9})
	must(f, err)
	must(f, j.End("4", "why"))
	_, err = j.Replay(f.Context(), false)
	must(f, err)
	must(f, j.Resume(journaltest.Run))
	data := []byte(content(f, j.Path()))
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add(bytes.Replace(data, []byte("3"), []byte("4"), 3))
	f.Add([]byte{})
	f.Add([]byte("{\"friendsweep\":\"v\"\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		data = []byte(journaltest.Resealed(string(data))) // or hardly anything would get past the chain
		report := filepath.Join(dir, "r.csv")
		must(t, os.WriteFile(journal.Path(report), data, 0o600))
		j, err := journal.Lock(report, journaltest.Calls)
		must(t, err)
		defer j.Close()
		head, err := j.Head()
		if err != nil || head == nil || head.Job.LastLine > 1e5 {
			return
		}
		h, err := j.Replay(t.Context(), false)
		fates := build(head, dir, smallSizes)
		defer fates.Close()
		if _, again := j.Follow(t.Context(), fates.reader()); (again == nil) != (err == nil) {
			t.Fatalf("got %v and then %v", err, again)
		}
		if err != nil {
			return
		}
		claims := int64(bytes.Count(data, []byte(`deleted`)))
		if h.MirroredCount > 0 && claims == 0 && !bytes.Contains(data, []byte(`\u`)) {
			t.Errorf("got %d deleted, and the journal says so nowhere", h.MirroredCount)
		}
		for line := int64(1); line <= head.Job.LastLine; line++ {
			fates.line = line - 1
			c, err := fates.cell(line)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := fates.fate(c); err != nil {
				t.Fatal(err)
			}
			if got, want := c.outcome.IsFinal(), h.Final.Has(line); got != want {
				t.Errorf("line %d: final: fates %v, replay %v", line, got, want)
			}
			if got, want := c.outcome == journaltest.Deleted, h.Mirrored.Has(line); got != want {
				t.Errorf("line %d: deleted: fates %v, replay %v", line, got, want)
			}
		}
	})
}
