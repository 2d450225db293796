package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"friendsweep/batch/sandbox"
)

// graph is a real social graph of 171,002 friendships, beside the project and never in it. 179 of them are with oneself.
const graph = "../../../shared/data/facebook_edges.csv"

// summary is what this test reads of a closing summary, and of a plan.
type summary struct {
	Rows, Success, Failure, Requests, Accounts int64
	Outcomes                                   map[string]int64
}

// TestDeleteThenCheck deletes the graph in one sandbox and asks the same sandbox what is true then: of every pair that could
// be sent the deletion is proved, and the check takes no request more than its chunks.
func TestDeleteThenCheck(t *testing.T) {
	if _, err := os.Stat(graph); err != nil {
		t.Skipf("%v: deletion and check of a real graph were NOT tried", err)
	}
	for deleteType, outcome := range map[string]string{"single": "reverse", "both": "strangers"} {
		t.Run(deleteType, func(t *testing.T) {
			t.Parallel()
			listener, err := sandbox.Listen("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			served := make(chan error, 1)
			go func() { served <- sandbox.New(sandbox.Options{}).Serve(ctx, listener) }() // ended and waited for below
			defer func() { cancel(); <-served }()
			dir := t.TempDir()
			to := []string{"--endpoint", "http://" + listener.Addr().String(), "--sdkappid", "1400000000", "--rate", "0", "--progress", "none",
				"--delete-type", deleteType, "--from-column", "id_1", "--to-column", "id_2", "--json"}
			plan := said(t, 0, "plan", "--from-column", "id_1", "--to-column", "id_2", "--json", graph)
			deleted := said(t, 1, append([]string{"delete", "--yes", "--report", filepath.Join(dir, "r.csv"), graph}, to...)...)
			checked := said(t, 1, append([]string{"check", "--report", filepath.Join(dir, "c.csv"), graph}, to...)...)
			const invalid = 179
			if deleted.Outcomes["deleted"]+deleted.Outcomes["duplicate"] != deleted.Rows-invalid || deleted.Failure != invalid {
				t.Errorf("got %+v, want all deleted but %d invalid rows", deleted, invalid)
			}
			if checked.Outcomes[outcome] != checked.Rows-invalid || checked.Failure != invalid || checked.Outcomes["invalid"] != invalid {
				t.Errorf("got %+v, want all %s but %d invalid rows", checked, outcome, invalid)
			}
			if checked.Requests != plan.Requests {
				t.Errorf("got %d requests, want %d: the sum of the accounts' chunks", checked.Requests, plan.Requests)
			}
		})
	}
}

// said runs the program and reads the JSON that it prints.
func said(t *testing.T, code int, args ...string) (s summary) {
	t.Helper()
	cmd, err := program(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
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
