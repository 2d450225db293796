package reports

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestMain lets a test start this binary as a second process.
func TestMain(m *testing.M) {
	switch os.Getenv("REPORTS_TEST_CHILD") {
	case "":
		os.Exit(m.Run())
	case "hold":
		os.Exit(holdJournal(os.Args[len(os.Args)-1]))
	case "limit":
		os.Exit(writeUnderLimit(os.Args[len(os.Args)-1]))
	}
	os.Exit(99)
}

// holdJournal starts a job and keeps the journal until its standard input ends, or until it is killed.
func holdJournal(report string) int {
	j, err := OpenJournal(report)
	if errors.Is(err, ErrHeld) {
		return 5
	}
	if err != nil || j.Start(jobOf(5, 6), someRun) != nil {
		return 1
	}
	if _, err := j.Before("a", []int64{2, 3}); err != nil {
		return 1
	}
	os.Stdout.WriteString("held\n")
	io.Copy(io.Discard, os.Stdin)
	return 0
}

// child starts this binary again with a role.
func child(t *testing.T, role, arg string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], arg)
	cmd.Env = append(os.Environ(), "REPORTS_TEST_CHILD="+role)
	return cmd
}

func TestSecondProcess(t *testing.T) {
	report := filepath.Join(t.TempDir(), "r.csv")
	holder := child(t, "hold", report)
	in, err := holder.StdinPipe()
	must(t, err)
	defer in.Close()
	out, err := holder.StdoutPipe()
	must(t, err)
	must(t, holder.Start())
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("the holder: got %q, %v", line, err)
	}
	if _, err := OpenJournal(report); !errors.Is(err, ErrHeld) {
		t.Errorf("while it is held: got %v, want %v", err, ErrHeld)
	}
	if err := child(t, "hold", report).Run(); err == nil || err.(*exec.ExitError).ExitCode() != 5 {
		t.Errorf("a third process: got %v, want exit code 5", err)
	}
	status := func() *StatusInfo {
		s, err := Status(t.Context(), report, t.TempDir())
		must(t, err)
		return s
	}
	if s := status(); !s.Held || s.Ended || s.Out != 2 || s.LastRun.PID != 7 {
		t.Errorf("status while it is held: got %+v", s)
	}
	must(t, holder.Process.Kill())
	holder.Wait()
	if s := status(); s.Held || s.Ended {
		t.Errorf("status after a kill: got %+v, want neither held nor ended", s)
	}
	j := open(t, report)
	h, err := j.Replay(t.Context(), false)
	must(t, err)
	if h.Ended || h.LostCount != 2 || !h.Lost.Has(2) || !h.Lost.Has(3) {
		t.Errorf("replay after a kill: got %+v, want lines 2 and 3 lost", h)
	}
}

func TestLockFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	lock, err := LockFile(path)
	must(t, err)
	if _, err := LockFile(path); !errors.Is(err, ErrHeld) {
		t.Errorf("a second time: got %v, want %v", err, ErrHeld)
	}
	must(t, lock.Close())
	lock, err = LockFile(path)
	must(t, err)
	must(t, lock.Close())
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file: got %v, want it to stay", err)
	}
	if _, err := LockFile(t.TempDir()); err == nil {
		t.Error("a folder: got no error, want one")
	}
}

// A file that lost its name between open and lock is no lock: another process can lock the file that has the name now.
func TestLockOfAReplacedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	f, err := os.Create(path)
	must(t, err)
	defer f.Close()
	must(t, os.Rename(path, path+".1"))
	must(t, os.WriteFile(path, nil, 0o600))
	if err := lockOpened(f, path); !errors.Is(err, errAgain) {
		t.Errorf("got %v, want another try", err)
	}
}
