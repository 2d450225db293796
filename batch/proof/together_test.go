package proof

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

var togetherCount = flag.Int("together", 4, "how often TestTogether lets two jobs run, and TestFewDescriptors one")

// manyFailures has so many rows of an account that are no friends, and a few that are.
func manyFailures(account string, rows int) *table {
	b := newTableBuilder(false)
	for i := range rows {
		to := fmt.Sprintf("not-friend-%d", i)
		if i%100 == 0 {
			to = fmt.Sprint("friend ", i)
		}
		b.add(account, to, "")
	}
	return b.table()
}

// TestTogether: two jobs that come to their end at the same moment and write the same failures file, page and figures. Each
// ends as if it were alone, and what they share is wholly that of one of them.
func TestTogether(t *testing.T) {
	t.Parallel()
	for range *togetherCount {
		jobs := []*site{newSite(t, manyFailures("ann", 9000)), newSite(t, manyFailures("bob", 9000+rand.IntN(2000)))}
		shared := jobs[0].path("failures.csv")
		all := make(chan struct{})
		var running []*process
		for _, s := range jobs {
			s.flags = []string{"--failures", shared, "--html", jobs[0].path("page.html"), "--metrics-file", jobs[0].path("job.prom"), "--chunk-size", "1000"}
			// Both have their last answer at the same time.
			s.server.arrived = func(q *request) {
				if q.number >= len(s.table.rows)/1000+1 || q.number*1000 >= len(s.table.rows) {
					<-all
				}
			}
			p := s.prepare(s.deletes()...)
			p.start()
			running = append(running, p)
		}
		for _, s := range jobs {
			until(t, "the last request", func() bool {
				s.server.mu.Lock()
				defer s.server.mu.Unlock()
				return len(s.server.all)*1000 >= len(s.table.rows)
			})
		}
		close(all)
		var differ [][]string
		for i, p := range running {
			p.wait().want(t, 1)
			differ = append(differ, failuresMatch(jobs[i].report(), shared))
		}
		if len(differ[0]) > 0 && len(differ[1]) > 0 {
			t.Errorf("the failures file is that of neither job: %.200q and %.200q", differ[0], differ[1])
		}
		for i, s := range jobs {
			for _, line := range s.report() {
				if line.from != s.table.rows[0].from || (line.outcome == "deleted") == strings.HasPrefix(line.to, "not-") {
					t.Fatalf("job %d: got %+v in its report", i, line)
				}
			}
			if left := s.leftovers("report.csv", "report.csv.journal", "failures.csv", "page.html", "job.prom"); len(left) > 0 {
				t.Errorf("left over: %q", left)
			}
		}
	}
}

// TestFewDescriptors: however few files and connections the process may have, and however many workers it is to have: it refuses
// before its first request, or comes to its end with a report.
func TestFewDescriptors(t *testing.T) {
	prlimit, err := exec.LookPath("prlimit")
	if err != nil {
		t.Skip("there is no prlimit")
	}
	t.Parallel()
	refused := 0
	for range *togetherCount {
		s := newSite(t, smallTable(60))
		s.server.arrived = func(*request) { time.Sleep(30 * time.Millisecond) } // so that many are in flight
		limit, workers := 20+rand.IntN([]int{60, 450}[rand.IntN(2)]), []int{1, 40, 64, 150}[rand.IntN(4)]
		s.wrap = []string{prlimit, fmt.Sprintf("--nofile=%d:%[1]d", limit)}
		r := s.run(s.deletes("--workers", fmt.Sprint(workers))...)
		s.wrap = nil
		switch {
		case r.code == 2 && len(s.server.all) == 0:
			refused++
		case r.code == 0:
			s.plainlyTrue(0)
		default:
			t.Errorf("%d descriptors and %d workers: got exit code %d after %d requests, want 0, or 2 after none\n%s", limit, workers, r.code, len(s.server.all), r.stderr)
		}
		if _, err := os.Stat(s.path("report.csv")); r.code == 2 && err == nil {
			t.Error("refused, and there is a report")
		}
	}
	t.Logf("%d of %d refused", refused, *togetherCount)
}
