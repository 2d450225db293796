package spread

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

func TestBucketsGiveBackWhatTheyGot(t *testing.T) {
	s := New(t.TempDir(), 3)
	defer s.Close()
	long := strings.Repeat("0123456789", bufferSize/15) // two of them do not fit into the buffer
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
		err = s.Append(0, make([]byte, bufferSize))
	}
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want %v", err, os.ErrNotExist)
	}
}
