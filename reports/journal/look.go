package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/whole"
)

// ErrNoJournal says that there is nothing to tell about a report: it has no journal, or one without a job in it.
var ErrNoJournal = errors.New("no journal")

// View is a journal as somebody sees it who has no lock on it: a run may be writing it. It is for one goroutine.
type View struct {
	Head  *entry.Head
	Held  bool // a process has the journal open: its last run is at work
	path  string
	calls outcome.Calls
	file  *os.File
	size  int64
}

// Look opens the journal of the report without locking it or changing anything. The error is [ErrNoJournal] where there is
// none. Whoever looks ends with Close.
func Look(report string, calls outcome.Calls) (*View, error) {
	path := Found(report)
	file, err := whole.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading %s: %w", path, ErrNoJournal)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	v := &View{path: path, calls: calls, file: file}
	if err := v.look(); err != nil {
		file.Close()
		return nil, err
	}
	return v, nil
}

func (v *View) look() error {
	info, err := v.file.Stat()
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	v.size = info.Size()
	// Asked before the reading: a run that ends meanwhile looks at work, and never the other way round.
	if v.Held, err = held(v.file); err != nil {
		return err
	}
	v.Head, err = readHead(v.path, v.calls, v.file, v.size)
	if err == nil && v.Head == nil {
		err = fmt.Errorf("reading %s: %w: no job has begun in it", v.path, ErrNoJournal)
	}
	return err
}

// Follow tells the reader what the journal says so far. Requests without an answer count as lost.
func (v *View) Follow(ctx context.Context, r Reader) (Overview, error) {
	return follow(ctx, v.path, v.calls, v.file, v.size, r)
}

// Close ends the look.
func (v *View) Close() error { return v.file.Close() }
