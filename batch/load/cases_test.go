package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

var planTable = newTable("plan", "rows", "rows/s", "asked for", "CPU s per million rows", "peak memory", "")

// TestPlan is a pass of plan over -rows: read, validate, recognise repeats, group, count.
func TestPlan(t *testing.T) {
	const asked = 1_000_000
	rows := size(small)
	cmd, err := program(t.Context(), "plan", "--json", generated(t, *shapeFlag, rows))
	if err != nil {
		t.Fatal(err)
	}
	r, failed := spent(cmd)
	var plan struct{ Rows, Pairs int64 }
	if err := json.Unmarshal(cmd.Stdout.(*bytes.Buffer).Bytes(), &plan); failed != nil || err != nil {
		t.Fatalf("%v, %v\n%s", failed, err, cmd.Stderr)
	}
	if r.rows = plan.Pairs; uint64(plan.Pairs) != rows {
		t.Errorf("the plan has %d pairs, want %d", plan.Pairs, rows)
	}
	planTable.line(*shapeFlag, count(rows), count(int64(r.rowsPerSecond())), count(asked), fmt.Sprintf("%.2f", r.cpuPer(1e6)),
		mebibytes(r.rss), verdict(r.rowsPerSecond() >= asked))
}

var paceTable = newTable("--rate", "latency", "requests", "share of the rate", "asked for", "most arrivals in a second", "asked for", "")

// TestPace sends single pairs at --rate 200 to a server that takes 300 ms: 60 requests have to be in flight at a time.
// -rows 12000 take a minute.
func TestPace(t *testing.T) {
	const rate, latency = 200, 300 * time.Millisecond
	j := usual(t, "single", size(400))
	j.rate, j.orders = rate, orders{Kind: "bare", Latency: latency}
	r := j.measure(t)
	share := float64(r.requests-1) / r.seen.Arriving.Seconds() / rate
	paceTable.line(fmt.Sprint(rate), latency.String(), count(r.requests), fmt.Sprintf("%.2f %%", 100*share), "98 %",
		count(r.seen.Peak), "202", verdict(share >= 0.98 && r.seen.Peak <= 202))
	// A machine that is busy may hold a request up and let it arrive with the next: the exact bound is for a quiet one.
	if r.seen.Peak > rate*3/2 {
		t.Errorf("the server saw %d requests in one second, want about %d", r.seen.Peak, rate)
	}
}

var resumeTable = newTable("--resume", "rows", "answered before", "first request of the first run", "of the second", "ratio", "asked for",
	"CPU of the second", "peak memory of the second", "")

// TestResume kills a run when 99 % of its rows are answered and takes it up again.
func TestResume(t *testing.T) {
	const asked = 1.3
	rows := size(small)
	j := usual(t, *shapeFlag, rows)
	j.rate = 0
	first := j.killed(t, int64(rows)*99/100)
	j.more, j.orders = []string{"--resume"}, orders{Kind: "bare", Address: first.address} // another endpoint is another job
	r := j.measure(t)
	if first.seen.Rows+r.seen.Rows < int64(rows) || r.seen.Rows > int64(rows)/10+64*perAccount {
		t.Errorf("the server confirmed %d rows, then %d: want %d in all, and few of them twice", first.seen.Rows, r.seen.Rows, rows)
	}
	ratio := r.before.Seconds() / first.before.Seconds()
	resumeTable.line(*shapeFlag, count(rows), count(first.seen.Rows), seconds(first.before), seconds(r.before),
		fmt.Sprintf("%.2f", ratio), fmt.Sprint(asked), seconds(r.cpu), mebibytes(r.rss), verdict(ratio <= asked))
}

// killed starts the job and kills it when the server has confirmed so many rows and fallen silent.
func (j job) killed(t *testing.T, rows int64) (r run) {
	t.Helper()
	j.orders = orders{Kind: "bare", Halt: rows}
	server, err := startServer(t.Context(), j.orders)
	if err != nil {
		t.Fatal(err)
	}
	cmd, err := j.command(t.Context(), server.url)
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended, halted := make(chan error, 1), make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	go func() { halted <- server.wait() }() // ends with the server at the latest
	select {
	case err = <-halted:
	case err = <-ended:
		t.Fatalf("the run ended before it was killed: %v\n%s", err, cmd.Stderr)
	}
	if killed := cmd.Process.Kill(); err != nil || killed != nil {
		t.Fatal(err, killed)
	}
	<-ended // with the word that it was killed
	if r.seen, err = server.end(); err != nil {
		t.Fatal(err)
	}
	r.before, r.address = r.seen.First.Sub(started), strings.TrimPrefix(server.url, "http://")
	return r
}
