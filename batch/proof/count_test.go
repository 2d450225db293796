package proof

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestNoRequestTooMany: where nothing fails, a run makes as many requests as its accounts have chunks, and not one more. No
// table here has rows that see each other from the other side in a deletion from both sides: those wait for each other.
func TestNoRequestTooMany(t *testing.T) {
	root := memory(t)
	rapid.Check(t, func(rt *rapid.T) {
		call := rapid.SampledFrom([]*call{deletion, checking}).Draw(rt, "call")
		both := call == checking && rapid.Bool().Draw(rt, "both")
		table := drawTable(rt, false, false)
		o := settings{workers: rapid.IntRange(1, 8).Draw(rt, "workers"), chunk: rapid.IntRange(1, 9).Draw(rt, "chunk")}
		dir, err := os.MkdirTemp(root, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		rapid.SyncTest(rt, func(rt *rapid.T) {
			tr, err := newTrial(dir, table, both)
			if err != nil {
				rt.Fatal(err)
			}
			tr.server.call = call
			if ended, failed := tr.run(rt.Context(), o); ended != nil || failed != nil {
				rt.Fatalf("the run ended with %v, %v", ended, failed)
			}
			wrong := append(tr.check(), tr.tooMany(o.chunk)...)
			if len(wrong) > 0 {
				rt.Fatal(strings.Join(wrong, "\n"))
			}
		})
	})
}

// tooMany holds the number of requests, and how often each pair was asked for, against the table. An account that the API
// does not know has its chunks split: of it no number is foretold.
func (tr *trial) tooMany(chunk int) (wrong []string) {
	pairs, sent := map[string]int{}, map[[2]string]int{}
	for _, r := range tr.table.rows {
		if !r.invalid && r.first == 0 {
			pairs[r.from]++
			sent[[2]string{r.from, r.to}]++
		}
	}
	for account, n := range pairs {
		if strings.HasPrefix(account, "missing-") {
			continue
		}
		if got, want := len(tr.server.record[account]), (n+chunk-1)/chunk; got != want {
			wrong = append(wrong, fmt.Sprintf("%d requests for the %d pairs of %s in chunks of %d, want %d", got, n, account, chunk, want))
		}
		for _, q := range tr.server.record[account] {
			for _, to := range q.to {
				sent[[2]string{account, to}]--
			}
		}
	}
	for pair, n := range sent {
		if n != 0 && !strings.HasPrefix(pair[0], "missing-") {
			wrong = append(wrong, fmt.Sprintf("%s → %s was sent %d times, want once", pair[0], pair[1], 1-n))
		}
	}
	return wrong
}
