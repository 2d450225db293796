package batch

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"friendsweep/batch/chat"
	"friendsweep/batch/send"
	"friendsweep/reports"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/terminal"
)

// during reads text, and does something when the reading begins.
type during struct {
	io.Reader
	do func()
}

func (d *during) Read(p []byte) (int, error) {
	if d.do != nil {
		d.do()
		d.do = nil
	}
	return d.Reader.Read(p)
}

// died leaves the journal of a job over the pairs that sent nothing before it died, and returns the options for its report.
func died(t *testing.T, pairs string) Options {
	t.Helper()
	dir := t.TempDir()
	o := Options{
		Pairs: "-", Stdin: strings.NewReader(pairs), DeleteType: chat.Single, Batch: send.Options{ChunkSize: 1000}, Endpoint: Sandbox,
		Report: filepath.Join(dir, "r.csv"), TempDir: dir, Log: slog.New(slog.DiscardHandler), Progress: terminal.NewProgress(io.Discard, terminal.Options{}),
	}
	o.SetCall(chat.Delete(chat.Single), []string{"deleted"})
	r := New(o)
	defer r.Close()
	if err := errors.Join(r.read(t.Context()), r.takeJournal()); err != nil {
		t.Fatal(err)
	}
	if err := r.journal.Start(r.job, entry.Run{Input: "-"}); err != nil {
		t.Fatal(err)
	}
	return o
}

// The page does not depend on the file of the failed rows, and the report on neither.
func TestRewriteWritesWhatItCan(t *testing.T) {
	const pairs = "from,to\na,b\n"
	o := died(t, pairs)
	folder := filepath.Join(filepath.Dir(o.Report), "away")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	o.Failures, o.HTML = filepath.Join(folder, "f.csv"), filepath.Join(filepath.Dir(o.Report), "p.html")
	o.Stdin = &during{strings.NewReader(pairs), func() { os.Remove(folder) }}
	sum, err := Rewrite(t.Context(), o)
	if !errors.As(err, new(reports.LesserError)) || !strings.Contains(err.Error(), "f.csv") {
		t.Errorf("got %v, want that the failures could not be written", err)
	}
	for _, path := range []string{o.Report, o.HTML} {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("got %v, want it written", err)
		}
	}
	if sum == nil || sum.Rows != 1 || sum.State != "dead" {
		t.Errorf("got %+v, want the summary of the job", sum)
	}
}
