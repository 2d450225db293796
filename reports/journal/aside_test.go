package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func nobodys(string) bool { return false }

// TestFound: the journal of a report that was moved aside has the number at its end.
func TestFound(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"r.csv.journal", "r.csv.journal.1", "r.csv.journal.2", "r.csv.2.journal", "r.journal.csv", "r.csv.journal.1x", "s.journal.4294967296"} {
		must(t, os.WriteFile(at(name), nil, 0o600))
	}
	for report, want := range map[string]string{
		"r.csv":        "r.csv.journal",
		"r.csv.1":      "r.csv.journal.1",
		"r.csv.2":      "r.csv.2.journal", // its own
		"r.csv.3":      "r.csv.3.journal", // not there
		"r.csv.1x":     "r.csv.1x.journal",
		"s.4294967296": "s.4294967296.journal", // no number of ours
		"s.csv":        "s.csv.journal",
		"s":            "s.journal",
	} {
		if got := Found(at(report)); got != at(want) {
			t.Errorf("%s: got %s, want %s", report, got, at(want))
		}
	}
	must(t, os.Remove(at("r.csv.journal")))
	if got := Found(at("r.csv")); got != at("r.csv.journal") {
		t.Errorf("r.csv without a journal: got %s, want where it would be", got)
	}
}

// TestReportOf: whoever names a journal means its report.
func TestReportOf(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.WriteFile(at("own.journal.journal"), nil, 0o600))
	for name, want := range map[string]string{
		"r.csv":           "r.csv",
		"r.csv.journal":   "r.csv",
		"r.csv.journal.1": "r.csv.1",
		"own.journal":     "own.journal", // a report of this name, with a journal of its own
		"a.journal/r.csv": "a.journal/r.csv",
		"r":               "r",
	} {
		if got := ReportOf(at(name)); got != at(want) {
			t.Errorf("%s: got %s, want %s", name, got, at(want))
		}
	}
}

// TestWhatAsideMoves: what is there, under a number that is free for both.
func TestWhatAsideMoves(t *testing.T) {
	for name, c := range map[string]struct {
		inTheWay []string
		job      bool
		report   bool
		taken    string
		want     []string
	}{
		"both":                     {nil, true, true, "", []string{"r.csv.journal.1", "r.csv.1"}},
		"the report alone":         {nil, false, true, "", []string{"r.csv.1"}},
		"the journal alone":        {nil, true, false, "", []string{"r.csv.journal.1"}},
		"nothing":                  {nil, false, false, "", nil},
		"a journal is in the way":  {[]string{"r.csv.journal.1"}, true, true, "", []string{"r.csv.journal.2", "r.csv.2"}},
		"both ways":                {[]string{"r.csv.journal.2", "r.csv.1"}, true, true, "", []string{"r.csv.journal.3", "r.csv.3"}},
		"somebody gave this name":  {nil, true, true, "r.csv.1", []string{"r.csv.journal.2", "r.csv.2"}},
		"and this to a journal":    {nil, true, true, "r.csv.journal.1", []string{"r.csv.journal.2", "r.csv.2"}},
		"a folder is in its place": {nil, true, false, "", []string{"r.csv.journal.1", "r.csv.1"}},
	} {
		dir := t.TempDir()
		at := func(name string) string { return filepath.Join(dir, name) }
		for _, name := range c.inTheWay {
			must(t, os.WriteFile(at(name), []byte("in the way"), 0o600))
		}
		j := open(t, at("r.csv"))
		if c.job {
			must(t, j.Start(jobOf(2, 9), someRun))
		}
		if c.report {
			must(t, os.WriteFile(at("r.csv"), []byte("report"), 0o600))
		}
		if strings.HasPrefix(name, "a folder") { // which can have no second name, as nothing can where there are no links
			must(t, os.Mkdir(at("r.csv"), 0o700))
		}
		moved, err := j.Aside(true, func(path string) bool { return c.taken != "" && path == at(c.taken) })
		must(t, err)
		want := slices.Clone(c.want)
		for i, name := range want {
			want[i] = at(name)
			if _, err := os.Stat(want[i]); err != nil {
				t.Error(err)
			}
		}
		if !slices.Equal(moved, want) {
			t.Errorf("%s: got %q, want %q", name, moved, want)
		}
		if _, err := os.Lstat(at("r.csv")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want the report away", name, err)
		}
		for _, name := range c.inTheWay {
			if got := content(t, at(name)); got != "in the way" {
				t.Errorf("%s: got %q, want it as it was", name, got)
			}
		}
		must(t, j.Start(jobOf(3, 9), someRun))
	}
}

// TestNamesTakenMeanwhile, after one was seen to be free: nobody's file is written over, and the journal stays where it is.
func TestNamesTakenMeanwhile(t *testing.T) {
	write := func(path string) error { return os.WriteFile(path, []byte("somebody's"), 0o600) }
	for name, c := range map[string]struct {
		link   bool // the journal is a link
		change func(j *Journal) error
		want   string
		moved  int
	}{
		"the journal's":               {false, func(j *Journal) error { return write(j.path + ".1") }, "moving PATH.journal aside: link PATH.journal PATH.journal.1: file exists", 0},
		"the journal's, which a link": {true, func(j *Journal) error { return write(j.path + ".1") }, "moving PATH.journal aside: link PATH.journal PATH.journal.1: file exists", 0},
		"the report's":                {false, func(j *Journal) error { return write(j.report + ".1") }, "moving PATH aside: link PATH PATH.1: file exists", 1},
		"none, but it is gone": {false, func(j *Journal) error { return os.Remove(j.path) },
			"moving PATH.journal aside: link PATH.journal PATH.journal.1: no such file or directory", 0},
		"none, but a FIFO is in its place": {false, func(j *Journal) error { return errors.Join(os.Remove(j.path), syscall.Mkfifo(j.path, 0o600)) },
			"writing PATH.journal: it is not a regular file", 0},
	} {
		report := filepath.Join(t.TempDir(), "r.csv")
		if c.link {
			must(t, os.WriteFile(report+".real", nil, 0o600))
			must(t, os.Symlink(report+".real", Path(report)))
		}
		must(t, write(report))
		j := open(t, report)
		must(t, j.Start(jobOf(2, 9), someRun))
		once := true
		moved, err := j.Aside(true, func(path string) bool {
			if last := path == j.report+".1"; last && once { // both are free
				once = false
				must(t, c.change(j))
			}
			return false
		})
		if want := strings.ReplaceAll(c.want, "PATH", report); err == nil || err.Error() != want || len(moved) != c.moved {
			t.Errorf("%s: got %q, %v; want %s", name, moved, err, want)
		}
		for _, path := range []string{report, report + ".1", Path(report) + ".1"} {
			if text, err := os.ReadFile(path); err == nil && string(text) != "somebody's" && c.moved == 0 {
				t.Errorf("%s: %s: got %q, want somebody's file", name, path, text)
			}
		}
	}
}

// TestNoNameIsFree where the longer one cannot be.
func TestNoNameIsFree(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), strings.Repeat("r", 255-len(".journal"))))
	if _, err := j.Aside(true, nobodys); err == nil || !strings.HasPrefix(err.Error(), "looking for a free name: ") {
		t.Errorf("got %v, want that no name is free", err)
	}
}

// TestAsideTwice: what was moved aside first is given up, the last one is held until Close.
func TestAsideTwice(t *testing.T) {
	j := started(t, jobOf(2, 9))
	for n := range 2 {
		moved, err := j.Aside(true, nobodys)
		if want := fmt.Sprintf("%s.%d", j.path, n+1); err != nil || !slices.Equal(moved, []string{want}) {
			t.Fatalf("got %q, %v; want %s", moved, err, want)
		}
		must(t, j.Start(jobOf(3, 9), someRun))
	}
	lock, err := LockFile(j.path+".1", "")
	must(t, err)
	must(t, lock.Close())
	if _, err := LockFile(j.path+".2", ""); !errors.Is(err, ErrHeld) {
		t.Errorf("got %v, want the last one held", err)
	}
	must(t, j.Close())
	lock, err = LockFile(j.path+".2", "")
	must(t, err)
	must(t, lock.Close())
}

// TestAsideWithoutKeeping: the files of a sandbox run are lost, and whatever cannot be removed is an error.
func TestAsideWithoutKeeping(t *testing.T) {
	j := started(t, jobOf(2, 9))
	_, err := j.Replay(t.Context(), false)
	must(t, err)
	must(t, os.WriteFile(j.report, nil, 0o600))
	if moved, err := j.Aside(false, nil); moved != nil || err != nil {
		t.Errorf("got %q, %v; want no error", moved, err)
	}
	if got, err := filepath.Glob(filepath.Join(filepath.Dir(j.path), "*")); err != nil || !slices.Equal(got, []string{j.path}) || content(t, j.path) != "" {
		t.Errorf("got %q, %v; want an empty journal alone", got, err)
	}
	if err := j.Resume(someRun); err == nil {
		t.Error("got no error for a resume of a job that is lost, want one")
	}
	must(t, os.MkdirAll(filepath.Join(j.report, "full"), 0o700))
	if _, err := j.Aside(false, nil); !errors.Is(err, syscall.ENOTEMPTY) || !strings.HasPrefix(err.Error(), "removing the report of a sandbox run: ") {
		t.Errorf("got %v, want that the report stays", err)
	}
	must(t, os.RemoveAll(j.report))
	must(t, j.Start(jobOf(2, 9), someRun))
	must(t, j.file.Close()) // it cannot be emptied
	if _, err := j.Aside(false, nil); !errors.Is(err, os.ErrClosed) || !strings.HasPrefix(err.Error(), "cutting the torn end of "+j.path+": ") {
		t.Errorf("got %v, want that the journal stays", err)
	}
	j.Close()
	if _, err := j.Aside(false, nil); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v, want %v", err, os.ErrClosed)
	}
}
