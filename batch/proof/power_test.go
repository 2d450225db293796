package proof

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"friendsweep/batch"
	"friendsweep/reports/journal"
	"friendsweep/reports/terminal"
)

// power is a job whose system calls are recorded, and whose disk may lose what was not synced at every moment of it. The
// rules: no request leaves before its line is on the disk, whatever else is; no report of an earlier run is there any more
// when one leaves; a report is there whole or not at all; what is said from what is left is true; what was moved aside is
// there under one of its names; and a run that has ended has nothing to lose.
type power struct {
	*site
	strace string
	dice   *rand.Rand
	disk   *abstractDisk
	moment int
	left   []string          // what has left so far: requests as the table's rows would make them
	kept   []string          // files of an earlier job, which must not get lost
	judged map[string]string // what is wrong with a journal, by its bytes
	wrong  map[string]int
	states int
}

func newPower(t *testing.T, strace, program string) *power {
	p := &power{
		site: newSite(t, smallTable(5)), strace: strace, dice: rand.New(rand.NewPCG(1, 2)), judged: map[string]string{}, wrong: map[string]int{},
	}
	p.program = program
	p.flags = []string{"--chunk-size", "1", "--workers", "3"}
	p.disk = newAbstractDisk(p.dir, folderAsItIs(t, p.dir))
	return p
}

// run makes one run. inject has further arguments for strace; killAt is the request at which the program is killed, 0 for none.
func (p *power) run(killAt int, inject []string, more ...string) int {
	p.t.Helper()
	record := filepath.Join(filepath.Dir(p.dir), "strace")
	p.wrap = recorder(p.strace, record, inject...)
	p.server.run++
	var arrived atomic.Int64
	p.server.arrived = func(*request) {
		if arrived.Add(1) == int64(killAt) {
			p.kill()
		}
	}
	args := p.deletes(more...)
	if slices.Contains(more, "--overwrite") {
		args = slices.DeleteFunc(args, func(arg string) bool { return arg == "--resume" })
	}
	ended := p.site.run(args...)
	p.wrap = nil
	p.server.settle(p.t, p.endpoint)
	calls, last := readRecord(p.t, record, p.moment)
	r := &replayed{t: p.t, disk: p.disk, handles: map[int]*handle{}, left: p.leaves, changed: p.changes}
	r.play(calls)
	p.moment = last
	if !p.disk.learn(folderAsItIs(p.t, p.dir)) {
		p.t.Fatal("the model of the disk is not what is on the disk")
	}
	return ended.code
}

// kill kills the process that the journal names.
func (p *power) kill() {
	j, err := journalOf(p.path("report.csv.journal"))
	if err != nil || len(j.sends) == 0 {
		p.t.Errorf("nobody can be killed: %v", err)
		return
	}
	syscall.Kill(j.sends[len(j.sends)-1].pid, syscall.SIGKILL)
}

func (p *power) complain(format string, args ...any) { p.wrong[fmt.Sprintf(format, args...)]++ }

// leaves judges every state in which the disk may be when a request leaves.
func (p *power) leaves(_ int, body string) {
	var request struct {
		From string   `json:"From_Account"`
		To   []string `json:"To_Account"`
	}
	if err := json.Unmarshal([]byte(body), &request); err != nil {
		p.t.Fatalf("%v in a request: %q", err, body)
	}
	p.left = append(p.left, asSent(request.From, request.To))
	for _, state := range p.disk.states(p.dice) {
		p.states++
		for _, name := range published {
			if _, there := state[name]; there {
				p.complain("%s of an earlier run may be there when a request leaves", name)
			}
		}
		p.keeps(state)
		if wrong := p.judge(state["report.csv.journal"]); wrong != "" {
			p.complain("%s", wrong)
		}
	}
}

// published are the files that are there whole or not at all.
var published = []string{"report.csv", "failures.csv"}

// changes judges these, wherever they may be, whenever names change.
func (p *power) changes(int) {
	for _, state := range p.disk.states(p.dice) {
		p.states++
		for _, name := range published {
			if text, there := state[name]; there && !slices.Contains(p.disk.whole[name], text) {
				p.complain("%s may be there in part", name)
			}
		}
		p.keeps(state)
	}
}

// keeps: whatever a power cut does to names, an earlier job's files are there under one of theirs.
func (p *power) keeps(state map[string]string) {
	files := slices.Collect(maps.Values(state))
	for _, text := range p.kept {
		if !slices.Contains(files, text) {
			p.complain("a file of an earlier job may be lost")
		}
	}
}

// anew makes the next run one of another job, with --overwrite.
func (p *power) anew() {
	p.left = nil
	for _, name := range []string{"report.csv", "report.csv.journal"} {
		p.kept = append(p.kept, string(p.disk.names[name].text))
	}
}

func asSent(from string, to []string) string { return fmt.Sprintf("%q to %q", from, sorted(to)) }

// judge says what is wrong with a journal from which the job would be resumed now.
func (p *power) judge(text string) string {
	key := fmt.Sprint(len(p.left), text)
	if verdict, known := p.judged[key]; known {
		return verdict
	}
	p.judged[key] = p.verdict(text)
	return p.judged[key]
}

func (p *power) verdict(text string) string {
	dir := p.t.TempDir()
	report := filepath.Join(dir, "report.csv")
	if !strings.HasPrefix(string(p.disk.names["report.csv.journal"].text), goodPart(text)) {
		return "the journal may be one that no program wrote"
	}
	if err := os.WriteFile(journal.Path(report), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := readsBack(report); err != nil {
		return "the journal may be such that nobody can resume from it: " + strings.ReplaceAll(err.Error(), dir, "")
	}
	j := parseJournal([]byte(goodPart(text)))
	onRecord := map[string]int{}
	for _, send := range j.sends {
		if !j.withdrawn[send.id] {
			onRecord[asSent(send.account, p.table.to(send.account, send.lines))]++
		}
	}
	for _, sent := range p.left {
		if onRecord[sent]--; onRecord[sent] < 0 {
			return "a request may leave before its line is on the disk"
		}
	}
	return p.lies(report)
}

// goodPart is the whole lines before a hole: what is behind them is cut off.
func goodPart(text string) string {
	good, _, _ := strings.Cut(text, "\x00\x00")
	return good[:strings.LastIndexByte(good, '\n')+1]
}

// lies has the report made from the journal, as the command report does, and says what in it is false, of what has left and
// what the server did. It may call unknown what an answer was for: that was not on the disk.
func (p *power) lies(report string) string {
	if _, err := batch.Rewrite(p.t.Context(), lookingAt(report, p.tmp)); err != nil {
		return "no report may be possible: " + strings.ReplaceAll(err.Error(), filepath.Dir(report), "")
	}
	lines, err := readReport(report)
	if err != nil || len(lines) != len(p.table.rows) {
		return fmt.Sprintf("the report may have %d lines (%v)", len(lines), err)
	}
	deleted := map[string]bool{}
	for _, q := range p.server.all {
		for i, to := range q.to {
			deleted[asSent(q.from, []string{to})] = deleted[asSent(q.from, []string{to})] || q.done[i]
		}
	}
	for _, line := range lines {
		sent := asSent(line.from, []string{line.to})
		switch {
		case line.outcome == "deleted" && !deleted[sent]:
			return "a row may be reported deleted that was not"
		case line.outcome == "not_sent" && slices.Contains(p.left, sent):
			return "a row may be reported not_sent whose request has left"
		}
	}
	return ""
}

// lookingAt are the options of a command that looks at a run from its report's name.
func lookingAt(report, tmp string) batch.Options {
	return batch.Options{Report: report, TempDir: tmp, Log: slog.New(slog.DiscardHandler), Progress: terminal.NewProgress(io.Discard, terminal.Options{})}
}

func readsBack(report string) error {
	j, err := journal.Lock(report, batch.Calls)
	if err != nil {
		return err
	}
	defer j.Close()
	head, err := j.Head()
	if err == nil && head == nil {
		err = errors.New("it has no first line")
	}
	if err != nil {
		return err
	}
	_, err = j.Replay(context.Background(), false)
	return err
}

// over judges a run that has ended by itself, and has it audited.
func (p *power) over(names ...string) {
	for _, name := range names {
		if !p.disk.settled(name, p.dice) {
			p.complain("%s may be another one after the run has ended", name)
		}
	}
	audit := p.site.run("audit", p.path("report.csv"))
	if audit.code != 0 || strings.Count(audit.stdout, "holds: ") != 3 {
		p.complain("audit: exit code %d, %s%s", audit.code, audit.stdout, audit.stderr)
	}
}

// stories are the ways of a job through several runs.
var powerStories = map[string]func(p *power){
	"in one run": func(p *power) {
		p.ends(p.run(0, nil), 0)
		p.over("report.csv", "report.csv.journal")
	},
	"killed twice": func(p *power) {
		p.ends(p.run(4, nil), 137)
		p.ends(p.run(3, nil), 137)
		p.ends(p.run(0, nil), 0)
		p.over("report.csv", "report.csv.journal")
	},
	"in steps": func(p *power) {
		p.ends(p.run(0, nil, "--limit", "5"), 4)
		p.over("report.csv", "report.csv.journal")
		p.ends(p.run(0, nil, "--limit", "5"), 4)
		p.ends(p.run(0, nil), 0)
		p.over("report.csv", "report.csv.journal")
	},
	// A thread's second sync is one of a line before a request, in most runs; the first syncs make the job.
	"with a sync that fails": func(p *power) {
		p.ends(p.run(0, []string{"-e", "inject=fsync:error=EIO:when=2"}), 4)
		p.ends(p.run(0, nil), 0)
		p.over("report.csv", "report.csv.journal")
	},
	// Start has two syncs, which may be one thread's; a thread's third is one of a line before a request, or of the report.
	"with syncs that fail from then on": func(p *power) {
		p.ends(p.run(0, []string{"-e", "inject=fsync:error=EIO:when=3+"}), 4)
		p.ends(p.run(0, nil), 0)
		p.over("report.csv", "report.csv.journal")
	},
	// Who was deleted is nobody's friend in the second job: its rows are failures.
	"begun anew": func(p *power) {
		p.flags = append(p.flags, "--failures", p.path("failures.csv"))
		p.ends(p.run(4, nil), 137)
		p.ends(p.run(0, nil), 0)
		p.over("report.csv", "report.csv.journal", "failures.csv")
		p.anew()
		p.ends(p.run(4, nil, "--overwrite"), 137)
		p.ends(p.run(0, nil), 1)
		p.over("report.csv", "report.csv.journal", "failures.csv", "report.csv.1", "report.csv.journal.1")
	},
}

func (p *power) ends(got, want int) {
	if got != want {
		p.complain("got exit code %d, want %d", got, want)
	}
}

func TestPowerCut(t *testing.T) {
	strace := needStrace(t)
	for name, story := range powerStories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPower(t, strace, binary)
			story(p)
			t.Logf("%d requests, %d states of the disk", len(p.left), p.states)
			for wrong, times := range p.wrong {
				t.Errorf("%s (in %d states)", wrong, times)
			}
		})
	}
}

// tries is how often a story may be told before a fault must have shown: which thread makes which sync, and so which of them
// fails, is chance.
const tries = 8

// TestPowerCutFindsFaults: a program with one line changed is caught by the story that is named, or else the proof proves
// nothing.
func TestPowerCutFindsFaults(t *testing.T) {
	strace := needStrace(t)
	for name, plant := range map[string]struct{ file, from, to, story, wrong string }{
		"no sync of the journal": {
			"reports/journal/commit.go", "err := j.syncNamed()", "var err error", "in one run", "a request may leave before its line is on the disk",
		},
		"no sync of the folder": {
			"reports/whole/whole.go", "err = dir.Sync()", "", "in one run", "nobody can resume from it",
		},
		"resumed behind a failed sync": {
			"reports/journal/commit.go", "if past.Ended {", "if true {", "with a sync that fails", "nobody can resume from it",
		},
		"on behind a failed sync": {
			"reports/journal/commit.go", "return j.spoil(\"syncing\", err)", "", "with syncs that fail from then on",
			"a request may leave before its line is on the disk",
		},
		"no sync between two names": {
			"reports/journal/aside.go", "return whole.SyncFolder(to)", "return nil", "begun anew", "a file of an earlier job may be lost",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := planted(t, plant.file, plant.from, plant.to)
			wrong := map[string]int{}
			for range tries {
				p := newPower(t, strace, program)
				powerStories[plant.story](p)
				for complaint := range p.wrong {
					if strings.Contains(complaint, plant.wrong) {
						t.Logf("%s (in %d of %d states)", complaint, p.wrong[complaint], p.states)
						return
					}
				}
				maps.Copy(wrong, p.wrong)
			}
			t.Errorf("got %v, want %q in it", wrong, plant.wrong)
		})
	}
}

// planted builds the program with one change in one file.
func planted(t *testing.T, file, from, to string) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), from); n != 1 {
		t.Fatalf("%s has %q %d times, want once", file, from, n)
	}
	dir := t.TempDir()
	changed, overlay, program := filepath.Join(dir, filepath.Base(file)), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "friendsweep")
	replaced, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{changed: strings.Replace(string(text), from, to, 1), overlay: string(replaced)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-overlay", overlay, "-o", program, "friendsweep").CombinedOutput(); err != nil {
		t.Fatalf("building the program with a fault: %v\n%s", err, out)
	}
	return program
}
