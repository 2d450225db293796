// Package spread sorts a stream that is larger than memory into buckets on disk, so that what belongs together can be
// read together later: the partition files of the input and the answers by row range of the report are both spreads.
//
// Use [New], append records to buckets with [Spread.Append], then read every bucket back once with [Spread.Open].
// A record is any run of bytes; the spread neither delimits nor understands it.
//
// Bucket files have no name: they are unlinked as soon as they are open, so nothing is left behind by an interrupt,
// a kill or a crash, and the disk space of a bucket is free again when it has been read.
package spread

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// bufferSize is what a bucket collects before it writes. 256 buckets of it are 8 MiB.
const bufferSize = 32 << 10

// Spread is a set of buckets. It is not safe for concurrent use.
type Spread struct {
	dir     string
	buckets []bucket
}

type bucket struct {
	file *os.File
	buf  []byte
	size int64
}

// New makes a spread of n empty buckets whose files will lie in the folder dir. A bucket that never holds more than
// its buffer never touches the disk.
func New(dir string, n int) *Spread {
	return &Spread{dir: dir, buckets: make([]bucket, n)}
}

// Len is the number of buckets.
func (s *Spread) Len() int { return len(s.buckets) }

// Size is the number of bytes appended to bucket i.
func (s *Spread) Size(i int) int64 { return s.buckets[i].size }

// Append adds the record to bucket i. Its errors are those of the disk, a full one for example.
func (s *Spread) Append(i int, record []byte) error {
	b := &s.buckets[i]
	if len(b.buf)+len(record) > bufferSize {
		if err := s.flush(b); err != nil {
			return err
		}
	}
	if b.buf == nil {
		b.buf = make([]byte, 0, bufferSize)
	}
	b.buf = append(b.buf, record...)
	b.size += int64(len(record))
	return nil
}

func (s *Spread) flush(b *bucket) error {
	if len(b.buf) == 0 {
		return nil
	}
	if b.file == nil {
		f, err := Temp(s.dir)
		if err != nil {
			return err
		}
		b.file = f
	}
	_, err := b.file.Write(b.buf)
	b.buf = b.buf[:0]
	if err != nil {
		return fmt.Errorf("writing a temporary file: %w", err)
	}
	return nil
}

// Open returns the records of bucket i in the order they were appended. The bucket is used up: it takes no more
// records, and closing the reader frees its space.
func (s *Spread) Open(i int) (io.ReadCloser, error) {
	b := &s.buckets[i]
	if b.file == nil {
		rest := b.buf
		b.buf = nil
		return &reader{rest: rest}, nil
	}
	if err := s.flush(b); err != nil {
		return nil, err
	}
	if _, err := b.file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("reading a temporary file: %w", err)
	}
	r := &reader{file: b.file}
	b.file, b.buf = nil, nil
	return r, nil
}

// Close frees what was not opened. It may be called more than once.
func (s *Spread) Close() error {
	var errs []error
	for i := range s.buckets {
		b := &s.buckets[i]
		if b.file != nil {
			errs = append(errs, b.file.Close())
		}
		*b = bucket{}
	}
	return errors.Join(errs...)
}

// reader reads a bucket that stayed in memory (rest) or one on disk (file).
type reader struct {
	rest []byte
	file *os.File
}

// Read implements [io.Reader].
func (r *reader) Read(p []byte) (int, error) {
	if r.file != nil {
		return r.file.Read(p)
	}
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Close frees the space of the bucket.
func (r *reader) Close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// Temp opens a private file without a name in the folder dir: mode 0600, gone when it is closed, however the process
// ends.
func Temp(dir string) (*os.File, error) {
	if f := nameless(dir); f != nil {
		return f, nil
	}
	// Where files cannot be made without a name, a kill between these two calls leaves an empty one.
	f, err := os.CreateTemp(dir, "friendsweep-")
	if err != nil {
		return nil, fmt.Errorf("making a temporary file: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("unlinking a temporary file: %w", err)
	}
	return f, nil
}
