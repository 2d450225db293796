package secret

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestRead: from a variable or from a file, not from both; and what is no file's name is not repeated.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "key")
	empty, largest, larger := filepath.Join(dir, "empty"), filepath.Join(dir, "largest"), filepath.Join(dir, "larger")
	most := strings.Repeat("k", 64<<10)
	for path, text := range map[string]string{file: " abc\n", empty: " \n", largest: most, larger: most + "k"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		from       Source
		want, fail string
	}{
		"neither":          {},
		"a variable":       {from: Source{Value: "abc\n"}, want: "abc"},
		"a file":           {from: Source{File: file}, want: "abc"},
		"both":             {from: Source{Variable: "V", Value: "abc", Flag: "--f", File: file}, fail: "both V and --f are given: which one?"},
		"an empty file":    {from: Source{Flag: "--f", File: empty}, fail: "--f: " + empty + " is empty"},
		"a large file":     {from: Source{Flag: "--f", File: largest}, want: most},
		"a larger file":    {from: Source{Flag: "--f", File: larger}, fail: "--f: " + larger + " is no secret: it has more than 65536 bytes"},
		"a folder":         {from: Source{Flag: "--f", File: dir}, fail: "--f " + dir + ": is a directory"},
		"the secret":       {from: Source{Flag: "--f", File: "5bd2850fff3ecb11"}, fail: "--f: no such file in "},
		"one with a slash": {from: Source{Flag: "--f", File: filepath.Join(dir, "5bd2850fff3ecb11", "x")}, fail: "--f: no such folder in " + dir + "\n"},
	} {
		got, err := c.from.Read(t.Context())
		if got.Reveal() != c.want || (err != nil) != (c.fail != "") {
			t.Errorf("%s: got %q, %v; want %q", name, got.Reveal(), err, c.want)
		}
		if err != nil && (!strings.HasPrefix(err.Error(), c.fail) || strings.Contains(err.Error(), "5bd2850fff3ecb11")) {
			t.Errorf("%s: got %v, want %q", name, err, c.fail)
		}
	}
}

// TestASilentPipe: a pipe that nobody writes to is waited for until the run is told to end.
func TestASilentPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	interrupted := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(interrupted)
	if got, err := (Source{Flag: "--f", File: pipe}).Read(ctx); err != interrupted || got != "" {
		t.Errorf("got %q, %v; want the cause", got.Reveal(), err)
	}
	// Whoever waits in the pipe is let go.
	if writer, err := os.OpenFile(pipe, os.O_RDWR, 0); err == nil {
		defer writer.Close()
	}
}

// TestCheckFile: a run that needs no secret refuses all the same a file that is not there, and no file is no fault.
func TestCheckFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"": "", file: "", file + ".none": "--f: no such file in " + filepath.Dir(file) + "\n"} {
		if err := (Source{Flag: "--f", File: name}).CheckFile(); (err != nil) != (want != "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", name, err, want)
		}
	}
}

// TestAClosedFolder: a folder that its user may not look into is no missing file.
func TestAClosedFolder(t *testing.T) {
	dir := t.TempDir()
	err := Source{Flag: "--f", File: filepath.Join(dir, "key")}.unread(&fs.PathError{Op: "open", Path: "key", Err: syscall.EACCES})
	if want := "--f: permission denied in " + dir + "\n"; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}
