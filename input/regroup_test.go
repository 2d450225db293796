package input

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func regroup(o *Options) { o.Both, o.Regroup = true, true }

func countRegrouped(o *Options) { o.Both, o.CountRegrouped = true, true }

// checkRegrouped checks all that regrouping promises, against what Read finds without it.
func checkRegrouped(t failing, in, plain *Input) {
	t.Helper()
	written := map[int64][2]string{}
	for account, pairs := range byAccountName(t, plain.Groups()) {
		for _, p := range pairs {
			written[p.Line] = [2]string{account, p.To}
		}
	}
	got, turned, requests := map[int64][2]string{}, map[string][]Pair{}, int64(0)
	for account, pairs := range byAccountName(t, in.Groups()) {
		requests += (int64(len(pairs)) + int64(in.opts.ChunkSize) - 1) / int64(in.opts.ChunkSize)
		for _, p := range pairs {
			if _, twice := got[p.Line]; twice {
				t.Fatalf("got line %d twice", p.Line)
			}
			got[p.Line] = [2]string{account, p.To}
			if p.Turned {
				got[p.Line] = [2]string{p.To, account}
				turned[p.To] = append(turned[p.To], Pair{Line: p.Line, To: account})
			}
		}
	}
	same(t, got, written)
	inOrder(turned)
	same(t, byAccountName(t, in.TurnedGroups()), turned)
	same(t, byAccountName(t, in.MirrorGroups()), byAccountName(t, plain.MirrorGroups()))
	same(t, sorted(collect(t, in.Repeats())), sorted(collect(t, plain.Repeats())))
	n := int64(0)
	for _, pairs := range turned {
		n += int64(len(pairs))
	}
	same(t, [...]int64{in.Requests, in.RequestsRegrouped, in.RequestsWritten, in.Turned, in.Pairs, in.Accounts},
		[...]int64{requests, requests, plain.Requests, n, plain.Pairs, plain.Accounts})
	if requests > plain.Requests {
		t.Fatalf("got %d requests, want no more than the %d without regrouping", requests, plain.Requests)
	}
}

func TestRegroupAsksForEveryPairOnce(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		opts := Options{Path: filepath.Join(dir, "pairs.csv"), TempDir: dir, ChunkSize: rapid.SampledFrom([]int{1, 2, 4, 1000}).Draw(t, "chunk"),
			Both: true, limits: rapid.SampledFrom([]limits{usual, tiny}).Draw(t, "limits")}
		if err := os.WriteFile(opts.Path, []byte(draw(t, true).text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		read := func() *Input {
			in, err := Read(context.Background(), opts)
			if err != nil {
				t.Fatal(err)
			}
			return in
		}
		plain := read()
		defer plain.Close()
		opts.Regroup = true
		in := read()
		defer in.Close()
		checkRegrouped(t, in, plain)
		opts.Regroup, opts.CountRegrouped = false, true
		counted := read()
		defer counted.Close()
		same(t, [...]int64{counted.RequestsRegrouped, counted.Requests, counted.Turned}, [...]int64{in.RequestsRegrouped, plain.Requests, 0})
		same(t, byAccountName(t, counted.Groups()), byAccountName(t, plain.Groups()))
	})
}

// readThrice reads a text as it is, regrouped and counted, and returns the regrouped one.
func readThrice(t *testing.T, text string, change ...func(*Options)) *Input {
	t.Helper()
	var all [3]*Input
	for i, how := range []func(*Options){both, regroup, countRegrouped} {
		in, err := readText(t, text, append(change, how)...)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = in
	}
	checkRegrouped(t, all[1], all[0])
	same(t, all[2].RequestsRegrouped, all[1].Requests)
	return all[1]
}

// sweep lists every leaver's friends as (friend, leaver).
func sweep(leavers, friends, users int) string {
	var b strings.Builder
	b.WriteString("from,to\n")
	random := rand.New(rand.NewPCG(1, 2))
	for leaver := range leavers {
		for _, friend := range random.Perm(users)[:friends] {
			fmt.Fprintf(&b, "user%d,leaver%d\n", friend, leaver)
		}
	}
	return b.String()
}

func TestRegroupOfASweep(t *testing.T) {
	in := readThrice(t, sweep(20, 1500, 8000))
	if in.RequestsWritten < 7000 || in.Requests > 41 {
		t.Errorf("got %d requests instead of %d, want at most 41 instead of over 7000: 2 for each leaver", in.Requests, in.RequestsWritten)
	}
	t.Logf("%d requests instead of %d", in.Requests, in.RequestsWritten)
	small := readThrice(t, sweep(20, 1500, 8000), func(o *Options) { o.limits = limits{bytes: 1 << 20, rows: 1000, parts: 8, depth: 8} })
	same(t, small.Requests, in.Requests)
}

// The edges of a real social graph. A solver found 10,522 requests to be the least possible.
func TestRegroupOfASocialGraph(t *testing.T) {
	const file, least = "../../shared/data/facebook_edges.csv", 10_522
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("the graph is not part of the project, and %s is not there", file)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, chunk := range []int{1000, 10} {
		in := readThrice(t, string(text), columns("id_1", "id_2"), func(o *Options) { o.ChunkSize = chunk })
		t.Logf("chunk size %d: %d requests instead of %d", chunk, in.Requests, in.RequestsWritten)
		if chunk == 1000 && in.Requests*100 > least*115 {
			t.Errorf("got %d requests, want at most %d", in.Requests, least*115/100)
		}
		if chunk == 10 && in.Requests*100 > in.RequestsWritten*80 {
			t.Errorf("got %d requests, want at least a fifth less than %d", in.Requests, in.RequestsWritten)
		}
	}
}

func TestRegroupKeepsWhatIsGood(t *testing.T) {
	for name, c := range map[string]struct {
		text             string
		requests, turned int64
	}{
		"no pairs":             {"from,to\n", 0, 0},
		"one pair":             {"from,to\na,b\n", 1, 0},
		"grouped already":      {"from,to\na,b\na,c\na,d\n", 1, 0},
		"a leaver":             {"from,to\nb,a\nc,a\nd,a\n", 1, 3},
		"a leaver in a mirror": {"from,to\nb,a\na,c\nd,a\na,d\n", 1, 2},
		"a path":               {"from,to\nb,a\nb,c\nd,c\n", 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			in := readThrice(t, c.text)
			same(t, [...]int64{in.Requests, in.Turned}, [...]int64{c.requests, c.turned})
		})
	}
}

// With everybody in one slot nothing is known about anybody, and nothing is lost.
func TestRegroupWithCollisions(t *testing.T) {
	c := &cover{slots: make([]uint16, 1), shift: 64, chunk: 3}
	for _, pass := range []func(a, b *uint16){countFriends, choose, keepNeeded, keepOne} {
		pass(c.slot("a"), c.slot("b"))
	}
	c.reduce()
	c.assign(c.slot("a"), c.slot("b"))
	if c.turn(c.slot("a"), c.slot("b")) {
		t.Error("got a pair turned, want it left as it is written")
	}
}

func TestCoverIsBounded(t *testing.T) {
	for _, c := range []struct{ pairs, most int64 }{{0, 1 << 10}, {1000, 16 << 10}, {1 << 40, 32 << 20}} {
		if got := int64(len(newCover(c.pairs, 1000).slots)); got > c.most {
			t.Errorf("got %d slots for %d pairs, want at most %d", got, c.pairs, c.most)
		}
	}
	slots := []uint16{0, 0}
	for range 100_000 {
		countFriends(&slots[0], &slots[1])
	}
	same(t, slots, []uint16{number, number})
}

func TestCancelledWhileRegrouping(t *testing.T) {
	in, err := readText(t, sweep(50, 1500, 2000), both)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	in.opts.Regroup = true
	err = (&grouper{Input: in}).regroup(&workspace{ctx: ctx, dir: dir, limits: usual}, 4)
	if err != context.Canceled {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	clean(t, dir)
}
