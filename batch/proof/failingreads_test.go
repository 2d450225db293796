package proof

import (
	"bufio"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// readCalls are the system calls of those commands that are about files, locks and connections, and what each can fail with.
var readCalls = map[string][]string{
	"openat": {"EIO", "ENOSPC", "EMFILE", "EINTR"}, "read": {"EIO", "EINTR"}, "pread64": {"EIO", "EINTR"},
	"write": {"EIO", "ENOSPC", "EINTR"}, "pwrite64": {"EIO", "ENOSPC", "EINTR"}, "fsync": {"EIO", "ENOSPC", "EINTR"},
	"renameat": {"EIO", "ENOSPC", "EINTR"}, "linkat": {"EIO", "ENOSPC", "EMLINK"}, "ftruncate": {"EIO", "ENOSPC", "EINTR"},
	"flock": {"EIO", "ENOLCK", "EINTR"}, "unlinkat": {"EIO", "EBUSY"}, "newfstatat": {"EIO"}, "fstat": {"EIO"}, "lseek": {"EIO"},
	"getdents64": {"EIO"}, "fchmod": {"EIO"}, "mkdirat": {"ENOSPC"},
}

// failingRead is one system call that fails: the nth of its kind, in each thread that comes so far.
type failingRead struct {
	kind, with string // an error, or a signal
	n          int
	lasts      bool // so do all that follow
}

func (f failingRead) String() string {
	if f.lasts {
		return fmt.Sprintf("%s from %d on %s", f.kind, f.n, f.with)
	}
	return fmt.Sprintf("%s %d %s", f.kind, f.n, f.with)
}

// wrap is the command that makes it fail. The tracer is not the program's parent, so that the program keeps its place in
// the test: process number and exit code are its own.
func (f failingRead) wrap(strace string) []string {
	inject := fmt.Sprintf("inject=%s:error=%s:when=%d", f.kind, f.with, f.n)
	switch {
	case f.with == "SIGKILL":
		inject = fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", f.kind, f.n)
	case f.lasts:
		inject += "+"
	}
	return []string{strace, "-D", "-f", "-o", "/dev/null", "-e", "trace=" + f.kind, "-e", inject}
}

// everyRead counts the calls that the command makes and returns each way in which one of them can fail, or a quarter as many as
// TestFailingCalls is asked for.
func (s *site) everyRead(strace string, args ...string) []failingRead {
	s.t.Helper()
	calls := filepath.Join(s.t.TempDir(), "calls")
	s.wrap = []string{strace, "-D", "-f", "-o", calls, "-e", "trace=" + strings.Join(slices.Sorted(maps.Keys(readCalls)), ",")}
	s.run(args...)
	s.wrap = nil
	var all []failingRead
	for kind, most := range countCalls(s.t, calls) {
		for _, with := range append([]string{"SIGKILL"}, readCalls[kind]...) {
			for n := range most {
				all = append(all, failingRead{kind, with, n + 1, false})
				// EINTR is tried again without end; where every write fails Go's runtime ends, and can say nothing of it.
				if with != "SIGKILL" && with != "EINTR" && kind != "write" {
					all = append(all, failingRead{kind, with, n + 1, true})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b failingRead) int { return strings.Compare(a.String(), b.String()) })
	if *failures == 0 {
		return all
	}
	seed, many := rand.Uint64(), min(len(all), *failures/4)
	s.t.Logf("%d of %d calls, by the seed %#x", many, len(all), seed)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:many]
}

// countCalls is how often the thread that makes the most of a kind makes it.
func countCalls(t testing.TB, path string) map[string]int {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	byThread, most := map[string]int{}, map[string]int{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		thread, call, _ := strings.Cut(lines.Text(), " ")
		kind, _, ok := strings.Cut(strings.TrimSpace(call), "(")
		if _, known := readCalls[kind]; ok && known {
			byThread[thread+kind]++
			most[kind] = max(most[kind], byThread[thread+kind])
		}
	}
	if most["openat"] == 0 || most["read"] == 0 || most["newfstatat"] == 0 {
		t.Fatalf("got %v calls, want some of every kind: the test does not test", most)
	}
	return most
}

// siteOfReaders is a job of good rows and a repeat that writes every kind of file.
func siteOfReaders(t testing.TB) *site {
	b := newTableBuilder(false)
	for i := range 12 {
		b.add(fmt.Sprintf("account %d", i%3), fmt.Sprintf("friend %d", i), "")
	}
	b.add("account 0", "friend 0", "")
	s := newSite(t, b.table())
	s.flags = []string{"--chunk-size", "2", "--workers", "2", "--failures", s.path("failures.csv"), "--html", s.path("page.html"),
		"--metrics-file", s.path("figures.prom"), "--lock", s.path("lock")}
	s.server.plan = func(_ string, n int) fault { return fault{kindOf("code 30006") * (1 - min(n, 1)), uint64(n)} }
	return s
}

// runtimeDied tells a process that Go itself has ended, or that never began: its runtime, and the loader before it, cannot
// do without some of their own calls.
func runtimeDied(r result) bool {
	return r.code == 134 && strings.Contains(r.stderr, "runtime: netpoll") || r.code == 127 && strings.Contains(r.stderr, "error while loading shared libraries")
}

// TestReadersFailingCalls: whatever system call of a command fails that only reads a job, or writes its report anew, the
// files stay as they are, and what it says is what it says without the failure, or an error: never another verdict.
func TestReadersFailingCalls(t *testing.T) {
	strace := needStrace(t)
	for _, command := range []string{"status", "report", "audit", "plan"} {
		t.Run(command, func(t *testing.T) { readerFails(t, strace, command) })
	}
}

func readerFails(t *testing.T, strace, command string) {
	s := siteOfReaders(t)
	s.attempt("--limit", "7").want(t, 4)
	args := []string{command, s.path("report.csv")}
	if command == "plan" {
		args[1] = s.input
	}
	want := s.run(args...)
	want.want(t, 0)
	before, ended := s.contents(), map[string]int{}
	for _, f := range s.everyRead(strace, args...) {
		t.Run(f.String(), func(t *testing.T) {
			s.t = t
			s.wrap = f.wrap(strace)
			r := s.run(args...)
			ended[fmt.Sprintf("%s %d", f.with, r.code)]++
			s.sameVerdict(f, r, want)
			s.wrap = nil
			if r.code != 0 {
				s.run(args...).want(t, 0)
			}
			s.unchanged(before)
		})
	}
	s.t = t
	s.readerIsInterrupted(want, ended, args...)
	s.unchanged(before)
	t.Logf("exit codes: %v", ended)
}

// readerIsInterrupted sends the command a signal at some moments of the time that it takes.
func (s *site) readerIsInterrupted(want result, ended map[string]int, args ...string) {
	s.t.Helper()
	began := time.Now()
	s.run(args...).want(s.t, 0)
	took := time.Since(began)
	for range 4 + *failures/4 {
		p := s.prepare(args...)
		p.start()
		time.Sleep(rand.N(took))
		p.Process.Signal(syscall.SIGINT) // it may have ended
		r := p.wait()
		ended[fmt.Sprint("SIGINT ", r.code)]++
		s.sameVerdict(failingRead{with: "SIGINT"}, r, want)
	}
}

// TestKilledAuditLeavesNothing: the report that an audit makes to compare has all the IDs in it.
func TestKilledAuditLeavesNothing(t *testing.T) {
	strace := needStrace(t)
	s := siteOfReaders(t)
	s.attempt().want(t, 0)
	before := s.contents()
	s.wrap = failingRead{kind: "fsync", with: "SIGKILL", n: 1}.wrap(strace)
	s.run("audit", s.path("report.csv")).want(t, 137)
	s.unchanged(before)
}

// sameVerdict: with exit code 0 a command says what it says without a failure, and no failure of the machine is code 1.
func (s *site) sameVerdict(f failingRead, r, want result) {
	s.t.Helper()
	codes := []int{0, 2, 3, 4}
	switch f.with {
	case "SIGKILL":
		codes = []int{0, 137}
	case "SIGINT":
		codes = []int{0, 130}
	}
	if !slices.Contains(codes, r.code) && !runtimeDied(r) {
		s.t.Errorf("got exit code %d, want one of %v; standard error:\n%.3000s\nstandard output:\n%.1000s", r.code, codes, r.stderr, r.stdout)
	}
	if r.code == 0 && f.kind != "write" && withoutTimes(r.stdout) != withoutTimes(want.stdout) {
		s.t.Errorf("got\n%s\nwant\n%s", r.stdout, want.stdout)
	}
}

// withoutTimes leaves out how long ago something was.
func withoutTimes(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.HasSuffix(line, " ago\n") && !strings.HasSuffix(line, " just now\n") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// contents are the files beside the report, and the number of those in TMPDIR.
func (s *site) contents() map[string]string {
	s.t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(s.path(e.Name()))
		if err != nil {
			s.t.Fatal(err)
		}
		all[e.Name()] = string(text)
	}
	entries, err = os.ReadDir(s.tmp)
	if err != nil {
		s.t.Fatal(err)
	}
	all["TMPDIR"] = strconv.Itoa(len(entries))
	return all
}

func (s *site) unchanged(before map[string]string) {
	s.t.Helper()
	now := s.contents()
	for name := range now {
		if _, ok := before[name]; !ok {
			s.t.Errorf("left over: %s", name)
		}
	}
	for name, text := range before {
		if now[name] != text {
			s.t.Errorf("%s was changed: got\n%.500s\nwant\n%.500s", name, now[name], text)
		}
	}
}
