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
	"friendsweep/input"
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

// The report of a run that has ended is written again byte for byte, and what follows from it is said.
func TestRewriteOfAFinishedRun(t *testing.T) {
	o := options(t, serve(t), fewPairs)
	o.Flags["secret-key-file"] = entry.Text(o.Pairs + ".key")
	if _, code, err := carryOut(t, o); err != nil || code != exitRowsFailed {
		t.Fatalf("got exit code %d and %v, want 1", code, err)
	}
	want, err := os.ReadFile(o.Report)
	if err != nil {
		t.Fatal(err)
	}
	later := Options{Report: o.Report, TempDir: o.TempDir, Log: o.Log, Progress: o.Progress, HTML: o.Report + ".html"}
	if err := os.Remove(o.Report); err != nil {
		t.Fatal(err)
	}
	sum, err := Rewrite(t.Context(), later)
	if err != nil || sum.State != "finished" || sum.ResumeCommand != "" || !strings.Contains(sum.RetryCommand, "--retry-failed") || sum.Accounts != 3 || sum.Input != o.Pairs {
		t.Errorf("got %+v, %v, want a finished job", sum, err)
	}
	if got, err := os.ReadFile(o.Report); err != nil || string(got) != string(want) {
		t.Errorf("got %s, %v, want\n%s", got, err, want)
	}
	if !isThere(later.HTML) {
		t.Error("there is no page")
	}
	later.HTML, later.Failures = "", o.Pairs+".key"
	if err := os.WriteFile(later.Failures, []byte("key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Rewrite(t.Context(), later); !isRefusal(err, "the file of the secret") {
		t.Errorf("over the key: got %v, want a refusal", err)
	}
	later.Failures, later.Pairs = "", o.Pairs+".other"
	if err := os.WriteFile(later.Pairs, []byte("from,to\na,c\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Rewrite(t.Context(), later); !isRefusal(err, "is not the input of this run") {
		t.Errorf("of another input: got %v, want a refusal", err)
	}
	if err := os.Rename(o.Pairs, o.Pairs+".moved"); err != nil {
		t.Fatal(err)
	}
	later.Pairs = ""
	var unread *input.Error
	if _, err := Rewrite(t.Context(), later); !errors.As(err, &unread) || !strings.HasSuffix(err.Error(), "\nif the run's input has moved, name it with --input") {
		t.Errorf("its input has moved: got %v, want how to name it", err)
	}
	later.Pairs = o.Pairs + ".other.none"
	if _, err := Rewrite(t.Context(), later); !errors.As(err, &unread) || strings.Contains(err.Error(), "has moved") {
		t.Errorf("an input that is not there: got %v, want no word of the run's", err)
	}
	later.Pairs, later.Report = "", o.Report+".none"
	if _, err := Rewrite(t.Context(), later); !isRefusal(err, "give the name of a report", "no such file") {
		t.Errorf("without a journal: got %v, want a refusal", err)
	}
}

// The report of a job that never began cannot be written, and its empty journal stays as it is.
func TestRewriteWithoutAJob(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.csv")
	if err := os.WriteFile(path+".journal", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Rewrite(t.Context(), Options{Report: path}); !isRefusal(err, path+".journal: no run has begun in it") || !isThere(path+".journal") {
		t.Errorf("got %v, want a refusal and the journal as it was", err)
	}
}

// A page that cannot be written is named, and costs neither report nor summary.
func TestRewriteWithoutItsPage(t *testing.T) {
	const pairs = "from,to\na,b\n"
	o := died(t, pairs)
	o.HTML = filepath.Join(filepath.Dir(o.Report), "p.html")
	o.Stdin = &during{strings.NewReader(pairs), func() { os.Mkdir(o.HTML, 0o700) }}
	if sum, err := Rewrite(t.Context(), o); err == nil || !strings.Contains(err.Error(), o.HTML) || sum == nil || !isThere(o.Report) {
		t.Errorf("got %+v, %v, want the page named and all else", sum, err)
	}
}

// A run that died and refused nothing can be continued, and nothing of it can be tried again.
func TestRewriteOfADeadRun(t *testing.T) {
	o := died(t, "from,to\na,b\n")
	o.Pairs = ""
	if _, err := Rewrite(t.Context(), o); !isRefusal(err, "the run read standard input", "--input") {
		t.Errorf("without its input: got %v, want a refusal", err)
	}
	o.Pairs, o.Stdin = "-", strings.NewReader("from,to\na,b\n")
	sum, err := Rewrite(t.Context(), o)
	if err != nil || sum.State != "dead" || !strings.Contains(sum.ResumeCommand, "--resume") || sum.RetryCommand != "" || sum.Outcomes["not_sent"] != 1 {
		t.Errorf("got %+v, %v, want a dead job and how to go on", sum, err)
	}
}
