package whole

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// names are those of the files in a folder.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestAFileAppearsWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.csv")
	must(t, os.WriteFile(path, []byte("earlier"), 0o644))
	f, err := Create(path)
	must(t, err)
	f.Write([]byte("later"))
	must(t, f.Sync())
	if text, _ := os.ReadFile(path); string(text) != "earlier" {
		t.Errorf("got %q before it is published, want the earlier file", text)
	}
	f.Discard()
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("got %q after it was discarded, want the earlier file alone", got)
	}
	f, err = Create(path)
	must(t, err)
	defer f.Discard()
	f.Write([]byte("later"))
	must(t, f.Publish())
	text, err := os.ReadFile(path)
	must(t, err)
	info, err := os.Stat(path)
	must(t, err)
	if got := names(t, dir); string(text) != "later" || info.Mode().Perm() != 0o600 || len(got) != 1 {
		t.Errorf("got %q, mode %v, beside %q; want the later file alone, for its owner", text, info.Mode(), got)
	}
}

func TestWhatMustNotBeReplaced(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, syscall.Mkfifo(at("fifo"), 0o600))
	must(t, os.Mkdir(at("folder"), 0o700))
	must(t, os.Symlink(at("nothing"), at("dangling")))
	for _, name := range []string{"fifo", "folder", "dangling", "no/r.csv"} {
		if err := Try(at(name)); err == nil {
			t.Errorf("%s: got no error, want one", name)
		}
	}
	f, err := Create(at("r.csv"))
	must(t, err)
	defer f.Discard()
	must(t, syscall.Mkfifo(at("r.csv"), 0o600)) // the name was taken since
	if err := f.Publish(); err == nil {
		t.Error("got no error for a name that a FIFO has taken, want one")
	}
	if info, err := os.Lstat(at("r.csv")); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("got %v, %v; want the FIFO as it was", info, err)
	}
}

func TestALinkIsFollowed(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	must(t, os.WriteFile(real, nil, 0o600))
	must(t, os.Symlink("real", link))
	f, err := Create(link)
	must(t, err)
	defer f.Discard()
	f.Write([]byte("text"))
	must(t, f.Publish())
	if text, _ := os.ReadFile(real); string(text) != "text" {
		t.Errorf("got %q where the link leads, want the text", text)
	}
	if _, err := os.Readlink(link); err != nil {
		t.Errorf("got %v, want the link as it was", err)
	}
}

// TestOrphans: a process that is killed in the instant between the two names of its file leaves one behind. The next one
// removes it, and leaves alone what somebody is still at work with.
func TestOrphans(t *testing.T) {
	dir := t.TempDir()
	killed, dead, err := createFresh(dir)
	must(t, err)
	must(t, killed.Close())
	file, alive, err := createFresh(dir)
	must(t, err)
	defer file.Close()
	if !lock(file) {
		t.Fatal("got no lock for a new file, want one")
	}
	others := []string{".friendsweep-mine", "x" + filepath.Base(dead), freshPrefix + "ABCDEFGHIJKLMNOPQRSTUVWXYZ", filepath.Base(dead) + "2", filepath.Base(alive)}
	for _, name := range others[:4] {
		must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	must(t, os.Symlink(alive, filepath.Join(dir, freshPrefix+"1-A")))
	must(t, syscall.Mkfifo(filepath.Join(dir, freshPrefix+"2-A"), 0o600))
	must(t, Try(filepath.Join(dir, "r.csv")))
	got := names(t, dir)
	if len(got) != len(others)+2 {
		t.Errorf("got %q, want all but %s", got, filepath.Base(dead))
	}
	if _, err := os.Lstat(dead); err == nil {
		t.Error("got the file of a dead process still there, want it removed")
	}
}

// TestReplacing: the file under the new name is the one that was written, whether there was an earlier one or not.
func TestReplacing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.csv")
	for _, text := range []string{"first", "second"} {
		f, err := Create(path)
		must(t, err)
		f.Write([]byte(text))
		must(t, f.Publish())
		if got, _ := os.ReadFile(path); string(got) != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
	if got := names(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("got %q, want the file alone", got)
	}
}

// TestAnotherFileIsNotPublished: what has taken the temporary name meanwhile does not get the file's own, and is not removed.
func TestAnotherFileIsNotPublished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.csv")
	must(t, os.WriteFile(path, []byte("before"), 0o600))
	file, name, err := createFresh(filepath.Dir(path)) // as where no file can be without a name
	must(t, err)
	must(t, os.Remove(name))
	must(t, os.WriteFile(name, []byte("somebody's"), 0o600))
	f := &File{path: path, real: path, file: file, name: name, buf: bufio.NewWriter(file)}
	f.Write([]byte("ours"))
	if err := f.Publish(); err == nil || !strings.Contains(err.Error(), "was replaced meanwhile") {
		t.Errorf("got %v, want an error", err)
	}
	f.Discard()
	for name, want := range map[string]string{path: "before", name: "somebody's"} {
		if got, _ := os.ReadFile(name); string(got) != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestTry(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for path, want := range map[string]bool{
		file: true, filepath.Join(dir, "new"): true, dir: false, os.DevNull: false,
		filepath.Join(dir, "no", "r.csv"): false, filepath.Join(file, "r.csv"): false,
	} {
		if err := Try(path); (err == nil) != want {
			t.Errorf("%s: got %v, want it usable: %v", path, err, want)
		}
	}
}
