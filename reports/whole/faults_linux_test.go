package whole

import (
	"bytes"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"friendsweep/reports/whole/wholetest"
)

// TestNoNameBeforeItIsPublished: a process that is killed before leaves nothing behind.
func TestNoNameBeforeItIsPublished(t *testing.T) {
	dir := t.TempDir()
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR, 0o600)
	if err != nil {
		t.Skipf("this file system knows no files without a name: %v", err)
	}
	unix.Close(fd)
	f, err := Create(filepath.Join(dir, "r.csv"))
	must(t, err)
	defer f.Discard()
	f.Write([]byte("text"))
	must(t, f.Sync())
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("got %q, want no file before it is published", got)
	}
	must(t, f.Publish())
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("got %q, want the file", got)
	}
}

// TestTryLeavesNothingOpen: a run tries every output, and has files enough of its own.
func TestTryLeavesNothingOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.csv")
	before := len(names(t, "/proc/self/fd"))
	for range 3 {
		must(t, Try(path))
	}
	if got := len(names(t, "/proc/self/fd")); got != before {
		t.Errorf("got %d open files, want %d as before", got, before)
	}
}

// TestAFolderThatTakesNoFiles: /proc takes none, from nobody, and cannot be synced.
func TestAFolderThatTakesNoFiles(t *testing.T) {
	const path = "/proc/friendsweep.csv"
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	var cause *os.PathError
	if !errors.As(err, &cause) {
		file.Close()
		os.Remove(path)
		t.Skip("/proc takes files here")
	}
	want := "writing " + path + ": " + cause.Err.Error()
	if err := Try(path); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	dir := t.TempDir()
	must(t, os.Symlink("/proc/sys", filepath.Join(dir, "link")))
	dotted := dir + "/link/../friendsweep.csv"
	if err, want := Try(dotted), strings.Replace(want, path, dotted, 1); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := SyncFolder(dotted); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("got %v, want %v", err, syscall.EINVAL)
	}
	if err := SyncFolder(path); !errors.Is(err, syscall.EINVAL) || !strings.HasPrefix(err.Error(), "syncing the folder of "+path+": ") {
		t.Errorf("got %v, want one about the folder of %s", err, path)
	}
}

// TestAFullDisk: what does not fit gets no name, and what was there stays. The limit on the size of files stands for the disk.
func TestAFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.csv")
	must(t, os.WriteFile(path, []byte("earlier"), 0o600))
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var had syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &had))
	for _, size := range []int{5000, 1 << 20} { // less than is kept in memory, and more
		must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: had.Max}))
		err := Write(path, 0o600, bytes.Repeat([]byte("x"), size))
		must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &had))
		if want := "writing " + path + ": file too large"; err == nil || err.Error() != want {
			t.Errorf("%d bytes: got %v, want %s", size, err, want)
		}
		if got, _ := os.ReadFile(path); string(got) != "earlier" || len(names(t, filepath.Dir(path))) != 1 {
			t.Errorf("%d bytes: got %q, beside %q; want the earlier file alone", size, got, names(t, filepath.Dir(path)))
		}
	}
}

// TestAFolderWithoutItsRights: what the folder permits no longer when the file is to get its name is an error that names the file.
func TestAFolderWithoutItsRights(t *testing.T) {
	for _, tc := range []struct {
		name    string
		earlier bool
		mode    os.FileMode
		want    string
	}{
		{"nothing may be written", false, 0o555, "writing PATH: permission denied"},
		{"nothing may be replaced", true, 0o555, "writing PATH: permission denied"},
		{"the new name cannot be synced", false, 0o333, "syncing the folder of PATH: open FOLDER: permission denied"},
		{"the other name cannot be synced", true, 0o333, "syncing the folder of PATH: open FOLDER: permission denied"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			wholetest.AsNobody(t, dir)
			path := filepath.Join(dir, "r.csv")
			if tc.earlier {
				must(t, os.WriteFile(path, nil, 0o644))
			}
			f, err := Create(path)
			must(t, err)
			must(t, os.Chmod(dir, tc.mode))
			defer os.Chmod(dir, 0o755)
			err = f.Publish()
			want := strings.NewReplacer("PATH", path, "FOLDER", dir).Replace(tc.want)
			if err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
			f.Discard()
			if tc.mode == 0o555 && tc.earlier != (len(names(t, dir)) == 1) {
				t.Errorf("got %q, want what was there", names(t, dir))
			}
		})
	}
}
