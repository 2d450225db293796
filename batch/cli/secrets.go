package cli

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

// secrets reads the one secret that requests are signed with, from the environment or a file.
func (f *targetFlags) secrets(ctx context.Context) (key, sig chat.Secret, err error) {
	if f.Sandbox {
		return "", "", f.noSecretAsName()
	}
	if key, err = secret(ctx, secretKeyEnv, "--secret-key-file", f.SecretKeyFile); err != nil {
		return "", "", err
	}
	if sig, err = secret(ctx, userSigEnv, "--usersig-file", f.UsersigFile); err != nil {
		return "", "", err
	}
	switch {
	case key != "" && sig != "":
		return "", "", errors.New("both a secret key and a UserSig are given: which one?\n" +
			"unset FRIENDSWEEP_USERSIG and --usersig-file, or FRIENDSWEEP_SECRET_KEY and --secret-key-file")
	case key == "" && sig == "":
		return "", "", errors.New("no credentials\nset FRIENDSWEEP_SECRET_KEY or give --secret-key-file; " +
			"for a ready-made UserSig FRIENDSWEEP_USERSIG or --usersig-file")
	}
	return key, sig, nil
}

// noSecretAsName refuses a file that is not there, although the sandbox needs none: what is given instead of its name may
// be the secret itself, and flags are kept in the journal.
func (f *targetFlags) noSecretAsName() error {
	for _, file := range []struct{ flag, name string }{{"--secret-key-file", f.SecretKeyFile}, {"--usersig-file", f.UsersigFile}} {
		if _, err := os.Stat(file.name); err != nil && file.name != "" {
			return unread(file.flag, file.name, err)
		}
	}
	return nil
}

func secret(ctx context.Context, env, flag, file string) (chat.Secret, error) {
	value := os.Getenv(env)
	if file == "" {
		return chat.Secret(strings.TrimSpace(value)), nil
	}
	if value != "" {
		return "", fmt.Errorf("both %s and %s are given: which one?", env, flag)
	}
	text, err := readSmall(ctx, file)
	if err != nil {
		return "", unread(flag, file, err)
	}
	text = bytes.TrimSpace(text)
	switch {
	case len(text) == 0:
		return "", fmt.Errorf("%s: %s is empty", flag, file)
	case len(text) > maxSecret:
		return "", fmt.Errorf("%s: %s is no secret: it has more than %d bytes", flag, file, maxSecret)
	}
	return chat.Secret(text), nil
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
func unread(flag, file string, err error) error {
	var signal interrupted
	if errors.As(err, &signal) {
		return err
	}
	if _, missing := os.Lstat(file); missing == nil {
		return fmt.Errorf("%s %s: %w", flag, file, cause(err))
	}
	folder, what := ".", "no such file in"
	if errors.Is(err, fs.ErrPermission) {
		what = "permission denied in"
	}
	if abs, err := filepath.Abs(file); err == nil {
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
		flag, what, folder)
}
