// Package secret reads the secret that requests are signed with, from the value of a variable or from a file, and shows it to
// nobody: see [Source.Read].
package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"friendsweep/batch/chat"
)

// Source says where a secret may come from, in the words of whoever gives it.
type Source struct {
	Variable, Value string // of the environment: its name, and what it holds
	Flag, File      string // the flag that takes the name of a file, and that name; empty where it was not given
}

// Read reads the secret; it is empty where none was given. A file may be a pipe that nobody writes to: the end of ctx ends the
// waiting, and its cause is the error then.
func (s Source) Read(ctx context.Context) (chat.Secret, error) {
	if s.File == "" {
		return chat.Secret(strings.TrimSpace(s.Value)), nil
	}
	if s.Value != "" {
		return "", fmt.Errorf("both %s and %s are given: which one?", s.Variable, s.Flag)
	}
	text, err := readSmall(ctx, s.File)
	if err != nil && errors.Is(err, context.Cause(ctx)) {
		return "", err
	}
	if err != nil {
		return "", s.unread(err)
	}
	text = bytes.TrimSpace(text)
	switch {
	case len(text) == 0:
		return "", fmt.Errorf("%s: %s is empty", s.Flag, s.File)
	case len(text) > maxSecret:
		return "", fmt.Errorf("%s: %s is no secret: it has more than %d bytes", s.Flag, s.File, maxSecret)
	}
	return chat.Secret(text), nil
}

// CheckFile refuses a file that is not there, for a run that needs no secret: what is given instead of its name may be the
// secret itself, and flags are kept in the journal.
func (s Source) CheckFile() error {
	if _, err := os.Stat(s.File); err != nil && s.File != "" {
		return s.unread(err)
	}
	return nil
}

// maxSecret is far more bytes than a key or a UserSig has.
const maxSecret = 64 << 10

// readSmall reads a file up to a byte more than a secret may have. It may be a pipe that nobody writes to, so a signal
// ends the waiting; the goroutine that waits ends with the process.
func readSmall(ctx context.Context, file string) ([]byte, error) {
	type result struct {
		text []byte
		err  error
	}
	done := make(chan result, 1)
	go func() { // see above
		f, err := os.Open(file)
		if err != nil {
			done <- result{err: err}
			return
		}
		defer f.Close()
		text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		return r.text, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// unread says why the file of a secret cannot be read. A name is repeated only if there is such a file: people give the
// secret itself where its file is wanted. Of any other name, only the folder that is there is shown.
func (s Source) unread(err error) error {
	if _, missing := os.Lstat(s.File); missing == nil {
		if failed, ok := errors.AsType[*fs.PathError](err); ok {
			err = failed.Err // the path is named already
		}
		return fmt.Errorf("%s %s: %w", s.Flag, s.File, err)
	}
	folder, what := ".", "no such file in"
	if errors.Is(err, fs.ErrPermission) {
		what = "permission denied in"
	}
	if abs, err := filepath.Abs(s.File); err == nil {
		folder = filepath.Dir(abs)
	}
	for parent := filepath.Dir(folder); parent != folder; parent = filepath.Dir(folder) {
		if _, err := os.Stat(folder); err == nil {
			break
		}
		folder = parent
		if what == "no such file in" {
			what = "no such folder in"
		}
	}
	return fmt.Errorf("%s: %s %s\nthe flag takes the name of a file; it is not repeated here, because it could be the secret itself",
		s.Flag, what, folder)
}
