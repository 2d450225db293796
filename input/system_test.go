package input

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"
)

// TestSystemsFault: what the disk did is told from what is wrong with an input, compressed or not, and from one that is gone.
func TestSystemsFault(t *testing.T) {
	for _, kind := range []string{"", "gzip", "zstd"} {
		for cause, want := range map[error]error{syscall.EIO: syscall.EIO, syscall.EMFILE: syscall.EMFILE, syscall.EISDIR: nil, errors.New("flate: corrupt"): nil} {
			err := explain("pairs.csv", kind, &fs.PathError{Op: "read", Path: "pairs.csv", Err: cause})
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%s, %v: got %v, want an error of the input", kind, cause, err)
			}
			if kind == "" && want == nil && !errors.As(cause, new(syscall.Errno)) {
				continue // nothing but the system speaks up where nothing is decompressed
			}
			if got := e.System(); got != want {
				t.Errorf("%s, %v: got %v, want %v", kind, cause, got, want)
			}
		}
	}
}
