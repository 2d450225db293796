package input

import (
	"context"
	"fmt"
	"io"
	"os"

	"friendsweep/input/spread"
)

// spooled makes the source of an input that cannot be read twice: its first read fills a private file.
func spooled(ctx context.Context, s source, dir string, open func() (io.ReadCloser, error)) (*source, error) {
	spool, err := spread.Temp(dir)
	if err != nil {
		return nil, err
	}
	s.size, s.spool, s.once = -1, spool, readInBackground(ctx, open)
	return &s, nil
}

// readInBackground reads in a goroutine of its own, because a read from a terminal or a pipe, and even the opening of a named pipe,
// may block for ever and cannot be interrupted. The goroutine ends when there is nothing more to read, when what readInBackground
// returned is closed, and when the context is cancelled; but if it is blocked just then, nobody waits for it and it
// ends with the process.
func readInBackground(ctx context.Context, open func() (io.ReadCloser, error)) io.ReadCloser {
	pr, pw := io.Pipe()
	stop := context.AfterFunc(ctx, func() { pw.CloseWithError(ctx.Err()) })
	go func() { // ended by EOF, by closing pr, or by ctx; see above
		defer stop()
		r, err := open()
		if err != nil {
			pw.CloseWithError(err)
			return
		}
		defer r.Close()
		_, err = io.Copy(pw, r)
		pw.CloseWithError(err)
	}()
	return pr
}

// spoolWriter appends to the spool file. Its errors are the machine's, not the input's.
type spoolWriter struct{ s *source }

// Write implements [io.Writer].
func (w spoolWriter) Write(p []byte) (int, error) {
	n, err := w.s.spool.Write(p)
	w.s.size = max(w.s.size, 0) + int64(n)
	if err != nil {
		return n, &diskError{fmt.Errorf("spooling the input: %w", err)}
	}
	return n, nil
}

// diskError keeps a fault of our own files apart from a fault of the input while both pass through one reader.
type diskError struct{ error }

// Unwrap returns the error of the system.
func (e *diskError) Unwrap() error { return e.error }

// openNamed opens what can be read only once by its name.
func openNamed(path string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return os.Open(path) }
}

// openStream opens a stream that its owner closes.
func openStream(r io.Reader) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(r), nil }
}
