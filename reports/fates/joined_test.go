package fates

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
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

func TestFatesNeedTheSameInput(t *testing.T) {
	j, job, _, repeats := small(t)
	const joining = "joining the journal with the input: "
	const before = joining + "a repeat comes before what it repeats"
	broken := func(yield func(input.Repeat, error) bool) { yield(input.Repeat{}, errors.New("the disk is gone")) }
	for name, c := range map[string]struct {
		job     entry.Job
		repeats iter.Seq2[input.Repeat, error]
		want    string
	}{
		"a repeat less":       {job, repeatsOf(repeats[:1]), joining + "1 duplicates, 0 of them mirrors, and there were 2 and 1"},
		"none":                {job, nil, joining + "0 duplicates, 0 of them mirrors, and there were 2 and 1"},
		"other repeats":       {job, repeatsOf([]input.Repeat{repeats[0], repeats[0]}), joining + "2 duplicates, 0 of them mirrors, and there were 2 and 1"},
		"of itself":           {job, repeatsOf([]input.Repeat{{Line: 3, First: 3}, repeats[1]}), before},
		"of the header":       {job, repeatsOf([]input.Repeat{{Line: 3, First: 1}, repeats[1]}), before},
		"beyond the end":      {job, repeatsOf([]input.Repeat{{Line: 1 << 40, First: 3}, repeats[1]}), before},
		"just beyond the end": {job, repeatsOf([]input.Repeat{{Line: 1 << usualSizes.shift, First: 3}, repeats[1]}), before},
		"not to be read":      {job, broken, "the disk is gone"},
		"another job": {journaltest.Job(11, 13), repeatsOf(repeats), "reading " + j.Path() + ": the same input was read differently: 11 rows, 0 invalid, " +
			"0 duplicates, 0 mirrors up to line 13; the journal has 11, 1, 2, 1 and 13\nuse the version of friendsweep that began the job"},
	} {
		if f, err := New(t.Context(), j, Options{Job: c.job, Repeats: c.repeats, Dir: t.TempDir()}); f != nil || err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, error %v, want %q", name, f, err, c.want)
		}
	}
}

// TestFatesNeedAJob: a journal without its first line, or with one that is none of ours, joins with nothing.
func TestFatesNeedAJob(t *testing.T) {
	report := filepath.Join(t.TempDir(), "r.csv")
	j, err := journal.Lock(report, journaltest.Calls)
	must(t, err)
	defer j.Close()
	if f, err := New(t.Context(), j, Options{}); f != nil || err == nil || err.Error() != "reading "+j.Path()+": no job is in it" {
		t.Errorf("an empty journal: got %v, %v, want no fates and an error that says so", f, err)
	}
	other, job, _, _ := small(t)
	must(t, other.Close())
	text := strings.Replace(content(t, other.Path()), `"rows":11`, `"rows":12`, 1)
	must(t, os.WriteFile(other.Path(), []byte(text), 0o600))
	if other, err = journal.Lock(journaltest.Report(other), journaltest.Calls); err == nil {
		defer other.Close()
		_, err = New(t.Context(), other, Options{Job: job, Dir: t.TempDir()})
	}
	if err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a first line that was changed: got %v, want an error that names line 1", err)
	}
}

// TestFatesInTheOrderOfLines: lines ascend, those left out are no rows, and what the journal says of any other line is an error.
func TestFatesInTheOrderOfLines(t *testing.T) {
	j, job, _, repeats := small(t)
	const joining = "joining the journal with the input: "
	for _, c := range []struct {
		lines  []int64 // the last one, or else the end, is an error
		finish bool
		want   string // empty for none
	}{
		{[]int64{2, 3, 4, 6, 7, 8, 9, 11, 12, 13}, true, ""},
		{[]int64{2, 3, 4, 6, 7, 8, 9, 10, 11, 12}, true, ""},
		{[]int64{0}, false, joining + "line 0 cannot follow line 0"},
		{[]int64{2, 2}, false, joining + "line 2 cannot follow line 2"},
		{[]int64{2, 3, 2}, false, joining + "line 2 cannot follow line 3"},
		{[]int64{2, 14}, false, joining + "line 14 cannot follow line 2"},
		{[]int64{3}, false, joining + "the journal speaks of line 2, where the input has no record"},
		{[]int64{2, 3, 4, 7}, false, joining + "the journal speaks of line 6, where the input has no record"},
		{[]int64{2, 3, 4, 6, 7, 8, 9, 11}, true, joining + "the journal speaks of line 12, where the input has no record"},
	} {
		f, err := New(t.Context(), j, Options{Job: job, Repeats: repeatsOf(repeats), Dir: t.TempDir()})
		must(t, err)
		for i, line := range c.lines {
			if _, err = f.Next(line); i < len(c.lines)-1 || c.finish {
				must(t, err)
			}
		}
		if c.finish {
			err = f.Finish()
		}
		if got := fmt.Sprint(err); got != c.want && (err != nil || c.want != "") {
			t.Errorf("%d: got %s, want %q", c.lines, got, c.want)
		}
		must(t, f.Close())
	}
	late := journaltest.Job(2, 5)
	k := journaltest.Start(t, late)
	must(t, k.Decide("a", []outcome.Result{{Rows: outcome.RowsAt(5), Outcome: outcome.Refused}}))
	must(t, k.End("1", ""))
	f, err := New(t.Context(), k, Options{Job: late, Dir: t.TempDir()})
	must(t, err)
	defer f.Close()
	if err := f.Finish(); err == nil || err.Error() != joining+"the journal speaks of line 5, where the input has no record" {
		t.Errorf("a row behind all that were asked for: got %v, want an error that names line 5", err)
	}
}

// TestFateOfAnInvalidRecord: the journal must say nothing of it.
func TestFateOfAnInvalidRecord(t *testing.T) {
	valid, invalid := &input.Record{Line: 7}, &input.Record{Line: 7, Reason: "to_account is empty"}
	const has = "joining the journal with the input: the journal has a result for line 7, which is invalid: to_account is empty"
	untouched := Fate{Outcome: outcome.NotSent, Info: infoNoTurn}
	for _, c := range []struct {
		name string
		fate Fate
		rec  *input.Record
		want Fate
		err  string
	}{
		{"valid, deleted", Fate{Outcome: journaltest.Deleted, Attempts: 1}, valid, Fate{Outcome: journaltest.Deleted, Attempts: 1}, ""},
		{"valid, not sent", untouched, valid, untouched, ""},
		{"invalid", untouched, invalid, Fate{Outcome: outcome.Invalid, Info: "to_account is empty"}, ""},
		{"invalid, carried", Fate{Outcome: outcome.NotSent, Attempts: 1}, invalid, Fate{Outcome: outcome.NotSent, Attempts: 1}, has},
		{"invalid, decided", Fate{Outcome: outcome.Refused}, invalid, Fate{Outcome: outcome.Refused}, has},
		{"invalid, deleted", Fate{Outcome: journaltest.Deleted, Attempts: 2}, invalid, Fate{Outcome: journaltest.Deleted, Attempts: 2}, has},
	} {
		got, err := c.fate.For(c.rec)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("%s: got %+v, %v, want %+v, %q", c.name, got, err, c.want, c.err)
		}
	}
}

// TestRepeatsAreCancelledSoon: with the cause, and within some 65,000 of them.
func TestRepeatsAreCancelledSoon(t *testing.T) {
	const soon = 0x10000
	for at, most := range map[int64]int64{0: 1, 1: soon + 1} { // repeats taken before it is cancelled
		job := journaltest.Job(2*soon+2, 2*soon+3)
		job.Duplicates = 2 * soon
		j := journaltest.Start(t, job)
		must(t, j.End("0", ""))
		ctx, cancel := context.WithCancelCause(t.Context())
		cause, taken := errors.New("somebody pressed Ctrl-C"), int64(0)
		repeats := func(yield func(input.Repeat, error) bool) {
			for ; taken < job.Duplicates; taken++ {
				if taken == at {
					cancel(cause)
				}
				if !yield(input.Repeat{Line: taken + 3, First: 2}, nil) {
					return
				}
			}
		}
		if _, err := New(ctx, j, Options{Job: job, Repeats: repeats, Dir: t.TempDir()}); err != cause || taken > most {
			t.Errorf("cancelled at repeat %d: got %v after %d, want %v after %d at most", at, err, taken, cause, most)
		}
		cancel(nil)
	}
}

// A repeat of a mirror has its result where the mirror has it, and sees it from the mirror's side.
func TestRepeatOfAMirror(t *testing.T) {
	job := journaltest.Job(3, 1<<17)
	job.Duplicates, job.Mirrors = 2, 1
	for _, last := range []int64{4, 1 << 17} { // in the bucket of the first, and in a later one
		j := journaltest.Start(t, job)
		id, err := j.Before("a", []int64{2})
		must(t, err)
		must(t, j.After(id, 0, []outcome.Result{journaltest.Deletes()}))
		repeats := repeatsOf([]input.Repeat{{Line: last, First: 3}, {Line: 3, First: 2, Mirror: true}})
		f, err := New(t.Context(), j, Options{Job: job, Repeats: repeats, Dir: t.TempDir()})
		must(t, err)
		defer f.Close()
		for _, line := range []int64{2, 3, last} {
			got, err := f.Next(line)
			must(t, err)
			want := Fate{Outcome: outcome.Duplicate, First: journaltest.Deleted, Of: 2, Code: outcome.Code{Given: true}, Info: "same friendship as line 2, deleted from both sides"}
			if diff := cmp.Diff(got, want); line > 2 && diff != "" {
				t.Errorf("line %d: got -, want +\n%s", line, diff)
			}
		}
	}
}

func TestStatusWithoutAJournal(t *testing.T) {
	report := filepath.Join(t.TempDir(), "r.csv")
	for _, text := range []string{"", `{"friendsweep":`} {
		if text != "" {
			must(t, os.WriteFile(journal.Path(report), []byte(text), 0o600))
		}
		if _, err := Status(t.Context(), report, t.TempDir(), journaltest.Calls); !errors.Is(err, journal.ErrNoJournal) {
			t.Errorf("%q: got %v, want %v", text, err, journal.ErrNoJournal)
		}
	}
}

func TestTimelineKeepsEveryAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b timelineBuilder
		var rows, requests int64
		at := rapid.Int64Range(1e12, 2e12).Draw(t, "start")
		for range rapid.IntRange(1, 50).Draw(t, "n") {
			at += rapid.Int64Range(-5000, 1<<rapid.IntRange(0, 40).Draw(t, "scale")).Draw(t, "step")
			b.add(at, 3)
			rows, requests = rows+3, requests+1
		}
		tl := b.timeline()
		if sum(tl.Rows) != rows || sum(tl.Requests) != requests || len(tl.Rows) > timelineBuckets || len(tl.Rows) != len(tl.Requests) {
			t.Errorf("got %d rows, %d requests in %d buckets, want %d and %d", sum(tl.Rows), sum(tl.Requests), len(tl.Rows), rows, requests)
		}
	})
}

func TestLatencyIsCloseToTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b latencyBuilder
		all := rapid.SliceOfN(rapid.Int64Range(0, 1<<rapid.IntRange(1, 37).Draw(t, "scale")), 1, 60).Draw(t, "all")
		for _, ms := range all {
			b.add(ms)
		}
		slices.Sort(all)
		for _, share := range []float64{0.5, 0.9, 0.99, 1} {
			i := 0
			for float64(i+1) < share*float64(len(all)) {
				i++
			}
			got, want := b.quantile(share).Milliseconds(), all[i]
			if got < want || got > min(want+want/64, all[len(all)-1]) {
				t.Errorf("%v of %v: got %d ms, want %d", share, all, got, want)
			}
		}
	})
}

// TestTimeline: a bar begins with a whole second, and all of them become twice as wide as soon as there would be too many.
func TestTimeline(t *testing.T) {
	const start = 1_800_000_000_000
	type answer struct{ at, rows int64 }
	ones := func(at ...int64) (all []answer) {
		for _, a := range at {
			all = append(all, answer{start + a, 1})
		}
		return all
	}
	for _, c := range []struct {
		name    string
		answers []answer
		begins  int64 // behind start
		width   time.Duration
		bars    map[int]int64 // rows, where there are any
		last    int
	}{
		{"one answer", ones(1999), 1000, time.Second, map[int]int64{0: 1}, 0},
		{"two in a bar", ones(1000, 1999), 1000, time.Second, map[int]int64{0: 2}, 0},
		{"two bars", ones(1999, 2000), 1000, time.Second, map[int]int64{0: 1, 1: 1}, 1},
		{"a clock that goes back", ones(5000, 900), 5000, time.Second, map[int]int64{0: 2}, 0},
		{"an answer that decides nothing", []answer{{start, 0}, {start + 3000, 7}}, 0, time.Second, map[int]int64{3: 7}, 3},
		{"as many bars as there may be", ones(0, 239_999), 0, time.Second, map[int]int64{0: 1, 239: 1}, 239},
		{"one more", ones(0, 1000, 2000, 240_000), 0, 2 * time.Second, map[int]int64{0: 2, 1: 1, 120: 1}, 120},
		{"far away", ones(0, 239_000, 1_000_000), 0, 8 * time.Second, map[int]int64{0: 1, 29: 1, 125: 1}, 125},
	} {
		var b timelineBuilder
		for _, a := range c.answers {
			b.add(a.at, a.rows)
		}
		want := Timeline{Start: time.UnixMilli(start + c.begins).UTC(), Width: c.width, Rows: make([]int64, c.last+1)}
		for i, n := range c.bars {
			want.Rows[i] = n
		}
		got := b.timeline()
		if requests := sum(got.Requests); requests != int64(len(c.answers)) || len(got.Requests) != len(got.Rows) {
			t.Errorf("%s: got %d requests in %d bars, want %d in %d", c.name, requests, len(got.Requests), len(c.answers), len(got.Rows))
		}
		got.Requests = nil
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s: got -, want +\n%s", c.name, diff)
		}
	}
	if diff := cmp.Diff(new(timelineBuilder).timeline(), Timeline{}); diff != "" {
		t.Errorf("no answer: got -, want +\n%s", diff)
	}
}

// TestLatency: to the millisecond below 128 ms, and above never less than it was.
func TestLatency(t *testing.T) {
	ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
	for _, c := range []struct {
		took []int64
		want Latency
	}{
		{nil, Latency{}},
		{[]int64{0}, Latency{}},
		{[]int64{-5, 3}, Latency{P50: 0, P90: ms(3), P99: ms(3), Max: ms(3)}},
		{[]int64{1, 2, 3, 4}, Latency{P50: ms(2), P90: ms(4), P99: ms(4), Max: ms(4)}},
		{[]int64{127, 5000}, Latency{P50: ms(127), P90: ms(5000), P99: ms(5000), Max: ms(5000)}},
		{[]int64{129, 5000}, Latency{P50: ms(129), P90: ms(5000), P99: ms(5000), Max: ms(5000)}},
		{[]int64{1 << 40}, Latency{P50: ms(1 << 38), P90: ms(1 << 38), P99: ms(1 << 38), Max: ms(1 << 38)}},
	} {
		var b latencyBuilder
		for _, took := range c.took {
			b.add(took)
		}
		if got := b.latency(); got != c.want {
			t.Errorf("%d: got %+v, want %+v", c.took, got, c.want)
		}
	}
}

// Every row has a text of its own, several times: memory must not follow their number.
func TestFatesInLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 200 MB")
	}
	const rows = 300_000
	job := journaltest.Job(rows, rows+1)
	j := journaltest.Start(t, job)
	text := strings.Repeat("x", 290)
	line := int64(2)
	for line < rows+2 {
		var lines []int64
		for ; len(lines) < 1000 && line < rows+2; line++ {
			lines = append(lines, line)
		}
		for range 2 {
			id, err := j.Before("a", lines)
			must(t, err)
			var results []outcome.Result
			for _, l := range lines {
				results = append(results, outcome.Result{Rows: outcome.RowsAt(l), Outcome: outcome.GaveUp, Code: outcome.Code{Number: 30006, Given: true}, Info: text + strconv.FormatInt(l, 10)})
			}
			must(t, j.After(id, 0, results))
		}
	}
	before := heap()
	f, err := New(t.Context(), j, Options{Job: job, Dir: t.TempDir()})
	must(t, err)
	defer f.Close()
	most := heap() - before
	for line := int64(2); line < rows+2; line++ {
		fate, err := f.Next(line)
		must(t, err)
		if want := text + strconv.FormatInt(line, 10); fate.Info != want || fate.Attempts != 2 {
			t.Fatalf("line %d: got %+v", line, fate)
		}
		if line%50_000 == 0 {
			most = max(most, heap()-before)
		}
	}
	t.Logf("%d MiB", most>>20)
	if most > 40<<20 {
		t.Errorf("memory: got %d MiB for texts of %d MiB, want at most 40", most>>20, rows*300>>20)
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkFates(b *testing.B) {
	for _, scattered := range []bool{false, true} {
		b.Run(fmt.Sprintf("scattered=%v", scattered), func(b *testing.B) {
			const n = 2_000_000
			j, job := journaltest.Filled(b, n, 1000, scattered)
			dir := b.TempDir()
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				f, err := New(b.Context(), j, Options{Job: job, Dir: dir})
				must(b, err)
				for line := int64(2); line < n+2; line++ {
					if fate, err := f.Next(line); err != nil || fate.Outcome != journaltest.Deleted {
						b.Fatal(fate, err)
					}
				}
				must(b, f.Close())
			}
			perSecond(b, n, "row")
		})
	}
}
