package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSecretAsFileName: who gives the secret where its file is wanted does not find it in the log, the journal or anywhere.
func TestSecretAsFileName(t *testing.T) {
	t.Parallel()
	pairs := writePairs(t)
	for _, secret := range []string{
		"5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e",
		"short",
		"eJw-a/signature/with.separators",
		"/5bd2850fff3ecb11",
		strings.Repeat("eJyrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oy0zLBwoaGUNHilOzEgoLMFCUrQxMDAxMDYyMDA", 5),
	} {
		for _, target := range [][]string{{"--sandbox"}, {"--region", "china", "--sdkappid", "1", "--yes"}} {
			for _, flag := range []string{"--secret-key-file", "--usersig-file"} {
				args := append([]string{"delete", flag, secret, "--json", "--html", pairs + ".html"}, append(target, pairs)...)
				got := call(t.Context(), args...)
				if got.code != exitUsage || !strings.Contains(got.stderr, flag+": no such ") {
					t.Errorf("%v: got %+v, want exit code 2 and the flag named", args, got)
				}
				if strings.Contains(got.stderr+got.stdout, secret) {
					t.Errorf("the secret is repeated: %+v", got)
				}
			}
		}
	}
	if files, err := os.ReadDir(filepath.Dir(pairs)); err != nil || len(files) != 1 {
		t.Errorf("got the files %v %v, want pairs.csv alone", files, err)
	}
}

// TestSecretFiles: what else can be wrong with them; a name is repeated where a file has it.
func TestSecretFiles(t *testing.T) {
	t.Parallel()
	pairs := writePairs(t)
	dir := t.TempDir()
	empty, large := filepath.Join(dir, "empty"), filepath.Join(dir, "large")
	for name, text := range map[string]string{empty: " \n", large: strings.Repeat("x", 64<<10+10)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]string{
		empty: "empty is empty", large: "large is no secret", "/dev/zero": "/dev/zero is no secret", dir: dir + ": is a directory",
		filepath.Join(dir, "none"): "no such file in " + dir, filepath.Join(dir, "no", "ne"): "no such folder in " + dir,
	} {
		got := call(t.Context(), "delete", "--region", "china", "--sdkappid", "1", "--yes", "--secret-key-file", file, pairs)
		if got.code != exitUsage || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: got %+v, want exit code 2 and %q", file, got, want)
		}
	}
}

// TestSecretFromASilentPipe: a signal ends the waiting for a pipe that nobody writes to.
func TestSecretFromASilentPipe(t *testing.T) {
	t.Parallel()
	pairs := writePairs(t)
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(interrupted(syscall.SIGTERM)) })
	got := call(ctx, "delete", "--region", "china", "--sdkappid", "1", "--yes", "--secret-key-file", pipe, pairs)
	if got.code != 143 {
		t.Errorf("got %+v, want exit code 143", got)
	}
	if w, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
		w.Close() // the reader that was left waiting ends
	}
}
