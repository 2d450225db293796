package proof

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var failures = flag.Int("failures", 40, "how many system calls fail, or kill, in TestFailingCalls; 0 for every one there is")

// failingCall is a system call that goes wrong: the nth of its kind in any of the program's threads, which strace counts each
// by itself.
type failingCall struct {
	name string
	nth  int
	how  string // as strace has it: error=EIO, signal=SIGKILL
}

func (f failingCall) String() string { return fmt.Sprintf("%s:%s:when=%d", f.name, f.how, f.nth) }

// failing are the kinds of calls that speak to disks and networks; a runtime that gets no memory and no timer is another matter.
const failing = "openat,read,pread64,write,pwrite64,lseek,fsync,ftruncate,fstat,newfstatat,flock,fcntl,getdents64,readlinkat," +
	"linkat,renameat,unlinkat,mkdirat,socket,connect,setsockopt,getsockname,close"

var (
	callName = regexp.MustCompile(`^(\d+) +(\w+)\(`)
	wrongs   = []string{"error=EIO", "error=ENOSPC", "error=EMFILE", "error=EINTR", "signal=SIGKILL"}
)

// TestFailingCalls makes one system call of a run fail, whichever it is. However the run ends, the exit code and the report are
// true, and the next run comes to the end of the job.
func TestFailingCalls(t *testing.T) {
	strace := needStrace(t)
	cases := failingCalls(t, strace)
	many := *failures
	if many == 0 {
		many = len(cases)
	}
	seed := rand.Uint64()
	t.Logf("seed %#x: %d of %d calls", seed, min(many, len(cases)), len(cases))
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
	ended := map[string]int{}
	for _, c := range cases[:min(many, len(cases))] {
		t.Run(c.String(), func(t *testing.T) { ended[fmt.Sprintf("%s: %d", c.how, c.ends(t, strace))]++ })
	}
	for _, how := range slices.Sorted(maps.Keys(ended)) {
		t.Logf("%s, %d times", how, ended[how])
	}
}

// placeOfFaults is a job with a bit of everything: a resumed run that replaces a report and moves nothing aside.
func placeOfFaults(t testing.TB) *site {
	s := newSite(t, smallTable(4))
	s.flags = []string{"--chunk-size", "2", "--workers", "2", "--failures", s.path("failures.csv")}
	s.attempt("--limit", "4").want(t, 4)
	return s
}

// failingCalls are all that can go wrong in a run, as often as a thread makes a call of the kind.
func failingCalls(t *testing.T, strace string) (cases []failingCall) {
	t.Helper()
	s := placeOfFaults(t)
	record := filepath.Join(filepath.Dir(s.dir), "strace")
	s.wrap = []string{strace, "-f", "-qq", "-e", "signal=none", "-e", "trace=" + failing, "-o", record}
	s.run(s.deletes()...).want(t, 0)
	text, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	byThread, most := map[[2]string]int{}, map[string]int{}
	for line := range strings.Lines(string(text)) {
		if m := callName.FindStringSubmatch(line); m != nil {
			of := [2]string{m[1], m[2]}
			byThread[of]++
			most[m[2]] = max(most[m[2]], byThread[of])
		}
	}
	for name, many := range most {
		for nth := range many {
			for _, how := range wrongs {
				cases = append(cases, failingCall{name, nth + 1, how})
			}
		}
	}
	slices.SortFunc(cases, func(a, b failingCall) int { return cmp.Compare(a.String(), b.String()) })
	return cases
}

// ends makes the call go wrong, and judges what comes of it; it returns the exit code.
func (f failingCall) ends(t *testing.T, strace string) int {
	s := placeOfFaults(t)
	before := len(s.server.all)
	earlier, err := journalOf(s.path("report.csv.journal"))
	if err != nil {
		t.Fatal(err)
	}
	s.wrap = []string{strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace=" + f.name, "-e", "inject=" + f.String()}
	s.server.run++
	p := s.prepare(s.deletes()...)
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.start()
	slow := time.AfterFunc(time.Minute, func() {
		t.Error("the run does not end")
		syscall.Kill(-p.Process.Pid, syscall.SIGKILL)
	})
	r := p.wait()
	slow.Stop()
	s.server.settle(t, s.endpoint)
	killed := strings.HasPrefix(f.how, "signal")
	switch {
	case killed && r.code == 137:
	case r.code == 0, r.code == 4:
	case r.code == 134 && strings.Contains(r.stderr, "runtime: netpollBreak write failed"): // it tells itself something by a pipe
	case (r.code == 2 || r.code == 3) && len(s.server.all) == before:
	default:
		t.Errorf("got exit code %d after %d requests, want 0 or 4, or 2 or 3 after none\n%s", r.code, len(s.server.all)-before, r.stderr)
	}
	if r.code != 0 && !killed && !strings.Contains(r.stderr, "\n") {
		t.Error("nothing says why")
	}
	if strings.Contains(r.stdout+r.stderr, "changed while it was used") {
		t.Errorf("the input is blamed, which nobody has changed\n%s", r.stderr)
	}
	s.onRecord(earlier)
	left := s.leftovers("report.csv", "report.csv.journal", "failures.csv")
	if len(left) > 0 && !killed && f.name != "unlinkat" {
		t.Errorf("left over: %q", left)
	}
	for _, name := range left {
		os.Remove(filepath.Join(filepath.Dir(s.dir), name))
	}
	s.plainlyTrue(r.code)
	s.wrap = nil
	s.attempt().want(t, 0)
	s.plainlyTrue(0)
	return r.code
}

// onRecord makes sure that every request of the run is in its journal, in which it is the last run unless it never began. The
// order of an account's requests says nothing here: one may have failed before it left.
func (s *site) onRecord(earlier *journalLines) {
	s.t.Helper()
	j, err := journalOf(s.path("report.csv.journal"))
	if err != nil {
		s.t.Fatalf("%v: the journal of the first run is gone", err)
	}
	announced := map[string]int{}
	for _, send := range j.sends {
		if send.pid == j.pid && j.pid != earlier.pid && !j.withdrawn[send.id] {
			announced[asSent(send.account, s.table.to(send.account, send.lines))]++
		}
	}
	for _, q := range s.server.all {
		if sent := asSent(q.from, q.to); q.run == s.server.run {
			if announced[sent]--; announced[sent] < 0 {
				s.t.Errorf("request %d of %s is not on record", q.number, sent)
			}
		}
	}
}

// plainlyTrue holds the report, if there is one, against what the server did. It knows less than [oracle]: which answers a
// program heard whose reading failed, nobody can tell from outside.
func (s *site) plainlyTrue(code int) {
	s.t.Helper()
	report, err := readReport(s.path("report.csv"))
	if errors.Is(err, fs.ErrNotExist) && code != 0 {
		return
	}
	if err != nil || len(report) != len(s.table.rows) {
		s.t.Fatalf("got a report of %d lines and error %v, want %d lines", len(report), err, len(s.table.rows))
	}
	done := map[string]bool{}
	for _, q := range s.server.all {
		for i, to := range q.to {
			done[asSent(q.from, []string{to})] = done[asSent(q.from, []string{to})] || q.done[i]
		}
	}
	all := true
	for i, got := range report {
		row := s.table.rows[i]
		was := done[asSent(row.from, []string{row.to})]
		all = all && got.outcome == "deleted"
		right := got.line == row.line && got.from == row.from && got.to == row.to && (got.status == "success") == (got.outcome == "deleted")
		switch got.outcome {
		case "deleted":
			right = right && was
		case "not_sent":
			right = right && !was
		case "unknown":
		default:
			right = false
		}
		if !right {
			s.t.Errorf("got %+v, which is not true of %+v; deleted: %v", got, row, was)
		}
	}
	if code == 0 && !all {
		s.t.Errorf("got exit code 0 and rows that are not deleted: %+v", report)
	}
}
