package proof

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var interrupts = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}

// gate holds requests on the server until it is opened.
type gate struct {
	arrived chan *request
	opened  chan struct{}
	once    sync.Once
}

// hold puts a gate before everything that the server does.
func (s *site) hold() *gate {
	g := &gate{arrived: make(chan *request, 1000), opened: make(chan struct{})}
	s.server.arrived = func(q *request) {
		g.arrived <- q
		<-g.opened
	}
	s.t.Cleanup(g.open)
	return g
}

func (g *gate) open() { g.once.Do(func() { close(g.opened) }) }

// smallTable has three rows for each of so many accounts.
func smallTable(many int) *table {
	b := newTableBuilder(false)
	for i := range many * 3 {
		b.add(fmt.Sprintf("account %d", i/3), fmt.Sprintf("friend %d", i%3), "")
	}
	return b.table()
}

// wideTable has as many rows for each of four accounts.
func wideTable(rows int) *table {
	b := newTableBuilder(false)
	for i := range 4 * rows {
		b.add(fmt.Sprintf("account %d", i%4), fmt.Sprintf("friend %d", i/4), "")
	}
	return b.table()
}

// until waits for what another process does.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	look, late := time.NewTicker(time.Millisecond), time.NewTimer(30*time.Second)
	defer look.Stop()
	defer late.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-late.C:
			t.Fatalf("%s: it never came", what)
		}
	}
}

// inJournal counts the lines of the journal that begin so.
func (s *site) inJournal(start string) int {
	text, _ := os.ReadFile(s.path("report.csv.journal"))
	return strings.Count("\n"+string(text), "\n"+start)
}

// drained starts a run whose first request is in flight and whose second waits for the pace, signals it, and returns when
// the run has taken the signal. Nothing about the second is in the journal.
func drained(t *testing.T, s *site, signal syscall.Signal) (*process, *gate) {
	t.Helper()
	g := s.hold()
	s.server.run++
	p := s.prepare(s.deletes("--workers", "2", "--rate", "0.02", "--chunk-size", "2")...)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	p.Stderr = io.MultiWriter(&p.stderr, log)
	p.start()
	<-g.arrived
	p.Process.Signal(signal)
	until(t, "a word about the signal", func() bool {
		text, _ := os.ReadFile(log.Name())
		return strings.Contains(string(text), "requests in flight finish")
	})
	if n := s.inJournal(`{"send":`); n != 1 {
		t.Errorf("got %d lines before a request, want that of the one in flight", n)
	}
	return p, g
}

// settled looks at the requests of a run that has ended, and at its report if there must be one.
func (s *site) settled(p *process, report bool) {
	s.t.Helper()
	s.server.settle(s.t, s.endpoint)
	j, err := journalOf(s.path("report.csv.journal"))
	if err != nil {
		s.t.Fatal(err)
	}
	wrong := s.server.reconcile(j, s.table, s.server.run, p.Process.Pid)
	if report {
		wrong = append(wrong, s.untrue()...)
	}
	for _, w := range wrong {
		s.t.Error(w)
	}
}

// untrue is what the report says and the record does not.
func (s *site) untrue() []string {
	s.t.Helper()
	o, report := s.oracle(), s.report()
	wrong := append(o.compare(report, s.ignore, s.server.shown), o.truth(report)...)
	return append(append(wrong, o.again(nil)...), s.server.problems...)
}

// finish resumes the job to its end, which must be the true one.
func (s *site) finish(code int) {
	s.t.Helper()
	s.server.arrived, s.server.answering = nil, nil
	s.server.run++
	p := s.prepare(s.deletes()...)
	p.start()
	p.wait().want(s.t, code)
	s.settled(p, true)
	if left := s.leftovers("report.csv", "report.csv.journal"); len(left) > 0 {
		s.t.Errorf("left over: %q", left)
	}
}

func TestFirstSignalDrains(t *testing.T) { forEach(t, firstSignalDrains) }

func firstSignalDrains(t *testing.T, c *call) {
	for _, signal := range interrupts {
		t.Run(signal.String(), func(t *testing.T) {
			s := newSiteOf(t, c, smallTable(4))
			p, g := drained(t, s, signal)
			g.open()
			p.wait().want(t, 128+int(signal))
			s.settled(p, true)
			if n := len(s.server.all); n != 1 {
				t.Errorf("got %d requests, want the one in flight", n)
			}
			s.finish(0)
		})
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) { forEach(t, secondSignalEndsAtOnce) }

func secondSignalEndsAtOnce(t *testing.T, c *call) {
	for i, first := range interrupts {
		second := interrupts[(i+1)%len(interrupts)]
		t.Run(first.String()+" "+second.String(), func(t *testing.T) {
			s := newSiteOf(t, c, smallTable(4))
			p, g := drained(t, s, first)
			p.Process.Signal(second)
			p.wait().want(t, 128+int(second))
			g.open()
			s.settled(p, false)
			s.finish(0)
		})
	}
}

// TestDrainIsBounded: a request that nobody answers holds a run that is to end no longer than --timeout.
func TestDrainIsBounded(t *testing.T) {
	s := newSite(t, smallTable(2))
	s.server.plan = func(string, int) fault { return fault{kind: kindOf("silent"), seed: 5} }
	arrived := make(chan *request, 100)
	s.server.arrived = func(q *request) { arrived <- q }
	s.server.run++
	p := s.prepare(s.deletes("--workers", "1", "--timeout", "700ms", "--backoff-initial", "1h", "--backoff-max", "1h")...)
	p.start()
	<-arrived
	p.Process.Signal(syscall.SIGTERM)
	began := time.Now()
	p.wait().want(t, 143)
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("got an end after %v, want one soon after 700ms", took)
	}
	s.settled(p, true)
	s.server.plan = func(string, int) fault { return fault{} }
	s.finish(0)
}

// TestSignalInBackoff: nobody waits for a retry that will not be made.
func TestSignalInBackoff(t *testing.T) { forEach(t, signalInBackoff) }

func signalInBackoff(t *testing.T, c *call) {
	s := newSiteOf(t, c, smallTable(1))
	s.server.plan = func(string, int) fault { return fault{kind: kindOf("code 30006")} }
	s.server.run++
	p := s.prepare(s.deletes("--backoff-initial", "1h", "--backoff-max", "1h")...)
	p.start()
	until(t, "an answer", func() bool { return s.inJournal(`{"answer":`) == 1 })
	p.Process.Signal(syscall.SIGINT)
	p.wait().want(t, 130)
	s.settled(p, true)
	s.server.plan = func(string, int) fault { return fault{} }
	s.finish(0)
}

// TestSignalWhileReading: before the first request nothing is left behind.
func TestSignalWhileReading(t *testing.T) {
	for _, signal := range interrupts {
		t.Run(signal.String(), func(t *testing.T) {
			s := newSite(t, smallTable(10_000))
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			s.stdin = r
			p := s.prepare(s.deletes()...)
			p.start()
			r.Close()
			w.Write([]byte(s.table.csv[:len(s.table.csv)/2])) // far more than a pipe holds: it is being read
			p.Process.Signal(signal)
			p.wait().want(t, 128+int(signal))
			if left := s.leftovers(); len(left) > 0 || len(s.server.all) > 0 {
				t.Errorf("left over: %q after %d requests", left, len(s.server.all))
			}
		})
	}
}

// TestSignalAfterTheLastAnswer changes nothing.
func TestSignalAfterTheLastAnswer(t *testing.T) { forEach(t, signalAfterTheLastAnswer) }

func signalAfterTheLastAnswer(t *testing.T, c *call) {
	for _, signal := range interrupts {
		t.Run(signal.String(), func(t *testing.T) {
			s := newSiteOf(t, c, smallTable(1))
			s.server.run++
			p := s.prepare(s.deletes()...)
			s.server.answering = func(*request) { <-p.started; p.Process.Signal(signal) }
			p.start()
			p.wait().want(t, 0)
			s.settled(p, true)
		})
	}
}

// TestSignalWhileReporting changes nothing either: everything is answered.
func TestSignalWhileReporting(t *testing.T) {
	s := newSite(t, wideTable(6000))
	s.server.run++
	p := s.prepare(s.deletes("--rate", "0")...)
	shot := p.whenWriting(s.dir, 200_000, 0, syscall.SIGINT)
	p.start()
	p.wait().want(t, 0)
	shot()
	s.server.settle(t, s.endpoint)
	if n := len(s.report()); n != 24_000 {
		t.Errorf("got %d lines, want 24000", n)
	}
}

// TestSignalAtAnyMoment: whatever a signal meets, the exit code is its own and the report is true, or no request was made
// and nothing is left; or it came too late.
func TestSignalAtAnyMoment(t *testing.T) { forEach(t, signalAtAnyMoment) }

func signalAtAnyMoment(t *testing.T, c *call) {
	dice := rand.New(rand.NewPCG(7, 7))
	ends := map[string]int{}
	for range 25 {
		s := newSiteOf(t, c, smallTable(1+dice.IntN(30)))
		signal := interrupts[dice.IntN(3)]
		s.server.run++
		p := s.prepare(s.deletes("--workers", "3", "--chunk-size", "1")...)
		shot := time.AfterFunc(time.Duration(dice.IntN(60_000))*time.Microsecond, func() { <-p.started; p.Process.Signal(signal) })
		p.start()
		r := p.wait()
		shot.Stop()
		s.server.settle(t, s.endpoint)
		left := s.leftovers("report.csv", "report.csv.journal")
		switch _, err := os.Stat(s.path("report.csv.journal")); {
		case r.code != 0 && r.code != 128+int(signal):
			r.want(t, 128+int(signal))
		case r.code != 0 && len(s.server.all) == 0:
			ends["before"]++
			left = s.leftovers()
		case err != nil:
			t.Errorf("exit code %d, %d requests and no journal: %v", r.code, len(s.server.all), err)
		default:
			ends[fmt.Sprint(r.code == 0)]++
			s.settled(p, true)
			s.finish(0)
		}
		if len(left) > 0 {
			t.Errorf("exit code %d, left over: %q", r.code, left)
		}
	}
	t.Logf("before the first request %d, drained %d, too late %d", ends["before"], ends["false"], ends["true"])
}
