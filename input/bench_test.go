package input

import (
	"context"
	"encoding/csv"
	"flag"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/gocarina/gocsv"
)

var benchRows = flag.Uint64("rows", 1_000_000, "records of a benchmark's input")

// perRow runs one pass over the rows as often as the benchmark wants, and reports what a row costs: CPU is user and
// system time of the whole process, garbage collection included, and says more than the clock on a shared machine.
func perRow(b *testing.B, size int64, pass func()) {
	b.Helper()
	b.ReportAllocs()
	rows := float64(*benchRows)
	before := cpuTime()
	for b.Loop() {
		pass()
	}
	passes := rows * float64(b.N)
	b.ReportMetric(float64(size)/rows, "B/row")
	b.ReportMetric(passes/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/passes, "cpu-ns/row")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func eachShape(b *testing.B, bench func(b *testing.B, opts Options, size int64)) {
	for _, shape := range []string{"shuffled", "clustered", "giant", "singles"} {
		b.Run(shape, func(b *testing.B) {
			name := generated(b, shape, *benchRows)
			info, err := os.Stat(name)
			if err != nil {
				b.Fatal(err)
			}
			bench(b, Options{Path: name, ChunkSize: 1000, TempDir: b.TempDir()}, info.Size())
		})
	}
}

func readAll(tb testing.TB, opts Options) *Input {
	tb.Helper()
	in, err := Read(context.Background(), opts)
	if err != nil {
		tb.Fatal(err)
	}
	return in
}

// BenchmarkRead is the whole of Read: parse, check, spread, recognise repeats, group.
func BenchmarkRead(b *testing.B) {
	eachShape(b, func(b *testing.B, opts Options, size int64) {
		perRow(b, size, func() { readAll(b, opts).Close() })
	})
}

// BenchmarkReadBoth is Read for Delete_Type_Both, which looks for mirrors as well.
func BenchmarkReadBoth(b *testing.B) {
	eachShape(b, func(b *testing.B, opts Options, size int64) {
		opts.Both = true
		perRow(b, size, func() { readAll(b, opts).Close() })
	})
}

// BenchmarkSpread is the first half of Read: parse, check and write the partitions.
func BenchmarkSpread(b *testing.B) {
	eachShape(b, func(b *testing.B, opts Options, size int64) {
		opts.limits, opts.Progress = usual, new(Progress)
		perRow(b, size, func() {
			src, err := openSource(b.Context(), opts)
			if err != nil {
				b.Fatal(err)
			}
			parts, err := (&Input{opts: opts, source: src}).firstRead(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			parts.close()
		})
	})
}

// BenchmarkGroups reads the groups as the runner does.
func BenchmarkGroups(b *testing.B) {
	eachShape(b, func(b *testing.B, opts Options, size int64) {
		in := readAll(b, opts)
		defer in.Close()
		perRow(b, size, func() {
			for group, err := range in.Groups() {
				if err != nil {
					b.Fatal(err)
				}
				for _, err := range group.Pairs() {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	})
}

// BenchmarkRecords is the second read, for the report.
func BenchmarkRecords(b *testing.B) {
	eachShape(b, func(b *testing.B, opts Options, size int64) {
		in := readAll(b, opts)
		defer in.Close()
		perRow(b, size, func() {
			for _, err := range in.Records(b.Context()) {
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

// BenchmarkFloor is what the two CSV readers under ours cost alone.
func BenchmarkFloor(b *testing.B) {
	for _, name := range []string{"encoding/csv", "gocsv"} {
		b.Run(name, func(b *testing.B) {
			file := generated(b, "shuffled", *benchRows)
			perRow(b, 0, func() {
				f, err := os.Open(file)
				if err != nil {
					b.Fatal(err)
				}
				defer f.Close()
				r := csv.NewReader(f)
				r.ReuseRecord = true
				if err := drain(r, name == "gocsv"); err != io.EOF {
					b.Fatal(err)
				}
			})
		})
	}
}

func drain(r *csv.Reader, typed bool) error {
	if !typed {
		for {
			if _, err := r.Read(); err != nil {
				return err
			}
		}
	}
	type pair struct {
		From string `csv:"from_account"`
		To   string `csv:"to_account"`
	}
	um, err := gocsv.NewUnmarshaller(r, &pair{})
	for err == nil {
		_, err = um.Read()
	}
	return err
}
