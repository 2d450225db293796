package proof

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"friendsweep/batch"
	"friendsweep/batch/chat"
	"friendsweep/batch/sandbox"
	"friendsweep/input"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

var changes = flag.Int("changes", 250, "how many changes of a journal, of each sort, every command has to see; 0 for every one there is")

// kept is a job that is over, as somebody keeps it: input, journal, report, and the journal's head in a summary elsewhere.
type kept struct {
	*site
	whole, report []byte
	lines         []string
	head          string
	known         map[string]heard // what a command says about an unchanged part of the journal
}

// heard is what a command says, as far as it hangs on the three files.
type heard struct{ said, refusal string }

// keep makes such a job, with every kind of line and of result in its journal, in runs that were interrupted, died, and ended.
func keep(t *testing.T, accounts int, name string) *kept {
	t.Helper()
	b := newTableBuilder(false)
	for i := range accounts {
		for n := range 3 {
			b.add(fmt.Sprintf("%s %d", name, i), fmt.Sprintf("friend %d", n), "")
		}
	}
	b.add(name+" 0", "friend 0", "")
	b.add(name+" 0", "", "invalid")
	k := &kept{site: newSite(t, b.table()), known: map[string]heard{}}
	w := &keeper{kept: k}
	w.begin()
	for i := range accounts {
		w.account(fmt.Sprintf("%s %d", name, i), int64(2+3*i), i)
		switch i {
		case accounts / 3:
			w.must(w.j.End("130", "interrupted"))
			w.resume()
		case 2 * accounts / 3:
			w.resume()
		}
	}
	w.must(w.j.End("4", "stopped"))
	w.must(w.j.Close())
	if _, err := batch.Rewrite(t.Context(), lookingAt(k.path("report.csv"), k.tmp)); err != nil {
		t.Fatal(err)
	}
	k.whole, k.report = k.read("report.csv.journal"), k.read("report.csv")
	k.lines = strings.SplitAfter(strings.TrimSuffix(string(k.whole), "\n"), "\n")
	k.lines[len(k.lines)-1] += "\n"
	k.head = parseJournal(k.whole).head
	return k
}

func (k *kept) read(name string) []byte {
	k.t.Helper()
	text, err := os.ReadFile(k.path(name))
	if err != nil {
		k.t.Fatal(err)
	}
	return text
}

// keeper writes the journal.
type keeper struct {
	*kept
	j *journal.Journal
}

func (w *keeper) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *keeper) run() entry.Run {
	return entry.Run{Version: "proof", Input: entry.Text(w.input), PID: 7, Host: "here", User: "somebody"}
}

func (w *keeper) begin() {
	w.t.Helper()
	in, err := input.Read(w.t.Context(), input.Options{Path: w.input, ChunkSize: 3, TempDir: w.tmp})
	w.must(err)
	defer in.Close()
	w.j, err = journal.Lock(w.path("report.csv"), batch.Calls)
	w.must(err)
	w.must(w.j.Start(entry.Job{
		Call: "delete", InputSHA256: in.SHA256, InputBytes: in.Bytes, Rows: in.Rows, LastLine: in.LastLine,
		FromColumn: in.FromColumn, ToColumn: in.ToColumn, Endpoint: w.endpoint, AppID: sandbox.DefaultAppID,
		DeleteType: string(chat.Single), Invalid: in.Invalid, Duplicates: in.Duplicates, Mirrors: in.Mirrors,
	}, w.run()))
}

func (w *keeper) resume() {
	w.t.Helper()
	w.must(w.j.Close())
	var err error
	w.j, err = journal.Lock(w.path("report.csv"), batch.Calls)
	w.must(err)
	_, err = w.j.Replay(w.t.Context(), false)
	w.must(err)
	w.must(w.j.Resume(w.run()))
}

// account deals with three rows in one of six ways.
func (w *keeper) account(name string, line int64, way int) {
	w.t.Helper()
	send := func(lines ...int64) int64 {
		id, err := w.j.Before(name, lines)
		w.must(err)
		return id
	}
	answer := func(id int64, results ...outcome.Result) { w.must(w.j.After(id, time.Millisecond, results)) }
	coded := func(o outcome.Outcome, code int, lines ...int64) outcome.Result {
		r := outcome.Result{Outcome: o, Code: outcome.Code{Number: code, Given: true}, Info: fmt.Sprint("info ", code)}
		if len(lines) > 0 {
			r.Rows = outcome.RowsAt(lines...)
		}
		return r
	}
	all := []int64{line, line + 1, line + 2}
	switch way % 6 {
	case 0:
		answer(send(all...), coded(isDeleted, 0))
	case 1:
		answer(send(all...), outcome.Result{Outcome: outcome.Open, Lost: true, Info: "no answer within 15s"})
		presumed := coded(isDeleted, 31704, line)
		presumed.Presumed = true
		answer(send(all...), presumed, coded(isDeleted, 0, line+1, line+2))
	case 2:
		w.must(w.j.Withdraw(send(all...)))
		answer(send(all...), coded(isDeleted, 0, line), coded(outcome.Open, 30006, line+1), coded(isNotFriend, 31704, line+2))
		answer(send(line+1), coded(isDeleted, 0))
	case 3:
		answer(send(all...), coded(outcome.Open, 30003))
		w.must(w.j.Decide(name, []outcome.Result{coded(outcome.Refused, 30003, all...)}))
	case 4:
		send(all...) // nobody heard of it again
	case 5:
		answer(send(line, line+1), coded(outcome.GaveUp, 30006))
	}
}

// commands are those that read a journal, by what they say of it.
var commands = map[string]func(k *kept) (any, error){
	"--resume": func(k *kept) (any, error) {
		j, err := journal.Lock(k.path("report.csv"), batch.Calls)
		if err != nil {
			return nil, err
		}
		defer j.Close()
		h, err := j.Replay(k.t.Context(), false)
		if err != nil || h == nil {
			return nil, err
		}
		return []any{h.FinalCount, h.LostCount, h.RefusedCount, h.NextID, h.Runs, h.Ended, h.EndCode, h.Lines, h.Link}, nil
	},
	"status": func(k *kept) (any, error) {
		info, err := fates.Status(k.t.Context(), k.path("report.csv"), k.tmp, batch.Calls)
		if err != nil {
			return nil, err
		}
		return []any{info.Tally(0), info.Runs, info.Ended, info.EndCode, info.Link}, nil
	},
	"status --line": func(k *kept) (any, error) {
		return batch.Story(k.t.Context(), lookingAt(k.path("report.csv"), k.tmp), 5)
	},
	"report": func(k *kept) (any, error) {
		_, err := batch.Rewrite(k.t.Context(), lookingAt(k.path("report.csv"), k.tmp))
		report := k.read("report.csv")
		if err != nil && !bytes.Equal(report, k.report) {
			k.t.Errorf("report refuses the journal (%v), and has changed the report", err)
		}
		if err == nil {
			k.put("report.csv", k.report)
		}
		return string(report), err
	},
	"audit": func(k *kept) (any, error) {
		checks, err := batch.Audit(k.t.Context(), lookingAt(k.path("report.csv"), k.tmp))
		if err == nil && !checks[0].Holds {
			err = errors.New(checks[0].Detail)
		}
		return checks, err
	},
}

func (k *kept) put(name string, text []byte) {
	k.t.Helper()
	if err := os.WriteFile(k.path(name), text, 0o600); err != nil {
		k.t.Fatal(err)
	}
}

// hear has a command read a journal of this text, which it must leave as it is.
func (k *kept) hear(command string, text []byte) heard {
	k.t.Helper()
	k.put("report.csv.journal", text)
	said, err := commands[command](k)
	if !bytes.Equal(k.read("report.csv.journal"), text) {
		k.t.Errorf("%s has changed the journal", command)
	}
	if err != nil {
		return heard{refusal: err.Error()}
	}
	json, err := json.Marshal(said)
	if err != nil {
		k.t.Fatal(err)
	}
	return heard{said: string(json)}
}

// of is the same for the first so many lines as they were written.
func (k *kept) of(command string, lines int) heard {
	key := fmt.Sprint(command, lines)
	if _, ok := k.known[key]; !ok {
		k.known[key] = k.hear(command, []byte(strings.Join(k.lines[:lines], "")))
	}
	return k.known[key]
}

// refused: every command refuses the text and names one of the lines.
func (k *kept) refused(how string, text []byte, lines ...int) {
	k.t.Helper()
	for command := range commands {
		got := k.hear(command, text)
		if !slices.ContainsFunc(lines, func(n int) bool { return strings.Contains(got.refusal, fmt.Sprintf(" line %d: ", n)) }) {
			k.t.Errorf("%s: %s says %q, %.200q; want it refused, and line %d named", how, command, got.refusal, got.said, lines)
		}
	}
}

// torn: every command takes the last line for a torn tail, and says what it says without that line.
func (k *kept) torn(how string, text []byte) {
	k.t.Helper()
	for command := range commands {
		if got, want := k.hear(command, text), k.of(command, len(k.lines)-1); got != want {
			k.t.Errorf("%s: %s says %+v, want %+v as without the last line", how, command, got, want)
		}
	}
}

// draw takes some of all the changes there are.
func draw[T any](t *testing.T, what string, all []T) []T {
	t.Helper()
	seed, many := rand.Uint64(), *changes
	if many == 0 || many > len(all) {
		many = len(all)
	}
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	t.Logf("seed %#x: %d of %d %s, %d commands", seed, many, len(all), what, len(commands))
	return all[:many]
}

// TestKeptJobHasEveryKindOfLine: what the tests below change is a journal of some hundred lines, and unchanged it holds.
func TestKeptJobHasEveryKindOfLine(t *testing.T) {
	k := keep(t, 36, "account")
	for _, kind := range []string{"friendsweep", "send", "answer", "withdraw", "decide", "end", "resume"} {
		if !slices.ContainsFunc(k.lines, func(line string) bool { return strings.HasPrefix(line, `{"`+kind+`":`) }) {
			t.Errorf("no line of the journal is a %s", kind)
		}
	}
	if len(k.lines) < 100 {
		t.Errorf("got %d lines, want some hundred", len(k.lines))
	}
	for command := range commands {
		if got := k.of(command, len(k.lines)); got.refusal != "" || strings.Contains(got.said, `"holds":false`) {
			t.Errorf("%s: got %+v about a journal as it was written", command, got)
		}
	}
	k.run("audit", k.path("report.csv")).want(t, 0)
}

// TestEveryCommandSeesAChangedByte: whatever byte of a journal is another one, no command says anything that rests on it.
func TestEveryCommandSeesAChangedByte(t *testing.T) {
	t.Parallel()
	k := keep(t, 36, "account")
	type change struct {
		at int
		by byte
	}
	var all []change
	for at := range k.whole {
		for _, by := range []byte{0x01, 0x20, 0x80} {
			all = append(all, change{at, by})
		}
	}
	last := len(k.whole) - len(k.lines[len(k.lines)-1])
	for _, c := range draw(t, "changed bytes", all) {
		text := slices.Clone(k.whole)
		text[c.at] ^= c.by
		line := 1 + bytes.Count(k.whole[:c.at], []byte("\n"))
		how := fmt.Sprintf("byte %d, line %d, changed by %#x", c.at, line, c.by)
		if got := k.hear("--resume", text); c.at >= last && got.refusal == "" {
			k.torn(how, text)
			continue
		}
		k.refused(how, text, line)
	}
}

// moved is a journal whose lines are not where they were.
type moved struct {
	how   string
	lines []string
	named []int // the lines of which one must be named
}

// moves are all of them, but for those that leave only the last lines out: these are seen by the head alone.
func (k *kept) moves(other []string) (all []moved) {
	for i := range k.lines {
		before, behind := k.lines[:i], k.lines[i+1:]
		add := func(how string, named int, parts ...[]string) {
			all = append(all, moved{fmt.Sprintf("line %d %s", i+1, how), slices.Concat(parts...), []int{named}})
		}
		add("doubled", i+2, before, k.lines[i:i+1], k.lines[i:])
		foreign := i + 1
		if i == 0 {
			foreign = 2 // the first line of another job is one that may be there
		}
		add("of another job", foreign, before, other[i:i+1], behind)
		if i == len(k.lines)-1 {
			continue
		}
		add("and all behind it of another job", max(2, i+1), k.lines[:max(1, i)], other[max(1, i):])
		add("removed", i+1, before, behind)
		add("swapped with the next", i+1, before, k.lines[i+1:i+2], k.lines[i:i+1], k.lines[i+2:])
		add("moved to the end", i+1, before, behind, k.lines[i:i+1])
	}
	return all
}

func TestEveryCommandSeesAMovedLine(t *testing.T) {
	t.Parallel()
	k, other := keep(t, 36, "account"), keep(t, 36, "another")
	for _, m := range draw(t, "moved lines", k.moves(other.lines)) {
		k.refused(m.how, []byte(strings.Join(m.lines, "")), m.named...)
	}
}

// TestACleanCutIsSeenByTheHead: a journal without its last lines is one that was once true, and only the head that left the
// machine tells that there was more.
func TestACleanCutIsSeenByTheHead(t *testing.T) {
	t.Parallel()
	k := keep(t, 36, "account")
	ends := 0
	for lines := 1; lines < len(k.lines); lines++ {
		status, audit := k.of("status", lines), k.of("audit", lines)
		if status.refusal != "" || strings.Contains(status.said, k.head) {
			t.Errorf("cut behind line %d: status says %+v, want a head that is not %s", lines, status, k.head)
		}
		if !strings.HasPrefix(k.lines[lines-1], `{"end":`) {
			if !strings.Contains(audit.refusal, "has not ended") {
				t.Errorf("cut behind line %d: audit says %+v, want that the run has not ended", lines, audit)
			}
			continue
		}
		ends++
		if !strings.Contains(audit.said, `"report","holds":false`) || strings.Contains(audit.said, k.head) {
			t.Errorf("cut behind the end in line %d: audit says %+v, want the report not to hold, and another head than %s", lines, audit, k.head)
		}
	}
	if ends == 0 {
		t.Error("no end line but the last one")
	}
}

// TestBinarySeesChangedJournals has the built program read a sample of these journals: nothing is sent, nothing is changed, and
// the exit code says it.
func TestBinarySeesChangedJournals(t *testing.T) {
	t.Parallel()
	k, other := keep(t, 36, "account"), keep(t, 36, "another")
	seen := map[string]bool{}
	for i, line := range k.lines[:len(k.lines)-1] {
		kind, _, _ := strings.Cut(line, ":")
		if seen[kind] {
			continue
		}
		seen[kind] = true
		text := slices.Clone(k.whole)
		at := len(strings.Join(k.lines[:i], "")) + len(line)/2
		text[at] ^= 0x01
		k.binaryRefuses(fmt.Sprintf("a byte of line %d, %s}", i+1, kind), text, i+1)
	}
	sorts := map[string]bool{}
	for _, m := range draw(t, "moved lines", k.moves(other.lines)) {
		if m.how == "line 1 of another job" {
			continue // a deletion refuses it for its job, before it reads any further line
		}
		if _, sort, _ := strings.Cut(strings.TrimPrefix(m.how, "line "), " "); !sorts[sort] {
			sorts[sort] = true
			k.binaryRefuses(m.how, []byte(strings.Join(m.lines, "")), m.named...)
		}
	}
	k.binaryTakesForTorn()
	k.binarySeesACut()
	if len(k.server.all) > 0 {
		t.Errorf("%d requests were sent, want none", len(k.server.all))
	}
}

// ran runs a command of the program on a journal of this text; it must leave all files as they are.
func (k *kept) ran(text []byte, args ...string) result {
	k.t.Helper()
	k.put("report.csv.journal", text)
	before := folderAsItIs(k.t, k.dir)
	r := k.run(args...)
	for name, text := range folderAsItIs(k.t, k.dir) {
		if !bytes.Equal(before[name], text) {
			k.t.Errorf("%q has changed %s", args[0], name)
		}
		delete(before, name)
	}
	if len(before) > 0 {
		k.t.Errorf("%q has removed %d files", args[0], len(before))
	}
	return r
}

func (k *kept) binaryRefuses(how string, text []byte, lines ...int) {
	k.t.Helper()
	report := k.path("report.csv")
	for _, c := range []struct {
		code int
		args []string
	}{
		{2, []string{"status", report}}, {2, []string{"status", "--json", report}}, {2, []string{"status", report, "--line", "5"}},
		{2, []string{"report", report}}, {2, k.deletes()}, {1, []string{"audit", report}},
	} {
		r := k.ran(text, c.args...)
		named := slices.ContainsFunc(lines, func(n int) bool { return strings.Contains(r.stdout+r.stderr, fmt.Sprintf(" line %d: ", n)) })
		if r.code != c.code || !named {
			k.t.Errorf("%s: %s ends with %d, want %d and line %d named\n%s%s", how, c.args[0], r.code, c.code, lines, r.stdout, r.stderr)
		}
	}
}

// binaryTakesForTorn: without the brace that closes the end line the run looks as if it had died, and cannot be audited.
func (k *kept) binaryTakesForTorn() {
	k.t.Helper()
	text := slices.Clone(k.whole)
	text[len(text)-len("}\n")] ^= 0x01
	report := k.path("report.csv")
	r := k.ran(text, "status", report)
	r.want(k.t, 0)
	if !strings.HasPrefix(r.stdout, "Dead: ") || strings.Contains(r.stdout, k.head) {
		k.t.Errorf("got from status\n%s\nwant a run that died, and another head than %s", r.stdout, k.head)
	}
	k.ran(text, "report", report).want(k.t, 0)
	k.ran(text, "audit", report).want(k.t, 2, "has not ended")
}

// binarySeesACut: who cuts a journal off behind the end of its first run, and has the report of that written, passes the audit,
// but for the head.
func (k *kept) binarySeesACut() {
	k.t.Helper()
	end := slices.IndexFunc(k.lines, func(line string) bool { return strings.HasPrefix(line, `{"end":`) })
	text, report := []byte(strings.Join(k.lines[:end+1], "")), k.path("report.csv")
	r := k.ran(text, "audit", report)
	if r.code != 1 || !strings.Contains(r.stdout, "report   DOES NOT HOLD") {
		k.t.Errorf("got from audit exit code %d\n%s\nwant 1, and the report not to hold", r.code, r.stdout)
	}
	k.run("report", report).want(k.t, 0)
	r = k.ran(text, "audit", report)
	r.want(k.t, 0)
	head := parseJournal(text).head
	if head == k.head || !strings.Contains(r.stdout, head) || strings.Contains(r.stdout, k.head) {
		k.t.Errorf("got from audit\n%s\nwant the head %s, and not %s", r.stdout, head, k.head)
	}
	k.put(filepath.Base(report), k.report)
}
