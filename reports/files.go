package reports

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// partialName is the one name beside path under which it is written. It is always the same, so that the next run finds
// what a killed one left behind.
func partialName(path string) string { return path + ".partial" }

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// CheckTarget says what is wrong with path as a file that will be written whole and then given its name: its folder is
// not there, or something is in the way that must not be replaced, like a folder or a device. nil if nothing is.
func CheckTarget(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("writing %s: it is not a regular file", path)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	info, err = os.Stat(folderOf(path))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("writing %s: the folder %s does not exist", path, folderOf(path))
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if !info.IsDir() {
		return fmt.Errorf("writing %s: %s is not a folder", path, folderOf(path))
	}
	return nil
}

// wholeFile is a file that appears whole or not at all. It owns the file under the partial name, until finish or
// discard.
type wholeFile struct {
	path    string
	file    *os.File
	buf     *bufio.Writer
	records recordCount
}

func createWhole(path string) (*wholeFile, error) {
	if err := CheckTarget(path); err != nil {
		return nil, err
	}
	// Removed and made anew: what lies there could be a link to something else.
	if err := removeIfThere(partialName(path)); err != nil {
		return nil, fmt.Errorf("writing %s: %w", path, err)
	}
	file, err := os.OpenFile(partialName(path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", path, err)
	}
	w := &wholeFile{path: path, file: file}
	w.records.to = file
	w.buf = bufio.NewWriterSize(&w.records, 256<<10)
	return w, nil
}

// sync puts everything on disk, still under the partial name.
func (w *wholeFile) sync() error {
	err := w.buf.Flush()
	if err == nil {
		err = w.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", w.path, err)
	}
	return nil
}

// name gives the synced file its name.
func (w *wholeFile) name() error {
	if err := os.Rename(partialName(w.path), w.path); err != nil {
		return fmt.Errorf("writing %s: %w", w.path, err)
	}
	err := w.file.Close()
	w.file = nil
	if err != nil {
		return fmt.Errorf("writing %s: %w", w.path, err)
	}
	return nil
}

// discard removes what has no name yet.
func (w *wholeFile) discard() {
	if w == nil || w.file == nil {
		return
	}
	w.file.Close()
	w.file = nil
	_ = removeIfThere(partialName(w.path)) // the next run would remove it as well
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

func folderOf(path string) string { return filepath.Dir(path) }
