package secret

import (
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
	if err := os.WriteFile(file, []byte(" abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		from       Source
		want, fail string
	}{
		"neither":          {},
		"a variable":       {from: Source{Value: "abc\n"}, want: "abc"},
		"a file":           {from: Source{File: file}, want: "abc"},
		"both":             {from: Source{Variable: "V", Value: "abc", Flag: "--f", File: file}, fail: "both V and --f are given: which one?"},
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

// TestAClosedFolder: a folder that its user may not look into is no missing file.
func TestAClosedFolder(t *testing.T) {
	dir := t.TempDir()
	err := Source{Flag: "--f", File: filepath.Join(dir, "key")}.unread(&fs.PathError{Op: "open", Path: "key", Err: syscall.EACCES})
	if want := "--f: permission denied in " + dir + "\n"; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}
