package proof

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"friendsweep/batch"
	"friendsweep/batch/chat"
	"friendsweep/batch/sandbox"
	"friendsweep/batch/send"
	"friendsweep/input"
	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
)

// TestBounds: what a job takes to be gone on with hangs on its rows, wherever these stand, and not on the number of a line;
// neither what is kept to tell of it, nor what is told, hangs on how many codes and texts a server thinks of, or in how many
// ways rows are invalid. The jobs are made from a seed.
func TestBounds(t *testing.T) {
	seed := rand.Uint64()
	dice := rand.New(rand.NewPCG(seed, 0))
	last := 1<<31 + dice.Int64N(1<<33)
	j := farJob(t, filepath.Join(memory(t), "far.csv"), last, 2000, 1000)
	before := allocated()
	history, err := j.Replay(t.Context(), false)
	if err != nil {
		t.Fatalf("seed %#x: %v", seed, err)
	}
	if n := history.Final.Count(); n != 2000 {
		t.Errorf("seed %#x: got %d final rows, want 2000", seed, n)
	}
	// Four sets, which name their pages even where there are none.
	if took, most := allocated()-before, uint64(8<<20); took > most {
		t.Errorf("seed %#x: got %d bytes for 2000 rows up to line %d, want %d at most", seed, took, last, most)
	}

	for _, varies := range []string{"codes", "texts", "invalid rows", "all of them"} {
		t.Run(varies, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("seed %#x", seed)
				}
			}()
			newTalkative(t, dice, varies).judge(t)
		})
	}
}

// talkative is a job of which very much could be said: each row has a code of its own, or a text without a code, or is invalid
// in a way of its own.
type talkative struct {
	*trial
	draws string
}

func newTalkative(t *testing.T, dice *rand.Rand, varies string) *talkative {
	t.Helper()
	all := varies == "all of them"
	rows, invalid, longest := 10_000+dice.IntN(5000), 0, 50+dice.IntN(200)
	switch varies {
	case "codes": // the table has room for ten thousand
		rows *= 3
	case "invalid rows":
		rows = 1 + dice.IntN(1000)
	}
	if varies == "invalid rows" || all {
		invalid = 1200 + dice.IntN(1000)
	}
	var csv strings.Builder
	csv.WriteString("from,to\n")
	for i := range rows {
		fmt.Fprintf(&csv, "ann,friend-%d\n", i)
	}
	for i := range invalid {
		switch dice.IntN(3) {
		case 0:
			fmt.Fprintf(&csv, "ann,%s\n", strings.Repeat("x", 40+i))
		case 1:
			fmt.Fprintf(&csv, "ann%s\n", strings.Repeat(",x", 2+i))
		default:
			fmt.Fprintf(&csv, "ann,%c\n", 0xa0+dice.IntN(0x700))
		}
	}
	tr, err := newTrial(memory(t), &table{csv: csv.String()}, false)
	if err != nil {
		t.Fatal(err)
	}
	k := &talkative{tr, fmt.Sprintf("%d rows with texts of %d bytes at most, and %d invalid ones", rows, longest, invalid)}
	k.answer(t, rows, func(i int) outcome.Result {
		text := strings.Repeat("x", dice.IntN(longest)) + fmt.Sprint(" no ", i)
		if varies == "codes" || all && dice.IntN(2) == 0 {
			return outcome.Result{Outcome: outcome.Refused, Code: outcome.Code{Number: 100_000 + i + dice.IntN(2)<<40, Given: true}, Info: text}
		}
		return outcome.Result{Outcome: oneOf(dice, outcome.Refused, outcome.GaveUp), Info: text}
	})
	return k
}

// answer writes the journal of the job, in which each of the rows has been answered.
func (k *talkative) answer(t *testing.T, rows int, answer func(i int) outcome.Result) {
	t.Helper()
	in := k.read(t)
	j, err := journal.Lock(k.path("report.csv"), batch.Calls)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	err = j.Start(k.job(in), entry.Run{Version: "proof", PID: 1, Input: entry.Text(k.path("pairs.csv"))})
	for n := 0; err == nil && n < rows; n += 1000 {
		var lines []int64
		var results []outcome.Result
		for i := n; i < min(n+1000, rows); i++ {
			r := answer(i)
			r.Rows = outcome.RowsAt(int64(2 + i))
			lines, results = append(lines, int64(2+i)), append(results, r)
		}
		var id int64
		if id, err = j.Before("ann", lines); err == nil {
			err = j.After(id, time.Millisecond, results)
		}
	}
	if err = errors.Join(err, j.End("1", "")); err != nil {
		t.Fatal(err)
	}
}

func (k *talkative) read(t *testing.T) *input.Input {
	t.Helper()
	in, err := input.Read(t.Context(), input.Options{Path: k.path("pairs.csv"), ChunkSize: 1000, TempDir: k.dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return in
}

// judge makes all that is said of the job: however much that could be, it is little, and little is kept for it.
func (k *talkative) judge(t *testing.T) {
	var status *fates.StatusInfo
	k.keeps(t, "a status", func() (err error) {
		status, err = fates.Status(t.Context(), k.path("report.csv"), t.TempDir(), batch.Calls)
		return err
	})
	said := reports.NewStatus(status, k.path("report.csv"))
	k.says(t, "a status as an object", func(w io.Writer) error { return said.WriteJSON(w, status) })
	k.says(t, "a status", func(w io.Writer) error { return said.WriteText(w, time.Now(), terminal.TextOptions{}) })
	var in *input.Input
	k.keeps(t, "an input", func() error { in = k.read(t); return nil })
	plan := batch.NewPlan(in, send.Options{Call: batch.Calls.Named("delete"), ChunkSize: 1000, Rate: 200})
	k.says(t, "a plan as an object", plan.WriteJSON)
	k.says(t, "a plan", func(w io.Writer) error { return plan.WriteText(w, terminal.TextOptions{}) })
	var sum *reports.Interim
	k.keeps(t, "a summary", func() (err error) {
		sum, err = batch.Rewrite(t.Context(), batch.Options{Report: k.path("report.csv"), HTML: k.path("page.html"), TempDir: t.TempDir(),
			Log: slog.New(slog.DiscardHandler), Progress: terminal.NewProgress(io.Discard, terminal.Options{})})
		return err
	})
	k.says(t, "a summary as an object", sum.Summary.WriteJSON)
	k.says(t, "a summary", func(w io.Writer) error { return sum.Summary.WriteText(w, terminal.TextOptions{}) })
	k.says(t, "a page", func(w io.Writer) error {
		page, err := os.ReadFile(k.path("page.html"))
		w.Write(page)
		return err
	})
}

// keeps looks at the memory that is in use when something has been made.
func (k *talkative) keeps(t *testing.T, what string, make func() error) {
	t.Helper()
	before := inUse()
	if err := make(); err != nil {
		t.Fatal(err)
	}
	if now, most := inUse(), uint64(3<<18); now > before+most {
		t.Errorf("got %d bytes kept for %s of %s, want %d at most", now-before, what, k.draws, most)
	}
}

// says looks at how much is said.
func (k *talkative) says(t *testing.T, what string, write func(io.Writer) error) {
	t.Helper()
	var said strings.Builder
	if err := write(&said); err != nil {
		t.Fatal(err)
	}
	most := 24 << 10
	if what == "a page" { // which has examples of each of so many
		most = 384 << 10
	}
	if n := said.Len(); n > most {
		t.Errorf("got %d bytes for %s of %s, want %d at most", n, what, k.draws, most)
	}
}

// farJob writes the journal of a job whose rows stand at the two ends of so many lines, refused by requests of so many.
func farJob(t *testing.T, report string, last int64, rows, each int) *journal.Journal {
	t.Helper()
	j, err := journal.Lock(report, batch.Calls)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	err = j.Start(entry.Job{Call: "delete", InputSHA256: strings.Repeat("ab", 32), InputBytes: last, Rows: int64(rows), LastLine: last, FromColumn: "from",
		ToColumn: "to", Endpoint: "http://127.0.0.1", AppID: sandbox.DefaultAppID, DeleteType: string(chat.Single)}, entry.Run{Version: "proof", PID: 1})
	for n := 0; err == nil && n < rows; n += each {
		var lines []int64
		var results []outcome.Result
		for i := range each {
			line := int64(2 + n + i)
			if n+i >= rows/2 {
				line = last - int64(rows-n-i-1)
			}
			lines = append(lines, line)
			results = append(results, outcome.Result{Rows: outcome.RowsAt(line), Outcome: outcome.Refused, Code: outcome.Code{Number: 30003, Given: true}, Info: fmt.Sprint("no ", n)})
		}
		var id int64
		if id, err = j.Before("ann", lines); err == nil {
			err = j.After(id, time.Millisecond, results)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
