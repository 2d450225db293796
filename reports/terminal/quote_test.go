package terminal

import (
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestShellQuote(t *testing.T) {
	for in, want := range map[string]string{
		"":               "''",
		"-":              "-",
		"~/a":            "'~/a'",
		"--a=~/b":        "--a='~/b'",
		"$HOME":          "'$HOME'",
		"a\n'\\b":        `$'a\012\'\\b'`,
		"\u202ex\xff":    `$'\342\200\256x\377'`,
		"--a b=c":        "'--a b=c'",
		"--a":            "--a",
		"a=b c":          "'a=b c'",
		"azAZ09_@%+:,./": "azAZ09_@%+:,./",
		"a{b":            "'a{b'",
		"a`b":            "'a`b'",
		"a[b":            "'a[b'",
		"https://h/p?q=": "'https://h/p?q='",
	} {
		if got := ShellQuote(in); got != want {
			t.Errorf("ShellQuote(%q): got %s, want %s", in, got, want)
		}
	}
}

// What is pasted must reach the program as it was meant.
func TestShellReadsItBack(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not in PATH: quoting was NOT checked by a shell")
	}
	rapid.Check(t, func(t *rapid.T) {
		args := rapid.SliceOfN(rapid.Map(rapid.SliceOfN(rapid.ByteRange(1, 255), 0, 20), func(b []byte) string { return string(b) }), 1, 20).Draw(t, "args")
		command := ShellQuote(args...)
		if strings.IndexFunc(command, Unshowable) >= 0 {
			t.Fatalf("got %q, want nothing a terminal obeys", command)
		}
		got, err := exec.Command(bash, "-c", `printf '%s\0' `+command).Output()
		if want := strings.Join(args, "\x00") + "\x00"; err != nil || string(got) != want {
			t.Fatalf("%s: got %q, %v, want %q", command, got, err, want)
		}
	})
}
