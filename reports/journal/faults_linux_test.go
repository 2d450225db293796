package journal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"friendsweep/reports/whole/wholetest"
)

// TestAFolderWithoutItsRights: what a folder permits no longer is an error, and nothing is taken to be on the disk, or away.
func TestAFolderWithoutItsRights(t *testing.T) {
	begin := func(t *testing.T, j *Journal) { must(t, j.Start(jobOf(2, 9), someRun)) }
	for _, tc := range []struct {
		name    string
		mode    os.FileMode
		prepare func(t *testing.T, j *Journal)
		do      func(j *Journal) error
		want    string
	}{
		{"a start whose name cannot be synced", 0o333, func(*testing.T, *Journal) {},
			func(j *Journal) error { return j.Start(jobOf(2, 9), someRun) },
			"syncing the folder of PATH: open FOLDER: permission denied"},
		{"a resume whose name cannot be synced", 0o333, func(t *testing.T, j *Journal) {
			begin(t, j)
			_, err := j.Replay(t.Context(), false)
			must(t, err)
		}, func(j *Journal) error { return j.Resume(someRun) },
			"writing PATH anew: syncing the folder of PATH: open FOLDER: permission denied"},
		{"a journal whose new name cannot be synced", 0o333, begin,
			func(j *Journal) error { _, err := j.Aside(true, nobodys); return err },
			"moving PATH aside: syncing the folder of PATH.1: open FOLDER: permission denied"},
		{"nothing to move, and nothing that can be synced", 0o333, func(*testing.T, *Journal) {},
			func(j *Journal) error { _, err := j.Aside(true, nobodys); return err },
			"syncing the folder of PATH: open FOLDER: permission denied"},
		{"a journal that cannot be moved", 0o555, begin,
			func(j *Journal) error { _, err := j.Aside(true, nobodys); return err },
			"writing PATH: permission denied"},
		{"an empty one that cannot be removed", 0o555, func(*testing.T, *Journal) {}, (*Journal).Discard,
			"remove PATH: permission denied"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			wholetest.AsNobody(t, dir)
			j := open(t, filepath.Join(dir, "r.csv"))
			tc.prepare(t, j)
			must(t, os.Chmod(dir, tc.mode))
			defer os.Chmod(dir, 0o755)
			err := tc.do(j)
			if want := strings.NewReplacer("PATH", j.path, "FOLDER", dir).Replace(tc.want); err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
			if _, err := os.Stat(j.path); err != nil {
				t.Errorf("got %v, want the journal in its place", err)
			}
		})
	}
}

// TestSomebodyElsesReport, in a folder where each may remove his own files alone, is not moved, and that is said.
func TestSomebodyElsesReport(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make somebody else's file")
	}
	dir := t.TempDir()
	shared := filepath.Join(dir, "shared")
	must(t, os.Mkdir(shared, 0o777))
	must(t, os.Chmod(shared, 0o777|os.ModeSticky))
	report := filepath.Join(shared, "r.csv")
	must(t, os.WriteFile(report, []byte("somebody's"), 0o666))
	must(t, os.Chmod(report, 0o666))
	wholetest.AsNobody(t, dir)
	j := open(t, report)
	moved, err := j.Aside(true, nobodys)
	if err == nil || !errors.Is(err, syscall.EPERM) || !strings.HasPrefix(err.Error(), "moving "+report+" aside: ") || len(moved) != 0 {
		t.Errorf("got %q, %v; want that it cannot be moved", moved, err)
	}
	if got := content(t, report); got != "somebody's" {
		t.Errorf("got %q, want the report as it was", got)
	}
}

// TestResumeLeavesNothingOpen: the journal that was written anew is closed, as often as a job is resumed.
func TestResumeLeavesNothingOpen(t *testing.T) {
	j := started(t, jobOf(2, 9))
	opened := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		must(t, err)
		return len(names)
	}
	before := opened()
	for range 3 {
		_, err := j.Replay(t.Context(), false)
		must(t, err)
		must(t, j.Resume(someRun))
	}
	if got := opened(); got != before {
		t.Errorf("got %d open files, want %d as before", got, before)
	}
}
