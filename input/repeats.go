package input

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"os"

	"friendsweep/input/spread"
)

// repeatLog keeps the repeats on disk: an input may be nothing else.
type repeatLog struct {
	dir  string
	file *os.File
	size int64
	out  *bufio.Writer
	buf  []byte
}

func newRepeatLog(dir string) *repeatLog { return &repeatLog{dir: dir} }

func (l *repeatLog) add(r Repeat) error {
	if l.file == nil {
		f, err := spread.Temp(l.dir)
		if err != nil {
			return err
		}
		l.file, l.out = f, bufio.NewWriterSize(f, blockSize)
	}
	mirror := uint64(0)
	if r.Mirror {
		mirror = 1
	}
	l.buf = binary.AppendUvarint(l.buf[:0], uint64(r.Line)<<1|mirror)
	l.buf = binary.AppendUvarint(l.buf, uint64(r.First))
	l.size += int64(len(l.buf))
	if _, err := l.out.Write(l.buf); err != nil {
		return fmt.Errorf("writing a temporary file: %w", err)
	}
	return nil
}

// flush writes what is in memory. It must be called once more after the last repeat.
func (l *repeatLog) flush() error {
	if l.file == nil {
		return nil
	}
	if err := l.out.Flush(); err != nil {
		return fmt.Errorf("writing a temporary file: %w", err)
	}
	return nil
}

func (l *repeatLog) all() iter.Seq2[Repeat, error] {
	return func(yield func(Repeat, error) bool) {
		if l.file == nil {
			return
		}
		br := bufio.NewReaderSize(io.NewSectionReader(l.file, 0, l.size), blockSize)
		for {
			line, err := binary.ReadUvarint(br)
			if err == io.EOF {
				return
			}
			first, err2 := binary.ReadUvarint(br)
			if err == nil && err2 != nil {
				err = err2
			}
			if err != nil {
				yield(Repeat{}, tempError(err))
				return
			}
			if !yield(Repeat{Line: int64(line >> 1), First: int64(first), Mirror: line&1 == 1}, nil) {
				return
			}
		}
	}
}

func (l *repeatLog) close() {
	if l.file != nil {
		l.file.Close()
	}
}
