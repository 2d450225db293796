package proof

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"friendsweep/batch/send"
)

// TestAnySchedule is the one rule: whatever the server does to any request, however many workers send it in whatever
// chunks, wherever runs are stopped, die or lose power, the report says of every row what the server's record says.
func TestAnySchedule(t *testing.T) {
	root := memory(t)
	rapid.Check(t, func(rt *rapid.T) {
		call := rapid.SampledFrom([]*call{deletion, deletion, checking}).Draw(rt, "call")
		both := rapid.Bool().Draw(rt, "both")
		regroup := both && call == deletion && rapid.Bool().Draw(rt, "regroup")
		table := drawTable(rt, both && call == deletion, regroup)
		plan := drawPlan(rt)
		runs := rapid.SliceOfN(rapid.Custom(drawSettings), 0, 4).Draw(rt, "runs")
		ignore := rapid.Bool().Draw(rt, "ignore not friend")
		dials := rapid.SliceOfN(rapid.Bool(), 0, 6).Draw(rt, "dials")
		dir, err := os.MkdirTemp(root, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		rapid.SyncTest(rt, func(rt *rapid.T) {
			tr, err := newTrial(dir, table, both)
			if err != nil {
				rt.Fatal(err)
			}
			tr.ignore, tr.dials, tr.server.plan, tr.server.call, tr.regroup = ignore, dials, plan, call, regroup
			tr.work(rt, runs)
		})
	})
}

// work makes the runs, and then as many more as the job needs. After each the report is checked.
func (tr *trial) work(rt *rapid.T, runs []settings) {
	for n := 0; ; n++ {
		o := settings{workers: 3, chunk: 5}
		if n < len(runs) {
			o = runs[n]
		}
		ended, failed := tr.run(rt.Context(), o)
		if errors.Is(ended, errDead) && failed == nil {
			failed = tr.rewrite(rt.Context())
		}
		if failed != nil {
			rt.Fatalf("run %d: %v", tr.runs, failed)
		}
		tr.excuse(rt, ended, o)
		if wrong := tr.check(); len(wrong) > 0 {
			rt.Fatalf("after run %d of %+v, which ended with %v:\n%s", tr.runs, o, ended, strings.Join(wrong, "\n"))
		}
		if wrong := tr.storyDiffers(rt.Context(), rapid.IntRange(0, 1000).Draw(rt, "story")); wrong != "" {
			rt.Fatalf("after run %d of %+v: %s", tr.runs, o, wrong)
		}
		if ended == nil && n >= len(runs) {
			return
		}
		if n > 300 {
			rt.Fatalf("no end after %d runs: %v", n, ended)
		}
	}
}

// excuse makes sure that a run ended early for a reason, and that a run that ended by itself left nothing open.
func (tr *trial) excuse(rt *rapid.T, ended error, o settings) {
	var stopped *send.Stop
	switch {
	case ended == nil:
		for _, idle := range tr.oracle().idle(tr.runs, o.retryFailed) {
			rt.Fatalf("run %d ended by itself, and did nothing about %s", tr.runs, idle)
		}
	case errors.Is(ended, errDead) && o.dieAt > 0, errors.Is(ended, errInterrupted) && o.interruptAt > 0:
	case errors.As(ended, &stopped):
		outage := strings.HasPrefix(stopped.Reason, "the API cannot be reached") && tr.server.saidNothing(tr.runs)
		if o.limit == 0 && !outage && !tr.server.saidStop(tr.runs) {
			rt.Fatalf("run %d stopped for no reason: %v", tr.runs, ended)
		}
	default:
		rt.Fatalf("run %d ended with %v", tr.runs, ended)
	}
}

// saidNothing reports whether some request of the run got no answer of the API.
func (s *server) saidNothing(run int) bool {
	return slices.ContainsFunc(s.all, func(q *request) bool {
		return q.run == run && !slices.ContainsFunc(q.said, func(w word) bool { return w.coded })
	})
}

// saidStop reports whether an answer of the run may stop it.
func (s *server) saidStop(run int) bool {
	return slices.ContainsFunc(s.all, func(q *request) bool {
		return q.run == run && (requestMeans[q.code] == unproven || slices.ContainsFunc(q.said, func(w word) bool {
			return w.means == stop || w.means == retryStop || w.means == unproven || w.means == resign
		}))
	})
}

func drawSettings(rt *rapid.T) settings {
	o := settings{
		workers: rapid.IntRange(1, 8).Draw(rt, "workers"), chunk: rapid.IntRange(1, 9).Draw(rt, "chunk"),
		retryFailed: rapid.Bool().Draw(rt, "retry failed"),
	}
	switch rapid.IntRange(0, 4).Draw(rt, "end") {
	case 1:
		o.interruptAt = rapid.IntRange(1, 20).Draw(rt, "interrupt at")
	case 2:
		o.dieAt, o.powerCut = rapid.IntRange(1, 40).Draw(rt, "die at"), rapid.Float64Range(0, 1).Draw(rt, "power cut")
	case 3:
		o.limit = rapid.Int64Range(1, 20).Draw(rt, "limit")
	}
	return o
}

// drawPlan is a queue of faults for every account; behind its end all is well.
func drawPlan(rt *rapid.T) func(account string, n int) fault {
	queues := map[string][]fault{}
	draw := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) fault {
		return fault{rapid.IntRange(0, len(breakages)-1).Draw(rt, "kind"), rapid.Uint64().Draw(rt, "seed")}
	}), 0, 10)
	for _, account := range accounts {
		queues[account] = draw.Draw(rt, "faults of "+account)
	}
	return func(account string, n int) fault {
		if q := queues[account]; n < len(q) {
			return q[n]
		}
		return fault{seed: uint64(n)}
	}
}

// accounts and friends are in each other's lists, so that pairs repeat and see each other from the other side.
var (
	accounts = []string{"ann", "b, \"c\"", `d\e`, "missing-f"}
	friends  = []string{"ann", "b, \"c\"", `d\e`, "<g>&", "not-friend-h", "missing-i", "k", "l", "m", "n", "o", "=p()", "q", "r"}
)

// strangersToAccounts are the friends without accounts, so that no row sees another one from the other side.
var strangersToAccounts = slices.DeleteFunc(slices.Clone(friends), func(f string) bool { return slices.Contains(accounts, f) })

// drawTable is an input with everything that an input may have.
func drawTable(rt *rapid.T, both, regroup bool) *table {
	b := newTableBuilder(both)
	friends := friends
	if regroup {
		friends = strangersToAccounts
	}
	n := rapid.IntRange(0, 30).Draw(rt, "rows")
	for range n {
		from := rapid.SampledFrom(accounts).Draw(rt, "from")
		to := rapid.SampledFrom(friends).Draw(rt, "to")
		if regroup { // many accounts with few friends, as in a sweep: they are asked for from the other side
			from, to = to, from
		}
		b.add(from, to, rapid.SampledFrom([]string{"", "", "", "blank", "lines", "invalid"}).Draw(rt, "form"))
	}
	return b.table()
}

// tableBuilder writes an input and keeps count of lines and repeats, by itself.
type tableBuilder struct {
	text   strings.Builder
	csv    *csv.Writer
	line   int64
	both   bool
	rows   []row
	firsts map[[2]string]int64
}

func newTableBuilder(both bool) *tableBuilder {
	b := &tableBuilder{both: both, line: 2, firsts: map[[2]string]int64{}}
	b.csv = csv.NewWriter(&b.text)
	b.csv.Write([]string{"to", "note", "from"})
	return b
}

func (b *tableBuilder) add(from, to, form string) {
	note := ""
	switch form {
	case "blank":
		b.csv.Flush()
		b.text.WriteString("\n")
		b.line++
	case "lines":
		note = "one\ntwo\n"
	case "invalid":
		to = strings.Repeat("x", 33)
	case "empty":
		to = ""
	case "no ascii":
		if strings.Trim(to, "x") != "ü" {
			from = "jürgen"
		}
	}
	invalid := slices.Contains([]string{"invalid", "empty", "no ascii"}, form)
	r := row{line: b.line, from: from, to: to, invalid: invalid || from == to}
	pair, mirror := [2]string{from, to}, [2]string{to, from}
	switch first := b.firsts[pair]; {
	case r.invalid:
	case first > 0:
		r.first = first
	default:
		b.firsts[pair] = r.line
		if b.both {
			r.mirrorOf = b.firsts[mirror]
		}
	}
	b.rows = append(b.rows, r)
	b.csv.Write([]string{to, note, from})
	b.line += 1 + int64(strings.Count(note, "\n"))
}

func (b *tableBuilder) table() *table {
	b.csv.Flush()
	return &table{csv: b.text.String(), rows: b.rows}
}

// String keeps the draws of a failing test readable.
func (f fault) String() string {
	return fmt.Sprintf("%s %#x", breakages[f.kind%len(breakages)].name, f.seed)
}
