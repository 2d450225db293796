package spread

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestBucketsGiveBackWhatTheyGot(t *testing.T) {
	s := New(t.TempDir(), 3)
	defer s.Close()
	long := strings.Repeat("0123456789", mostBlock/15) // two of them do not fit into the buffer
	for _, add := range []struct {
		bucket int
		record string
	}{{0, "a"}, {1, long}, {0, "b"}, {1, "x"}, {1, long}} {
		if err := s.Append(add.bucket, []byte(add.record)); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{"ab", long + "x" + long, ""} {
		if got := s.Size(i); got != int64(len(want)) {
			t.Errorf("got size %d of bucket %d, want %d", got, i, len(want))
		}
		r, err := s.Open(i)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil || string(got) != want {
			t.Errorf("got %d bytes from bucket %d and %v, want the %d that went in", len(got), i, err, len(want))
		}
	}
}

// Buckets that share files and are read while others grow give back what they got, and end as files when they are read.
func TestChainsOfBlocks(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{1, 2, 65, 8192}).Draw(t, "buckets")
		s := New(dir, n)
		defer s.Close()
		used := rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 1, min(n, 5), rapid.ID).Draw(t, "used")
		want := map[int][]byte{}
		sizes := rapid.SampledFrom([]int{0, 1, 40, s.block - linkSize - 1, s.block - linkSize, s.block, 3 * s.block})
		for len(used) > 0 {
			for range rapid.IntRange(0, 12).Draw(t, "records") {
				i := rapid.SampledFrom(used).Draw(t, "bucket")
				record := bytes.Repeat([]byte{byte(len(want[i]))}, sizes.Draw(t, "size"))
				want[i] = append(want[i], record...)
				if err := s.Append(i, record); err != nil {
					t.Fatal(err)
				}
			}
			i := used[0]
			used = used[1:]
			r, err := s.Open(i)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err = errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, want[i]) || s.Size(i) != int64(len(got)) {
				t.Fatalf("got %d bytes from bucket %d, size %d, and %v, want the %d that went in", len(got), i, s.Size(i), err, len(want[i]))
			}
		}
		for i, f := range s.files {
			if f != (file{}) {
				t.Errorf("file %d: got %+v, want it gone with its last bucket", i, f)
			}
		}
	})
}

// A file that was cut off behind our back is an error, not the end of a bucket.
func TestCutFile(t *testing.T) {
	s := New(t.TempDir(), 1)
	defer s.Close()
	if err := s.Append(0, make([]byte, 3*mostBlock)); err != nil {
		t.Fatal(err)
	}
	if err := s.files[0].file.Truncate(mostBlock + 1); err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); !errors.Is(err, ErrCut) {
		t.Errorf("got %d bytes and %v, want %v", len(got), err, ErrCut)
	}
}

func TestTempHasNoName(t *testing.T) {
	dir := t.TempDir()
	f, err := Temp(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("got %v and %v, want an empty folder", left, err)
	}
	info, err := f.Stat()
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v and %v, want 0600", info.Mode(), err)
	}
}

func TestNoFolderForBuckets(t *testing.T) {
	s := New(t.TempDir()+"/none", 1)
	defer s.Close()
	var err error
	for range 2 {
		err = s.Append(0, make([]byte, mostBlock))
	}
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want %v", err, os.ErrNotExist)
	}
}
