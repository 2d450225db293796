package sandbox_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"friendsweep/batch/sandbox"
)

// requests makes bodies that differ in From_Account alone, so that every pair is deleted for the first time.
type requests struct {
	before, after string
	count         atomic.Int64
}

func newRequests(b *testing.B, pairs int) *requests {
	const mark = "account-"
	before, after, _ := strings.Cut(body(b, mark, many(pairs), single), mark)
	return &requests{before: before + mark, after: after}
}

func (r *requests) next() string {
	return r.before + strconv.FormatInt(r.count.Add(1), 10) + r.after
}

func BenchmarkOverHTTP(b *testing.B) {
	for _, pairs := range []int{1000, 1} {
		b.Run(fmt.Sprint("pairs=", pairs), func(b *testing.B) {
			s := sandbox.New(sandbox.Options{})
			web := httptest.NewServer(s)
			defer web.Close()
			transport := &http.Transport{MaxIdleConnsPerHost: 64}
			defer transport.CloseIdleConnections()
			client, reqs := &http.Client{Transport: transport}, newRequests(b, pairs)
			target := web.URL + "/v4/sns/friend_delete?" + goodQuery(b).Encode()
			b.ReportAllocs()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					resp, err := client.Post(target, "application/json", strings.NewReader(reqs.next()))
					if err != nil {
						b.Error(err)
						return
					}
					_, err = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
			report(b, pairs)
			if got, want := s.Stats().Pairs, int64(b.N*pairs); got != want {
				b.Fatalf("got %d pairs answered, want %d", got, want)
			}
		})
	}
}

// BenchmarkHandler leaves out net/http and the client: run it with -cpu 1 for the figure per core.
func BenchmarkHandler(b *testing.B) {
	for _, pairs := range []int{1000, 1} {
		b.Run(fmt.Sprint("pairs=", pairs), func(b *testing.B) {
			s, reqs := sandbox.New(sandbox.Options{}), newRequests(b, pairs)
			target := "/v4/sns/friend_delete?" + goodQuery(b).Encode()
			b.ReportAllocs()
			for b.Loop() {
				w := discard{header: http.Header{}}
				s.ServeHTTP(&w, httptest.NewRequest("POST", target, strings.NewReader(reqs.next())))
				if !bytes.Contains(w.end[:], []byte(`"ErrorDisplay"`)) {
					b.Fatalf("got an answer ending in %q, want an OK one", w.end)
				}
			}
			report(b, pairs)
		})
	}
}

func report(b *testing.B, pairs int) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
	b.ReportMetric(float64(b.N*pairs)/b.Elapsed().Seconds(), "rows/s")
}

// discard keeps the last bytes of an answer.
type discard struct {
	header http.Header
	end    [24]byte
}

func (d *discard) Header() http.Header { return d.header }
func (d *discard) WriteHeader(int)     {}

func (d *discard) Write(p []byte) (int, error) {
	copy(d.end[:], p[max(0, len(p)-len(d.end)):])
	return len(p), nil
}
