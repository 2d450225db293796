package fates

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"friendsweep/reports/journal"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
)

// wordy is the journal of a job of so many rows, in which every row has a text of its own.
func wordy(t testing.TB, rows int64) *journal.Journal {
	t.Helper()
	j := journaltest.Start(t, journaltest.Job(rows, rows+1))
	var results []outcome.Result
	for line := int64(2); line < rows+2; line++ {
		results = append(results, outcome.Result{Rows: outcome.RowsAt(line), Outcome: outcome.Refused, Info: fmt.Sprintf("%d %s", line, strings.Repeat("x", 200))})
	}
	must(t, j.Decide("a", results))
	must(t, j.End("1", ""))
	return j
}

// cut ends all files that this process has open in the folder, which have no names, at so many bytes.
func cut(t testing.TB, dir string, size int64) {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	must(t, err)
	files := 0
	for _, link := range links {
		if name, err := os.Readlink(link); err == nil && strings.HasPrefix(name, dir+"/") {
			must(t, os.Truncate(link, size))
			files++
		}
	}
	if files == 0 {
		t.Skip("no file is open that /proc shows: a cut one was NOT tried")
	}
}

// TestCutTemporaryFile: what a temporary file has lost must not look like rows to which nothing happened.
func TestCutTemporaryFile(t *testing.T) {
	const rows = 1000 // of some 200 bytes: several blocks
	j := wordy(t, rows)
	for _, size := range []int64{0, 1000, 40 << 10, 100 << 10} {
		dir := t.TempDir()
		f, err := New(t.Context(), j, Options{Job: journaltest.Job(rows, rows+1), Dir: dir, sizes: sizes{shift: 14, texts: 1, group: 1 << 14}})
		must(t, err)
		cut(t, dir, size)
		if fate, err := f.Next(2); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut at %d: got %+v, %v, want %v", size, fate, err, io.ErrUnexpectedEOF)
		}
		f.Close()
	}
}
