package terminal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// TestStreams: a terminal is told from a file, a closed one and what is no file at all, and has a width unless it does not say.
func TestStreams(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, stream := range map[string]any{"file": file, "no file": new(strings.Builder), "nothing": nil} {
		if Is(stream) || Width(stream) != 80 {
			t.Errorf("%s: got a terminal %v of %d columns, want none, and 80", name, Is(stream), Width(stream))
		}
	}
	master, tty, err := pty.Open()
	if err != nil {
		t.Skipf("there is no pseudo-terminal here, so terminals were NOT tried: %v", err)
	}
	defer master.Close()
	defer tty.Close()
	for said, want := range map[uint16]int{0: 80, 1: 1, 132: 132} {
		if err := pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: said}); err != nil {
			t.Fatal(err)
		}
		if !Is(tty) || Width(tty) != want {
			t.Errorf("a terminal that says %d columns: got %v and %d, want a terminal of %d", said, Is(tty), Width(tty), want)
		}
	}
}
