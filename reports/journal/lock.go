package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

// ErrHeld says that another process holds a journal or a lock file: exit code 5.
var ErrHeld = errors.New("another run holds it")

// A look at the lock by `friendsweep status` takes microseconds; whoever meets one waits and tries again.
const (
	lockTries = 10
	lockPause = 20 * time.Millisecond
)

// LockFile takes the lock on the file at path, which it makes with mode 0600 if it is not there. It does not wait: where
// another process has the lock the error is [ErrHeld]. The lock ends with Close or with the process, however that
// ends; the file stays, because removing it would let two processes each lock a file of this name.
//
// A file of its own says in it who holds it, for whoever meets the lock; holder is that, in words. A file that has
// something else in it is left as it is.
func LockFile(path, holder string) (io.Closer, error) {
	file, _, err := openLocked(path)
	if errors.Is(err, ErrHeld) {
		return nil, heldBy(path, err)
	}
	if err != nil {
		return nil, err
	}
	if _, ours := lockedBy(path); ours {
		// Best effort: the lock does not depend on what is in the file.
		if file.Truncate(0) == nil {
			_, _ = file.WriteString(lockMark + holder + "\n")
		}
	}
	return lockFile{file}, nil
}

type lockFile struct{ *os.File }

// Close gives the lock up: see [closeLocked].
func (f lockFile) Close() error { return closeLocked(f.File) }

// lockMark begins a lock file that is ours.
const lockMark = "friendsweep lock: "

// lockedBy is who the file says has locked it; ours is false where it has something else in it.
func lockedBy(path string) (holder string, ours bool) {
	file, err := os.Open(path)
	if err != nil {
		return "", false
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, 1000))
	if err != nil || len(text) == 0 {
		return "", err == nil
	}
	holder, ours = strings.CutPrefix(string(text), lockMark)
	return strings.TrimSpace(holder), ours
}

// heldBy adds to the error who has the lock.
func heldBy(path string, err error) error {
	if holder, ours := lockedBy(path); ours && holder != "" {
		return fmt.Errorf("%w\nit is %s", err, holder)
	}
	return err
}

// openLocked opens the file for reading and appending, makes it if necessary, and locks it. made says that it was not there.
func openLocked(path string) (f *os.File, made bool, err error) {
	for try := 0; ; try++ {
		f, made, err = tryLock(path)
		if err == nil || !errors.Is(err, errAgain) {
			return f, made, err
		}
		if try == lockTries {
			return nil, false, fmt.Errorf("locking %s: %w; wait until it has ended", path, ErrHeld)
		}
		time.Sleep(lockPause)
	}
}

var errAgain = errors.New("locked for a moment, or replaced meanwhile")

func tryLock(path string) (f *os.File, made bool, err error) {
	const how = os.O_RDWR | os.O_CREATE | os.O_APPEND
	f, err = os.OpenFile(path, how|os.O_EXCL, 0o600)
	if made = err == nil; errors.Is(err, fs.ErrExist) {
		f, err = os.OpenFile(path, how, 0o600)
	}
	if err != nil {
		return nil, false, fmt.Errorf("locking: %w", err)
	}
	if err = lockOpened(f, path); err != nil {
		f.Close()
		return nil, false, err
	}
	return f, made, nil
}

func lockOpened(f *os.File, path string) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("locking: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("locking %s: it is not a regular file", path)
	}
	if err := flock(f, syscall.LOCK_EX); err != nil {
		return err
	}
	// Between open and lock the holder before us may have removed or replaced the file. Then what we locked has no name
	// any more, and a third process could lock the one that has.
	if !stillAt(path, info) {
		return errAgain
	}
	return nil
}

// flock takes the lock without waiting; errAgain where another process has it.
func flock(f *os.File, how int) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err {
		case nil:
			return nil
		case syscall.EINTR:
		case syscall.EWOULDBLOCK:
			return errAgain
		default:
			return fmt.Errorf("locking %s: %w\nput it on a file system that has locks", f.Name(), err)
		}
	}
}

// closeLocked gives the lock up and closes the file. To close it is not enough: a child that the process is just starting has
// the file open as well, and with it the lock, until it executes its program.
func closeLocked(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
	return errors.Join(err, f.Close())
}

// held reports whether another process has the lock on the opened file. It takes the shared lock for a moment.
func held(f *os.File) (bool, error) {
	err := flock(f, syscall.LOCK_SH)
	if errors.Is(err, errAgain) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return false, syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
}

// stillAt reports whether path names the file that info describes.
func stillAt(path string, info os.FileInfo) bool {
	now, err := os.Stat(path)
	return err == nil && os.SameFile(now, info)
}
