package journal

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

func BenchmarkJournalWrite(b *testing.B) {
	for _, c := range []struct {
		chunk int
		sync  bool
	}{{1000, false}, {1, false}, {1000, true}, {1, true}} {
		b.Run(fmt.Sprintf("chunk=%d/sync=%v", c.chunk, c.sync), func(b *testing.B) {
			j := started(b, jobOf(1<<30, 1<<30))
			if !c.sync {
				j.sync = func() error { return nil }
			}
			lines := make([]int64, c.chunk)
			for i := range lines {
				lines[i] = int64(2 + 3*i)
			}
			results := []outcome.Result{deleted()}
			b.ReportAllocs()
			b.SetParallelism(32) // 64 workers on two processors
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					id, err := j.Before("account-12345", lines)
					if err != nil {
						b.Error(err)
						return
					}
					if err := j.After(id, time.Millisecond, results); err != nil {
						b.Error(err)
					}
				}
			})
			perSecond(b, c.chunk, "row")
			b.ReportMetric(float64(j.end())/float64(b.N)/float64(c.chunk), "B/row")
		})
	}
}

func BenchmarkReplay(b *testing.B) {
	for _, c := range []struct {
		n, chunk  int
		scattered bool
	}{{1_000_000, 1000, false}, {1_000_000, 1000, true}, {500_000, 1, false}} {
		b.Run(fmt.Sprintf("chunk=%d/scattered=%v", c.chunk, c.scattered), func(b *testing.B) {
			j, _ := benchJournal(b, c.n, c.chunk, c.scattered)
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				h, err := j.Replay(b.Context(), false)
				if err != nil || h.MirroredCount != int64(c.n) {
					b.Fatal(h, err)
				}
			}
			perSecond(b, c.n, "row")
			b.ReportMetric(float64(j.end())/float64(c.n), "B/row")
			perSecond(b, 2*c.n/c.chunk, "line")
		})
	}
}

// benchJournal is the journal of a job of n rows in requests of chunk rows; scattered rows lie far apart in the input.
func benchJournal(b *testing.B, n, chunk int, scattered bool) (*Journal, entry.Job) {
	job := jobOf(int64(n), int64(n)+1)
	j := started(b, job)
	j.sync = func() error { return nil }
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
		must(b, err)
		must(b, j.After(id, 80*time.Millisecond, []outcome.Result{deleted()}))
	}
	must(b, j.End("0", ""))
	return j, job
}

func perSecond(b *testing.B, n int, unit string) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), unit+"s/s")
	b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(n)/float64(b.N), "ns/"+unit)
}
