package cli

import (
	"regexp"
	"strings"
	"testing"
)

// TestVariablesBeyondTheirBounds: what a flag must not be, its variable must not be either, and it is the variable that is
// named.
func TestVariablesBeyondTheirBounds(t *testing.T) {
	pairs := writePairs(t)
	for _, test := range beyondBounds {
		words := strings.Fields(strings.ReplaceAll(test.flags, "=", " "))
		if len(words) != 2 {
			continue // several flags, or one that is empty
		}
		t.Run(test.flags, func(t *testing.T) {
			name := variable(strings.TrimPrefix(words[0], "--"))
			t.Setenv(name, words[1])
			args := []string{"delete", "--endpoint", "http://127.0.0.1:1", "--yes", pairs}
			if !strings.Contains(name, "SDKAPPID") {
				args = append(args, "--sdkappid", "1")
			}
			got := call(t.Context(), args...)
			named := strings.Contains(got.stderr, name) || strings.Contains(test.flags, "sdkappid=0")
			if got.code != exitUsage || !named || regexp.MustCompile(words[0]+" ").MatchString(got.stderr) {
				t.Errorf("got exit code %d and %q, want 2 and %s named", got.code, got.stderr, name)
			}
		})
	}
}

// TestVariableCollides: it is the variable that is blamed, because nobody finds a flag that nobody typed.
func TestVariableCollides(t *testing.T) {
	pairs := writePairs(t)
	t.Setenv("FRIENDSWEEP_REGION", "singapore")
	got := call(t.Context(), "delete", "--sandbox", pairs)
	if want := "FRIENDSWEEP_REGION and --sandbox exclude each other"; got.code != exitUsage || !strings.Contains(got.stderr, want) {
		t.Errorf("got exit code %d and %q, want 2 and %q", got.code, got.stderr, want)
	}
	got = call(t.Context(), "delete", "--sandbox", "--region", "tokyo", pairs)
	if want := "--region and --sandbox exclude each other"; !strings.Contains(got.stderr, want) {
		t.Errorf("the flag wins over its variable: got %q, want %q", got.stderr, want)
	}
}

// TestStrangers: a variable of ours that no flag has is named, and no other is. Kubernetes makes some for a service of this name.
func TestStrangers(t *testing.T) {
	pairs := writePairs(t)
	for name, want := range map[string]bool{
		"FRIENDSWEEP_CHUNKSIZE": true, "FRIENDSWEEP_PORTION": true, "FRIENDSWEEP_CHUNK_SIZE": false, "FRIENDSWEEP_SECRET_KEY": false,
		"FRIENDSWEEP_PORT": false, "FRIENDSWEEP_PORT_80_TCP": false, "FRIENDSWEEP_SERVICE_HOST": false, "CHUNKSIZE": false,
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "5")
			got := call(t.Context(), "delete", "--sandbox", "--overwrite", pairs)
			if named := strings.Contains(got.stderr, name+" is no flag's"); named != want || got.code != exitDone {
				t.Errorf("got exit code %d and %q, want 0 and %s named: %v", got.code, got.stderr, name, want)
			}
		})
	}
}

// TestAsked: the value of a flag is found although the command line cannot be parsed.
func TestAsked(t *testing.T) {
	t.Setenv("FRIENDSWEEP_LOG_FORMAT", "json")
	t.Setenv("FRIENDSWEEP_PROGRESS", "bar")
	for _, test := range []struct{ args, flag, want string }{
		{"delete", "log-format", "json"},
		{"delete", "progress", "bar"},
		{"delete", "region", ""},
		{"delete --log-format=text", "log-format", "text"},
		{"delete --log-format text p.csv", "log-format", "text"},
		{"delete --log-format", "log-format", "json"},
		{"delete -- --log-format=text", "log-format", "json"},
	} {
		if got := asked(strings.Fields(test.args), test.flag); got != test.want {
			t.Errorf("%s in %q: got %q, want %q", test.flag, test.args, got, test.want)
		}
	}
	for args, want := range map[string]bool{"--json": true, "--json=true": true, "--json=1": true, "--json=no": false, "": false, "-- --json=yes": false} {
		if got := switched(strings.Fields(args), "json"); got != want {
			t.Errorf("%q: got %t, want %t", args, got, want)
		}
	}
}

// TestNoTemporaryFolder: a TMPDIR that is not there is refused by its name, and alike by every command that needs it.
func TestNoTemporaryFolder(t *testing.T) {
	pairs := writePairs(t)
	t.Setenv("TMPDIR", "/nowhere/tmp")
	for _, args := range [][]string{{"delete", "--sandbox", pairs}, {"plan", pairs}, {"status", pairs}, {"report", pairs}} {
		got := call(t.Context(), args...)
		if got.code != exitUsage || !strings.Contains(got.stderr, "TMPDIR") || !strings.Contains(got.stderr, "/nowhere/tmp") {
			t.Errorf("%v: got exit code %d and %q, want 2 and TMPDIR named", args, got.code, got.stderr)
		}
	}
}
