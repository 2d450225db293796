package input

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"testing"
)

// FuzzRead feeds any bytes. Either the input is blamed, or nothing is lost and encoding/csv sees as many records.
func FuzzRead(f *testing.F) {
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, raw []byte, both bool) {
		opts := Options{Path: "-", Stdin: bytes.NewReader(raw), ChunkSize: 2, Both: both, TempDir: dir, limits: tiny}
		in, err := Read(t.Context(), opts)
		var e *Error
		if err != nil {
			if !errors.As(err, &e) {
				t.Fatalf("got %T %v, want an *Error", err, err)
			}
			return
		}
		defer in.Close()
		if in.Rows != in.Pairs+in.Invalid+in.Duplicates || in.Bytes != int64(len(raw)) {
			t.Fatalf("got %+v of %d bytes, want sums that agree", countsOf(in), len(raw))
		}
		lines := map[int64]bool{}
		for _, rec := range collect(t, in.Records(t.Context())) {
			lines[rec.Line] = rec.Reason == ""
		}
		same(t, int64(len(lines)), in.Rows)
		for _, groups := range []map[string][]Pair{byAccountName(t, in.Groups()), byAccountName(t, in.MirrorGroups())} {
			for _, pairs := range groups {
				for _, p := range pairs {
					if !lines[p.Line] {
						t.Fatalf("got line %d in a group, want only valid ones", p.Line)
					}
				}
			}
		}
		if first := raw[:min(len(raw), 4)]; !bytes.HasPrefix(first, []byte("\x1f\x8b")) && !bytes.Contains(first, []byte("\x4d\x18")) && !bytes.Contains(first, []byte("\xb5\x2f")) {
			same(t, in.Rows, recordsIn(t, bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))))
		}
	})
}

// recordsIn counts the records below the header.
func recordsIn(t *testing.T, text []byte) (n int64) {
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	for n = -1; ; n++ {
		_, err := r.Read()
		if err == io.EOF {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
