package journal

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"friendsweep/reports/journal/outcome"
)

// TestMain lets a test start this binary as a second process.
func TestMain(m *testing.M) {
	switch os.Getenv("REPORTS_TEST_CHILD") {
	case "":
		os.Exit(m.Run())
	case "hold":
		os.Exit(holdJournal(os.Args[len(os.Args)-1]))
	}
	os.Exit(99)
}

// holdJournal starts a job and keeps the journal until its standard input ends, or until it is killed.
func holdJournal(report string) int {
	j, err := Lock(report, testCalls)
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
	if _, err := Lock(report, testCalls); !errors.Is(err, ErrHeld) {
		t.Errorf("while it is held: got %v, want %v", err, ErrHeld)
	}
	if err := child(t, "hold", report).Run(); err == nil || err.(*exec.ExitError).ExitCode() != 5 {
		t.Errorf("a third process: got %v, want exit code 5", err)
	}
	look := func() (held bool, seen Overview) {
		v, err := Look(report, testCalls)
		must(t, err)
		defer v.Close()
		seen, err = v.Follow(t.Context(), Reader{Apply: func(outcome.Rows, *Change) error { return nil }})
		must(t, err)
		return v.Held, seen
	}
	if held, seen := look(); !held || seen.Ended || seen.Out != 2 || seen.LastRun.PID != 7 {
		t.Errorf("while it is held: got held %v, %+v", held, seen)
	}
	must(t, holder.Process.Kill())
	holder.Wait()
	if held, seen := look(); held || seen.Ended {
		t.Errorf("after a kill: got held %v, %+v; want neither held nor ended", held, seen)
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
	lock, err := LockFile(path, "process 7")
	must(t, err)
	if _, err := LockFile(path, "process 7"); !errors.Is(err, ErrHeld) {
		t.Errorf("a second time: got %v, want %v", err, ErrHeld)
	}
	must(t, lock.Close())
	lock, err = LockFile(path, "process 7")
	must(t, err)
	must(t, lock.Close())
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file: got %v, want it to stay", err)
	}
	if _, err := LockFile(t.TempDir(), "process 7"); err == nil {
		t.Error("a folder: got no error, want one")
	}
}

// TestACloseGivesTheLockUp, though the file is still open in a child that was just started and runs no program of its own yet.
func TestACloseGivesTheLockUp(t *testing.T) {
	child := func(fd uintptr) {
		t.Helper()
		inherited, err := syscall.Dup(int(fd))
		must(t, err)
		t.Cleanup(func() { syscall.Close(inherited) })
	}
	report := filepath.Join(t.TempDir(), "r.csv")
	for range 2 {
		j, err := Lock(report, testCalls)
		must(t, err)
		child(j.file.Fd())
		must(t, j.Close())
		reader, err := Read(report, testCalls)
		must(t, err)
		child(reader.file.Fd())
		must(t, reader.Close())

		lock, err := LockFile(report+".lock", "process 7")
		must(t, err)
		child(lock.(lockFile).Fd())
		must(t, lock.Close())
	}
}

// TestLockFileSaysWhoHoldsIt, unless it has something else in it.
func TestLockFileSaysWhoHoldsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	for _, holder := range []string{"process 12345", "process 6"} {
		lock, err := LockFile(path, holder)
		must(t, err)
		if _, err := LockFile(path, "another"); !errors.Is(err, ErrHeld) || !strings.HasSuffix(err.Error(), "\nit is "+holder) {
			t.Errorf("got %v, want one that names %s", err, holder)
		}
		must(t, lock.Close())
	}
	must(t, os.WriteFile(path, []byte("somebody's file\n"), 0o600))
	lock, err := LockFile(path, "process 8")
	must(t, err)
	defer lock.Close()
	if got := content(t, path); got != "somebody's file\n" {
		t.Errorf("got %q, want the file as it was", got)
	}
	if _, err := LockFile(path, "another"); !errors.Is(err, ErrHeld) || strings.Contains(err.Error(), "it is") {
		t.Errorf("got %v, want one that names nobody", err)
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

// TestWhatCannotBeLocked is an error at once, in words that tell it from a lock that somebody else has.
func TestWhatCannotBeLocked(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"fifo", "fifo.journal"} {
		must(t, syscall.Mkfifo(at(name), 0o600))
	}
	for _, name := range []string{"folder", "folder.journal"} {
		must(t, os.Mkdir(at(name), 0o700))
	}
	for name, want := range map[string]string{
		"fifo":   "locking PATH: it is not a regular file",
		"folder": "locking: open PATH: is a directory",
		"no/r":   "locking: open PATH: no such file or directory",
	} {
		if lock, err := LockFile(at(name), "process 7"); lock != nil || err == nil || err.Error() != strings.Replace(want, "PATH", at(name), 1) {
			t.Errorf("got %v, want %s", err, want)
		}
		path := Path(at(name))
		if j, err := Lock(at(name), testCalls); j != nil || err == nil || err.Error() != strings.Replace(want, "PATH", path, 1) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	file, err := os.Create(at("file"))
	must(t, err)
	must(t, file.Close()) // as on a file system that has no locks
	const want = "bad file descriptor\nput it on a file system that has locks"
	if err := flock(file, syscall.LOCK_EX); err == nil || err.Error() != "locking "+at("file")+": "+want {
		t.Errorf("got %v, want %s", err, want)
	}
	if isHeld, err := held(file); isHeld || !errors.Is(err, syscall.EBADF) {
		t.Errorf("got held %v, %v; want %v", isHeld, err, syscall.EBADF)
	}
}

// TestALockForAMoment: a look takes the lock for an instant, and whoever meets one waits for its end; a run is not waited for.
func TestALockForAMoment(t *testing.T) {
	for held, want := range map[time.Duration]bool{lockPause / 2: true, lockTries*lockPause - 1: true, (lockTries + 1) * lockPause: false} {
		synctest.Test(t, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lock")
			look, err := os.Create(path)
			must(t, err)
			must(t, flock(look, syscall.LOCK_SH))
			over := make(chan error)
			go func() {
				time.Sleep(held)
				over <- closeLocked(look)
			}()
			lock, err := LockFile(path, "process 7")
			if (err == nil) != want {
				t.Errorf("held for %v: got %v, want the lock: %v", held, err, want)
			}
			if err == nil {
				must(t, lock.Close())
				if err := lock.Close(); err == nil {
					t.Error("closing it again: got no error, want one")
				}
			} else if !errors.Is(err, ErrHeld) || err.Error() != "locking "+path+": another run holds it; wait until it has ended" {
				t.Errorf("got %v, want %v", err, ErrHeld)
			}
			must(t, <-over)
		})
	}
}
