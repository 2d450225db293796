package proof

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestKilledAgainAndAgain is the second rule: SIGKILL at any moment loses nothing. Each job is killed until it has had
// enough, then resumed to its end; then its report must say what the server's record says.
func TestKilledAgainAndAgain(t *testing.T) {
	forEach(t, killAgainAndAgain)
}

func killAgainAndAgain(t *testing.T, c *call) {
	seed := rand.Uint64()
	t.Logf("seed %#x", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	done := 0
	for jobs := 1; done < *kills && !t.Failed(); jobs++ {
		k := newKiller(t, dice, c)
		done += k.job(min(15, *kills-done))
		t.Logf("job %d: %d rows, %d requests, %d runs; %d kills so far", jobs, len(k.table.rows), len(k.server.all), k.server.run, done)
	}
}

// killer is a site whose runs are killed.
type killer struct {
	*site
	dice  *rand.Rand
	bytes []byte // the input, if it comes by standard input
	kills int
}

func newKiller(t testing.TB, dice *rand.Rand, c *call) *killer {
	both, regroup := dice.IntN(2) == 0, dice.IntN(2) == 0
	k := &killer{site: newSiteOf(t, c, randomTable(dice, both && c == deletion, regroup)), dice: dice}
	k.ignore = dice.IntN(2) == 0 || both && c == checking // what --delete-type both calls gone is for other tests
	k.flags = []string{"--workers", fmt.Sprint(1 + dice.IntN(8)), "--chunk-size", fmt.Sprint(1 + dice.IntN(10)), "--failures", k.path("failures.csv")}
	if both { // a check asks about both sides of it nevertheless
		k.flags = append(k.flags, "--delete-type", "both")
	}
	if both && c == deletion && regroup {
		k.flags = append(k.flags, "--regroup")
	}
	if dice.IntN(3) == 0 {
		k.bytes = []byte(k.table.csv)
	}
	kinds := quickKinds()
	seed := dice.Uint64()
	k.server.plan = func(account string, n int) fault {
		own := rand.New(rand.NewPCG(seed, uint64(n*100+len(account))))
		f := fault{seed: own.Uint64()}
		if own.IntN(3) == 0 {
			f.kind = kinds[own.IntN(len(kinds))]
		}
		return f
	}
	return k
}

// quickKinds are the faults that make nobody wait, stop no run, and lose no request on its way to the server.
func quickKinds() (kinds []int) {
	for kind, b := range breakages {
		slow := b.dreamt || b.name == "answered, then closed" || b.name == "items of every kind"
		for code, means := range requestMeans {
			slow = slow || b.name == fmt.Sprintf("code %d", code) && means != split && means != retry && means != lost
		}
		for _, name := range []string{"HTTP 429", "HTTP 404", "HTTP 403", "HTTP 302", "refused, with items"} {
			slow = slow || b.name == name
		}
		if !slow {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// randomTable is an input of a few hundred rows. Some are repeats, and with both some see an earlier one from the other side,
// but where it is regrouped.
func randomTable(dice *rand.Rand, both, regroup bool) *table {
	b := newTableBuilder(both)
	many := 1 + dice.IntN(8)
	for range 20 + dice.IntN(800) {
		form := []string{"", "", "", "", "", "", "blank", "lines", "invalid"}[dice.IntN(9)]
		to := []string{"friend-%d", "friend-%d", "account %d", "account %d", "not-friend-%d", "missing-%d"}[dice.IntN(6)]
		if regroup && to == "account %d" { // no row sees another one from the other side
			to = "friend-%d"
		}
		from, to := fmt.Sprintf("account %d", dice.IntN(many)), fmt.Sprintf(to, dice.IntN(60))
		if regroup { // many accounts with few friends, as in a sweep: they are asked for from the other side
			from, to = to, from
		}
		b.add(from, to, form)
	}
	return b.table()
}

// job kills so many runs of the job, then lets it come to its end, and returns how many were killed.
func (k *killer) job(most int) int {
	for k.kills < most && !k.t.Failed() {
		if code := k.attempt(k.moment()); code == 0 || code == 1 {
			if k.dice.IntN(2) == 0 {
				break
			}
		}
		if k.dice.IntN(4) == 0 {
			k.interim()
		}
	}
	code := k.attempt(nil)
	if code != 0 && code != 1 {
		k.t.Errorf("got exit code %d of a run that nobody killed", code)
	}
	k.compare()
	if left := k.leftovers("report.csv", "report.csv.journal", "failures.csv"); len(left) > 0 {
		k.t.Errorf("left over: %q", left)
	}
	return k.kills
}

// moment chooses when the next run is killed. What it returns arranges for it.
func (k *killer) moment() func(p *process) {
	n := 1 + k.dice.IntN(25)
	delay := time.Duration(k.dice.Int64N(int64(60 * time.Millisecond)))
	switch k.dice.IntN(6) {
	case 0, 1:
		return func(p *process) { k.server.arrived = k.nth(n, p) }
	case 2, 3:
		return func(p *process) { k.server.answering = k.nth(n, p) }
	case 4:
		return func(p *process) { p.cancel = time.AfterFunc(delay, p.shoot).Stop }
	}
	if k.bytes != nil { // in the middle of the reading
		return func(p *process) {
			p.Stdin = io.MultiReader(bytes.NewReader(k.bytes[:k.dice.IntN(len(k.bytes))]), shot{p}, bytes.NewReader(k.bytes))
		}
	}
	return func(p *process) { p.cancel = p.whenWriting(k.dir, 1, delay/20, os.Kill) }
}

// nth shoots at the nth request of this run.
func (k *killer) nth(n int, p *process) func(q *request) {
	var count atomic.Int64
	return func(*request) {
		if count.Add(1) == int64(n) {
			p.shoot()
		}
	}
}

// shot is a reader that shoots who reads it.
type shot struct{ *process }

func (s shot) Read([]byte) (int, error) {
	s.shoot()
	return 0, io.EOF
}

// shoot kills the process, as soon as there is one.
func (p *process) shoot() {
	<-p.started
	p.Process.Kill()
}

// whenWriting signals the process so long after a file of the folder that has no name yet has so many bytes, and returns how
// to call it off.
func (p *process) whenWriting(dir string, size int64, delay time.Duration, signal os.Signal) (cancel func() bool) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-p.started:
		case <-done:
			return
		}
		look := time.NewTicker(50 * time.Microsecond)
		defer look.Stop()
		for {
			select {
			case <-look.C:
			case <-done:
				return
			}
			if p.writes(dir, size) {
				<-time.After(delay)
				p.Process.Signal(signal)
				return
			}
		}
	}()
	return func() bool { close(done); <-ended; return true }
}

// writes tells whether the process has a file without a name in the folder, of so many bytes at least.
func (p *process) writes(dir string, size int64) bool {
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.Process.Pid))
	for _, fd := range fds {
		name, _ := os.Readlink(fd)
		if filepath.Dir(name) != dir || !strings.HasSuffix(name, " (deleted)") {
			continue
		}
		if info, err := os.Stat(fd); err == nil && info.Size() >= size {
			return true
		}
	}
	return false
}

// attempt makes a run that is killed at its moment, if that comes before its end, and returns the exit code.
func (k *killer) attempt(arrange func(p *process)) int {
	k.t.Helper()
	k.server.run++
	k.stdin = nil
	if k.bytes != nil {
		k.stdin = bytes.NewReader(k.bytes)
	}
	p := k.prepare(k.deletes()...)
	if arrange != nil {
		arrange(p)
	}
	p.start()
	r := p.wait()
	if p.cancel != nil {
		p.cancel()
	}
	k.server.settle(k.t, k.endpoint)
	k.server.arrived, k.server.answering = nil, nil
	switch r.code {
	case 137:
		k.kills++
	case 0, 1:
	default:
		k.t.Errorf("run %d: got exit code %d, want one of 0, 1 and 137; stderr:\n%s", k.server.run, r.code, r.stderr)
	}
	k.inspect(p.Process.Pid, r.code == 137)
	return r.code
}

// inspect looks at what a run has left behind. One that was killed may have been about to put a file in the place of
// another, which has a name of its own for an instant; the next run removes it.
func (k *killer) inspect(pid int, killed bool) {
	k.t.Helper()
	left := slices.DeleteFunc(k.leftovers("report.csv", "report.csv.journal", "failures.csv"), func(name string) bool {
		return killed && strings.HasPrefix(filepath.Base(name), ".friendsweep-")
	})
	if len(left) > 0 {
		k.t.Errorf("run %d left over: %q", k.server.run, left)
	}
	j, err := journalOf(k.path("report.csv.journal"))
	if errors.Is(err, fs.ErrNotExist) {
		j = &journalLines{}
	} else if err != nil {
		k.t.Fatal(err)
	}
	for _, wrong := range k.server.reconcile(j, k.table, k.server.run, pid) {
		k.t.Error(wrong)
	}
}

// interim looks at the report of a job that is not at its end.
func (k *killer) interim() {
	k.t.Helper()
	args := []string{"report", k.path("report.csv"), "--failures", k.path("failures.csv")}
	if k.stdin = nil; k.bytes != nil {
		k.stdin = bytes.NewReader(k.bytes)
		args = append(args, "--input", "-")
	}
	r := k.run(args...)
	if r.code == 2 && strings.Contains(r.stderr, "journal") {
		return // killed before the journal's first line: there is nothing to tell
	}
	r.want(k.t, 0)
	if r.code == 0 {
		k.compare()
	}
	k.run("status", k.path("report.csv")).want(k.t, 0)
}

// compare holds the report against the record.
func (k *killer) compare() {
	k.t.Helper()
	o, report := k.oracle(), k.report()
	wrong := o.compare(report, k.ignore, k.server.shown)
	wrong = append(wrong, o.truth(report)...)
	wrong = append(wrong, o.early()...)
	wrong = append(wrong, o.again(nil)...)
	wrong = append(wrong, k.server.problems...)
	wrong = append(wrong, failuresMatch(report, k.path("failures.csv"))...)
	for _, w := range wrong {
		k.t.Error(w)
	}
}

// TestKilledWhileReporting kills runs of a job with a report that takes a while, when nothing is left to be sent.
func TestKilledWhileReporting(t *testing.T) { forEach(t, killedWhileReporting) }

func killedWhileReporting(t *testing.T, c *call) {
	b := newTableBuilder(false)
	for i := range 16_000 {
		b.add(fmt.Sprintf("account %d", i%16), fmt.Sprintf("friend %d", i/16), "")
	}
	k := &killer{site: newSiteOf(t, c, b.table()), dice: rand.New(rand.NewPCG(1, 1))}
	k.flags = []string{"--failures", k.path("failures.csv")}
	for n := range 8 {
		k.attempt(func(p *process) {
			p.cancel = p.whenWriting(k.dir, 200_000, time.Duration(n)*time.Millisecond/2, os.Kill)
		})
		if _, err := os.Stat(k.path("report.csv")); err == nil {
			k.compare()
		}
	}
	if k.kills < 3 {
		t.Errorf("got %d kills, want 3 at least: the test does not test", k.kills)
	}
	if code := k.attempt(nil); code != 0 {
		t.Errorf("got exit code %d, want 0", code)
	}
	k.compare()
	if n := len(k.server.all); n != 16 {
		t.Errorf("got %d requests, want 16: nothing is sent twice", n)
	}
	if left := k.leftovers("report.csv", "report.csv.journal", "failures.csv"); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
}
