// Package spread sorts a stream that is larger than memory into buckets on disk, so that what belongs together can be
// read together later: the partition files of the input and the answers by row range of the report are both spreads.
//
// Use [New], append records to buckets with [Spread.Append], then read every bucket back once with [Spread.Open].
// A record is any run of bytes; the spread neither delimits nor understands it.
//
// There may be thousands of buckets, each of them small enough for a processor's cache. They share a few files: a bucket is
// a chain of blocks, each of which ends with the place of the next, and only the block that is being filled is in memory.
//
// The files have no name: they are unlinked as soon as they are open, so nothing is left behind by an interrupt, a kill or
// a crash, and the disk space of a file is free again when the last of its buckets has been read.
package spread

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// The blocks that are being filled take 32 MiB together at most, up to 8192 buckets. They are whole pages, as large as that
// permits: those of a bucket lie far apart, and a disk should not be asked for single pages where that can be spared.
const (
	together  = 32 << 20
	mostBlock = 32 << 10
	page      = 4 << 10
)

// mostFiles is how many files the buckets share: neighbours lie in the same one, so that it can be freed early.
const mostFiles = 64

// linkSize is the size in bytes of the place of the next block.
const linkSize = 8

// Spread is a set of buckets. It is not safe for concurrent use.
type Spread struct {
	dir     string
	block   int // bytes of a block, its link included
	buckets []bucket
	files   []file
}

type bucket struct {
	size  int64
	buf   []byte // the last block, without a link
	place int64  // where buf will be, if anything is on disk
	first int64  // where the first block is, if anything is on disk
}

// onDisk is how many bytes of the bucket are.
func (b *bucket) onDisk() int64 { return b.size - int64(len(b.buf)) }

// file is what some buckets share.
type file struct {
	file    *os.File // nil while none of them has a block on disk
	end     int64    // behind the last place that was given away
	buckets int      // that have blocks in it
}

// take gives away a place for a block.
func (f *file) take(block int) int64 {
	f.end += int64(block)
	return f.end - int64(block)
}

// leave is called when a bucket has been read. The file ends with its last one.
func (f *file) leave() error {
	if f.buckets--; f.buckets > 0 {
		return nil
	}
	err := f.file.Close()
	*f = file{}
	return err
}

// New makes a spread of n empty buckets whose files will lie in the folder dir. A bucket that never holds more than
// its block never touches the disk.
func New(dir string, n int) *Spread {
	block := min(max(together/n/page*page, page), mostBlock)
	return &Spread{dir: dir, block: block, buckets: make([]bucket, n), files: make([]file, min(n, mostFiles))}
}

// Len is the number of buckets.
func (s *Spread) Len() int { return len(s.buckets) }

// Size is the number of bytes appended to bucket i.
func (s *Spread) Size(i int) int64 { return s.buckets[i].size }

// Append adds the record to bucket i. Its errors are those of the disk, a full one for example.
func (s *Spread) Append(i int, record []byte) error {
	b := &s.buckets[i]
	if b.buf == nil {
		b.buf = make([]byte, 0, s.block)
	}
	for room := s.block - linkSize - len(b.buf); len(record) > room; room = s.block - linkSize {
		b.buf = append(b.buf, record[:room]...)
		b.size += int64(room)
		record = record[room:]
		if err := s.write(i); err != nil {
			return err
		}
	}
	b.buf = append(b.buf, record...)
	b.size += int64(len(record))
	return nil
}

func (s *Spread) fileOf(i int) *file { return &s.files[i*len(s.files)/len(s.buckets)] }

// write puts the block of bucket i, which is full, on disk.
func (s *Spread) write(i int) error {
	b, f := &s.buckets[i], s.fileOf(i)
	if f.file == nil {
		temp, err := Temp(s.dir)
		if err != nil {
			return err
		}
		f.file = temp
	}
	if b.onDisk() == 0 {
		b.first = f.take(s.block)
		b.place = b.first
		f.buckets++
	}
	next := f.take(s.block)
	_, err := f.file.WriteAt(binary.LittleEndian.AppendUint64(b.buf, uint64(next)), b.place)
	b.place, b.buf = next, b.buf[:0]
	if err != nil {
		return fmt.Errorf("writing a temporary file: %w", err)
	}
	return nil
}

// Open returns the records of bucket i in the order they were appended. The bucket is used up: it takes no more
// records, and closing the reader frees its space.
func (s *Spread) Open(i int) (io.ReadCloser, error) {
	b := &s.buckets[i]
	r := &reader{end: b.buf}
	if left := b.onDisk(); left > 0 {
		r.file, r.left, r.place, r.block = s.fileOf(i), left, b.first, make([]byte, s.block)
	}
	b.buf = nil
	return r, nil
}

// Close frees everything, readers that are still open included. It may be called more than once.
func (s *Spread) Close() error {
	var errs []error
	for i := range s.files {
		if f := &s.files[i]; f.file != nil {
			errs = append(errs, f.file.Close())
			*f = file{}
		}
	}
	clear(s.buckets)
	return errors.Join(errs...)
}

// ErrCut tells of a temporary file that is shorter than what was written to it. It is an error of its own, because io.ReadFull
// says io.ErrUnexpectedEOF of an ordinary end, which must not look like this one.
var ErrCut = errors.New("a temporary file was cut off behind our back")

// reader reads a bucket: its blocks on disk, and then the last one, which stayed in memory.
type reader struct {
	file  *file // nil where nothing is on disk
	left  int64 // bytes there that were not read yet
	place int64 // of the next block
	block []byte
	now   []byte // what was read of the present block
	end   []byte
}

// Read implements [io.Reader].
func (r *reader) Read(p []byte) (int, error) {
	if len(r.now) == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.now)
	r.now = r.now[n:]
	return n, nil
}

// next goes on to the next block.
func (r *reader) next() error {
	switch {
	case r.left > 0:
		if _, err := r.file.file.ReadAt(r.block, r.place); err == io.EOF {
			return ErrCut
		} else if err != nil {
			return err
		}
		link := len(r.block) - linkSize
		r.now, r.place = r.block[:link], int64(binary.LittleEndian.Uint64(r.block[link:]))
		r.left -= int64(link)
	case len(r.end) > 0:
		r.now, r.end = r.end, nil
	default:
		return io.EOF
	}
	return nil
}

// Close frees the space of the bucket.
func (r *reader) Close() error {
	if r.file == nil || r.file.file == nil {
		return nil
	}
	f := r.file
	r.file, r.left = nil, 0
	return f.leave()
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
