package whole

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	freshPrefix = ".friendsweep-"
	freshLength = len(freshPrefix) + 26 // rand.Text has 26 characters
)

// fresh is a file name that nobody else has: no file that somebody named can be called so by accident.
func fresh() string { return freshPrefix + rand.Text() }

// lock marks the file as one that somebody is at work with. Where the file system has no locks the mark is missing, and
// then nobody gets one to remove an orphan either.
func lock(file *os.File) bool {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// removeOrphans removes the files in the folder that were on their way when their process was killed: they have a name
// of ours, and nobody holds their lock, which dies with the process. What cannot be read or removed stays.
func removeOrphans(dir string) {
	folder, err := os.Open(dir)
	if err != nil {
		return
	}
	defer folder.Close()
	names, _ := folder.Readdirnames(-1)
	for _, name := range names {
		if len(name) == freshLength && strings.HasPrefix(name, freshPrefix) {
			removeOrphan(filepath.Join(dir, name))
		}
	}
}

func removeOrphan(name string) {
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer file.Close()
	f := &File{file: file, name: name}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return
	}
	// A file that got its own name since it was opened is not at this one any more.
	if lock(file) && f.still() {
		os.Remove(name)
	}
}
