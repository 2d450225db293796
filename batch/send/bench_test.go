package send

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"friendsweep/batch/chat"
	"friendsweep/input"
	"friendsweep/reports/journal/journaltest"
)

// BenchmarkSinglePairs is a run of 100,000 accounts with a pair each, the input whose cost is that of accounts and requests
// alone. The CPU time is that of the process: the input, which was read before, is not in it, the server is.
func BenchmarkSinglePairs(b *testing.B) {
	const accounts = 100_000
	dir := memory(b)
	path := filepath.Join(dir, "pairs.csv")
	if err := os.WriteFile(path, []byte("from,to\n"+single(accounts)), 0o600); err != nil {
		b.Fatal(err)
	}
	in, err := input.Read(b.Context(), input.Options{Path: path, ChunkSize: 1000, TempDir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	signer := chat.FixedSigner("signature")
	var cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		client, stop := canned(b, signer)
		j := begunJournal(b, memory(b), in)
		r := Runner{
			Options: Options{Call: journaltest.Call, Good: journaltest.Good, ChunkSize: 1000, Workers: 64, MaxAttempts: 8,
				BackoffInitial: time.Second, BackoffMax: time.Second},
			API: chat.Delete(chat.Single), Client: client, Signer: signer, Journal: j,
		}
		before := cpuTime()
		b.StartTimer()
		if err := r.Run(b.Context(), Pairs{Groups: in.Groups(), Mirrors: in.MirrorGroups()}); err != nil || r.Stats.Decided.Load() != accounts {
			b.Fatalf("got %v after %d rows, want nil after %d", err, r.Stats.Decided.Load(), accounts)
		}
		cpu += cpuTime() - before
		stop()
	}
	b.ReportMetric(float64(cpu.Microseconds())/float64(b.N)/accounts, "µs-CPU/account")
}

// canned is a client for a server that says the same to every request, with as little work as possible.
func canned(b *testing.B, signer *chat.Signer) (client *chat.Client, stop func()) {
	body := items([]string{"friend"}, nil).body
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	var serving sync.WaitGroup
	client, err := chat.NewClient(chat.Config{
		Endpoint: "http://localhost", AppID: 1, Identifier: "administrator", Signer: signer, Call: chat.Delete(chat.Single),
		Timeout: time.Minute, Workers: 64,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			serving.Go(func() { repeat(far, answer) }) // ends with the connection
			return near, nil
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	return client, func() { client.Close(); serving.Wait() }
}

// repeat answers every request, of which each is one write.
func repeat(conn net.Conn, answer []byte) {
	request := make([]byte, 4096)
	for {
		if _, err := conn.Read(request); err != nil {
			return
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkConsequences is what follows from an answer that confirms 1000 pairs.
func BenchmarkConsequences(b *testing.B) {
	const rows = 1000
	r := &Runner{Options: Options{Call: journaltest.Call, MaxAttempts: 8}, API: chat.Delete(chat.Single)}
	a := account{run: &run{Runner: r}}
	items, answer := make([]item, rows), chat.Answer{Items: make([]chat.Item, rows)}
	for i := range items {
		items[i].line, answer.Items[i].State = int64(7*i+2), chat.Answered
	}
	before := cpuTime()
	for b.Loop() {
		if c := a.consequencesOf(items, answer); len(c.open) > 0 {
			b.Fatal(c.open)
		}
	}
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N)/rows, "ns-CPU/row")
}
