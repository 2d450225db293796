package proof

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// traced are the system calls that make a program's files and connections what they are.
const traced = "open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,copy_file_range,sendfile,sendto,sendmsg,fsync,fdatasync,sync_file_range," +
	"truncate,ftruncate,fallocate,lseek,rename,renameat,renameat2,link,linkat,unlink,unlinkat,symlinkat,close,dup,dup2,dup3,socket,accept4"

// needStrace skips a test, and says what is not tried then, where system calls cannot be recorded.
func needStrace(t *testing.T) string {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err == nil {
		err = exec.Command(strace, "-f", "-o", os.DevNull, "true").Run()
	}
	if err != nil {
		t.Skipf("SKIPPED: strace does not work here (%v), so that power cuts and failing system calls are NOT tried", err)
	}
	return strace
}

// recorder is the command that a program is run by so that its system calls end up in the file.
func recorder(strace, file string, more ...string) []string {
	return append([]string{strace, "-f", "-qq", "-xx", "-s", "1048576", "-e", "signal=none", "-e", "trace=" + traced, "-o", file}, more...)
}

// syscallMade is a system call. Moments are lines of the record: it took place between begun and finished, and where the
// process was killed in it nobody knows whether it did.
type syscallMade struct {
	name            string
	args            []string
	result          int64
	failed          bool
	begun, finished int
}

var (
	callMade    = regexp.MustCompile(`^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)(.*)$`)
	callBegun   = regexp.MustCompile(`^(\d+) +(\w+)\((.*) <(?:unfinished|detached) \.\.\.>\)?(?: += \?)?$`)
	ofTheEnd    = regexp.MustCompile(`\+\+\+|= \?|\?\?\?\(`) // of a thread, or of a call that strace had not begun to read
	callResumed = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+|\?)(.*)$`)
)

// readRecord reads what strace wrote. Its moments begin behind the one given.
func readRecord(t testing.TB, file string, moment int) (calls []*syscallMade, last int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*syscallMade{} // by thread
	for line := range strings.Lines(string(text)) {
		moment++
		line = strings.TrimRight(line, "\n")
		if m := callMade.FindStringSubmatch(line); m != nil {
			c := &syscallMade{name: m[2], args: arguments(m[3]), begun: moment}
			c.end(moment, m[4])
			calls = append(calls, c)
		} else if m := callBegun.FindStringSubmatch(line); m != nil {
			c := &syscallMade{name: m[2], args: []string{m[3]}, begun: moment, finished: math.MaxInt}
			out[m[1]] = c
			calls = append(calls, c)
		} else if m := callResumed.FindStringSubmatch(line); m != nil && out[m[1]] != nil {
			c := out[m[1]]
			c.args = arguments(c.args[0] + m[3])
			c.end(moment, m[4])
			delete(out, m[1])
		} else if !ofTheEnd.MatchString(line) {
			t.Fatalf("strace says %q, which is no system call", line)
		}
	}
	for _, c := range out { // the process was killed meanwhile
		c.args = arguments(strings.TrimSuffix(c.args[0], ","))
	}
	return calls, moment
}

func (c *syscallMade) end(moment int, result string) {
	c.finished = moment
	if result == "?" {
		c.finished = math.MaxInt
		return
	}
	c.result, _ = strconv.ParseInt(result, 10, 64)
	c.failed = c.result < 0
}

// arguments takes them apart, texts decoded: with -xx no text has a comma or a quotation mark in it.
func arguments(text string) (args []string) {
	for _, arg := range strings.Split(text, ", ") {
		arg = strings.TrimSpace(arg)
		if quoted, ok := strings.CutPrefix(arg, `"`); ok {
			bytes, err := hex.DecodeString(strings.ReplaceAll(strings.TrimRight(quoted, `".`), `\x`, ""))
			if err != nil {
				panic(fmt.Sprintf("strace quotes %q: %v", arg, err))
			}
			arg = string(bytes)
		}
		args = append(args, arg)
	}
	return args
}

func (c *syscallMade) arg(i int) string {
	if i < len(c.args) {
		return c.args[i]
	}
	return ""
}

func (c *syscallMade) number(i int) int {
	n, _ := strconv.Atoi(c.arg(i))
	return n
}

// handle is an open file descriptor.
type handle struct {
	file    *inode // nil for a socket, the folder itself, or a file that is elsewhere
	folder  bool
	socket  bool
	appends bool
	at      int    // where the next write goes
	sent    string // over a socket
	began   int    // the moment when the first byte of what is in sent left
}

// replayed plays the system calls of one process on the disk, and calls left at the moment when the first byte of a request
// left, and changed whenever names did.
type replayed struct {
	t       testing.TB
	disk    *abstractDisk
	handles map[int]*handle
	left    func(moment int, request string)
	changed func(moment int)
}

// play makes the calls in the order in which they may first have had their effects.
func (r *replayed) play(calls []*syscallMade) {
	type step struct {
		moment int
		do     func()
	}
	var steps []step
	for _, c := range calls {
		moment, do := r.step(c)
		if do != nil {
			steps = append(steps, step{moment, do})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.moment, b.moment) })
	for _, s := range steps {
		s.do()
	}
}

// step is what a call does, and when at the earliest; a descriptor and a sync are there when the call has ended.
func (r *replayed) step(c *syscallMade) (int, func()) {
	if c.failed && c.name != "fsync" && c.name != "fdatasync" {
		return 0, nil
	}
	switch c.name {
	case "openat":
		return c.finished, func() { r.open(c) }
	case "socket", "accept4":
		return c.finished, func() { r.handles[int(c.result)] = &handle{socket: true} }
	case "close":
		return c.begun, func() { delete(r.handles, c.number(0)) }
	case "write", "pwrite64":
		return c.begun, func() { r.write(c) }
	case "lseek":
		return c.finished, func() {
			if h := r.handles[c.number(0)]; h != nil {
				h.at = int(c.result)
			}
		}
	case "fsync", "fdatasync":
		return c.finished, func() { r.sync(c) }
	case "ftruncate":
		return c.begun, func() {
			if h := r.handles[c.number(0)]; h != nil && h.file != nil {
				r.disk.change(&change{of: h.file, at: c.number(1), begun: c.begun, finished: c.finished})
			}
		}
	case "linkat", "renameat", "renameat2", "unlinkat", "rename", "unlink", "link":
		return c.begun, func() { r.rename(c) }
	}
	return c.begun, func() { r.t.Fatalf("the model of the disk does not know %s(%q)", c.name, c.args) }
}

func (r *replayed) open(c *syscallMade) {
	path, flags := c.arg(1), c.arg(2)
	h := &handle{appends: strings.Contains(flags, "O_APPEND")}
	r.handles[int(c.result)] = h
	if path == r.disk.dir || path == "." {
		h.folder = !strings.Contains(flags, "O_TMPFILE")
		if !h.folder {
			h.file = &inode{}
		}
		return
	}
	name, ok := r.disk.inside(path)
	if !ok {
		return
	}
	h.file = r.disk.names[name]
	if h.file == nil {
		if !strings.Contains(flags, "O_CREAT") {
			r.t.Fatalf("%s is opened, and in the model it is not there", path)
		}
		h.file = &inode{}
		r.named(c, map[string]*inode{name: h.file})
	} else if strings.Contains(flags, "O_TRUNC") {
		r.disk.change(&change{of: h.file, begun: c.begun, finished: c.finished})
	}
}

func (r *replayed) write(c *syscallMade) {
	h := r.handles[c.number(0)]
	switch {
	case h == nil || !h.socket && h.file == nil:
	case h.socket:
		r.send(h, c)
	default:
		data := c.arg(1)
		if c.finished < math.MaxInt {
			data = data[:c.result]
		}
		at := h.at
		switch {
		case c.name == "pwrite64":
			at = c.number(3)
		case h.appends:
			at = len(h.file.text)
		default:
			h.at += len(data)
		}
		r.disk.change(&change{of: h.file, at: at, data: []byte(data), begun: c.begun, finished: c.finished})
	}
}

// send collects what leaves over a socket until a request is whole.
func (r *replayed) send(h *handle, c *syscallMade) {
	if h.sent == "" {
		h.began = c.begun
	}
	h.sent += c.arg(1)
	head, body, ok := strings.Cut(h.sent, "\r\n\r\n")
	if !ok || !strings.HasPrefix(head, "POST ") {
		return
	}
	length, _ := strconv.Atoi(regexp.MustCompile(`(?i)content-length: (\d+)`).FindStringSubmatch(head)[1])
	if len(body) < length {
		return
	}
	h.sent = body[length:]
	r.left(h.began, body[:length])
}

func (r *replayed) sync(c *syscallMade) {
	h := r.handles[c.number(0)]
	if h == nil || h.file == nil && !h.folder || c.finished == math.MaxInt {
		return
	}
	r.disk.sync(h.file, c.begun, !c.failed)
}

// rename gives, changes and takes names.
func (r *replayed) rename(c *syscallMade) {
	paths := slices.DeleteFunc(slices.Clone(c.args), func(a string) bool { return !strings.ContainsAny(a, "/.") })
	names := map[string]*inode{}
	var moved *inode
	if number, ok := strings.CutPrefix(paths[0], "/proc/self/fd/"); ok {
		fd, _ := strconv.Atoi(number)
		moved = r.handles[fd].file
	} else if name, ok := r.disk.inside(paths[0]); ok {
		moved = r.disk.names[name]
		if !strings.HasPrefix(c.name, "link") {
			names[name] = nil
		}
	}
	if len(paths) > 1 {
		if name, ok := r.disk.inside(paths[1]); ok {
			names[name] = moved
		}
	}
	if len(names) > 0 {
		r.named(c, names)
	}
}

func (r *replayed) named(c *syscallMade, names map[string]*inode) {
	r.disk.change(&change{names: names, begun: c.begun, finished: c.finished})
	r.changed(c.begun)
}

// folderAsItIs reads all the files of a folder.
func folderAsItIs(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = text
	}
	return files
}
