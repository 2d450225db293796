package whole

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// freshPrefix begins the name of a file that has none of its own yet. The number of its inode follows, and something random.
const freshPrefix = ".friendsweep-"

// fresh is a name for the file that no other file has: only the file itself has the number in it. So whatever somebody else
// calls a file, it is never taken for one of ours and removed.
func fresh(file *os.File) (string, error) {
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	return inodePrefix(info) + rand.Text(), nil
}

func inodePrefix(info os.FileInfo) string {
	return fmt.Sprintf("%s%d-", freshPrefix, info.Sys().(*syscall.Stat_t).Ino)
}

// createFresh makes a file in the folder that has a name of ours from the beginning, for where nameless files are not to be
// had. A process that is killed between the two names leaves a file that nobody removes.
func createFresh(dir string) (file *os.File, name string, err error) {
	first := filepath.Join(dir, freshPrefix+rand.Text())
	file, err = os.OpenFile(first, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, "", err
	}
	if name, err = fresh(file); err == nil {
		name = filepath.Join(dir, name)
		err = os.Rename(first, name)
	}
	if err != nil {
		os.Remove(first)
		file.Close()
		return nil, "", err
	}
	return file, name, nil
}

// lock marks the file as one that somebody is at work with. Where the file system has no locks the mark is missing, and
// then nobody gets one to remove an orphan either.
func lock(file *os.File) bool {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// removeOrphans removes the files in the folder that were on their way when their process was killed: they have the name
// that [fresh] made for them, and nobody holds their lock, which dies with the process. What cannot be read or removed stays.
func removeOrphans(dir string) {
	folder, err := os.Open(dir)
	if err != nil {
		return
	}
	defer folder.Close()
	names, _ := folder.Readdirnames(-1)
	for _, name := range names {
		if strings.HasPrefix(name, freshPrefix) {
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
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || !strings.HasPrefix(filepath.Base(name), inodePrefix(info)) {
		return
	}
	// A file that got its own name since it was opened is not at this one any more.
	if lock(file) && f.still() {
		os.Remove(name)
	}
}
