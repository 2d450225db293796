package fates

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"friendsweep/input"
	"friendsweep/input/spread"
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

// TestNoRoomForTemporaryFiles: nothing that a temporary file has no room for is forgotten, be it while the journal and the
// repeats are read or later. The folder is not there: that is what a full disk is to them, and nobody needs a disk for it.
func TestNoRoomForTemporaryFiles(t *testing.T) {
	const rows, far = 9000, 1 << 14 // so many repeats do not fit into memory; far is the first line of the second bucket
	small := sizes{shift: 14, texts: 1, group: 1 << 14}
	repeating := journaltest.Job(rows, 2*far-1)
	repeating.Duplicates = rows
	j := journaltest.Start(t, repeating)
	must(t, j.End("0", ""))
	repeats := func(from int64) iter.Seq2[input.Repeat, error] {
		return func(yield func(input.Repeat, error) bool) {
			for line := from; line < from+rows && yield(input.Repeat{Line: line, First: 2}, nil); line++ {
			}
		}
	}
	talking := wordy(t, 1000)
	for name, c := range map[string]struct {
		journal *journal.Journal
		options Options
		later   bool // there is room until the first row is asked for
	}{
		"what was answered":                 {talking, Options{Job: journaltest.Job(1000, 1001), sizes: small}, false},
		"texts of rows":                     {talking, Options{Job: journaltest.Job(1000, 1001), sizes: small}, true},
		"repeats close to their first":      {j, Options{Job: repeating, Repeats: repeats(3), sizes: small}, false},
		"repeats far from their first":      {j, Options{Job: repeating, Repeats: repeats(far), sizes: small}, false},
		"what became of the first, far off": {j, Options{Job: repeating, Repeats: repeats(far), sizes: small}, true},
	} {
		c.options.Dir = filepath.Join(t.TempDir(), "folder")
		if c.later {
			must(t, os.Mkdir(c.options.Dir, 0o700))
		}
		f, err := New(t.Context(), c.journal, c.options)
		if c.later {
			must(t, err)
			must(t, os.Remove(c.options.Dir))
			_, err = f.Next(2)
			f.Close()
		}
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: got %v, want %v", name, err, os.ErrNotExist)
		}
	}
	if _, err := Status(t.Context(), journaltest.Report(wordy(t, rows)), filepath.Join(t.TempDir(), "none"), journaltest.Calls); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("status: got %v, want %v", err, os.ErrNotExist)
	}
}

// TestRecordsAreReadWhole: however the reader hands them out, and wherever a record lies when the memory for them is full.
func TestRecordsAreReadWhole(t *testing.T) {
	const room, length = 128 << 10, 1 << 10
	for _, size := range []int{0, length, room - length, room, room + length, 3 * room} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(i / length)
		}
		for name, in := range map[string]io.Reader{
			"at once": bytes.NewReader(data), "by halves": iotest.HalfReader(bytes.NewReader(data)), "with the end": iotest.DataErrReader(bytes.NewReader(data)),
		} {
			records := 0
			err := eachRecord(in, make([]byte, room), func(r *record) error {
				if text := r.bytes(length); text[0] != byte(records) || text[length-1] != byte(records) {
					return fmt.Errorf("record %d is %d to %d", records, text[0], text[length-1])
				}
				records++
				return nil
			})
			if err != nil || records != size/length {
				t.Errorf("%d bytes, %s: got %d records and %v, want %d", size, name, records, err, size/length)
			}
		}
		broken := errors.New("the disk is gone")
		if err := eachRecord(io.MultiReader(bytes.NewReader(data), iotest.ErrReader(broken)), make([]byte, room), func(r *record) error { r.bytes(length); return nil }); err != broken {
			t.Errorf("%d bytes and then an error: got %v, want it", size, err)
		}
	}
}

// TestCutFileOfTexts: a text that was lost is no empty one.
func TestCutFileOfTexts(t *testing.T) {
	const rows, group = 1000, 512
	j, dir := wordy(t, rows), t.TempDir()
	f, err := New(t.Context(), j, Options{Job: journaltest.Job(rows, rows+1), Dir: dir, sizes: sizes{shift: 14, texts: 1, group: group}})
	must(t, err)
	defer f.Close()
	for line := int64(2); line < group; line++ {
		fate, err := f.Next(line)
		must(t, err)
		if want := fmt.Sprintf("%d %s", line, strings.Repeat("x", 200)); fate.Info != want {
			t.Fatalf("line %d: got %q, want %q", line, fate.Info, want)
		}
		if line == 3 { // whose text, unlike the first one, is its own: those of the group are in memory now
			cut(t, dir, 1000)
		}
	}
	if fate, err := f.Next(group); !errors.Is(err, spread.ErrCut) {
		t.Errorf("got %+v, %v, want %v", fate, err, spread.ErrCut)
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
		if fate, err := f.Next(2); !errors.Is(err, spread.ErrCut) {
			t.Errorf("cut at %d: got %+v, %v, want %v", size, fate, err, spread.ErrCut)
		}
		f.Close()
	}
}
