package reports

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"friendsweep/reports/whole"
)

// countedFile is a file that appears whole or not at all, and knows how many CSV records are in it.
type countedFile struct {
	path    string
	file    *whole.File
	buf     *bufio.Writer
	records recordCount
}

func createCounted(path string) (*countedFile, error) {
	file, err := whole.Create(path)
	if err != nil {
		return nil, err
	}
	w := &countedFile{path: path, file: file}
	w.records.to = file
	w.buf = bufio.NewWriterSize(&w.records, 256<<10)
	return w, nil
}

// sync puts everything on disk, still without its name.
func (w *countedFile) sync() error {
	if err := w.buf.Flush(); err != nil {
		return fmt.Errorf("writing %s: %w", w.path, err)
	}
	return w.file.Sync()
}

// discard removes what has no name yet.
func (w *countedFile) discard() {
	if w != nil {
		w.file.Discard()
	}
}

// recordCount counts the CSV records that pass through it: line ends outside quotes. It counts what a reader will find,
// whatever was meant to be written.
type recordCount struct {
	to     io.Writer
	n      int64
	quoted bool
}

// Write passes p on and counts what arrived.
func (c *recordCount) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	for rest := p[:n]; ; c.quoted = !c.quoted {
		i := bytes.IndexByte(rest, '"')
		part := rest
		if i >= 0 {
			part = rest[:i]
		}
		if !c.quoted {
			c.n += int64(bytes.Count(part, []byte("\n")))
		}
		if i < 0 {
			return n, err
		}
		rest = rest[i+1:]
	}
}
