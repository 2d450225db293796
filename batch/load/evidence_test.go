package load

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"testing"
	"time"
)

var evidenceTable = newTable("shape", "rows", "journal", "chain's share of the run's CPU", "asked for", "", "`report`", "`audit`", "ratio", "asked for", "")

// TestEvidence measures what the chain costs in a run, by making it again for the lines that the run wrote, and how long
// audit takes beside the report that it makes again.
func TestEvidence(t *testing.T) {
	const askedChain, askedAudit = 0.01, 1.5
	j := usual(t, *shapeFlag, size(small))
	j.rate, j.orders = 0, orders{Kind: "bare"}
	r := j.measure(t)
	text, err := os.ReadFile(j.report + ".journal")
	if err != nil {
		t.Fatal(err)
	}
	const times = 10 // one is too short to be measured
	before, _ := usage()
	for range times {
		rechain(t, text)
	}
	after, _ := usage()
	share := float64(after-before) / float64(r.cpu) / times
	report, audit := time.Duration(0), time.Duration(0)
	for range 3 { // the fastest of each: others are at work here
		report, audit = faster(report, timed(t, "report", j.report)), faster(audit, timed(t, "audit", j.report))
	}
	ratio := audit.Seconds() / report.Seconds()
	evidenceTable.line(*shapeFlag, count(r.rows), mebibytes(r.journal), fmt.Sprintf("%.2f %%", 100*share), fmt.Sprintf("%.0f %%", 100*askedChain),
		verdict(share <= askedChain), seconds(report), seconds(audit), fmt.Sprintf("%.2f", ratio), fmt.Sprint(askedAudit), verdict(ratio <= askedAudit))
}

func faster(a, b time.Duration) time.Duration {
	if a == 0 || b < a {
		return b
	}
	return a
}

// timed runs a command that must end well.
func timed(t *testing.T, args ...string) time.Duration {
	t.Helper()
	cmd, err := program(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := spent(cmd)
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", args, err, cmd.Stdout, cmd.Stderr)
	}
	return r.wall
}

// rechain makes the chain of a journal again, and holds it against what stands there.
func rechain(t *testing.T, journal []byte) {
	t.Helper()
	previous := ""
	for line := range bytes.Lines(journal) {
		text, h, ok := bytes.Cut(line, []byte(`,"h":"`))
		sum := sha256.New()
		io.WriteString(sum, previous)
		sum.Write(text)
		previous = hex.EncodeToString(sum.Sum(nil)[:16])
		if !ok || string(h) != previous+"\"}\n" {
			t.Fatalf("got %s, want %s", h, previous)
		}
	}
}
