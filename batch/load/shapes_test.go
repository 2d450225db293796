package load

import (
	"bufio"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

var (
	rowsFlag  = flag.Uint64("rows", 0, "records of the input; 0 is a small size that fits the test")
	shapeFlag = flag.String("shape", "full", "of the input: full, clustered, shuffled, single or huge")
	seedFlag  = flag.Uint64("seed", 1, "of the input's order: the same seed gives the same bytes")
	outFlag   = flag.String("out", "", "where TestGenerate leaves its input")
)

// perAccount is what fills one request: 1000 pairs, the most that the API takes.
const perAccount = 1000

// shapes say which account and which friend of it a record names. k is the record's place in the file, 0 to n-1, and
// mixed a place that no other record has, in no order.
var shapes = map[string]func(k, mixed uint64) (account, friend uint64){
	// Accounts that fill one request each, their records all over the file.
	"full": func(_, mixed uint64) (uint64, uint64) { return mixed / perAccount, mixed % perAccount },
	// The same accounts, one after the other, as ORDER BY writes them.
	"clustered": func(k, _ uint64) (uint64, uint64) { return k / perAccount, k % perAccount },
	// Accounts of 1, 1, 2, 4, … 2048 pairs, their records all over the file: half of the requests carry fewer than 64.
	"shuffled": func(_, mixed uint64) (uint64, uint64) {
		const sizes = 13
		block, place := mixed>>(sizes-1), mixed&(1<<(sizes-1)-1)
		return block*sizes + uint64(bits.Len64(place)), place
	},
	// As many accounts as records.
	"single": func(_, mixed uint64) (uint64, uint64) { return mixed, 0 },
	// One account has them all.
	"huge": func(_, mixed uint64) (uint64, uint64) { return 0, mixed },
}

// order is a permutation of the numbers below n that looks like chance and keeps nothing in memory: four Feistel rounds
// over the next even power of two, again until the number is below n.
type order struct {
	n, seed uint64
	half    int // bits
}

func newOrder(n, seed uint64) order { return order{n, seed, max(1, (bits.Len64(n-1)+1)/2)} }

func (o order) of(k uint64) uint64 {
	mask := uint64(1)<<o.half - 1
	for {
		left, right := k>>o.half, k&mask
		for round := range uint64(4) {
			x := (right + o.seed<<8 + round + 1) * 0x9E3779B97F4A7C15
			x = (x ^ x>>32) * 0xD6E8FEB86659FD93
			left, right = right, left^(x>>32)&mask
		}
		if k = left<<o.half | right; k < o.n {
			return k
		}
	}
}

// generate writes n records of a shape, all valid and no two the same.
func generate(w io.Writer, shape string, n, seed uint64) error {
	name, ok := shapes[shape]
	if !ok {
		return fmt.Errorf("no shape %q", shape)
	}
	bw := bufio.NewWriterSize(w, 1<<18)
	bw.WriteString("from_account,to_account\n")
	mix := newOrder(n, seed)
	var b []byte
	for k := range n {
		account, friend := name(k, mix.of(k))
		b = strconv.AppendUint(append(b[:0], "user_"...), 100_000_000+account, 10)
		b = strconv.AppendUint(append(b, ",friend_"...), 1_000_000_000+friend, 10)
		if _, err := bw.Write(append(b, '\n')); err != nil {
			return err
		}
	}
	return bw.Flush()
}

// generated is the name of a file with n records of a shape.
func generated(tb testing.TB, shape string, n uint64) string {
	tb.Helper()
	name := filepath.Join(tb.TempDir(), shape+".csv")
	if err := generateFile(name, shape, n); err != nil {
		tb.Fatal(err)
	}
	return name
}

func generateFile(name, shape string, n uint64) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(generate(f, shape, n, *seedFlag), f.Close())
}

// TestGenerate makes an input to keep: -out FILE -rows N -shape S. Without -out it looks at small ones.
func TestGenerate(t *testing.T) {
	if *outFlag != "" {
		if err := generateFile(*outFlag, *shapeFlag, max(*rowsFlag, 1)); err != nil {
			t.Fatal(err)
		}
		return
	}
	largest := map[string]int{"full": perAccount, "clustered": perAccount, "shuffled": 2048, "single": 1, "huge": 8192}
	for shape := range shapes {
		t.Run(shape, func(t *testing.T) {
			sizes := map[string]int{}
			pairs := map[string]bool{}
			for _, rec := range records(t, generated(t, shape, 8192)) {
				sizes[rec[0]]++
				pairs[rec[0]+","+rec[1]] = true
			}
			if len(pairs) != 8192 {
				t.Errorf("got %d different pairs, want 8192", len(pairs))
			}
			if got := slices.Max(values(sizes)); got != largest[shape] {
				t.Errorf("the largest account has %d pairs, want %d", got, largest[shape])
			}
		})
	}
}

func values(m map[string]int) (all []int) {
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

func records(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[1:]
}
