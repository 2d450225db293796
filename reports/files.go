package reports

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"

	"friendsweep/reports/whole"
)

// countedFile is a file that appears whole or not at all, and knows how many CSV records are in it, and its fingerprint.
type countedFile struct {
	path string
	file *whole.File
	buf  *bufio.Writer
	seen passed
}

func createCounted(path string) (*countedFile, error) {
	file, err := whole.Create(path)
	if err != nil {
		return nil, err
	}
	w := &countedFile{path: path, file: file}
	w.seen = passed{to: file, hash: sha256.New()}
	w.buf = bufio.NewWriterSize(&w.seen, 256<<10)
	return w, nil
}

// sync puts everything on disk, still without its name.
func (w *countedFile) sync() error {
	if err := w.buf.Flush(); err != nil {
		return err
	}
	return w.file.Sync()
}

// discard removes what has no name yet.
func (w *countedFile) discard() {
	if w != nil {
		w.file.Discard()
	}
}

// fingerprint is that of what was written. It is known without reading the file again, and tells whoever changes the file
// from then on.
func (w *countedFile) fingerprint(what string) Fingerprint {
	return Fingerprint{What: what, Path: w.path, Bytes: w.seen.bytes, SHA256: hex.EncodeToString(w.seen.hash.Sum(nil))}
}

// passed knows of what passes through it the fingerprint and the number of CSV records: line ends outside quotes. It counts
// what a reader will find, whatever was meant to be written.
type passed struct {
	to      io.Writer
	hash    hash.Hash
	bytes   int64
	records int64
	quoted  bool
}

// Write passes p on and takes account of what arrived.
func (c *passed) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.hash.Write(p[:n])
	c.bytes += int64(n)
	for rest := p[:n]; ; c.quoted = !c.quoted {
		i := bytes.IndexByte(rest, '"')
		part := rest
		if i >= 0 {
			part = rest[:i]
		}
		if !c.quoted {
			c.records += int64(bytes.Count(part, []byte("\n")))
		}
		if i < 0 {
			return n, err
		}
		rest = rest[i+1:]
	}
}
