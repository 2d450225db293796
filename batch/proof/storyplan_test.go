package proof

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"friendsweep/batch/send"
)

// story is all that is decided before a job begins.
type story struct {
	call    *call
	table   *table // as for a deletion from both sides
	bytes   []byte // of the input file
	regroup bool   // no row sees another one from the other side, so runs may regroup
	theme   string // what crowd and server have in common, where that is rare by chance; mostly empty
	plan    func(account string, n int) fault
	dials   []bool // which connections fail to open
	runs    []storyRun
}

// storyRun is a run that is yet to be made.
type storyRun struct {
	storyFlags
	wrong   string   // what makes it a run of another job: input, endpoint, or nothing
	weather string   // the fault that every request of the run meets; nobody: no connection opens; empty: those of the story
	end     storyEnd // what ends it, if it does not end by itself
	reports bool     // `report` is run after it
	line    int      // the record whose story is asked for, counted round
}

// storyEnd is what happens to a run from outside.
type storyEnd struct {
	kind     string // signal, kill, disk, folder, input; empty for nothing
	at       string // start, arrival, answer, write, sync, time
	n        int    // which of them
	after    time.Duration
	part     float64 // of the line of the journal that is written all the same
	signal   int
	name     string  // of the output in whose place a folder is made
	powerCut float64 // how much of what was not synced is lost as well, after a kill or a fault of the disk
}

// storyFlags are the flags of delete and check.
type storyFlags struct {
	both, ignore, regroup, resume, overwrite, retryFailed bool
	expect                                                string // of a check
	chunk, workers, maxAttempts                           int
	rate, rowRate                                         float64
	limit, maxRows, maxInvalid, maxFailures               int64 // 0: none
	maxDuration, timeout, backoffInitial, backoffMax      time.Duration
	failures, html, metrics, lock, note, usersig          bool
}

// usual are the flags that a story returns to.
func usual() storyFlags {
	return storyFlags{resume: true, expect: "gone", chunk: 5, workers: 3, maxAttempts: 3, rate: 200,
		timeout: 15 * time.Second, backoffInitial: 500 * time.Millisecond, backoffMax: 30 * time.Second, failures: true}
}

// given are the flags that differ from what the program takes by itself.
func (f storyFlags) given() (names []string) {
	for name, given := range map[string]bool{
		"delete-type": f.both, "ignore-not-friend": f.ignore, "regroup": f.regroup, "resume": f.resume, "overwrite": f.overwrite,
		"retry-failed": f.retryFailed, "expect": f.expect != "gone", "chunk-size": f.chunk != 1000, "workers": f.workers != 64,
		"max-attempts": f.maxAttempts != 8, "rate": f.rate != 200, "row-rate": f.rowRate != 0, "limit": f.limit > 0,
		"max-rows": f.maxRows > 0, "max-invalid": f.maxInvalid > 0, "max-failures": f.maxFailures > 0,
		"max-duration": f.maxDuration > 0, "timeout": f.timeout != 15*time.Second, "backoff-initial": f.backoffInitial != 500*time.Millisecond,
		"backoff-max": f.backoffMax != 30*time.Second, "failures": f.failures, "html": f.html, "metrics-file": f.metrics,
		"lock": f.lock, "note": f.note, "usersig": f.usersig,
	} {
		if given {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// String is for the story that fails.
func (r storyRun) String() string {
	f := r.storyFlags
	return fmt.Sprintf("--%s (chunk %d workers %d attempts %d rate %g,%g limit %d failures %d rows %d invalid %d duration %v timeout %v backoff %v,%v expect %s) "+
		"wrong %q weather %q end %+v report %v", strings.Join(f.given(), " --"), f.chunk, f.workers, f.maxAttempts, f.rate, f.rowRate, f.limit, f.maxFailures,
		f.maxRows, f.maxInvalid, f.maxDuration, f.timeout, f.backoffInitial, f.backoffMax, f.expect, r.wrong, r.weather, r.end, r.reports)
}

func drawStory(rt *rapid.T) story {
	s := story{call: deletion, theme: pick(rt, "theme", themes...)}
	if oneIn(rt, "check", 3) && s.theme != "mirrors" {
		s.call = checking
	}
	s.regroup = s.call == deletion && s.theme == "" && oneIn(rt, "regroupable", 3)
	s.table = drawStoryTable(rt, s.regroup, s.theme)
	s.bytes = drawBytes(rt, s.table.csv)
	s.plan, s.dials = drawPlan(rt), rapid.SliceOfN(rapid.Bool(), 0, 6).Draw(rt, "dials")
	both := rapid.Bool().Draw(rt, "both") || s.theme == "mirrors"
	s.runs = rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) storyRun { return drawRun(rt, &s, both) }), 0, 5).Draw(rt, "runs")
	s.follow()
	return s
}

// themes are those of stories; most have none. A theme is a crowd of rows and what the server says of it in the first run, so
// that something happens which a story would hardly ever come to by chance.
var themes = slices.Concat([]string{"codes without end", "code 31704", "code 31704 and others", "mirrors", "too frequent at first"}, make([]string, 35))

// follow makes the first run one of the story's theme.
func (s *story) follow() {
	if len(s.runs) == 0 || s.theme == "" {
		return
	}
	run := &s.runs[0]
	run.weather = s.theme
	switch s.theme {
	case "mirrors": // some are given up, of others the one that sees them from the other side is refused
		run.weather, run.maxAttempts = "items of every kind", 1
	case "code 31704", "code 31704 and others": // so many that the search comes to its bound, if it has one
		run.chunk, run.limit, run.end = 1000, 0, storyEnd{}
	case "too frequent at first": // nothing else holds the run up
		run.rate, run.rowRate, run.chunk, run.limit, run.maxDuration, run.end, s.dials = 0, 0, 5, 0, 0, storyEnd{}, nil
	}
}

func pick[T any](rt *rapid.T, name string, from ...T) T { return from[evenly(rt, name, len(from))] }

// oneIn is true in one of so many cases, and false in what a story shrinks to.
func oneIn(rt *rapid.T, name string, n int) bool { return evenly(rt, name, n) == n-1 }

// evenly is a number below n, each as likely as the others. Rapid's own ranges prefer the small ones, so that most of what a
// story can do would hardly ever happen.
func evenly(rt *rapid.T, name string, n int) (i int) {
	for _, bit := range rapid.SliceOfN(rapid.Bool(), 8, 8).Draw(rt, name) {
		i *= 2
		if bit {
			i++
		}
	}
	return i * n / 256
}

// drawStoryTable is an input with everything that an input may have; now and then one account has many rows.
func drawStoryTable(rt *rapid.T, regroup bool, theme string) *table {
	b := newTableBuilder(true)
	friends := friends
	if regroup {
		friends = strangersToAccounts
	}
	forms := rapid.SampledFrom([]string{"", "", "", "", "blank", "lines", "invalid", "empty", "no ascii"})
	for range rapid.IntRange(0, 30).Draw(rt, "rows") {
		from := pick(rt, "from", accounts...)
		to := pick(rt, "to", friends...)
		if regroup { // many accounts with few friends, as in a sweep: they are asked for from the other side
			from, to = to, from
		}
		b.add(from, to, forms.Draw(rt, "form"))
	}
	crowd := rapid.IntRange(1, 150)
	switch {
	case theme == "code 31704" || theme == "code 31704 and others":
		b.crowd("nobody's friend", "not-friend-%d", 100+crowd.Draw(rt, "crowd"))
	case theme == "mirrors":
		b.mirrors("ann", "k", "l", "m", "n")
	case theme == "codes without end":
		b.crowd("ann", "crowd-%d", 100+crowd.Draw(rt, "crowd"))
		for i := range 20 { // reasons of ours are as many
			b.add("ann", strings.Repeat("x", i)+"ü", "no ascii")
		}
	case theme != "":
		b.crowd("ann", "crowd-%d", 100+crowd.Draw(rt, "crowd"))
	case oneIn(rt, "crowded", 12):
		b.crowd(pick(rt, "crowd of", "ann", "missing-f"), "crowd-%d", crowd.Draw(rt, "crowd"))
	}
	return b.table()
}

// crowd adds many rows of one account.
func (b *tableBuilder) crowd(from, to string, many int) {
	for i := range many {
		b.add(from, fmt.Sprintf(to, i), "")
	}
}

// mirrors adds every pair of these, and each from the other side.
func (b *tableBuilder) mirrors(all ...string) {
	for i, from := range all {
		for _, to := range all[:i] {
			b.add(from, to, "")
			b.add(to, from, "")
		}
	}
}

// drawBytes is the input as a file: plain, behind a byte-order mark, or compressed.
func drawBytes(rt *rapid.T, csv string) []byte {
	switch pick(rt, "file", "plain", "plain", "plain", "mark", "gzip") {
	case "mark":
		return []byte("\ufeff" + csv)
	case "gzip":
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write([]byte(csv))
		z.Close()
		return b.Bytes()
	}
	return []byte(csv)
}

// weathers are the faults that a whole run may meet: one for each request, or those of changing.
var weathers = []string{"nobody", "reset", "html", "HTTP 503", "HTTP 429", "HTTP 404", "code 60007", "code 70001", "code 30006", "code 30007",
	"code 70003", "code 60004", "silent", "honest", "items of every kind",
	"too frequent at first", "too frequent at first", "too frequent, then expired", "too frequent, and expired in between"}

// changing are the weathers that change: what the nth request of the run meets, from 1, so long after the run began.
var changing = map[string]func(n int, since time.Duration, expired bool) string{
	"too frequent at first": func(n int, _ time.Duration, _ bool) string {
		if n == 1 {
			return "code 60007"
		}
		return "honest"
	},
	"too frequent, then expired": func(n int, _ time.Duration, _ bool) string {
		return []string{"code 70001", "code 60007"}[n%2]
	},
	"too frequent, and expired in between": func(_ int, since time.Duration, expired bool) string {
		if since > 5*time.Minute && !expired {
			return "code 70001"
		}
		return "code 60007"
	},
	// Some of these are searched to the end, and the others only so far: neither may be taken for the other.
	"code 31704 and others": func(n int, _ time.Duration, _ bool) string {
		return pickOf(uint64(n), "code 31704", "code 31704", "code 30003", "code 30001", "code 60003")
	},
}

// pickOf is one of them, as a number decides.
func pickOf(n uint64, from ...string) string { return oneOf(rand.New(rand.NewPCG(n, 0)), from...) }

func drawRun(rt *rapid.T, s *story, both bool) storyRun {
	r := storyRun{storyFlags: drawFlags(rt, s, both), end: drawEnd(rt), reports: rapid.Bool().Draw(rt, "report"),
		line: rapid.IntRange(0, 200).Draw(rt, "line")}
	if oneIn(rt, "wrong", 12) {
		r.wrong = pick(rt, "wrong what", "input", "endpoint")
	}
	if oneIn(rt, "weather", 6) {
		r.weather = pick(rt, "which weather", weathers...)
	}
	return r
}

func drawFlags(rt *rapid.T, s *story, both bool) storyFlags {
	f := usual()
	f.both = both != oneIn(rt, "other delete type", 12)
	f.ignore = s.call == deletion && rapid.Bool().Draw(rt, "ignore not friend")
	f.regroup = s.regroup && f.both && rapid.Bool().Draw(rt, "regroup")
	switch evenly(rt, "old files", 12) {
	case 10:
		f.resume, f.overwrite = false, true
	case 11:
		f.resume = false
	}
	f.retryFailed = s.call == deletion && f.resume && rapid.Bool().Draw(rt, "retry failed")
	if s.call == checking {
		f.expect = pick(rt, "expect", "gone", "friends", "any")
	}
	f.chunk = pick(rt, "chunk", 5, 1, 2, 3, 9, 1000)
	f.workers = pick(rt, "workers", 3, 1, 2, 8, 64)
	f.maxAttempts = pick(rt, "max attempts", 3, 1, 2, 8)
	f.rate, f.rowRate = pick(rt, "rate", 200.0, 0, 2, 50, 1000), pick(rt, "row rate", 0.0, 0, 5, 100)
	f.failures, f.html, f.metrics = rapid.Bool().Draw(rt, "failures"), oneIn(rt, "html", 6), oneIn(rt, "metrics", 6)
	f.lock, f.note, f.usersig = oneIn(rt, "lock", 6), oneIn(rt, "note", 6), oneIn(rt, "usersig", 6)
	f.drawBounds(rt)
	return f
}

// drawBounds draws what makes a run end early, or wait.
func (f *storyFlags) drawBounds(rt *rapid.T) {
	few := rapid.Int64Range(1, 20)
	if oneIn(rt, "limit", 4) {
		f.limit = few.Draw(rt, "limit of")
	}
	if oneIn(rt, "max failures", 5) {
		f.maxFailures = few.Draw(rt, "failures of")
	}
	if oneIn(rt, "max rows", 8) {
		f.maxRows = rapid.Int64Range(1, 40).Draw(rt, "rows of")
	}
	if oneIn(rt, "max invalid", 8) {
		f.maxInvalid = few.Draw(rt, "invalid of")
	}
	if oneIn(rt, "max duration", 6) {
		f.maxDuration = pick(rt, "duration", time.Second, 100*time.Millisecond, 20*time.Second)
	}
	if oneIn(rt, "timeout", 5) {
		f.timeout = pick(rt, "time-out", 3*time.Second, time.Second)
	}
	if oneIn(rt, "backoff", 5) {
		f.backoffInitial, f.backoffMax = 100*time.Millisecond, pick(rt, "backoff max", time.Second, 100*time.Millisecond)
	}
}

func drawEnd(rt *rapid.T) storyEnd {
	e := storyEnd{kind: pick(rt, "end", "", "", "", "signal", "kill", "kill", "disk", "folder", "input")}
	switch e.kind {
	case "":
		return e
	case "signal":
		e.at, e.signal = pick(rt, "at", "arrival", "answer", "time", "start"), pick(rt, "signal", 2, 15, 1)
	case "kill":
		e.at = pick(rt, "at", "write", "arrival", "answer", "sync", "time")
	case "disk":
		e.at = pick(rt, "at", "write", "sync")
	case "folder", "input":
		e.at, e.name = pick(rt, "at", "arrival", "answer"), pick(rt, "in place of", "failures.csv", "page.html", "job.prom")
	}
	e.n = 1 + evenly(rt, "the nth", pick(rt, "of", 3, 12, 40))
	if e.at == "time" {
		e.after = time.Duration(rapid.IntRange(0, pick(rt, "within ms", 300, 3000, 30_000)).Draw(rt, "after ms")) * time.Millisecond
	}
	e.part = pick(rt, "part of a line", 0.0, 1, 0.5, 0.01, 0.99)
	if (e.kind == "kill" || e.kind == "disk") && rapid.Bool().Draw(rt, "power cut") {
		e.powerCut = rapid.Float64Range(0, 1).Draw(rt, "power cut of")
	}
	return e
}

// lastRuns are those that bring the job to its end.
func (p *player) lastRuns() storyRun {
	f := usual()
	f.both = p.both
	return storyRun{storyFlags: f}
}

// success is the outcomes that are successes.
func (f storyFlags) success(c *call) []string {
	switch {
	case c == deletion:
		return c.success(f.ignore)
	case f.expect == "any":
		return c.also
	case f.expect == "friends":
		return []string{"friends"}
	case f.both:
		return []string{"strangers"}
	}
	return c.good
}

// most is --max-failures, or --max-invalid.
func most(n int64) send.Failures {
	if n == 0 {
		return send.Failures{Percent: 100}
	}
	return send.Failures{Count: n}
}
