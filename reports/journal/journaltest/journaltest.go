// Package journaltest makes journals for the tests of packages that read them.
package journaltest

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"friendsweep/reports/journal"
)

// Run is who works on the jobs of these journals.
var Run = journal.Run{Version: "v1", Input: "/in/pairs.csv", Flags: map[string]string{"rate": "200"}, Host: "h", User: "u", PID: 7}

// Job is a job of so many rows up to the line last.
func Job(rows, last int64) journal.Job {
	return journal.Job{InputSHA256: strings.Repeat("ab", 32), InputBytes: 100, Rows: rows, LastLine: last, FromColumn: "from",
		ToColumn: "to", Endpoint: "https://x.test", AppID: 1400000000, DeleteType: "Delete_Type_Both"}
}

// Start begins the job in a journal of its own, which is closed when the test ends.
func Start(t testing.TB, job journal.Job) *journal.Journal {
	t.Helper()
	j, err := journal.Lock(filepath.Join(t.TempDir(), "r.csv"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	if err := j.Start(job, Run); err != nil {
		t.Fatal(err)
	}
	return j
}

// Report is the report that the journal lies beside.
func Report(j *journal.Journal) string { return strings.TrimSuffix(j.Path(), ".journal") }

// Deleted is the answer that the rows at these lines, or all rows of the request, are deleted.
func Deleted(lines ...int64) journal.Result {
	return journal.Result{Lines: lines, Outcome: journal.Deleted, HasCode: true}
}

// Filled is the journal of a finished job of n rows in requests of chunk rows; scattered rows lie far apart in the input.
func Filled(t testing.TB, n, chunk int, scattered bool) (*journal.Journal, journal.Job) {
	t.Helper()
	job := Job(int64(n), int64(n)+1)
	j := Start(t, job)
	lines := make([]int64, n)
	for i := range lines {
		lines[i] = int64(i) + 2
	}
	if scattered {
		rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(x, y int) { lines[x], lines[y] = lines[y], lines[x] })
	}
	for part := range slices.Chunk(lines, chunk) {
		slices.Sort(part)
		id, err := j.Before("account-12345", part)
		if err == nil {
			err = j.After(id, 80*time.Millisecond, []journal.Result{Deleted()})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := j.End("0", ""); err != nil {
		t.Fatal(err)
	}
	return j, job
}

// Resealed is the text of a journal whose chain fits what its lines say now, as the contract's section 7 has it: whoever
// can do this is held to what the lines say.
func Resealed(text string) string {
	previous := ""
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		open, _, ok := strings.Cut(line, `,"h":"`)
		if !ok || !strings.HasSuffix(line, "\"}\n") {
			continue
		}
		sum := sha256.Sum256([]byte(previous + open))
		previous = hex.EncodeToString(sum[:16])
		lines[i] = open + `,"h":"` + previous + "\"}\n"
	}
	return strings.Join(lines, "")
}
