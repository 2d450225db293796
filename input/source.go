package input

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// blockSize is how much is read at a time.
const blockSize = 64 << 10

// maxWindow bounds what a zstd stream may ask us to keep in memory. It is the most that `zstd --ultra -22` and --long
// use; only --long=28 and above want more.
const maxWindow = 128 << 20

// source is where the bytes come from: a regular file, read twice by its path, or a spool file that holds what can be
// read only once.
type source struct {
	path  string        // absolute; - for standard input
	name  string        // as the user wrote it, for messages
	size  int64         // in bytes; -1 while it is not known
	spool *os.File      // nil for a regular file
	once  io.ReadCloser // what fills the spool
	read  bool          // once has been read
}

func openSource(ctx context.Context, opts Options) (*source, error) {
	if opts.Path == "-" {
		return spooled(ctx, source{path: "-", name: "standard input"}, opts.TempDir, openStream(opts.Stdin))
	}
	abs, err := filepath.Abs(opts.Path)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", opts.Path, err)
	}
	info, err := os.Stat(opts.Path)
	switch {
	case err != nil:
		return nil, unreadable(opts.Path, err)
	case info.IsDir():
		return nil, &Error{File: opts.Path, Reason: "is a folder, not a file"}
	case info.Mode().IsRegular():
		return &source{path: abs, name: opts.Path, size: info.Size()}, nil
	}
	return spooled(ctx, source{path: abs, name: opts.Path}, opts.TempDir, openNamed(abs))
}

// open starts a read from the first byte.
func (s *source) open() (io.ReadCloser, error) {
	if s.spool == nil {
		return s.openFile()
	}
	if !s.read {
		s.read = true
		return io.NopCloser(io.TeeReader(s.once, spoolWriter{s})), nil
	}
	return io.NopCloser(io.NewSectionReader(s.spool, 0, s.size)), nil
}

// openFile opens a regular file. To open a named pipe that has taken its place would block for ever.
func (s *source) openFile() (io.ReadCloser, error) {
	info, err := os.Stat(s.path)
	if err != nil {
		return nil, unreadable(s.name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, &Error{File: s.name, Reason: "is not a regular file any more"}
	}
	f, err := os.Open(s.path)
	if err != nil {
		return nil, unreadable(s.name, err)
	}
	return f, nil
}

func (s *source) close() error {
	if s.spool == nil {
		return nil
	}
	s.once.Close()
	return s.spool.Close()
}

// partitions is the number of partitions: so many that each fits into the processor's cache, up to inputs of 4 GiB, where
// the memory for what is not yet on disk sets a bound. Where an input turns out larger than guessed, because it is
// compressed or comes through a pipe, partitions that are too full are split again.
func (s *source) partitions() int {
	const each, most, unknown = 1 << 20, 4096, 64
	if s.size < 0 {
		return unknown
	}
	return int(min(s.size/each+1, most))
}

func unreadable(name string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &Error{File: name, Reason: err.Error(), cause: err}
}

// fingerprint identifies the raw bytes of an input.
type fingerprint struct {
	sha256 string
	bytes  int64
}

// counted takes the fingerprint of what passes through it, and stops when the context is cancelled.
type counted struct {
	ctx      context.Context
	name     string // of the input, for messages
	r        io.Reader
	hash     hash.Hash
	bytes    int64
	consumed *atomic.Int64
}

func (s *source) counted(ctx context.Context, r io.Reader, consumed *atomic.Int64) *counted {
	consumed.Store(0)
	return &counted{ctx: ctx, name: s.name, r: r, hash: sha256.New(), consumed: consumed}
}

// Read implements [io.Reader]. Its errors are explained here, where they cannot be taken for corrupt compression.
func (c *counted) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.hash.Write(p[:n])
	c.bytes += int64(n)
	c.consumed.Store(c.bytes)
	if err != nil && err != io.EOF {
		err = explain(c.name, "", err)
	}
	return n, err
}

// finish reads what a decompressor may have left and returns the fingerprint of everything.
func (c *counted) finish() (fingerprint, error) {
	if _, err := io.Copy(io.Discard, c); err != nil {
		return fingerprint{}, err
	}
	return fingerprint{hex.EncodeToString(c.hash.Sum(nil)), c.bytes}, nil
}

// text turns raw bytes into text: decompressed, without a byte-order mark, certain to hold no NUL. It must be closed.
func (s *source) text(raw io.Reader) (*textReader, error) {
	plain, kind, err := decompress(bufio.NewReaderSize(raw, blockSize))
	if err != nil {
		return nil, explain(s.name, kind, err)
	}
	t := &textReader{r: plain, plain: plain, name: s.name, kind: kind}
	if err := t.skipMark(); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// decompress tells gzip and zstd by their first bytes. A zstd file may begin with a frame to skip, as pzstd writes it.
func decompress(br *bufio.Reader) (r io.ReadCloser, kind string, err error) {
	head, err := br.Peek(4)
	if err != nil && err != io.EOF {
		return nil, "", err
	}
	skippable := len(head) == 4 && head[0]&0xf0 == 0x50 && string(head[1:]) == "\x2a\x4d\x18"
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		r, err := gzip.NewReader(br)
		return r, "gzip", err
	case skippable, string(head) == "\x28\xb5\x2f\xfd":
		dec, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, "zstd", err
		}
		return dec.IOReadCloser(), "zstd", nil
	}
	return io.NopCloser(br), "", nil
}

// explain says of an error that came out of reading whose it is: ours, the context's, or the input's.
func explain(name, kind string, err error) error {
	var mine *Error
	var disk *diskError
	switch {
	case errors.As(err, &mine), errors.As(err, &disk), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case kind == "", errors.As(err, new(syscall.Errno)): // a disk's fault is not one of the compressed data
		return unreadable(name, err)
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return &Error{File: name, Reason: "the zstd data needs more than 128 MiB of memory to be read",
			Hint: "Compress it again without --long=28 or above."}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{File: name, Reason: "the " + kind + " data ends too early: the file is cut off"}
	}
	return &Error{File: name, Reason: "the " + kind + " data is corrupt: " + err.Error()}
}
