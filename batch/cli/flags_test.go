package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// beyondBounds are flags beyond their bounds and what the error must say.
var beyondBounds = []struct{ flags, says string }{
	{"--chunk-size 0", "chunk-size"},
	{"--chunk-size 1001", "chunk-size.*1001"},
	{"--chunk-size x", "chunk-size"},
	{"--rate -1", "rate"},
	{"--rate=NaN", "rate"},
	{"--rate=Inf", "rate"},
	{"--workers 0", "workers"},
	{"--workers=-1", "workers"},
	{"--timeout 0s", "timeout"},
	{"--timeout=-1s", "timeout"},
	{"--timeout 15", "timeout"},
	{"--max-attempts 0", "max-attempts"},
	{"--backoff-initial 0s", "backoff"},
	{"--backoff-initial 2s --backoff-max 1s", "backoff"},
	{"--backoff-max=-1s", "backoff"},
	{"--max-failures 0", "max-failures"},
	{"--max-failures 0%", "max-failures"},
	{"--max-failures 101%", "max-failures"},
	{"--max-failures x", "max-failures"},
	{"--max-rows=-1", "max-rows"},
	{"--limit 0", "limit"},
	{"--limit=-1", "limit"},
	{"--max-duration 0s", "max-duration"},
	{"--sdkappid=-1", "sdkappid"},
	{"--sdkappid=0", "sdkappid"},
	{"--sdkappid=99999999999999999999", "sdkappid"},
	{"--identifier=", "identifier"},
	{"--delete-type none", "delete-type"},
	{"--progress loud", "progress"},
	{"--log-format xml", "log-format"},
	{"--from-column a --to-column a", "column"},
	{"--rate 1e-300", "rate"},
	{"--row-rate=-1", "row-rate"},
	{"--row-rate=Inf", "row-rate"},
	{"--max-invalid 0", "max-invalid"},
	{"--max-invalid x%", "max-invalid"},
	{"--retry-failed", "retry-failed"},
	{"--note a\tb", "note"},
	{"--note a\xffb", "note"},
	{"--note " + strings.Repeat("x", 1001), "note.*1001"},
}

// TestFlagsBeyondTheirBounds: exit code 2, the flag is named, nothing is read, sent or left behind. It runs in this
// process: so many cases as scripts would take too long.
func TestFlagsBeyondTheirBounds(t *testing.T) {
	t.Parallel()
	for _, test := range beyondBounds {
		t.Run(test.flags, func(t *testing.T) {
			dir := t.TempDir()
			pairs := filepath.Join(dir, "pairs.csv")
			if err := os.WriteFile(pairs, []byte("from,to\na,b\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"delete", "--endpoint", "http://127.0.0.1:1", "--sdkappid", "1", "--yes"}
			args = append(append(args, strings.Split(test.flags, " ")...), pairs)
			var stdout, stderr bytes.Buffer
			code := newApp(args, strings.NewReader(""), &stdout, &stderr).run(t.Context())
			if code != exitUsage || stdout.Len() > 0 {
				t.Errorf("got exit code %d and the output %q, want 2 and none", code, &stdout)
			}
			if !regexp.MustCompile(test.says).Match(stderr.Bytes()) {
				t.Errorf("got %q, want it to match %q", &stderr, test.says)
			}
			if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
				t.Errorf("got the files %v %v, want pairs.csv alone", files, err)
			}
		})
	}
}

// TestFlagsAtTheirBounds: what is just within the bounds is permitted.
func TestFlagsAtTheirBounds(t *testing.T) {
	one, zero, moment := int64(1), int64(0), time.Duration(1)
	for _, f := range []speedFlags{
		{Workers: 1, Timeout: 1, MaxAttempts: 1, BackoffInitial: 1, BackoffMax: 1, Limit: &one, MaxDuration: &moment},
		{Workers: maxWorkers, Timeout: 1, MaxAttempts: 1, BackoffInitial: 1, BackoffMax: 2, Rate: slowest, RowRate: slowest},
	} {
		if err := f.check(); err != nil {
			t.Errorf("%+v: got %v, want it permitted", f, err)
		}
	}
	for _, f := range []pairFlags{{ChunkSize: 1, MaxRows: &zero}, {ChunkSize: 1000, FromColumn: "a", ToColumn: "b"}} {
		if err := f.check(); err != nil {
			t.Errorf("%+v: got %v, want it permitted", f, err)
		}
	}
	if err := (&fileFlags{Note: strings.Repeat("x", maxNote), Resume: true}).check(); err != nil {
		t.Errorf("a long note: got %v, want it permitted", err)
	}
}

// TestEnoughDescriptors: a request of the sandbox takes two connections of this process, one at each end.
func TestEnoughDescriptors(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 1<<40 {
		t.Skipf("no limit is known: %d, %v", limit.Cur, err)
	}
	most := int(limit.Cur) - otherFiles
	for _, test := range []struct {
		workers int
		sandbox bool
		enough  bool
	}{{most, false, true}, {most + 1, false, false}, {most / 2, true, true}, {most/2 + 1, true, false}} {
		f := jobFlags{}
		f.Workers, f.Sandbox = test.workers, test.sandbox
		if err := f.enoughDescriptors(); (err == nil) != test.enough {
			t.Errorf("%d workers of %d open files, sandbox %v: got %v, want enough: %v", test.workers, limit.Cur, test.sandbox, err, test.enough)
		}
	}
}
