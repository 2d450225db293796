package input

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// lines makes n valid records of as many accounts.
func lines(n int) string {
	var b strings.Builder
	b.WriteString("from,to\n")
	for i := range n {
		fmt.Fprintf(&b, "account%d,friend\n", i)
	}
	return b.String()
}

func TestPipes(t *testing.T) {
	text := lines(20_000)
	for name, open := range map[string]func(t *testing.T) (Options, func() (*os.File, error)){
		"standard input": func(t *testing.T) (Options, func() (*os.File, error)) {
			r, w := pipe(t)
			return Options{Path: "-", Stdin: r}, func() (*os.File, error) { return w, nil }
		},
		"a descriptor": func(t *testing.T) (Options, func() (*os.File, error)) {
			r, w := pipe(t)
			return Options{Path: fmt.Sprintf("/dev/fd/%d", r.Fd())}, func() (*os.File, error) { return w, nil }
		},
		"a named pipe": func(t *testing.T) (Options, func() (*os.File, error)) {
			name := fifo(t)
			return Options{Path: name}, func() (*os.File, error) { return os.OpenFile(name, os.O_WRONLY, 0) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			opts, producer := open(t)
			opts.TempDir, opts.ChunkSize = t.TempDir(), 10
			wrote := make(chan error, 1)
			go func() { // ends with the text, which Read reads; waited for below
				w, err := producer()
				if err == nil {
					_, err = w.WriteString(text)
				}
				wrote <- errors.Join(err, w.Close())
			}()
			in := readAll(t, opts)
			defer in.Close()
			if err := <-wrote; err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if got := len(collect(t, in.Records(t.Context()))); got != 20_000 {
					t.Errorf("got %d records, want 20000", got)
				}
			}
			if in.Bytes != int64(len(text)) {
				t.Errorf("got %d bytes, want %d", in.Bytes, len(text))
			}
		})
	}
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func fifo(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// blocking gives a text, then does something, then blocks.
type blocking struct {
	r    io.Reader
	then func()
}

func (b *blocking) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err == io.EOF {
		b.then()
		select {}
	}
	return n, err
}

func TestCancelledWhileBlocked(t *testing.T) {
	for _, text := range []string{"", "from,to\na", zipped(t, sample)[:20], zstandard(t, sample)[:15]} {
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		stdin := &blocking{strings.NewReader(text), cancel}
		_, err := Read(ctx, Options{Path: "-", Stdin: stdin, ChunkSize: 1, TempDir: dir})
		if err != context.Canceled {
			t.Errorf("after %q: got %v, want %v", text, err, context.Canceled)
		}
		clean(t, dir)
	}
}

func TestCancelledWhileOpening(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := Read(ctx, Options{Path: fifo(t), ChunkSize: 1})
	if err != context.DeadlineExceeded {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
}

// cancelAfter cancels once so many bytes were read.
type cancelAfter struct {
	r      io.Reader
	left   int
	cancel func()
}

func (c *cancelAfter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p[:min(len(p), 100_000)])
	if c.left -= n; c.left < 0 {
		c.cancel()
	}
	return n, err
}

func TestCancelledAnywhere(t *testing.T) {
	text := lines(60_000)
	for left := 0; left < len(text); left += 150_000 {
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		stdin := &cancelAfter{strings.NewReader(text), left, cancel}
		_, err := Read(ctx, Options{Path: "-", Stdin: stdin, ChunkSize: 1, TempDir: dir, Both: true})
		if err != context.Canceled {
			t.Errorf("after %d bytes: got %v, want %v", left, err, context.Canceled)
		}
		clean(t, dir)
	}
}

func TestCancelledWhileGrouping(t *testing.T) {
	for _, both := range []bool{false, true} {
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		work := &workspace{ctx: ctx, dir: dir, limits: tiny}
		parts := work.partitions(2, byAccount, 0)
		for i := range 10_000 {
			if err := parts.record(Record{Line: int64(i), From: fmt.Sprint(i), To: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		in := &Input{opts: Options{Both: both, ChunkSize: 1, limits: tiny, Progress: new(Progress)}, groups: newGroupFile(dir), mirrors: newGroupFile(dir), turned: newGroupFile(dir), repeats: newRepeatLog(dir)}
		if err := in.group(parts); err != context.Canceled && !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
		clean(t, dir)
	}
}

// clean checks that nothing in the folder has a name, and that no file of it is open.
func clean(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		t.Errorf("got %s in the folder of temporary files, want none", f.Name())
	}
	if runtime.GOOS != "linux" {
		return
	}
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if to, _ := os.Readlink(fd); strings.HasPrefix(to, dir) {
			t.Errorf("got %s open, want it closed", to)
		}
	}
}

func TestNoTemporaryFileIsLeft(t *testing.T) {
	long := lines(50_000)
	mirrored := long + strings.ReplaceAll(strings.ReplaceAll(lines(20_000), "from,to\n", ""), "account", "friend,account")
	for name, text := range map[string]string{"good": long, "mirrors": mirrored, "bad": long + "a,\"b", "repeats": long + long[8:],
		"bad gzip": zipped(t, long)[:50_000], "bad zstd": zstandard(t, long)[:10_000]} {
		for _, path := range []string{"-", "pairs.csv"} {
			t.Run(name+" "+path, func(t *testing.T) {
				dir := t.TempDir()
				t.Chdir(t.TempDir())
				if err := os.WriteFile("pairs.csv", []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				in, err := Read(t.Context(), Options{Path: path, Stdin: strings.NewReader(text), ChunkSize: 1, TempDir: dir, Both: true,
					limits: limits{bytes: 1 << 20, rows: 100, parts: 10, depth: 9}})
				if err == nil {
					for range in.Groups() {
						break
					}
					for range in.Records(t.Context()) {
						break
					}
					in.Close()
				}
				clean(t, dir)
			})
		}
	}
}

func TestProducerOfABadInputIsReleased(t *testing.T) {
	name := fifo(t)
	wrote := make(chan error, 1)
	go func() { // ends when the other end is closed; waited for below
		w, err := os.OpenFile(name, os.O_WRONLY, 0)
		for err == nil {
			_, err = io.WriteString(w, "a\"b\n")
		}
		w.Close()
		wrote <- err
	}()
	_, err := Read(t.Context(), Options{Path: name, ChunkSize: 1})
	if err == nil {
		t.Fatal("got no error, want one")
	}
	if err := <-wrote; !errors.Is(err, syscall.EPIPE) {
		t.Errorf("got %v, want %v", err, syscall.EPIPE)
	}
}

func TestFullDiskIsNotTheInputsFault(t *testing.T) {
	for _, text := range []string{sample, zipped(t, lines(5000)), zstandard(t, lines(5000))} {
		src, err := openSource(t.Context(), Options{Path: "-", Stdin: strings.NewReader(text), TempDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		src.spool.Close()
		_, err = (&Input{source: src, opts: Options{limits: usual, Progress: new(Progress)}}).firstRead(t.Context())
		blamesTheMachine(t, err, os.ErrClosed)
	}
}

func TestNoRoomForPartitions(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pairs.csv")
	if err := os.WriteFile(name, []byte(lines(50_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Read(t.Context(), Options{Path: name, ChunkSize: 1, TempDir: filepath.Join(t.TempDir(), "none")})
	blamesTheMachine(t, err, os.ErrNotExist)
	_, err = Read(t.Context(), Options{Path: "-", Stdin: strings.NewReader(sample), ChunkSize: 1, TempDir: filepath.Join(t.TempDir(), "none")})
	blamesTheMachine(t, err, os.ErrNotExist)
}

// blamesTheMachine checks that not the input is blamed.
func blamesTheMachine(t *testing.T, err, want error) {
	t.Helper()
	var e *Error
	if errors.As(err, &e) || !errors.Is(err, want) {
		t.Errorf("got %T %v, want %v and no *Error", err, err, want)
	}
}

// broken fails in the middle of a read.
type broken struct{ r io.Reader }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err == io.EOF {
		err = &os.PathError{Op: "read", Path: "/dev/sdx", Err: syscall.EIO}
	}
	return n, err
}

func TestReadErrorIsNoCorruption(t *testing.T) {
	for _, text := range []string{"", "from,to\na,b\n", "from,to\na,\"b", zipped(t, sample)[:20], zstandard(t, sample)[:15]} {
		_, err := Read(t.Context(), Options{Path: "-", Stdin: broken{strings.NewReader(text)}, ChunkSize: 1})
		refused(t, err, "reading standard input: input/output error")
	}
}

func TestChangedBetweenTheReads(t *testing.T) {
	text := lines(10_000)
	for name, change := range map[string]func() error{
		"a byte": func() error {
			return os.WriteFile("pairs.csv", []byte(strings.Replace(text, "friend", "fiend!", 1)), 0o600)
		},
		"longer":   func() error { return os.WriteFile("pairs.csv", []byte(text+"a,b\n"), 0o600) },
		"blank":    func() error { return os.WriteFile("pairs.csv", []byte(text+"\n"), 0o600) },
		"shorter":  func() error { return os.Truncate("pairs.csv", int64(len(text)-14)) },
		"broken":   func() error { return os.WriteFile("pairs.csv", []byte(text+"\""), 0o600) },
		"gone":     func() error { return os.Remove("pairs.csv") },
		"a folder": func() error { return errors.Join(os.Remove("pairs.csv"), os.Mkdir("pairs.csv", 0o700)) },
		"a pipe":   func() error { return errors.Join(os.Remove("pairs.csv"), syscall.Mkfifo("pairs.csv", 0o600)) },
		"below a file": func() error {
			dir, err := os.Getwd()
			return errors.Join(err, os.Chdir(".."), os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := readText(t, text)
			if err != nil {
				t.Fatal(err)
			}
			if err := change(); err != nil {
				t.Fatal(err)
			}
			var last error
			for _, err := range in.Records(t.Context()) {
				if last != nil {
					t.Error("got a record after the error, want none")
				}
				last = err
			}
			if !errors.Is(last, ErrChanged) {
				t.Errorf("got %v, want %v", last, ErrChanged)
			}
		})
	}
}

// What keeps the input from being read again says nothing about its bytes, and comes when rows have been sent: it is
// neither a change nor an input that cannot be used.
func TestFaultOfTheSecondReadIsNoChange(t *testing.T) {
	for name, c := range map[string]struct {
		fault func(t *testing.T, in *Input)
		want  error
	}{
		"too many open files": {func(t *testing.T, _ *Input) { noMoreFiles(t) }, syscall.EMFILE},
		"links in a circle": {func(t *testing.T, _ *Input) {
			if err := errors.Join(os.Remove("pairs.csv"), os.Symlink("pairs.csv", "pairs.csv")); err != nil {
				t.Fatal(err)
			}
		}, syscall.ELOOP},
		"an I/O error": {func(t *testing.T, _ *Input) {
			if runtime.GOOS != "linux" {
				t.Skip("only Linux has a file whose first bytes cannot be read")
			}
			// The first page of a process is never mapped, and reading it is an I/O error.
			if err := errors.Join(os.Remove("pairs.csv"), os.Symlink("/proc/self/mem", "pairs.csv")); err != nil {
				t.Fatal(err)
			}
		}, syscall.EIO},
	} {
		for kind, text := range map[string]string{"plain": lines(1000), "gzip": zipped(t, lines(1000)), "zstd": zstandard(t, lines(1000))} {
			t.Run(name+" "+kind, func(t *testing.T) {
				in, err := readText(t, text)
				if err != nil {
					t.Fatal(err)
				}
				c.fault(t, in)
				err = in.Unchanged(t.Context())
				blamesTheMachine(t, err, c.want)
				if errors.Is(err, ErrChanged) || err == nil || !strings.Contains(err.Error(), "pairs.csv") {
					t.Errorf("got %v, want no change, and the name of the file", err)
				}
			})
		}
	}
}

func TestFaultOfTheSpoolIsNoChange(t *testing.T) {
	for _, text := range []string{sample, zipped(t, sample), zstandard(t, sample)} {
		in, err := Read(t.Context(), Options{Path: "-", Stdin: strings.NewReader(text), ChunkSize: 1, TempDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		in.source.spool.Close()
		err = in.Unchanged(t.Context())
		blamesTheMachine(t, err, os.ErrClosed)
		if errors.Is(err, ErrChanged) {
			t.Errorf("got %v, want no change", err)
		}
	}
}

// noMoreFiles keeps the process from opening another file until the test ends.
func noMoreFiles(t *testing.T) {
	t.Helper()
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	none := was
	none.Cur = 0
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
			t.Error(err)
		}
	})
}

// Lines without records take time, and neither memory nor room on the disk.
func TestBlankLinesTakeNoMemory(t *testing.T) {
	few, many := blankLines(t, 10_000_000), blankLines(t, 30_000_000)
	if many > few+1<<20 {
		t.Errorf("got %d bytes allocated for three times as many blank lines, want the same %d", many, few)
	}
}

// blankLines reads three rows with many lines between them, and returns how much memory was allocated.
func blankLines(t *testing.T, n int) uint64 {
	t.Helper()
	var text bytes.Buffer
	w := gzip.NewWriter(&text)
	block := []byte(strings.Repeat("\n", 100_000))
	io.WriteString(w, "from,to\na,b\n")
	for range n / len(block) {
		w.Write(block)
	}
	io.WriteString(w, "a,c\nb,a\n")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	in, err := readText(t, text.String(), regroup)
	if err != nil {
		t.Fatal(err)
	}
	same(t, len(collect(t, in.Records(t.Context()))), 3)
	runtime.ReadMemStats(&after)
	same(t, in.LastLine, int64(n+4))
	if got := in.groups.written + in.mirrors.written + in.repeats.size; got > 100 {
		t.Errorf("got %d bytes in temporary files, want some for three rows", got)
	}
	return after.TotalAlloc - before.TotalAlloc
}

func TestCancelledSecondRead(t *testing.T) {
	in, err := readText(t, lines(10_000))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range in.Records(ctx) {
		cancel()
		last = err
	}
	if last != context.Canceled {
		t.Errorf("got %v, want %v", last, context.Canceled)
	}
}

func TestOversizePartitions(t *testing.T) {
	small := limits{bytes: 1 << 20, rows: 500, parts: 8, depth: 8}
	for name, c := range map[string]struct {
		record func(i int) string
		want   counts
	}{
		"one account":  {func(i int) string { return fmt.Sprintf("a,f%d\n", i) }, counts{Pairs: 40_000, Accounts: 1, Requests: 40, Largest: 40_000}},
		"two accounts": {func(i int) string { return fmt.Sprintf("a%d,f%d\n", i%2, i) }, counts{Pairs: 40_000, Accounts: 2, Requests: 40, Largest: 20_000}},
		"one pair":     {func(int) string { return "a,b\n" }, counts{Pairs: 1, Accounts: 1, Requests: 1, Duplicates: 39_999, Largest: 1}},
		"one pair and others": {func(i int) string { return fmt.Sprintf("a,b%d\n", max(0, i-39_990)) },
			counts{Pairs: 10, Accounts: 1, Requests: 1, Duplicates: 39_990, Largest: 10}},
		"one friendship": {func(i int) string { return []string{"a,b\n", "b,a\n"}[i%2] },
			counts{Pairs: 1, Accounts: 1, Requests: 1, Duplicates: 39_999, Mirrors: 1, Largest: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			b.WriteString("from,to\n")
			for i := range 40_000 {
				b.WriteString(c.record(i))
			}
			c.want.Rows, c.want.LastLine = 40_000, 40_001
			in, err := readText(t, b.String(), both, func(o *Options) { o.limits = small })
			if err != nil {
				t.Fatal(err)
			}
			same(t, countsOf(in), c.want)
			pairs := int64(0)
			for _, list := range byAccountName(t, in.Groups()) {
				pairs += int64(len(list))
			}
			same(t, pairs, c.want.Pairs)
		})
	}
}

// With one part to a split nothing is ever separated, as if all hashes were the same.
func TestSplittingEnds(t *testing.T) {
	in, err := readText(t, lines(2000)+"a,b\na,c\na,b\n", both, func(o *Options) { o.limits = limits{rows: 1, bytes: 1, parts: 1, depth: 4} })
	if err != nil {
		t.Fatal(err)
	}
	same(t, countsOf(in), counts{Rows: 2003, Pairs: 2002, Duplicates: 1, Accounts: 2001, Requests: 2001, LastLine: 2004, Largest: 2})
}
