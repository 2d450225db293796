package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"friendsweep/reports/whole"
)

// Aside makes room for a new job under the same name. With keep, the journal and its report get the first number that
// is free for both, FILE.1, FILE.2 and so on, and that taken does not know as a name somebody gave; without, for the files of a sandbox run, they are lost. The journal is
// empty and still locked afterwards: at no moment could another process have taken its name, and the old one stays
// locked as well until Close. moved has the new names of what was kept.
func (j *Journal) Aside(keep bool, taken func(path string) bool) (moved []string, err error) {
	if !keep {
		return nil, j.forget()
	}
	number, err := j.freeNumber(taken)
	if err != nil {
		return nil, err
	}
	if j.end() > 0 {
		if err := j.replace(j.path + number); err != nil {
			return nil, err
		}
		moved = append(moved, j.path+number)
	}
	switch err := moveTo(j.report, j.report+number); {
	case err == nil:
		moved = append(moved, j.report+number)
	case !errors.Is(err, fs.ErrNotExist):
		return moved, fmt.Errorf("moving %s aside: %w", j.report, err)
	}
	return moved, whole.SyncFolder(j.path)
}

// Found is where the journal of a report lies that somebody asks about: [Path], or where [Journal.Aside] has put it when it
// moved both, r.csv.journal.1 for r.csv.1.
func Found(report string) string {
	path := Path(report)
	if _, err := os.Lstat(path); err == nil {
		return path
	}
	dot := strings.LastIndexByte(report, '.')
	if _, err := strconv.ParseUint(report[dot+1:], 10, 32); dot < 0 || err != nil {
		return path
	}
	moved := Path(report[:dot]) + report[dot:]
	if _, err := os.Lstat(moved); err != nil {
		return path
	}
	return moved
}

// ReportOf is the report of the journal that has this name, which lies beside it and may be all that is there. A name that is
// no journal's is the report's own.
func ReportOf(name string) string {
	report, number, isJournal := strings.Cut(name, ".journal")
	if _, err := os.Stat(Path(name)); err == nil || !isJournal || strings.Contains(number, "/") {
		return name
	}
	return report + number
}

// forget empties the journal and removes the report.
func (j *Journal) forget() error {
	if err := os.Remove(j.report); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the report of a sandbox run: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.past = nil
	return j.cutTo(0)
}

func (j *Journal) freeNumber(somebodys func(path string) bool) (string, error) {
	for n := 1; ; n++ {
		number := "." + strconv.Itoa(n)
		taken := false
		for _, path := range []string{j.path + number, j.report + number} {
			_, err := os.Lstat(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return "", fmt.Errorf("looking for a free name: %w", err)
			}
			taken = taken || err == nil || somebodys(path)
		}
		if !taken {
			return number, nil
		}
	}
}

// replace gives the journal's file the name aside, and its own name to a new, locked, empty one.
func (j *Journal) replace(aside string) error {
	isLink, err := j.moveLink(aside)
	if err != nil {
		return err
	}
	created, err := whole.Create(j.path)
	if err != nil {
		return err
	}
	defer created.Discard()
	if err := flock(created.File(), syscall.LOCK_EX); err != nil {
		return err
	}
	// The old file gets its second name before it loses the first: a crash in between leaves both.
	if !isLink {
		err = linkTo(j.path, aside)
	}
	if err != nil {
		return fmt.Errorf("moving %s aside: %w", j.path, err)
	}
	fresh, err := created.Keep()
	if err != nil {
		return fmt.Errorf("moving %s aside: %w", j.path, err)
	}
	if j.old != nil {
		closeLocked(j.old)
	}
	j.old, j.made = j.file, true
	return j.adopt(fresh)
}

// moveLink moves the name of a journal that is a link: a file that took the place of the one it leads to would take the old
// journal's.
func (j *Journal) moveLink(aside string) (isLink bool, err error) {
	info, err := os.Lstat(j.path)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return false, nil
	}
	if err := moveTo(j.path, aside); err != nil {
		return true, fmt.Errorf("moving %s aside: %w", j.path, err)
	}
	return true, nil
}

// linkTo gives the file a second name, which is on the disk when it returns: the caller takes the first one away, and a power
// cut could bring only that about, so that the file had none. Where the file system has no links, the second instead of the
// first.
func linkTo(from, to string) error {
	err := os.Link(from, to)
	if err == nil {
		return whole.SyncFolder(to)
	}
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(from, to)
}

// moveTo renames without replacing what may have got the new name meanwhile.
func moveTo(from, to string) error {
	if err := linkTo(from, to); err != nil {
		return err
	}
	return removeIfThere(from)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
