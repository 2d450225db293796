// Package whole writes files that appear whole or not at all: report, failures, page, figures, and a journal that is
// written anew.
//
// [Create] begins a file that has no name yet, [File.Publish] gives it one, and [File.Discard], which may always be
// deferred, forgets it. Where the file system knows files without a name, a process that is killed leaves nothing behind,
// unless it was about to replace a file: no system call gives a nameless file the name of another one, so it is called
// something else for an instant. What such an instant leaves is removed by the next Create in the folder. [Try] says
// beforehand whether all that could work.
package whole

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// File is a file on its way. It is for one goroutine.
type File struct {
	path string   // as the user wrote it
	real string   // where it goes: links are followed
	file *os.File // nil once it was published or discarded
	name string   // what it is called meanwhile; empty while it has no name
	buf  *bufio.Writer
}

// target finds where path leads and whether a file may be put there: nothing, or a regular file.
func target(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return "", fmt.Errorf("writing %s: it is not a regular file", path)
	case err == nil:
		return filepath.EvalSymlinks(path)
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("writing %s: %w", path, bare(err))
	}
	if _, err := os.Lstat(path); err == nil {
		return "", fmt.Errorf("writing %s: it is a link to nothing", path)
	}
	dir, err := folder(path)
	return filepath.Join(dir, filepath.Base(path)), err
}

// folder finds the folder that path puts a file into, and says what is wrong with it.
func folder(path string) (string, error) {
	dir := parent(path)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("writing %s: the folder %s does not exist", path, dir)
	case err != nil:
		return "", fmt.Errorf("writing %s: %w", path, bare(err))
	case !info.IsDir():
		return "", fmt.Errorf("writing %s: %s is not a folder", path, dir)
	}
	return filepath.EvalSymlinks(dir)
}

// parent is path without its last name, for the system to find. [filepath.Dir] would clean it: then no/../r.csv seems to need no
// folder no, and link/../r.csv to lie beside the link, instead of above the folder that it leads to.
func parent(path string) string {
	dir, _ := filepath.Split(path)
	if dir == "" {
		return "."
	}
	return dir[:max(1, len(dir)-1)]
}

// bare is an error of the file system without the path, which the message has already.
func bare(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// Try says what is wrong with path as a file that will be written whole and then given its name. It makes a file without
// a name in the folder to find out, and changes nothing.
func Try(path string) error {
	f, err := Create(path)
	if err == nil {
		f.Discard()
	}
	return err
}

// Create begins a file that only its owner may read. It may be read again through [File.File].
func Create(path string) (*File, error) {
	real, err := target(path)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, real: real}
	dir := filepath.Dir(real)
	removeOrphans(dir)
	if f.file = nameless(dir); f.file == nil {
		f.file, f.name, err = createFresh(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", path, bare(err))
	}
	lock(f.file)
	f.buf = bufio.NewWriterSize(f.file, 256<<10)
	return f, nil
}

// Write puts data at path whole or not at all.
func Write(path string, mode fs.FileMode, data []byte) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.File().Chmod(mode); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return f.Publish()
}

// File is the file itself. What was written through [File.Write] is in it after [File.Sync].
func (f *File) File() *os.File { return f.file }

// Write appends p.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.buf.Write(p)
	return n, f.explain(err)
}

// AvailableBuffer is room for the next Write, as [bufio.Writer] has it.
func (f *File) AvailableBuffer() []byte { return f.buf.AvailableBuffer() }

// Sync puts everything on disk, still without its name.
func (f *File) Sync() error {
	err := f.buf.Flush()
	if err == nil {
		err = f.file.Sync()
	}
	return f.explain(err)
}

func (f *File) explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("writing %s: %w", f.path, bare(err))
}

// Publish syncs, gives the file its name in place of what has it now, syncs the folder, and closes the file.
func (f *File) Publish() error {
	if err := f.rename(); err != nil {
		return err
	}
	err := f.file.Close()
	f.file = nil
	return f.explain(err)
}

// Keep is Publish for an owner who goes on with the file and closes it.
func (f *File) Keep() (*os.File, error) {
	if err := f.rename(); err != nil {
		return nil, err
	}
	file := f.file
	f.file = nil
	return file, nil
}

func (f *File) rename() error {
	if err := f.Sync(); err != nil {
		return err
	}
	if _, err := target(f.path); err != nil { // a device may have taken the name since
		return err
	}
	if f.name == "" {
		err := link(f.file, f.real)
		if err == nil {
			return SyncFolder(f.real)
		}
		if !errors.Is(err, fs.ErrExist) {
			return f.explain(err)
		}
		name, err := fresh(f.file)
		if err != nil {
			return f.explain(err)
		}
		name = filepath.Join(filepath.Dir(f.real), name)
		if err := link(f.file, name); err != nil {
			return f.explain(err)
		}
		f.name = name
	}
	if !f.still() {
		return fmt.Errorf("writing %s: its temporary file %s was replaced meanwhile", f.path, f.name)
	}
	if err := os.Rename(f.name, f.real); err != nil {
		return f.explain(bare(err))
	}
	f.name = ""
	return SyncFolder(f.real)
}

// still reports whether the name is that of the file that was written.
func (f *File) still() bool {
	named, err := os.Lstat(f.name)
	opened, err2 := f.file.Stat()
	return err == nil && err2 == nil && os.SameFile(named, opened)
}

// Discard removes a file that has not been published; after that it does nothing.
func (f *File) Discard() {
	if f == nil || f.file == nil {
		return
	}
	if f.name != "" && f.still() {
		os.Remove(f.name)
	}
	f.file.Close()
	f.file = nil
}

// Open opens a regular file to be read. Anything else is an error at once: nobody has to write into a FIFO that stands where
// a file was expected.
func Open(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errors.New("it is not a regular file")}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// SyncFolder makes a new or changed name in the folder of path durable.
func SyncFolder(path string) error {
	dir, err := os.Open(parent(path))
	if err != nil {
		return fmt.Errorf("syncing the folder of %s: %w", path, err)
	}
	err = dir.Sync()
	dir.Close()
	if err != nil {
		return fmt.Errorf("syncing the folder of %s: %w", path, err)
	}
	return nil
}
