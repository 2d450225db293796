package batch

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// TestUnreadInputIsNoVerdict: an input that the system does not open says nothing of its bytes; one that is gone is a finding.
func TestUnreadInputIsNoVerdict(t *testing.T) {
	dir := t.TempDir()
	loop := filepath.Join(dir, "loop.csv")
	if err := os.Symlink("loop.csv", loop); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{loop: true, filepath.Join(dir, "gone.csv"): false} {
		_, err := input.Read(t.Context(), input.Options{Path: path, ChunkSize: 1, TempDir: dir})
		if got := isMachines(err); err == nil || got != want {
			t.Errorf("%v: got %v, want %v", err, got, want)
		}
	}
}

// TestUnreadIsNoDifference: a report that cannot be read was not changed.
func TestUnreadIsNoDifference(t *testing.T) {
	line, err := firstDifference(strings.NewReader("text"), t.TempDir())
	if line != 0 || err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got line %d and %v, want no line and an error that it is not a regular file", line, err)
	}
}
