package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"friendsweep/reports/journal/entry"
)

// TestMisuse: what is answered to a command line that cannot be understood. The flag that skips the question is proposed
// to nobody.
func TestMisuse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, want string }{
		{"delete -q p.csv", "unknown flag -q\n  did you mean --quiet?"},
		{"delete -v p.csv", "unknown flag -v\n  there is no more detailed log"},
		{"delete -x p.csv", "unknown flag -x\n  `friendsweep help`"},
		{"delete --yess p.csv", "unknown flag --yess\n  `friendsweep help`"},
		{"delete --dry-run p.csv", "unknown flag --dry-run\n  `friendsweep plan`"},
		{"delete --chunksize 5 p.csv", "unknown flag --chunksize\n  did you mean --chunk-size?"},
		{"delete --secret-key 5bd285 p.csv", "unknown flag --secret-key\n  everybody on this machine sees a flag: set FRIENDSWEEP_SECRET_KEY"},
		{"delete --chunk-size", "--chunk-size: its value is missing"},
		{"delete", "PAIRS is missing: which file?"},
		{"plan --sandbox", "PAIRS is missing: which file?"},
		{"status", "REPORT is missing: the report of which run?"},
		{"report", "REPORT is missing: the report of which run?"},
		{"completion", "SHELL is missing: which one?"},
		{"--", "which command? delete, check, plan, status"},
		{"delet p.csv", `unexpected argument delet, did you mean "delete"?`},
	} {
		got := call(t.Context(), strings.Fields(test.args)...)
		got.stderr = dates.ReplaceAllString(got.stderr, "")
		if got.code != exitUsage || !strings.HasPrefix(got.stderr, "friendsweep: "+test.want) || proposesYes.MatchString(got.stderr) {
			t.Errorf("%s: got exit code %d and %q, want 2 and %q", test.args, got.code, got.stderr, test.want)
		}
		if strings.Contains(got.stderr, "5bd285") {
			t.Errorf("%s: the secret is repeated: %q", test.args, got.stderr)
		}
	}
}

var dates = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ `)

var proposesYes = regexp.MustCompile(`did you mean.*-y`)

// TestNamesOfAnyBytes: an input whose name is no UTF-8 is that input, and no other.
func TestNamesOfAnyBytes(t *testing.T) {
	t.Parallel()
	pairs := writePairs(t)
	odd := filepath.Join(filepath.Dir(pairs), "p\xff.csv")
	if err := os.WriteFile(odd, []byte("from,to\na,b\na,c\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := call(t.Context(), "plan", "--json", odd); got.code != exitDone || !strings.Contains(got.stdout, `"rows": 2`) {
		t.Errorf("got %+v, want a plan for two rows", got)
	}
	if got := parse(t, "delete", "--report", odd, pairs)["report"]; got != entry.Text(odd) {
		t.Errorf("got the report %q, want %q", got, odd)
	}
}

// TestRefusalsAsJSON: with --json, a command that was refused leaves one object on standard output.
func TestRefusalsAsJSON(t *testing.T) {
	pairs := writePairs(t)
	for _, test := range []struct {
		name string
		args []string
		env  string
		code int
		says string
	}{
		{"a value that cannot be read", []string{"delete", "--json", "--chunk-size", "x", pairs}, "", exitUsage, "chunk-size"},
		{"a flag that is not there", []string{"delete", "--json", "--no-such-flag", pairs}, "", exitUsage, "no-such-flag"},
		{"a value out of range", []string{"delete", "--json", "--sandbox", "--chunk-size", "0", pairs}, "", exitUsage, "chunk-size"},
		{"no input", []string{"delete", "--json", "--sandbox", "absent.csv"}, "", exitInput, "absent.csv"},
		{"no input for plan", []string{"plan", "--json", "absent.csv"}, "", exitInput, "absent.csv"},
		{"by its variable", []string{"plan", "absent.csv"}, "true", exitInput, "absent.csv"},
		{"by its variable, misused", []string{"plan", "--no-such-flag", "absent.csv"}, "true", exitUsage, "no-such-flag"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("FRIENDSWEEP_JSON", test.env)
			if test.env == "" {
				t.Setenv("FRIENDSWEEP_JSON", "false")
			}
			got := call(t.Context(), test.args...)
			var object struct {
				ExitCode int    `json:"exit_code"`
				Error    string `json:"error"`
				Hint     *string
			}
			if err := json.Unmarshal([]byte(got.stdout), &object); err != nil {
				t.Fatalf("got %q on standard output, want one object: %v", got.stdout, err)
			}
			if got.code != test.code || object.ExitCode != test.code || !strings.Contains(object.Error, test.says) || object.Hint == nil {
				t.Errorf("got exit code %d and %s, want %d and a word about %s", got.code, got.stdout, test.code, test.says)
			}
		})
	}
	if got := call(t.Context(), "delete", "--no-such-flag", pairs); got.stdout != "" {
		t.Errorf("without --json: got %q on standard output, want nothing", got.stdout)
	}
}
