package proof

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"friendsweep/batch"
	"friendsweep/batch/chat"
	"friendsweep/batch/sandbox"
	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

// TestBounds: what a job takes to be gone on with hangs on its rows, wherever these stand, and not on the number of a line;
// what it takes to be told of does not hang on how many codes a server thinks of. The jobs are made from a seed.
func TestBounds(t *testing.T) {
	seed := rand.Uint64()
	dice := rand.New(rand.NewPCG(seed, 0))
	last := 1<<31 + dice.Int64N(1<<33)
	j := farJob(t, filepath.Join(memory(t), "far.csv"), last, 2000, 1000, func(int) int { return 30003 })
	before := allocated()
	history, err := j.Replay(t.Context(), false)
	if err != nil {
		t.Fatalf("seed %#x: %v", seed, err)
	}
	if n := history.Final.Count(); n != 2000 {
		t.Errorf("seed %#x: got %d final rows, want 2000", seed, n)
	}
	// Four sets, which name their pages even where there are none.
	if took, most := allocated()-before, uint64(8<<20); took > most {
		t.Errorf("seed %#x: got %d bytes for 2000 rows up to line %d, want %d at most", seed, took, last, most)
	}

	const codes = 40_000
	report := filepath.Join(memory(t), "codes.csv")
	farJob(t, report, codes+1, codes, 1000, func(n int) int { return 100_000 + n + dice.IntN(2)<<40 }).Close()
	before = inUse()
	info, err := fates.Status(t.Context(), report, t.TempDir(), batch.Calls)
	if err != nil {
		t.Fatalf("seed %#x: %v", seed, err)
	}
	if now, most := inUse(), uint64(1<<20); now > before+most {
		t.Errorf("seed %#x: got %d bytes for what is known of %d codes, want %d at most", seed, now-before, codes, most)
	}
	var said strings.Builder
	if err := reports.NewStatus(info, report).WriteJSON(&said, info); err != nil {
		t.Fatal(err)
	}
	if n := said.Len(); n > 16<<10 {
		t.Errorf("seed %#x: got %d bytes about %d codes, want 16 KiB at most", seed, n, codes)
	}
	runtime.KeepAlive(info)
}

// farJob writes the journal of a job whose rows stand at the two ends of so many lines, refused by requests of so many, each
// with the code that is given for it.
func farJob(t *testing.T, report string, last int64, rows, each int, code func(n int) int) *journal.Journal {
	t.Helper()
	j, err := journal.Lock(report, batch.Calls)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	err = j.Start(entry.Job{Call: "delete", InputSHA256: strings.Repeat("ab", 32), InputBytes: last, Rows: int64(rows), LastLine: last, FromColumn: "from",
		ToColumn: "to", Endpoint: "http://127.0.0.1", AppID: sandbox.DefaultAppID, DeleteType: string(chat.Single)}, entry.Run{Version: "proof", PID: 1})
	for n := 0; err == nil && n < rows; n += each {
		var lines []int64
		var results []outcome.Result
		for i := range each {
			line := int64(2 + n + i)
			if n+i >= rows/2 {
				line = last - int64(rows-n-i-1)
			}
			lines = append(lines, line)
			results = append(results, outcome.Result{Rows: outcome.RowsAt(line), Outcome: outcome.Refused, Code: outcome.Code{Number: code(n + i), Given: true}, Info: fmt.Sprint("no ", n)})
		}
		var id int64
		if id, err = j.Before("ann", lines); err == nil {
			err = j.After(id, time.Millisecond, results)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
