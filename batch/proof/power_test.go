package proof

import (
	"context"
	"encoding/json"
	"fmt"
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
)

// power is a job whose system calls are recorded, and whose disk may lose what was not synced at every moment of it. The
// rules: no request leaves before its line is on the disk, whatever else is; no report of an earlier run is there any more
// when one leaves; a report is there whole or not at all; and a run that has ended has nothing to lose.
type power struct {
	*site
	strace string
	dice   *rand.Rand
	disk   *abstractDisk
	moment int
	left   []string          // what has left so far: requests as the table's rows would make them
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
	ended := p.site.run(p.deletes(more...)...)
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
		if _, there := state["report.csv"]; there {
			p.complain("a report of an earlier run may be there when a request leaves")
		}
		if wrong := p.judge(state["report.csv.journal"]); wrong != "" {
			p.complain("%s", wrong)
		}
	}
}

// changes judges the report wherever it may be, whenever names change.
func (p *power) changes(int) {
	for _, state := range p.disk.states(p.dice) {
		p.states++
		if text, there := state["report.csv"]; there && !slices.Contains(p.disk.whole["report.csv"], text) {
			p.complain("the report may be there in part")
		}
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
	if err := os.WriteFile(journal.Path(report), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := readsBack(report); err != nil {
		return "the journal may be such that nobody can resume from it: " + strings.ReplaceAll(err.Error(), dir, "")
	}
	good, _, _ := strings.Cut(text, "\x00\x00") // what is behind a hole is cut off
	j := parseJournal([]byte(good))
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
	return ""
}

func readsBack(report string) error {
	j, err := journal.Lock(report, batch.Calls)
	if err != nil {
		return err
	}
	defer j.Close()
	if head, err := j.Head(); err != nil || head == nil {
		return fmt.Errorf("it has no first line: %w", err)
	}
	_, err = j.Replay(context.Background(), false)
	return err
}

// over judges a run that has ended by itself.
func (p *power) over(names ...string) {
	for _, name := range names {
		if !p.disk.settled(name, p.dice) {
			p.complain("%s may be another one after the run has ended", name)
		}
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
}

func (p *power) ends(got, want int) {
	p.t.Helper()
	if got != want {
		p.t.Errorf("got exit code %d, want %d", got, want)
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
		"on behind a failed sync": {
			"reports/journal/commit.go", "if past.Ended {", "if true {", "with a sync that fails", "nobody can resume from it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPower(t, strace, planted(t, plant.file, plant.from, plant.to))
			powerStories[plant.story](p)
			for wrong := range p.wrong {
				if strings.Contains(wrong, plant.wrong) {
					return
				}
			}
			t.Errorf("got %v, want %q in it", p.wrong, plant.wrong)
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
