package fates

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"friendsweep/input"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
)

func TestFatesNeedTheSameInput(t *testing.T) {
	j, job, _, repeats := small(t)
	for name, o := range map[string]Options{
		"a repeat less":  {Job: job, Repeats: repeatsOf(repeats[:1])},
		"other repeats":  {Job: job, Repeats: repeatsOf([]input.Repeat{repeats[0], repeats[0]})},
		"after itself":   {Job: job, Repeats: repeatsOf([]input.Repeat{{Line: 3, First: 3}, repeats[1]})},
		"beyond the end": {Job: job, Repeats: repeatsOf([]input.Repeat{{Line: 1 << 40, First: 3}, repeats[1]})},
		"another job":    {Job: journaltest.Job(11, 13), Repeats: repeatsOf(repeats)},
	} {
		o.Dir = t.TempDir()
		if _, err := New(t.Context(), j, o); err == nil {
			t.Errorf("%s: got no error, want one", name)
		}
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
