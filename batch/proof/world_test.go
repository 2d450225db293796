package proof

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"friendsweep/batch/sandbox"
)

// world is a folder with files of every kind, made from a seed, for a command line to be tried in. Beside the folder that
// the program works in lies one with somebody else's files.
type world struct {
	rng   *rand.Rand
	base  string // of everything
	dir   string // where the program works
	user  uint32 // who runs it, if not 0
	names []string
	fifos []string
	notes []string // what was made, for whoever reads of a failure
	// written is what runs have written to their failures files and pages, by path.
	written map[string]string
	runs    map[string]*line // that have begun, by the path of their journal: the last of each
	err     error            // the first thing that could not be made
}

// ours is a name as the program makes them up for a file on its way.
const ours = ".friendsweep-ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// worldNames are names that files may have: plain ones, those that the program makes up, and those that no shell, no terminal
// and no JSON takes as they are.
var worldNames = []string{
	"pairs.csv", "r.csv", "f.csv", "p.html", "m.prom", "lock", "key", "r.csv.journal", "r.csv.1", "r.csv.journal.1", "r.csv.2",
	"pairs.report.csv", "pairs.report.csv.journal", "pairs.check.csv", "r.csv.partial", "r.csv.tmp", "r.csv~", ours, "-", "-x.csv", "--yes", "--", "a=b", "true", "~",
	"$(touch x)", "a b'c\"", "new\nline", "\xff\xfe.csv", "\u00fc\u202e.csv", "*", "...", "sub/r.csv", "sub/pairs.csv", "ro/f.csv", "\x1b[31m",
	strings.Repeat("n", 255), strings.Repeat("j", 247), strings.Repeat("j", 246),
}

// Inputs: the first is that of the jobs that are there already.
const (
	somePairs  = "from,to\na,b\na,c\nb,c\n"
	otherPairs = "from_account,to_account\nx,y\nx,not-friend-1\nx,missing-1\nx,x\ny,x\nx,y\n"
)

// newWorld makes the folders and between 3 and 12 files.
func newWorld(base string, rng *rand.Rand, jobs []finishedJob) (*world, error) {
	w := &world{rng: rng, base: base, dir: filepath.Join(base, "job"), written: map[string]string{}, runs: map[string]*line{}}
	for _, dir := range []string{"job", "job/sub", "job/ro", "tmp", "else", "else/deep"} {
		w.must(os.Mkdir(filepath.Join(base, dir), 0o777))
		w.must(os.Chmod(filepath.Join(base, dir), 0o777))
	}
	w.must(os.Chmod(base, 0o755))
	if os.Getuid() == 0 && rng.IntN(2) == 0 {
		w.user = 65534
		w.must(os.Chmod(filepath.Join(base, "job/ro"), 0o755))
	}
	w.put("../else/foreign.csv", []byte("somebody else's\n"), 0o666)
	w.put("../else/deep/r.csv", []byte("somebody else's report\n"), 0o666)
	w.link("away", "../else/deep")
	for range 3 + rng.IntN(10) {
		w.make(worldNames[rng.IntN(len(worldNames))], jobs)
	}
	for rng.IntN(2) == 0 { // something that has a journal's name
		name := w.names[rng.IntN(len(w.names))]
		if len(filepath.Base(name)) < 240 && !strings.HasSuffix(name, ".journal") && name[0] != '.' {
			w.make(name+".journal", jobs)
		}
	}
	return w, w.err
}

func (w *world) must(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *world) path(name string) string { return w.dir + "/" + name }

func (w *world) there(name string) bool {
	_, err := os.Lstat(w.path(name))
	return err == nil
}

// text is that of a regular file; a FIFO is not read.
func (w *world) text(name string) string {
	if info, err := os.Stat(w.path(name)); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	text, err := os.ReadFile(w.path(name))
	w.must(err)
	return string(text)
}

func (w *world) note(name, what string) {
	w.names = append(w.names, name)
	w.notes = append(w.notes, fmt.Sprintf("%.40q: %s", name, what))
}

// put writes a file that is older than every run, as one that was moved here is.
func (w *world) put(name string, text []byte, mode fs.FileMode) {
	w.must(os.WriteFile(w.path(name), text, 0o600))
	w.must(os.Chmod(w.path(name), mode))
	w.must(os.Chtimes(w.path(name), time.Time{}, time.Unix(1e9, 0)))
	w.own(name)
	w.note(name, fmt.Sprintf("%v %.30q", mode, text))
}

// own gives the file to whoever runs the program, mostly.
func (w *world) own(name string) {
	if w.user != 0 && w.rng.IntN(8) > 0 {
		w.must(os.Lchown(w.path(name), int(w.user), int(w.user)))
	}
}

func (w *world) link(name, to string) {
	w.must(os.Symlink(to, w.path(name)))
	w.note(name, "link to "+to)
}

// make puts something at the name, if there is nothing yet.
func (w *world) make(name string, jobs []finishedJob) {
	if w.there(name) {
		return
	}
	switch w.rng.IntN(16) {
	case 0, 1, 2, 3:
		w.put(name, []byte(somePairs), 0o644)
	case 4, 5:
		w.put(name, []byte(otherPairs), 0o600)
	case 6:
		w.put(name, []byte(sandbox.DefaultKey+"\n"), 0o600)
	case 7:
		w.put(name, []byte{}, 0o644)
	case 8:
		w.put(name, []byte([]string{"no journal", "a line\n", "{\"v\":1}\n{\"x\":\n"}[w.rng.IntN(3)]), 0o644)
	case 9:
		w.link(name, w.target())
	case 10:
		w.hardLink(name)
	case 11:
		w.special(name)
	case 12:
		w.must(os.Mkdir(w.path(name), 0o755))
		w.note(name, "folder")
	default:
		w.job(name, jobs[w.rng.IntN(len(jobs))])
	}
}

// target is where a symbolic link leads: to another file, out of the folder, or nowhere.
func (w *world) target() string {
	if n := w.rng.IntN(8); n < 2 {
		return []string{"nowhere", "../else/foreign.csv"}[n]
	}
	return w.path(w.names[w.rng.IntN(len(w.names))])
}

func (w *world) hardLink(name string) {
	of := w.names[w.rng.IntN(len(w.names))]
	if info, err := os.Lstat(w.path(of)); err == nil && info.Mode().IsRegular() {
		w.must(os.Link(w.path(of), w.path(name)))
		w.note(name, "hard link to "+of)
	}
}

func (w *world) special(name string) {
	if w.rng.IntN(2) == 0 && os.Getuid() == 0 {
		w.must(syscall.Mknod(w.path(name), syscall.S_IFCHR|0o666, 1<<8|3)) // the null device
		w.note(name, "device")
		return
	}
	w.must(syscall.Mkfifo(w.path(name), 0o666))
	w.must(os.Chmod(w.path(name), 0o666))
	w.fifos = append(w.fifos, name)
	w.note(name, "FIFO")
}

// finishedJob is what a run has left behind, to be copied to where a command line finds it.
type finishedJob struct {
	what            string
	report, journal []byte
}

// job puts the report and the journal of an earlier run at a name.
func (w *world) job(name string, j finishedJob) {
	if len(filepath.Base(name)) > 240 || w.there(name+".journal") {
		return
	}
	w.put(name, j.report, 0o600)
	w.put(name+".journal", j.journal, 0o600)
	w.notes = append(w.notes, "… of "+j.what)
}

// file is what is known of a file at one moment.
type file struct {
	mode   fs.FileMode
	inode  uint64
	owner  uint32
	device uint64 // that it is, if it is one
	text   string // of a regular file, or where a link leads
}

// look is everything there is beneath the world's base, by path.
func (w *world) look() (map[string]file, error) {
	all := map[string]file{}
	err := filepath.WalkDir(w.base, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		stat := info.Sys().(*syscall.Stat_t)
		f := file{mode: info.Mode(), inode: stat.Ino, owner: stat.Uid, device: uint64(stat.Rdev)}
		switch {
		case info.Mode().IsRegular():
			var text []byte
			text, err = os.ReadFile(path)
			f.text = string(text)
		case info.Mode()&fs.ModeSymlink != 0:
			f.text, err = os.Readlink(path)
		}
		all[path] = f
		return err
	})
	return all, err
}

// feed writes pairs into the FIFOs whenever somebody reads them, until the returned function is called. It leaves nothing
// running.
func (w *world) feed(fifos []string) (stop func()) {
	var over atomic.Bool
	var stops []func()
	for _, name := range fifos {
		ended, held := make(chan struct{}), hold(w.path(name))
		stops = append(stops, func() { release(held, ended) })
		go func() { // ended and waited for by stop
			defer close(ended)
			for !over.Load() {
				f, err := os.OpenFile(w.path(name), os.O_WRONLY, 0)
				if err != nil {
					return // it is not there any more: look finds that
				}
				_, _ = f.WriteString(somePairs) // the reader may be gone
				f.Close()
			}
		}()
	}
	return func() {
		over.Store(true)
		for _, stop := range stops {
			stop()
		}
	}
}

// hold keeps hold of a FIFO without reading it, whatever becomes of its name.
func hold(fifo string) int {
	fd, err := unix.Open(fifo, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1 // it is not there, so nobody can wait in it
	}
	return fd
}

// release lets a writer that waits for a reader come to its end.
func release(held int, ended chan struct{}) {
	f, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", held), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err == nil {
		defer f.Close()
	}
	<-ended
	unix.Close(held)
}

// place is the file that a path names, be it there or not.
type place struct {
	there      bool
	link       bool // the last name of the path is a link
	regular    bool
	file       string // what tells it from others
	name       string // the path of the directory entry itself, without links
	folderless bool   // no file can be made there
	err        error
}

// placeOf looks the path up as the system would.
func (w *world) placeOf(path string) (p place) {
	if !filepath.IsAbs(path) {
		path = w.path(path)
	}
	dir, base := filepath.Split(path)
	folder, err := filepath.EvalSymlinks(dir + ".")
	p.name = filepath.Join(folder, base)
	if info, failed := os.Stat(folder); err != nil || failed != nil || !info.IsDir() || base == "" || base == "." || base == ".." {
		p.folderless = true
	}
	linked, err := os.Lstat(path)
	p.link = err == nil && linked.Mode()&fs.ModeSymlink != 0
	info, err := os.Stat(path)
	p.file = p.name
	if err == nil {
		stat := info.Sys().(*syscall.Stat_t)
		p.there, p.regular = true, info.Mode().IsRegular()
		p.file = fmt.Sprint("inode ", stat.Dev, " ", stat.Ino)
	} else if !errors.Is(err, fs.ErrNotExist) {
		p.err = err
	}
	return p
}

// writable reports whether a file can be written at p and given that name.
func (w *world) writable(p place) bool {
	switch {
	case p.folderless, p.err != nil, p.there && !p.regular, p.link && !p.there, len(filepath.Base(p.name)) > 255:
		return false
	}
	folder := filepath.Dir(p.name)
	if p.link { // links are followed
		target, err := filepath.EvalSymlinks(p.name)
		if err != nil {
			return false
		}
		folder = filepath.Dir(target)
	}
	info, err := os.Stat(folder)
	if err != nil || w.user == 0 {
		return err == nil
	}
	return info.Mode().Perm()&0o002 != 0 || info.Sys().(*syscall.Stat_t).Uid == w.user
}

func oneOf[T any](rng *rand.Rand, all ...T) T { return all[rng.IntN(len(all))] }

// spelled is a path to the name, in one of the ways there are to write it.
func (w *world) spelled(name string) string {
	switch w.rng.IntN(12) {
	case 0:
		return "./" + name
	case 1:
		return w.path(name)
	case 2:
		return "sub/../" + name
	case 3:
		return "../job/" + name
	case 4:
		return "away/../../job/" + name // away is a link to another folder two levels deep
	case 5:
		return ".//" + name
	}
	return name
}

// anyPath is any path at all: of a file that is there or not, in this folder or elsewhere.
func (w *world) anyPath() string {
	switch w.rng.IntN(10) {
	case 0, 1, 2:
		return w.spelled(worldNames[w.rng.IntN(len(worldNames))])
	case 3:
		return oneOf(w.rng, "missing/x", "../else/foreign.csv", "../else/new.csv", "away/r.csv", "away/../new.csv", ".", "..", "sub", "sub/", "pairs.csv/", "pairs.csv/x", "/proc/x")
	case 4:
		if w.user != 0 { // whoever may do everything could lose the machine its devices
			return oneOf(w.rng, "/dev/null", "/dev/full", "/dev/stdin", "/dev/stdout", "/dev/fd/0")
		}
	}
	return w.spelled(w.names[w.rng.IntN(len(w.names))])
}

// unused is a path at which there is nothing yet, in a folder that can be written.
func (w *world) unused(ext string) string {
	for {
		name := oneOf(w.rng, "one", "two", "three", "f\xe4nf", "se'chs", "\xff") + ext
		if w.rng.IntN(4) == 0 {
			name = "sub/" + name
		}
		if !w.there(name) || w.rng.IntN(40) == 0 {
			return w.spelled(name)
		}
	}
}

func (w *world) describe() string {
	notes := slices.Clone(w.notes)
	return fmt.Sprintf("run by user %d in %s with\n  %s", w.user, w.dir, strings.Join(notes, "\n  "))
}
