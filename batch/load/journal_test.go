package load

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"friendsweep/batch"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

// The first answer of delete.
const isDeleted = outcome.Answered

var journalTable = newTable("shape", "rows", "requests", "CPU of the program per row", "CPU of its journal per row", "share", "asked for", "bytes a row", "")

// TestJournal measures what part of the program's CPU goes into the journal: a whole run, then the same lines written to
// a journal alone by as many goroutines, syncs included.
func TestJournal(t *testing.T) {
	const asked = 0.10
	j := usual(t, *shapeFlag, size(small))
	j.rate, j.orders = 0, orders{Kind: "bare"}
	r := j.measure(t)
	chunks := chunksOf(*shapeFlag, uint64(r.rows))
	if int64(len(chunks)) != r.requests {
		t.Errorf("the journal is written for %d requests, the program made %d", len(chunks), r.requests)
	}
	before, _ := usage()
	writeJournal(t, chunks)
	after, _ := usage()
	share := float64(after-before) / float64(r.cpu)
	perRow := func(d time.Duration) string { return fmt.Sprintf("%d ns", d.Nanoseconds()/r.rows) }
	journalTable.line(*shapeFlag, count(r.rows), count(r.requests), perRow(r.cpu), perRow(after-before),
		fmt.Sprintf("%.1f %%", 100*share), fmt.Sprintf("%.0f %%", 100*asked), fmt.Sprintf("%.1f", float64(r.journal)/float64(r.rows)), verdict(share <= asked))
}

// BenchmarkJournal is the journal of -rows in the shape of -shape.
func BenchmarkJournal(b *testing.B) {
	rows := size(1_000_000)
	chunks := chunksOf(*shapeFlag, rows)
	b.ReportAllocs()
	before, _ := usage()
	for b.Loop() {
		writeJournal(b, chunks)
	}
	after, _ := usage()
	written := float64(b.N) * float64(rows)
	b.ReportMetric(float64((after-before).Nanoseconds())/written, "cpu-ns/row")
	b.ReportMetric(written/b.Elapsed().Seconds(), "rows/s")
}

// chunk is the request of an account: the lines of the rows that it carries.
type chunk struct {
	account string
	lines   []int64
}

// chunksOf are the requests for an input, as the program makes them.
func chunksOf(shape string, n uint64) (all []chunk) {
	lines := map[uint64][]int64{}
	mix := newOrder(n, *seedFlag)
	for k := range n {
		account, _ := shapes[shape](k, mix.of(k))
		lines[account] = append(lines[account], int64(k)+2) // behind the header
	}
	for account, of := range lines {
		for part := range slices.Chunk(of, perAccount) {
			all = append(all, chunk{fmt.Sprint("user_", 100_000_000+account), part})
		}
	}
	return all
}

// writeJournal writes the journal of a run in which every request is answered at once and confirms all its rows.
func writeJournal(tb testing.TB, chunks []chunk) {
	tb.Helper()
	j, err := journal.Lock(filepath.Join(tb.TempDir(), "report.csv"), batch.Calls)
	if err != nil {
		tb.Fatal(err)
	}
	defer j.Close()
	if err := j.Start(entry.Job{Call: "delete", Rows: 1 << 40, LastLine: 1 << 40}, entry.Run{Version: "load"}); err != nil {
		tb.Fatal(err)
	}
	feed := make(chan chunk)
	var workers errgroup.Group
	for range *workersFlag {
		workers.Go(func() error {
			for c := range feed {
				if err := record(j, c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for _, c := range chunks {
		feed <- c
	}
	close(feed)
	if err := workers.Wait(); err != nil {
		tb.Fatal(err)
	}
	if err := j.End("0", ""); err != nil {
		tb.Fatal(err)
	}
}

func record(j *journal.Journal, c chunk) error {
	id, err := j.Before(c.account, c.lines)
	if err != nil {
		return err
	}
	return j.After(id, time.Millisecond, []outcome.Result{{Outcome: isDeleted, Code: outcome.Code{Given: true}}})
}
