package proof

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// attempt makes a run and looks at what it sent and wrote.
func (s *site) attempt(more ...string) result {
	s.t.Helper()
	s.server.run++
	p := s.prepare(s.deletes(more...)...)
	p.start()
	r := p.wait()
	s.server.settle(s.t, s.endpoint)
	j, err := journalOf(s.path("report.csv.journal"))
	if err != nil {
		j = &journalLines{} // then nothing may have been sent
	}
	for _, w := range s.server.reconcile(j, s.table, s.server.run, p.Process.Pid) {
		s.t.Error(w)
	}
	return r
}

// stopped is a run that a disk has ended: exit code 4 with the reason, nothing half written, and no report that is not the
// whole truth.
func (s *site) stopped(r result, reasons ...string) {
	s.t.Helper()
	r.want(s.t, 4)
	known := false
	for _, reason := range reasons {
		known = known || strings.Contains(r.stderr, reason)
	}
	if !known {
		s.t.Errorf("got on standard error\n%s\nwant one of %q in it", r.stderr, reasons)
	}
	if left := s.leftovers("report.csv", "report.csv.journal", "failures.csv", "filler"); len(left) > 0 {
		s.t.Errorf("left over: %q", left)
	}
	if _, err := os.Stat(s.path("report.csv")); err == nil {
		for _, w := range s.untrue() {
			s.t.Error(w)
		}
	}
}

// TestFileSizeLimit stops every write that would make a file longer than so many bytes: journal, report, temporary files, one
// after the other, in the middle of a line.
func TestFileSizeLimit(t *testing.T) { forEach(t, fileSizeLimit) }

func fileSizeLimit(t *testing.T, c *call) {
	prlimit, err := exec.LookPath("prlimit")
	if err != nil {
		t.Skip("there is no prlimit")
	}
	jobs := map[string]struct {
		table *table
		flags []string
		upTo  int
	}{
		"journal": {smallTable(8), []string{"--chunk-size", "1", "--workers", "3"}, 8000},
		"report":  {smallTable(8), []string{"--chunk-size", "1000", "--workers", "8"}, 3500},
		"reading": {wideTable(1500), nil, 300_000},
	}
	if c == checking {
		delete(jobs, "reading") // it is the same for every call, and takes the most time
	}
	for name, job := range jobs {
		t.Run(name, func(t *testing.T) {
			ended := map[int]int{}
			for limit := 0; limit <= job.upTo; limit += job.upTo / 9 {
				s := newSiteOf(t, c, job.table)
				s.flags = append(job.flags, "--failures", s.path("failures.csv"))
				s.server.plan = func(_ string, n int) fault { return fault{kindOf("reset") * (1 - min(n, 1)), uint64(n)} }
				s.wrap = []string{prlimit, fmt.Sprintf("--fsize=%d", limit)}
				r := s.attempt()
				ended[r.code]++
				if r.code != 0 {
					s.stopped(r, "file too large")
				}
				s.wrap = nil
				s.flags = job.flags
				s.finishWell()
			}
			t.Logf("exit codes: %v", ended)
			if ended[4] == 0 {
				t.Errorf("no run met its limit: the test does not test")
			}
		})
	}
}

// finishWell resumes the job to its end, at which every row is a success.
func (s *site) finishWell() {
	s.t.Helper()
	s.server.arrived, s.server.answering = nil, nil
	s.attempt().want(s.t, 0)
	for _, w := range s.untrue() {
		s.t.Error(w)
	}
	if left := s.leftovers("report.csv", "report.csv.journal", "failures.csv", "filler"); len(left) > 0 {
		s.t.Errorf("left over: %q", left)
	}
}

// mount gives a folder a disk of its own of so many KiB, if that is permitted here.
func mount(t *testing.T, dir string, size int) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dk", size)); err != nil {
		t.Skipf("SKIPPED: no small disk can be mounted here (%v); TestFileSizeLimit is what remains", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
}

// grow makes the disk larger.
func grow(t *testing.T, dir string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=100m"); err != nil {
		t.Fatal(err)
	}
}

// fullDisk is a site whose report, or whose TMPDIR, lies on a disk of so many KiB.
func fullDisk(t *testing.T, table *table, tmp bool, size int) (s *site, disk string) {
	t.Helper()
	s = newSite(t, table)
	disk = s.dir
	if tmp {
		disk = s.tmp
	}
	mount(t, disk, size)
	if tmp {
		return s, disk
	}
	s.input = filepath.Join(filepath.Dir(s.dir), "pairs.csv")
	if err := os.WriteFile(s.input, []byte(table.csv), 0o644); err != nil {
		t.Fatal(err)
	}
	return s, disk
}

func TestFullDisk(t *testing.T) {
	for _, size := range []int{4, 8, 12, 16, 24, 32, 48, 64, 128} {
		t.Run(fmt.Sprintf("%d KiB", size), func(t *testing.T) {
			s, disk := fullDisk(t, smallTable(40), false, size)
			s.flags = []string{"--chunk-size", "1", "--workers", "2"}
			s.server.plan = func(_ string, n int) fault { return fault{kindOf("reset") * (1 - min(n, 1)), uint64(n)} }
			if r := s.attempt(); r.code != 0 {
				s.stopped(r, "no space left on device")
				t.Logf("stopped after %d requests", len(s.server.all))
			}
			grow(t, disk)
			s.finishWell()
		})
	}
}

// TestFullTemp: temporary files are needed for reading, and again for the report.
func TestFullTemp(t *testing.T) {
	for _, size := range []int{4, 32, 100, 150, 200, 300, 400} {
		t.Run(fmt.Sprintf("%d KiB", size), func(t *testing.T) {
			s, disk := fullDisk(t, wideTable(1500), true, size)
			if r := s.attempt(); r.code != 0 {
				s.stopped(r, "no space left on device")
			}
			t.Logf("%d requests", len(s.server.all))
			grow(t, disk)
			s.finishWell()
		})
	}
}

// nobody makes the site one of a user who is not permitted everything.
func (s *site) nobody() {
	s.t.Helper()
	if os.Getuid() != 0 {
		return
	}
	s.user = 65534
	base := filepath.Dir(s.dir)
	for _, dir := range []string{base, filepath.Dir(base)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			s.t.Fatal(err)
		}
	}
	for _, dir := range []string{s.dir, s.tmp} {
		if err := os.Chown(dir, int(s.user), int(s.user)); err != nil {
			s.t.Fatal(err)
		}
	}
}

func chmod(t testing.TB, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestFolderReadOnly(t *testing.T) {
	s := newSite(t, smallTable(3))
	s.nobody()
	chmod(t, s.dir, 0o555)
	s.attempt().want(t, 2, "permission denied")
	if len(s.server.all) > 0 {
		t.Errorf("got %d requests, want none", len(s.server.all))
	}
	chmod(t, s.dir, 0o755)
	s.finishWell()
}

// TestFolderTurnsReadOnly: the journal is open and can be written, the report cannot.
func TestFolderTurnsReadOnly(t *testing.T) {
	s := newSite(t, smallTable(3))
	s.nobody()
	s.server.arrived = func(*request) { chmod(t, s.dir, 0o555) }
	s.stopped(s.attempt("--workers", "1"), "permission denied")
	chmod(t, s.dir, 0o755)
	n := len(s.server.all)
	s.finishWell()
	if len(s.server.all) != n {
		t.Errorf("got %d requests more, want none: everything was answered", len(s.server.all)-n)
	}
}

func TestJournalReadOnly(t *testing.T) {
	s := newSite(t, smallTable(3))
	s.nobody()
	s.attempt("--limit", "3").want(t, 4)
	chmod(t, s.path("report.csv.journal"), 0o444)
	if os.Getuid() == 0 {
		if err := os.Chown(s.path("report.csv.journal"), 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	n := len(s.server.all)
	s.stopped(s.attempt(), "permission denied")
	if len(s.server.all) > n {
		t.Errorf("got %d requests more, want none", len(s.server.all)-n)
	}
}

// TestFolderGoesAway: after the folder has lost its name nothing more is sent but what was on record before, and where it
// comes back the job goes on.
func TestFolderGoesAway(t *testing.T) {
	for _, workers := range []int{1, 4} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			s := newSite(t, smallTable(30))
			away := s.dir + ".away"
			n := 0
			s.server.arrived = func(*request) {
				s.server.mu.Lock()
				defer s.server.mu.Unlock()
				if n++; n == 5 {
					os.Rename(s.dir, away)
				}
			}
			s.server.run++
			p := s.prepare(s.deletes("--chunk-size", "1", "--workers", fmt.Sprint(workers))...)
			p.start()
			r := p.wait()
			s.server.settle(t, s.endpoint)
			r.want(t, 4, "report.csv")
			if most := 5 + workers; len(s.server.all) > most {
				t.Errorf("got %d requests, want %d at most", len(s.server.all), most)
			}
			if err := os.Rename(away, s.dir); err != nil {
				t.Fatal(err)
			}
			s.settled(p, false)
			s.finishWell()
		})
	}
}

func TestFolderRemoved(t *testing.T) {
	s := newSite(t, smallTable(30))
	n := 0
	s.server.arrived = func(*request) {
		if n++; n == 5 {
			os.RemoveAll(s.dir)
		}
	}
	s.server.run++
	r := s.run(s.deletes("--chunk-size", "1", "--workers", "1")...)
	r.want(t, 4, "report.csv")
	if len(s.server.all) > 5 {
		t.Errorf("got %d requests, want 5: the journal is gone", len(s.server.all))
	}
}

// TestJournalTakenAway: a journal that nobody could find again records nothing.
func TestJournalTakenAway(t *testing.T) {
	s := newSite(t, smallTable(30))
	n := 0
	s.server.arrived = func(*request) {
		if n++; n == 5 {
			os.Rename(s.path("report.csv.journal"), s.path("filler"))
		}
	}
	s.server.run++
	p := s.prepare(s.deletes("--chunk-size", "1", "--workers", "1")...)
	p.start()
	p.wait().want(t, 4, "report.csv.journal", "removed or replaced")
	s.server.settle(t, s.endpoint)
	if len(s.server.all) > 5 {
		t.Errorf("got %d requests, want 5: the journal is gone", len(s.server.all))
	}
	os.Remove(s.path("report.csv.journal"))
	os.Rename(s.path("filler"), s.path("report.csv.journal"))
	s.settled(p, false)
	s.finishWell()
}

// TestNoTempFolder: TMPDIR is not there, or goes away before the report is made.
func TestNoTempFolder(t *testing.T) {
	for _, rows := range []int{1, 2000} {
		t.Run(fmt.Sprint(rows), func(t *testing.T) {
			s := newSite(t, wideTable(rows))
			tmp := s.tmp
			s.tmp += ".none"
			r := s.run(s.deletes()...)
			s.tmp = tmp
			if r.code != 4 && r.code != 2 && (r.code != 0 || rows > 1) {
				t.Errorf("got exit code %d, want 4; stderr:\n%s", r.code, r.stderr)
			}
			if r.code != 0 && (len(s.server.all) > 0 || !strings.Contains(r.stderr, "temporary file")) {
				t.Errorf("got %d requests, and\n%s", len(s.server.all), r.stderr)
			}
		})
	}
}

func TestTempFolderGoesAway(t *testing.T) {
	s := newSite(t, wideTable(1500))
	first := true
	s.server.arrived = func(*request) {
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		if first {
			first = false
			os.Remove(s.tmp)
		}
	}
	s.server.run++
	p := s.prepare(s.deletes()...)
	p.start()
	p.wait().want(t, 4, "temporary file")
	if err := os.Mkdir(s.tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	n := len(s.server.all)
	s.finishWell()
	if len(s.server.all) != n {
		t.Errorf("got %d requests more, want none: everything was answered", len(s.server.all)-n)
	}
}
