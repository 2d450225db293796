package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// graph is a real social graph of 171,002 friendships, beside the project and never in it. 179 of them are with oneself.
const graph = "../../../shared/data/facebook_edges.csv"

// summary is what this test reads of a closing summary.
type summary struct {
	Rows, Failure, Requests int64
	Outcomes                map[string]int64
}

// TestDeleteThenCheck deletes the graph in one sandbox, which is the program's own, and asks the same sandbox what is true
// then: of every pair that could be sent the deletion is proved, and the check takes no request more than its chunks.
func TestDeleteThenCheck(t *testing.T) {
	if _, err := os.Stat(graph); err != nil {
		t.Skipf("%v: deletion and check of a real graph were NOT tried", err)
	}
	const chunk = 50 // fewer than many have friends
	invalid, requests := chunksOfGraph(t, chunk)
	for deleteType, outcome := range map[string]string{"single": "reverse", "both": "strangers"} {
		t.Run(deleteType, func(t *testing.T) {
			t.Parallel()
			to := append(served(t), "--rate", "0", "--chunk-size", fmt.Sprint(chunk), "--progress", "none", "--json",
				"--delete-type", deleteType, "--from-column", "id_1", "--to-column", "id_2", graph)
			dir := t.TempDir()
			deleted := said(t, 1, append([]string{"delete", "--yes", "--report", filepath.Join(dir, "r.csv")}, to...)...)
			checked := said(t, 1, append([]string{"check", "--report", filepath.Join(dir, "c.csv")}, to...)...)
			if deleted.Outcomes["deleted"]+deleted.Outcomes["duplicate"] != deleted.Rows-invalid || deleted.Failure != invalid {
				t.Errorf("got %+v, want all deleted but %d invalid rows", deleted, invalid)
			}
			if checked.Outcomes[outcome] != checked.Rows-invalid || checked.Failure != invalid || checked.Outcomes["invalid"] != invalid {
				t.Errorf("got %+v, want all %s but %d invalid rows", checked, outcome, invalid)
			}
			if checked.Requests != requests {
				t.Errorf("got %d requests, want %d: the sum of the accounts' chunks", checked.Requests, requests)
			}
		})
	}
}

// chunksOfGraph counts by itself the rows that cannot be sent, which are those with oneself, and the chunks of all accounts. In
// this graph no pair comes again.
func chunksOfGraph(t *testing.T, chunk int64) (invalid, chunks int64) {
	t.Helper()
	file, err := os.Open(graph)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	of := map[string]int64{}
	lines := bufio.NewScanner(file) // its IDs are numbers: nothing is quoted
	lines.Scan()
	for lines.Scan() {
		from, to, _ := strings.Cut(lines.Text(), ",")
		if from == to {
			invalid++
		} else if of[from]++; of[from]%chunk == 1 {
			chunks++
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return invalid, chunks
}

// served starts friendsweep sandbox, interrupts it when the test has ended (by when the test's context is gone), and returns
// the flags that it prints, with the key that it prints in a file. A sandbox in this process would count as memory of the
// programs that other tests start from it: see run.rss.
func served(t *testing.T) []string {
	t.Helper()
	cmd, err := program(context.Background(), "sandbox", "--listen", "127.0.0.1:0", "--limit", "0")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = nil
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()); err != nil {
			t.Errorf("the sandbox ended with %v\n%s", err, cmd.Stderr)
		}
	})
	var said strings.Builder
	for lines := bufio.NewScanner(out); !strings.Contains(said.String(), "PAIRS\n") && lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
	}
	found := regexp.MustCompile(`FRIENDSWEEP_SECRET_KEY=(\w+) [^-]+(--endpoint) (\S+) (--sdkappid) (\d+) (--identifier) (\w+)`).FindStringSubmatch(said.String())
	if found == nil {
		t.Fatalf("the sandbox says\n%s\nwhich has no key and no flags", said.String())
	}
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(found[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	return append(found[2:], "--secret-key-file", key)
}

// said runs the program with no key but that of a file, and reads the JSON that it prints.
func said(t *testing.T, code int, args ...string) (s summary) {
	t.Helper()
	cmd, err := program(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = slices.DeleteFunc(cmd.Env, func(v string) bool { return strings.HasPrefix(v, "FRIENDSWEEP_SECRET_KEY=") })
	out := cmd.Stdout.(*bytes.Buffer)
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || cmd.ProcessState.ExitCode() != code {
		t.Fatalf("%q: got exit code %d, want %d (%v)\n%s", args[0], cmd.ProcessState.ExitCode(), code, err, cmd.Stderr)
	}
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}
