package proof

import (
	"bufio"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	neighbours    = flag.Int("neighbours", 6, "how many busy neighbours TestBusyNeighbour has")
	neighbourSeed = flag.Uint64("neighbour", 0, "the seed of the first of them; 0 for any")
)

// TestBusyNeighbour: somebody works in the folders of the outputs and does something to whatever new name appears there, as
// the files have one for an instant that are about to take another's. No output is ever anything but a file that the program
// wrote, nothing of the neighbour's is touched, and exit code and message are true. The instant is a link that is made: strace
// stops the program there, and the neighbour lets it go on when it has done what it does.
func TestBusyNeighbour(t *testing.T) {
	strace := needStrace(t)
	seed := cmp.Or(*neighbourSeed, rand.Uint64()>>1)
	met := map[string]int{}
	for n := range uint64(*neighbours) {
		t.Run(fmt.Sprint(seed+n), func(t *testing.T) {
			b := newNeighbour(t, rand.New(rand.NewPCG(seed+n, 0)))
			code := b.lives(strace)
			met[fmt.Sprintf("somebody who %s, %d times in a run: exit code %d", b.does, len(b.struck), code)]++
			if t.Failed() {
				t.Logf("%+v; again: go test ./batch/proof -run TestBusyNeighbour -neighbour %d -neighbours 1", b.habits, seed+n)
			}
		})
	}
	for _, what := range slices.Sorted(maps.Keys(met)) {
		t.Logf("%s: %d", what, met[what])
	}
}

// habits are what a seed decides of a neighbour, and of the outputs beside it.
type habits struct {
	does   string
	from   int      // how many new names it leaves alone before it begins
	once   bool     // then it does it to one name alone
	links  []string // the outputs that are links to files in another folder
	comes  []string // the outputs in whose place something comes while requests are on their way
	dead   bool     // the run before has died, so that its journal is written anew
	chunks string
}

// neighbour is somebody who works in the folders of the outputs.
type neighbour struct {
	*site
	habits
	mu     sync.Mutex // at the server and at the end of strace's record
	seen   map[string]bool
	struck []string               // the names that it did something to
	mine   map[string]fs.FileInfo // what it has put where
	failed error
}

// deeds are what a neighbour does to a new name.
var deeds = map[string]func(b *neighbour, path string) error{
	"puts a file there": func(b *neighbour, path string) error {
		return errors.Join(os.WriteFile(b.elsewhere("new"), []byte(ofNeighbour), 0o600), os.Rename(b.elsewhere("new"), path))
	},
	"removes it":            func(_ *neighbour, path string) error { return os.Remove(path) },
	"moves it":              func(b *neighbour, path string) error { return os.Rename(path, b.elsewhere(filepath.Base(path))) },
	"puts a folder there":   instead(func(_ *neighbour, path string) error { return os.Mkdir(path, 0o755) }),
	"puts a link there":     instead(func(b *neighbour, path string) error { return os.Symlink(b.elsewhere("theirs"), path) }),
	"puts a FIFO there":     instead(func(_ *neighbour, path string) error { return syscall.Mkfifo(path, 0o600) }),
	"puts the input there":  instead(func(b *neighbour, path string) error { return os.Link(b.input, path) }),
	"has a file of its own": instead(func(b *neighbour, path string) error { return os.Link(b.elsewhere("theirs"), path) }),
}

// instead does it where there is nothing any more.
func instead(do func(*neighbour, string) error) func(*neighbour, string) error {
	return func(b *neighbour, path string) error { return errors.Join(os.Remove(path), do(b, path)) }
}

const (
	ofNeighbour = "a neighbour's own\n"
	ofAnother   = "of a run that has the same outputs\n"
)

// elsewhere is a name in a folder of the neighbour's.
func (b *neighbour) elsewhere(name string) string {
	return filepath.Join(filepath.Dir(b.dir), "else", name)
}

// newNeighbour is one beside a job that has been begun, with all its outputs.
func newNeighbour(t *testing.T, dice *rand.Rand) *neighbour {
	b := &neighbour{site: newSite(t, smallTable(4)), seen: map[string]bool{}, mine: map[string]fs.FileInfo{}}
	b.does = oneOf(dice, slices.Sorted(maps.Keys(deeds))...)
	b.from, b.once = dice.IntN(3), dice.IntN(2) == 0
	for _, name := range []string{"report.csv", "failures.csv", "page.html", "job.prom"} {
		switch dice.IntN(3) {
		case 0:
			b.links = append(b.links, name)
		case 1:
			b.comes = append(b.comes, name)
		}
	}
	b.chunks, b.dead = oneOf(dice, "1", "2", "4"), dice.IntN(3) == 0
	b.flags = []string{"--chunk-size", b.chunks, "--workers", "2", "--failures", b.path("failures.csv"), "--html", b.path("page.html"),
		"--metrics-file", b.path("job.prom")}
	err := errors.Join(os.Mkdir(b.elsewhere(""), 0o700), os.Mkdir(b.kept(""), 0o700), os.WriteFile(b.elsewhere("theirs"), []byte(ofNeighbour), 0o600))
	b.attempt("--limit", "4").want(t, 4)
	for _, name := range b.links {
		err = errors.Join(err, os.Rename(b.path(name), b.kept(name)), os.Symlink(b.kept(name), b.path(name)))
	}
	if b.dead {
		text, err2 := os.ReadFile(b.path("report.csv.journal"))
		err = errors.Join(err, err2, os.WriteFile(b.path("report.csv.journal"), text[:len(text)-20], 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range b.there() {
		b.seen[path] = true
	}
	return b
}

// kept is a name in the folder that links lead to.
func (b *neighbour) kept(name string) string { return filepath.Join(filepath.Dir(b.dir), "kept", name) }

// there are the paths of all files in the folders of the outputs, and those of the outputs, be they there or not.
func (b *neighbour) there() []string {
	paths := []string{b.path("report.csv"), b.path("failures.csv"), b.path("page.html"), b.path("job.prom")}
	for _, dir := range []string{b.dir, b.kept("")} {
		entries, err := os.ReadDir(dir)
		b.failed = errors.Join(b.failed, err)
		for _, e := range entries {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths
}

// lives makes a run beside the neighbour, and another one when it has gone, and judges what is there. It returns the exit code
// of the first.
func (b *neighbour) lives(strace string) int {
	b.t.Helper()
	record, end, err := os.Pipe()
	if err != nil {
		b.t.Fatal(err)
	}
	b.wrap = []string{strace, "-f", "-qq", "-e", "trace=link,linkat", "-e", "signal=SIGSTOP", "-e", "inject=link,linkat:signal=SIGSTOP", "-o", "/dev/fd/3"}
	b.server.run++
	p := b.prepare(b.deletes()...)
	p.ExtraFiles, p.SysProcAttr = []*os.File{end}, &syscall.SysProcAttr{Setpgid: true}
	b.server.arrived = func(*request) { b.come() }
	p.start()
	end.Close()
	slow := time.AfterFunc(time.Minute, func() {
		b.t.Error("the run does not end")
		syscall.Kill(-p.Process.Pid, syscall.SIGKILL)
	})
	linking := map[string]bool{}                           // threads that make a link: all others stop with one, and say so, too
	for lines := bufio.NewScanner(record); lines.Scan(); { // until both have ended
		switch thread, what, _ := strings.Cut(lines.Text(), " "); {
		case strings.HasPrefix(strings.TrimLeft(what, " "), "link"):
			linking[thread] = true
		case linking[thread] && strings.Contains(what, "stopped by SIGSTOP"):
			delete(linking, thread)
			b.strike()
			syscall.Kill(-p.Process.Pid, syscall.SIGCONT)
		}
	}
	record.Close()
	r := p.wait()
	slow.Stop()
	b.server.settle(b.t, b.endpoint)
	b.server.arrived = nil
	if b.failed != nil {
		b.t.Fatal(b.failed)
	}
	b.judge(r)
	b.wrap = nil
	b.attempt().want(b.t, 0)
	b.plainlyTrue(0)
	b.outputs(0)
	b.untouched()
	return r.code
}

// come puts something in the place of outputs that the run has yet to write.
func (b *neighbour) come() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range b.comes {
		b.failed = errors.Join(b.failed, os.WriteFile(b.path(name), []byte(ofAnother), 0o600))
	}
	b.comes = nil
}

// strike does what the neighbour does to the names that are new.
func (b *neighbour) strike() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, path := range b.there() {
		if b.seen[path] {
			continue
		}
		b.seen[path] = true
		if b.from--; b.from >= 0 || b.once && len(b.struck) > 0 {
			continue
		}
		b.struck = append(b.struck, path)
		b.failed = errors.Join(b.failed, deeds[b.does](b, path))
		if info, err := os.Lstat(path); err == nil {
			b.mine[path] = info
		}
	}
}

// notWritten is what is said of an output to which something was done.
var notWritten = regexp.MustCompile(`writing .*(report\.csv|report\.csv\.journal|failures\.csv|page\.html|job\.prom)\b`)

// judge is about the run beside the neighbour.
func (b *neighbour) judge(r result) {
	b.t.Helper()
	switch {
	case len(b.struck) == 0 && r.code != 0, r.code != 0 && r.code != 4 && r.code != 2:
		b.t.Errorf("got exit code %d, and struck were %q\n%s", r.code, b.struck, r.stderr)
	case r.code != 0 && !notWritten.MatchString(r.stderr):
		b.t.Errorf("got exit code %d, and nothing says that something was done to %q\n%s", r.code, b.struck, r.stderr)
	}
	b.outputs(r.code)
	b.untouched()
	if text, err := os.ReadFile(b.path("report.csv")); err == nil && len(text) > 0 && string(text) != ofAnother && !b.t.Failed() {
		b.plainlyTrue(r.code)
	}
}

// outputs: each is a file that the program wrote, and whole; of a run that did not end well it may be missing, or another's.
func (b *neighbour) outputs(code int) {
	b.t.Helper()
	for name, ends := range map[string]string{"report.csv": "\n", "failures.csv": "\n", "page.html": "</html>\n", "job.prom": "\n"} {
		info, err := os.Stat(b.path(name))
		if err == nil && !info.Mode().IsRegular() {
			b.t.Errorf("%s is no file: %v", name, info.Mode())
			continue
		}
		for path, mine := range b.mine {
			if err == nil && os.SameFile(info, mine) {
				b.t.Errorf("%s is what the neighbour put to %s", name, path)
			}
		}
		text, err := os.ReadFile(b.path(name))
		if code != 0 && string(text) == ofAnother {
			continue
		}
		if code == 0 && err != nil || strings.Contains(string(text), ofNeighbour) || !strings.HasSuffix(string(text), ends) && len(text) > 0 {
			b.t.Errorf("got exit code %d and %v, and %s is\n%.200s", code, err, name, text)
		}
	}
}

// untouched: what the neighbour has put somewhere is there.
func (b *neighbour) untouched() {
	b.t.Helper()
	for path, mine := range b.mine {
		if info, err := os.Lstat(path); err != nil || !os.SameFile(info, mine) {
			b.t.Errorf("what the neighbour put to %s is not there any more: %v", path, err)
		}
	}
	if text, err := os.ReadFile(b.elsewhere("theirs")); err != nil || string(text) != ofNeighbour {
		b.t.Errorf("got %q and %v of the neighbour's own, want %q", text, err, ofNeighbour)
	}
}
