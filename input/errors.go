package input

import (
	"errors"
	"fmt"
)

// ErrChanged means that the second read did not find the bytes of the first.
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
