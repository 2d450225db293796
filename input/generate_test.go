package input

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// shapes are the inputs that tests and benchmarks know how to make, by name: which account and which friend of it the
// k-th of n records names.
var shapes = map[string]func(k, n uint64) (account, friend uint64){
	"shuffled":  func(k, n uint64) (uint64, uint64) { k = shuffle(k, n); return k / 1000, k % 1000 },
	"clustered": func(k, _ uint64) (uint64, uint64) { return k / 1000, k % 1000 },
	"giant":     func(k, n uint64) (uint64, uint64) { return 0, shuffle(k, n) },
	"singles":   func(k, n uint64) (uint64, uint64) { return shuffle(k, n), 0 },
}

// shuffle maps 0…n-1 onto itself. It takes the numbers in steps that share no factor with n.
func shuffle(k, n uint64) uint64 {
	step := uint64(2654435761)
	for gcd(step, n) != 1 {
		step += 2
	}
	return (k*step + n/3) % n
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// generate writes n records of a shape, all of them valid and no two the same.
func generate(w io.Writer, shape string, n uint64) error {
	bw := bufio.NewWriterSize(w, 1<<20)
	bw.WriteString("from_account,to_account\n")
	var b []byte
	for k := range n {
		account, friend := shapes[shape](k, n)
		b = strconv.AppendUint(append(b[:0], "user_"...), 100_000_000+account, 10)
		b = strconv.AppendUint(append(b, ",friend_"...), 1_000_000_000+7919*friend+account, 10)
		bw.Write(append(b, '\n'))
	}
	return bw.Flush()
}

// generated is the name of a file with n records of a shape.
func generated(tb testing.TB, shape string, n uint64) string {
	tb.Helper()
	name := filepath.Join(tb.TempDir(), shape+".csv")
	f, err := os.Create(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	if err := generate(f, shape, n); err != nil {
		tb.Fatal(err)
	}
	return name
}
