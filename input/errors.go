package input

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// ErrChanged means that the second read did not find the bytes of the first. What only kept it from reading is another
// error.
var ErrChanged = errors.New("the input changed while it was used: restore it, then `friendsweep report` writes the report")

// errStopped ends a scan whose consumer wants no more.
var errStopped = errors.New("stopped")

// Error is what makes an input unusable as a whole, with the place where it was found.
type Error struct {
	File   string
	Line   int64 // 0 when no line is to blame
	Column int   // in bytes, counted from 1; 0 when no column is to blame
	Reason string
	Hint   string // what to try; may be empty

	cause error // the system's, when it kept the input from being read
}

// Error says where and what on one line, and the hint on a second.
func (e *Error) Error() string {
	where := "reading " + e.File
	if e.Line > 0 {
		where += fmt.Sprintf(" line %d", e.Line)
	}
	if e.Column > 0 {
		where += fmt.Sprintf(" column %d", e.Column)
	}
	if e.Hint == "" {
		return where + ": " + e.Reason
	}
	return where + ": " + e.Reason + "\n" + e.Hint
}

// secondReadError is an error of a later read of an input that could be read before. What was found in it now has changed since;
// but what the system says, too many open files for example, is no finding, and no [*Error] either.
func secondReadError(err error) error {
	var e *Error
	switch {
	case !errors.As(err, &e):
		return err
	case e.System() == nil:
		return fmt.Errorf("%w (%w)", ErrChanged, err)
	}
	return fmt.Errorf("reading %s again: %w", e.File, e.cause)
}

// System is what the system says, a disk's fault for example, that kept the input from being read: it says nothing about the
// input. It is nil where the input itself is to blame, or is not there.
func (e *Error) System() error {
	for _, gone := range []error{fs.ErrNotExist, syscall.ENOTDIR, syscall.EISDIR} {
		if errors.Is(e.cause, gone) {
			return nil
		}
	}
	return e.cause
}
