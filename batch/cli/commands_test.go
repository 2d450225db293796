package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"friendsweep/batch/cli/signals"
	"friendsweep/batch/sandbox"
)

// swept is a deletion of a few pairs that has ended, with these flags: one pair is deleted, one refused, one invalid.
func swept(t *testing.T, flags ...string) (pairs, report string) {
	t.Helper()
	pairs = writePairs(t)
	if err := os.WriteFile(pairs, []byte("from,to\na,b\na,missing-c\nx,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	call(t.Context(), append(append([]string{"delete", "--sandbox"}, flags...), pairs)...)
	return pairs, strings.TrimSuffix(pairs, ".csv") + ".report.csv"
}

// TestCommandsOnARun: what each command that reads a run's files says of it, for people and as JSON, and its exit code.
func TestCommandsOnARun(t *testing.T) {
	t.Parallel()
	pairs, report := swept(t)
	_, open := swept(t, "--limit", "1")
	good := writePairs(t)
	call(t.Context(), "delete", "--sandbox", good)
	good = strings.TrimSuffix(good, ".csv") + ".report.csv"
	for _, test := range []struct {
		args string
		code int
		out  []string // in what is said, on either stream
		not  string   // not in it
	}{
		{"status " + report, exitDone, []string{"Finished with exit code 1", "--retry-failed"}, "still open"},
		{"status --json " + report, exitDone, []string{`"state": "finished"`, `"resume_command": ""`, `"exit_code": 1`}, "Finished with"},
		{"status " + open, exitDone, []string{"--resume"}, "--retry-failed"},
		{"status --json " + open, exitDone, []string{`"state": "stopped"`, `"resume_command": "friendsweep delete`}, ""},
		{"status " + good, exitDone, []string{"Finished with exit code 0"}, "--retry-failed"},
		{"plan --max-invalid 1 " + pairs, exitInput, []string{"1 of 3 records are invalid"}, "To delete"},
		{"status --line 2 " + report, exitDone, []string{"Line 2: deleted, success."}, `"line"`},
		{"status --line 3 --json " + report, exitDone, []string{`"line": 3`, `"outcome": "refused"`}, "Line 3:"},
		{"status --line 2 --input " + pairs + " " + report, exitDone, []string{"Line 2: deleted"}, ""},
		{"status --line 1 " + report, exitUsage, []string{"--line 1 must be 2 or more"}, ""},
		{"status --line 99 " + report, exitUsage, []string{"no record at line 99"}, ""},
		{"status --input " + pairs + " " + report, exitUsage, []string{"--input is for --line"}, ""},
		{"status " + report + ".none", exitUsage, []string{"give the name of a report"}, ""},
		{"audit " + report, exitDone, []string{"journal", "input", "report"}, `"holds"`},
		{"audit --json " + report, exitDone, []string{`"exit_code": 0`, `"holds": true`}, ""},
		{"audit " + report + ".none", exitUsage, []string{"give the name of a report"}, ""},
		{"report " + report, exitDone, []string{"The report is written: 3 rows, 1 success, 2 failure"}, `"rows"`},
		{"report --json " + report, exitDone, []string{`"rows": 3`, `"success": 1`}, "The report is written"},
		{"report " + report + ".none", exitUsage, []string{"give the name of a report"}, ""},
		{"plan --max-rows 2 " + pairs, exitUsage, []string{"3 records, --max-rows allows 2"}, ""},
		{"plan --max-rows 3 " + pairs, exitDone, []string{"To delete: 2 pairs"}, `"rows"`},
		{"plan --json " + pairs, exitDone, []string{`"pairs": 2`}, "To delete"},
		{"plan " + pairs + ".none", exitInput, []string{"no such file"}, ""},
	} {
		got := call(t.Context(), strings.Fields(test.args)...)
		said := got.stdout + got.stderr
		if got.code != test.code || test.not != "" && strings.Contains(said, test.not) {
			t.Errorf("%s: got exit code %d and\n%s\nwant %d, and no %q", test.args, got.code, said, test.code, test.not)
		}
		for _, want := range test.out {
			if !strings.Contains(said, want) {
				t.Errorf("%s: got\n%s\nwant %q in it", test.args, said, want)
			}
		}
	}
	text, err := os.ReadFile(report)
	if err == nil {
		err = os.WriteFile(report, []byte(strings.Replace(string(text), "refused", "deleted", 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"audit", report}, {"audit", "--json", report}} {
		if got := call(t.Context(), args...); got.code != exitRowsFailed || !strings.Contains(got.stdout, "line 3 is not what journal and input say") {
			t.Errorf("a changed report, %v: got %+v, want exit code 1 and its line", args, got)
		}
	}
}

// TestReportThatIgnores: --ignore-not-friend counts those rows as successes in a report that is written later, too.
func TestReportThatIgnores(t *testing.T) {
	t.Parallel()
	pairs := writePairs(t)
	if err := os.WriteFile(pairs, []byte("from,to\na,not-friend-b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(filepath.Dir(pairs), "pairs.report.csv")
	if got := call(t.Context(), "delete", "--sandbox", pairs); got.code != exitRowsFailed {
		t.Fatalf("got %+v, want exit code 1", got)
	}
	for flag, want := range map[string]string{"--ignore-not-friend=false": "0 success, 1 failure", "--ignore-not-friend": "1 success, 0 failure"} {
		if got := call(t.Context(), "report", flag, report); got.code != exitDone || !strings.Contains(got.stdout, want) {
			t.Errorf("%s: got %+v, want %s", flag, got, want)
		}
	}
}

// TestSummaryOnOutput: the summary is text or one JSON object, --quiet leaves warnings alone on standard error, and a log of JSON
// has nothing else in it.
func TestSummaryOnOutput(t *testing.T) {
	t.Parallel()
	pairs, _ := swept(t)
	got := call(t.Context(), "delete", "--sandbox", "--overwrite", pairs)
	if !strings.HasPrefix(got.stdout, "Finished: 2 of 3 rows failed.") || !strings.Contains(got.stderr, "begin delete") || !strings.Contains(got.stderr, "exit_code=1  verdict=Finished") {
		t.Errorf("text: got %+v", got)
	}
	got = call(t.Context(), "delete", "--sandbox", "--overwrite", "--limit", "1", pairs)
	if got.code != exitStopped || !strings.Contains(got.stderr, "Z the pairs of --limit are sent\n") || strings.Contains(got.stderr, "friendsweep: the") {
		t.Errorf("stopped by its limit: got %+v, want that said once, and no complaint", got)
	}
	got = call(t.Context(), "delete", "--sandbox", "--overwrite", "--json", "--log-format", "json", "--progress", "bar", pairs)
	var summary struct{ Rows int64 }
	if err := json.Unmarshal([]byte(got.stdout), &summary); err != nil || summary.Rows != 3 {
		t.Errorf("json: got %q, %v, want an object with 3 rows", got.stdout, err)
	}
	for line := range strings.Lines(got.stderr) {
		if !json.Valid([]byte(line)) {
			t.Errorf("json: got the line %q, want an object", line)
		}
	}
	got = call(t.Context(), "delete", "--sandbox", "--overwrite", "--quiet", "--progress", "plain", pairs)
	if got.stdout == "" || strings.Contains(got.stderr, "begin delete") || strings.Contains(got.stderr, "moved aside") || !strings.Contains(got.stderr, "exit_code=1") {
		t.Errorf("quiet: got %+v, want the end alone on standard error, because not every row succeeded", got)
	}
	if got = call(t.Context(), "delete", "--sandbox", "--overwrite", "--quiet", writePairs(t)); got.stderr != "" || got.code != exitDone {
		t.Errorf("quiet, and every row succeeded: got %+v, want nothing on standard error", got)
	}
}

// TestCredentials: one of a key and a UserSig, no more and no less.
func TestCredentials(t *testing.T) {
	for _, test := range []struct{ key, sig, want string }{
		{"", "", "no credentials"}, {"k", "s", "both a secret key and a UserSig are given"}, {"k", "", ""}, {"", "s", ""},
	} {
		t.Setenv(secretKeyEnv, test.key)
		t.Setenv(userSigEnv, test.sig)
		key, sig, err := (&targetFlags{}).secrets(t.Context())
		switch {
		case test.want != "":
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("key %q, UserSig %q: got %v, want %s", test.key, test.sig, err, test.want)
			}
		case err != nil || key.Reveal() != test.key || sig.Reveal() != test.sig:
			t.Errorf("key %q, UserSig %q: got %q, %q, %v", test.key, test.sig, key.Reveal(), sig.Reveal(), err)
		}
	}
}

// TestSandboxCommand: it says where it listens and how to send to it, and ends with the first signal.
func TestSandboxCommand(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(signals.Interrupted(syscall.SIGTERM))
	for args, code := range map[string]int{
		"sandbox --listen 127.0.0.1:0": exitDone, "sandbox --listen 127.0.0.1:0 --latency 1ms": exitDone, "sandbox --listen 127.0.0.1:0 --latency=-1ms": exitUsage,
		"sandbox --listen 127.0.0.1:0 --limit=-1": exitUsage, "sandbox --listen 10.0.0.1:0": exitUsage,
	} {
		got := call(ctx, strings.Fields(args)...)
		if serves := strings.Contains(got.stdout, sandbox.DefaultKey); got.code != code || serves != (code == exitDone) {
			t.Errorf("%s: got %+v, want exit code %d", args, got, code)
		}
	}
}
