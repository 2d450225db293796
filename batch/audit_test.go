package batch

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"friendsweep/input"
)

func TestTheMachinesFaultIsNoVerdict(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want bool
	}{
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, true},
		{fmt.Errorf("writing a temporary file: %w", syscall.EMFILE), true},
		{fmt.Errorf("12 lines for 13 records"), false},
		{&input.Error{File: "p.csv", Reason: "is empty"}, false},
	} {
		if got := isMachines(tc.err); got != tc.want {
			t.Errorf("%v: got %v, want %v", tc.err, got, tc.want)
		}
	}
}

// TestUnreadIsNoDifference: a report that cannot be read was not changed.
func TestUnreadIsNoDifference(t *testing.T) {
	line, err := firstDifference(strings.NewReader("text"), t.TempDir()) // a folder can be opened, and not be read
	if line != 0 || !errors.Is(err, syscall.EISDIR) {
		t.Errorf("got line %d and %v, want no line and %v", line, err, syscall.EISDIR)
	}
}
