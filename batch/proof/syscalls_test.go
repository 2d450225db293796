package proof

import (
	"bufio"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var syscalls = flag.Int("syscalls", 12, "how many system calls fail, for each command; -1 for every one of them")

// kinds are the system calls of the program that are about files, locks and connections, and what each can fail with.
var kinds = map[string][]string{
	"openat": {"EIO", "ENOSPC", "EMFILE", "EINTR"}, "read": {"EIO", "EINTR"}, "pread64": {"EIO", "EINTR"},
	"write": {"EIO", "ENOSPC", "EINTR"}, "pwrite64": {"EIO", "ENOSPC", "EINTR"}, "fsync": {"EIO", "ENOSPC", "EINTR"},
	"renameat": {"EIO", "ENOSPC", "EINTR"}, "linkat": {"EIO", "ENOSPC", "EMLINK"}, "ftruncate": {"EIO", "ENOSPC", "EINTR"},
	"flock": {"EIO", "ENOLCK", "EINTR"}, "unlinkat": {"EIO", "EBUSY"}, "newfstatat": {"EIO"}, "fstat": {"EIO"}, "lseek": {"EIO"},
	"getdents64": {"EIO"}, "fchmod": {"EIO"}, "mkdirat": {"ENOSPC"},
}

// failing is one system call that fails: the nth of its kind, in each thread that comes so far.
type failing struct {
	kind, with string // an error, or SIGKILL
	n          int
	lasts      bool // so do all that follow
}

func (f failing) String() string {
	if f.lasts {
		return fmt.Sprintf("%s from %d on %s", f.kind, f.n, f.with)
	}
	return fmt.Sprintf("%s %d %s", f.kind, f.n, f.with)
}

// wrap is the command that makes it fail. The tracer is not the program's parent, so that the program keeps its place in
// the test: process number and exit code are its own.
func (f failing) wrap(strace string) []string {
	inject := fmt.Sprintf("inject=%s:error=%s:when=%d", f.kind, f.with, f.n)
	switch {
	case f.with == "SIGKILL":
		inject = fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", f.kind, f.n)
	case f.lasts:
		inject += "+"
	}
	return []string{strace, "-D", "-f", "-o", "/dev/null", "-e", "trace=" + f.kind, "-e", inject}
}

// tracer is strace where it is there and may trace.
func tracer(t *testing.T) string {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("SKIPPED: there is no strace, so no system call can be made to fail")
	}
	if out, err := exec.Command(strace, "-D", "-f", "-o", "/dev/null", "true").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: strace may not trace here (%v): %s", err, out)
	}
	return strace
}

// everyCall counts the calls that the command makes and returns each way in which one of them can fail, or as many as are
// asked for, by a seed.
func (s *site) everyCall(strace string, args ...string) []failing {
	s.t.Helper()
	calls := filepath.Join(s.t.TempDir(), "calls")
	s.wrap = []string{strace, "-D", "-f", "-o", calls, "-e", "trace=" + strings.Join(slices.Sorted(maps.Keys(kinds)), ",")}
	s.run(args...)
	s.wrap = nil
	var all []failing
	for kind, most := range countCalls(s.t, calls) {
		for _, with := range append([]string{"SIGKILL"}, kinds[kind]...) {
			for n := range most {
				all = append(all, failing{kind, with, n + 1, false})
				// EINTR is tried again without end; where every write fails Go's runtime ends, and can say nothing of it.
				if with != "SIGKILL" && with != "EINTR" && kind != "write" {
					all = append(all, failing{kind, with, n + 1, true})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b failing) int { return strings.Compare(a.String(), b.String()) })
	if *syscalls >= 0 && len(all) > *syscalls {
		seed := rand.Uint64()
		s.t.Logf("%d of %d, by the seed %#x", *syscalls, len(all), seed)
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		all = all[:*syscalls]
	}
	return all
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
		if _, known := kinds[kind]; ok && known {
			byThread[thread+kind]++
			most[kind] = max(most[kind], byThread[thread+kind])
		}
	}
	if most["openat"] == 0 || most["read"] == 0 || most["newfstatat"] == 0 {
		t.Fatalf("got %v calls, want some of every kind: the test does not test", most)
	}
	return most
}

// TestDeleteFailingCalls: whatever system call of a run fails, its exit code and its report tell the truth, and a run that
// resumes it gets to the end.
func TestDeleteFailingCalls(t *testing.T) {
	strace := tracer(t)
	s := failingSite(t)
	all := s.everyCall(strace, s.deletes()...)
	ended := map[string]int{}
	for _, f := range all {
		t.Run(f.String(), func(t *testing.T) {
			s := failingSite(t)
			s.wrap = f.wrap(strace)
			attempt, untrue := s.attempt, s.untrue
			if f.maybeOfConnection() {
				attempt, untrue = s.attemptUnseen, s.undone
			}
			r := attempt()
			ended[fmt.Sprintf("%s %d", f.with, r.code)]++
			s.toldTruth(f, r, untrue)
			s.wrap = nil
			s.finishAll(attempt, untrue)
		})
	}
	t.Logf("%d calls failed; exit codes: %v", len(all), ended)
}

// maybeOfConnection tells that the call may be one of a connection: then an answer is lost that the server has given, and what
// it has given is no measure of what the program must know.
func (f failing) maybeOfConnection() bool {
	return (f.kind == "read" || f.kind == "write") && f.with != "SIGKILL" && f.with != "EINTR"
}

// attemptUnseen makes a run of which the server's record is only what was done.
func (s *site) attemptUnseen(more ...string) result {
	s.t.Helper()
	r := s.run(s.deletes(more...)...)
	s.server.settle(s.t, s.endpoint)
	return r
}

// undone is what the report says of the rows and what was done does not bear out.
func (s *site) undone() []string {
	s.t.Helper()
	report, done := s.report(), map[[2]string]bool{}
	for _, q := range s.server.all {
		for i, to := range q.to {
			done[[2]string{q.from, to}] = done[[2]string{q.from, to}] || q.done[i]
		}
	}
	wrong := slices.Clone(s.server.problems)
	if len(report) != len(s.table.rows) {
		return append(wrong, fmt.Sprintf("%d lines in the report, want %d", len(report), len(s.table.rows)))
	}
	for i, r := range s.table.rows {
		got, did := report[i], done[[2]string{r.from, r.to}]
		isSuccess := got.status == "success"
		if got.line != r.line || got.from != r.from || got.to != r.to || isSuccess && !did || (got.outcome == "not_friend" || got.outcome == "refused") && did {
			wrong = append(wrong, fmt.Sprintf("line %d, deleted: %v, is reported as %+v", r.line, did, got))
		}
	}
	return wrong
}

// failingSite is a job of good rows and a repeat that writes every kind of file.
func failingSite(t *testing.T) *site {
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

var failingFiles = []string{"report.csv", "report.csv.journal", "failures.csv", "page.html", "figures.prom", "lock"}

// toldTruth holds the end of a run against what the server saw.
func (s *site) toldTruth(f failing, r result, untrue func() []string) {
	s.t.Helper()
	codes := []int{0, 2, 3, 4}
	if f.with == "SIGKILL" {
		codes = []int{0, 137} // 0: another thread made the calls this time
	}
	if !slices.Contains(codes, r.code) && !runtimeDied(r) {
		s.t.Errorf("got exit code %d, want one of %v; standard error:\n%.3000s\nstandard output:\n%.1000s", r.code, codes, r.stderr, r.stdout)
	}
	if (r.code == 2 || r.code == 3) && len(s.server.all) > 0 {
		s.t.Errorf("got exit code %d and %d requests, want none; standard error:\n%s", r.code, len(s.server.all), r.stderr)
	}
	_, err := os.Stat(s.path("report.csv"))
	if err == nil {
		for _, w := range untrue() {
			s.t.Error(w)
		}
	}
	if r.code != 0 {
		return
	}
	for _, name := range failingFiles {
		if _, err := os.Stat(s.path(name)); err != nil {
			s.t.Errorf("got exit code 0, and %v", err)
		}
	}
	if left := s.leftovers(failingFiles...); len(left) > 0 {
		s.t.Errorf("left over after exit code 0: %q", left)
	}
}

// runtimeDied tells a process that Go itself has ended, or that never began: its runtime, and the loader before it, cannot
// do without some of their own calls.
func runtimeDied(r result) bool {
	return r.code == 134 && strings.Contains(r.stderr, "runtime: netpoll") || r.code == 127 && strings.Contains(r.stderr, "error while loading shared libraries")
}

// finishAll resumes the job to its end, at which every row is a success and no file is left that is not asked for.
func (s *site) finishAll(attempt func(...string) result, untrue func() []string) {
	s.t.Helper()
	attempt().want(s.t, 0)
	for _, w := range untrue() {
		s.t.Error(w)
	}
	if left := s.leftovers(failingFiles...); len(left) > 0 {
		s.t.Errorf("left over: %q", left)
	}
}

// TestReadersFailingCalls: whatever system call of a command fails that only reads a job, or writes its report anew, the
// files stay as they are, and what it says is what it says without the failure, or an error: never another verdict.
func TestReadersFailingCalls(t *testing.T) {
	strace := tracer(t)
	for _, command := range []string{"status", "report", "audit"} {
		t.Run(command, func(t *testing.T) {
			s := failingSite(t)
			s.attempt("--limit", "7").want(t, 4)
			args := []string{command, s.path("report.csv")}
			want := s.run(args...)
			want.want(t, 0)
			before := s.contents()
			all := s.everyCall(strace, args...)
			ended := map[string]int{}
			for _, f := range all {
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
			t.Logf("%d calls failed; exit codes: %v", len(all), ended)
		})
	}
}

// TestKilledAuditLeavesNothing: the report that an audit makes to compare has all the IDs in it.
func TestKilledAuditLeavesNothing(t *testing.T) {
	strace := tracer(t)
	s := failingSite(t)
	s.attempt().want(t, 0)
	before := s.contents()
	s.wrap = failing{kind: "fsync", with: "SIGKILL", n: 1}.wrap(strace)
	s.run("audit", s.path("report.csv")).want(t, 137)
	s.unchanged(before)
}

// sameVerdict: with exit code 0 a command says what it says without a failure, and no failure of the machine is code 1.
func (s *site) sameVerdict(f failing, r, want result) {
	s.t.Helper()
	codes := []int{0, 2, 3, 4}
	if f.with == "SIGKILL" {
		codes = []int{0, 137}
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
