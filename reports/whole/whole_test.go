package whole

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
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
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	fifo, err := os.Lstat(filepath.Join(dir, "fifo"))
	must(t, err)
	must(t, os.Rename(filepath.Join(dir, "fifo"), filepath.Join(dir, inodePrefix(fifo)+"A")))
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

// TestWhatIsWrong: a message has the path as the user wrote it, once, and what is wrong there.
func TestWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.WriteFile(at("file"), nil, 0o600))
	must(t, syscall.Mkfifo(at("fifo"), 0o600))
	must(t, os.Symlink("nothing", at("dangling")))
	must(t, os.Symlink("loop", at("loop")))
	long := strings.Repeat("x", 300)
	for name, want := range map[string]string{
		".":          "it is not a regular file",
		"fifo":       "it is not a regular file",
		"dangling":   "it is a link to nothing",
		"no/r.csv":   "the folder " + at("no") + " does not exist",
		"file/r.csv": "not a directory",
		"loop":       "too many levels of symbolic links",
		long:         "file name too long",
	} {
		want = "writing " + at(name) + ": " + want
		if err := Try(at(name)); err == nil || err.Error() != want {
			t.Errorf("trying: got %v, want %s", err, want)
		}
		if err := Write(at(name), 0o644, nil); err == nil || err.Error() != want {
			t.Errorf("writing: got %v, want %s", err, want)
		}
	}
	if got := names(t, dir); len(got) != 4 {
		t.Errorf("got %q, want what was there", got)
	}
}

// TestDots: a path leads where the system takes it. Without a folder no there is no no/../r.csv, and behind a link .. is the
// folder above the one that the link leads to.
func TestDots(t *testing.T) {
	dir := t.TempDir()
	path := dir + "/no/../r.csv"
	if err, want := Try(path), "writing "+path+": the folder "+dir+"/no/.. does not exist"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	must(t, os.MkdirAll(filepath.Join(dir, "there", "sub"), 0o700))
	must(t, os.Symlink("there/sub", filepath.Join(dir, "link")))
	for _, text := range []string{"first", "second"} {
		must(t, Write(dir+"/link/../r.csv", 0o600, []byte(text)))
		if got, _ := os.ReadFile(filepath.Join(dir, "there", "r.csv")); string(got) != text {
			t.Errorf("got %q above where the link leads, want %q", got, text)
		}
	}
	if got := names(t, dir); len(got) != 2 {
		t.Errorf("got %q beside the link, want nothing", got)
	}
}

func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "figures.prom")
	for _, text := range []string{"first", strings.Repeat("second ", 100_000), ""} {
		must(t, Write(path, 0o640, []byte(text)))
		got, err := os.ReadFile(path)
		must(t, err)
		info, err := os.Stat(path)
		must(t, err)
		if string(got) != text || info.Mode() != 0o640 {
			t.Errorf("got %d bytes, mode %v; want %d, mode 0640", len(got), info.Mode(), len(text))
		}
	}
	if got := names(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("got %q, want the file alone", got)
	}
}

// TestAClosedFile stands for a disk that takes nothing any more: every step says so, and no name appears.
func TestAClosedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.csv")
	want := "writing " + path + ": file already closed"
	for step, try := range map[string]func(f *File) error{
		"write":   func(f *File) error { _, err := f.Write(bytes.Repeat([]byte("x"), 1<<20)); return err },
		"sync":    (*File).Sync,
		"publish": (*File).Publish,
		"keep": func(f *File) error {
			file, err := f.Keep()
			if file != nil {
				t.Errorf("keep: got %s, want no file", file.Name())
			}
			return err
		},
	} {
		f, err := Create(path)
		must(t, err)
		f.Write([]byte("text"))
		must(t, f.File().Close())
		if err := try(f); err == nil || err.Error() != want || !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: got %v, want %s", step, err, want)
		}
		f.Discard()
		if got := names(t, filepath.Dir(path)); len(got) != 0 {
			t.Errorf("%s: got %q, want no file", step, got)
		}
	}
}

// TestAFileThatCannotBeSynced is not published: what is not on the disk gets no name.
func TestAFileThatCannotBeSynced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.csv")
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	f := &File{path: path, real: path, file: w, buf: bufio.NewWriter(w)}
	defer f.Discard()
	if err := f.Publish(); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("got %v, want %v", err, syscall.EINVAL)
	}
	if got := names(t, filepath.Dir(path)); len(got) != 0 {
		t.Errorf("got %q, want no file", got)
	}
}

// TestKeep: the owner goes on with the file that has its name now, and nothing else closes it.
func TestKeep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.journal")
	for range 2 { // where nothing is, and in place of another
		f, err := Create(path)
		must(t, err)
		f.Write([]byte("old "))
		file, err := f.Keep()
		must(t, err)
		f.Discard()
		if _, err := file.WriteString("and new"); err != nil {
			t.Errorf("got %v behind what was kept, want no error", err)
		}
		must(t, file.Close())
		if got, _ := os.ReadFile(path); string(got) != "old and new" {
			t.Errorf("got %q, want what was written before and after", got)
		}
	}
}

// TestDiscard closes the file, removes the name that it has meanwhile, and may always be deferred.
func TestDiscard(t *testing.T) {
	var none *File
	none.Discard()
	dir := t.TempDir()
	f, err := Create(filepath.Join(dir, "r.csv"))
	must(t, err)
	file := f.File()
	f.Discard()
	f.Discard()
	if _, err := file.WriteString("x"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v for a discarded file, want it closed", err)
	}
	file, name, err := createFresh(dir) // as where no file can be without a name
	must(t, err)
	f = &File{file: file, name: name}
	f.Discard()
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("got %q, want no file", got)
	}
}

// TestOpen opens regular files, and waits for nobody who would write into a FIFO.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.WriteFile(at("file"), []byte("text"), 0o600))
	must(t, os.Symlink("file", at("link")))
	must(t, syscall.Mkfifo(at("fifo"), 0o600))
	for _, name := range []string{"file", "link"} {
		file, err := Open(at(name))
		must(t, err)
		var text [9]byte
		if n, _ := file.Read(text[:]); string(text[:n]) != "text" {
			t.Errorf("%s: got %q, want its text", name, text[:n])
		}
		must(t, file.Close())
	}
	for name, want := range map[string]string{
		"fifo": "open " + at("fifo") + ": it is not a regular file",
		".":    "open " + at(".") + ": it is not a regular file",
		"no":   "open " + at("no") + ": no such file or directory",
	} {
		if file, err := Open(at(name)); file != nil || err == nil || err.Error() != want {
			t.Errorf("got %v, %v; want %s", file, err, want)
		}
	}
	if _, err := Open(at("no")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want one that is %v", err, fs.ErrNotExist)
	}
}

func TestSyncFolder(t *testing.T) {
	dir := t.TempDir()
	must(t, SyncFolder(filepath.Join(dir, "r.csv")))
	path := filepath.Join(dir, "no", "r.csv")
	if err := SyncFolder(path); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "syncing the folder of "+path+": ") {
		t.Errorf("got %v, want one about the folder of %s", err, path)
	}
}

// TestWhereTheLinkLedIsTaken: the file goes where the link led when it was begun; if that has gone, or is a folder now, it is
// an error, and nothing is left there.
func TestWhereTheLinkLedIsTaken(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, real string)
		want   error
	}{
		"gone":   {func(t *testing.T, real string) { must(t, os.RemoveAll(filepath.Dir(real))) }, fs.ErrNotExist},
		"folder": {func(t *testing.T, real string) { must(t, os.Remove(real)); must(t, os.Mkdir(real, 0o700)) }, fs.ErrExist},
	} {
		dir := t.TempDir()
		link, real, other := filepath.Join(dir, "link"), filepath.Join(dir, "there", "real"), filepath.Join(dir, "other")
		must(t, os.Mkdir(filepath.Dir(real), 0o700))
		must(t, os.WriteFile(real, nil, 0o600))
		must(t, os.WriteFile(other, []byte("other"), 0o600))
		must(t, os.Symlink(real, link))
		f, err := Create(link)
		must(t, err)
		must(t, os.Remove(link))
		must(t, os.Symlink(other, link))
		c.change(t, real)
		if err := f.Publish(); !errors.Is(err, c.want) || !strings.HasPrefix(err.Error(), "writing "+link+": ") {
			t.Errorf("%s: got %v, want one that is %v", name, err, c.want)
		}
		f.Discard()
		if got, _ := os.ReadFile(other); string(got) != "other" {
			t.Errorf("%s: got %q where the link leads now, want the file as it was", name, got)
		}
		if all, _ := filepath.Glob(filepath.Join(dir, "there", "*")); name == "folder" && len(all) != 1 {
			t.Errorf("%s: got %q, want the folder alone", name, all)
		}
	}
}
