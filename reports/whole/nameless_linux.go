package whole

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// nameless makes a file without a name in the folder; nil where the file system has none.
func nameless(dir string) *os.File {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_APPEND|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil
	}
	file := os.NewFile(uintptr(fd), dir)
	if _, err := os.Lstat(inProc(file)); err != nil { // no /proc: it could never get a name
		file.Close()
		return nil
	}
	return file
}

func inProc(file *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", file.Fd()) }

// link gives a file without a name its first one. It is an error if something has that name.
func link(file *os.File, name string) error {
	return unix.Linkat(unix.AT_FDCWD, inProc(file), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
}
