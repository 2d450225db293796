package proof

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"friendsweep/batch"
	"friendsweep/input"
	"friendsweep/reports/journal"
)

// TestCutAnywhere: whatever the part of a journal that a crash has left, the job goes on from its whole lines and ends in a
// true report. The job is done to its end from every line and from the middle of every line, by a server that has carried
// out what was not answered, and by one that has not; from all other bytes as far as the journal is the same then.
func TestCutAnywhere(t *testing.T) {
	forEach(t, cutAnywhere)
}

func cutAnywhere(t *testing.T, c *call) {
	synctest.Test(t, func(t *testing.T) {
		tr, whole := told(t, c)
		start := 0
		for at := range len(whole) + 1 {
			if at > 0 && whole[at-1] == '\n' {
				start = at
			}
			tr = again(t, tr, whole[:at])
			if err := tr.resumes(t.Context(), whole[:start]); err != nil {
				t.Fatalf("cut at byte %d of %d: %v", at, len(whole), err)
			}
			if at != start && at != (start+1+bytes.IndexByte(whole[start:], '\n')+start)/2 {
				continue
			}
			for _, applied := range []bool{true, false} {
				tr = again(t, tr, whole[:at])
				if wrong := tr.goOn(t, applied); len(wrong) > 0 {
					t.Fatalf("cut at byte %d of %d, behind %q:\n%s", at, len(whole), lastLine(whole[:at]), strings.Join(wrong, "\n"))
				}
			}
		}
	})
}

// resumes makes a run begin, and holds the journal against its good part and the run's own line.
func (tr *trial) resumes(ctx context.Context, good []byte) error {
	in, err := input.Read(ctx, input.Options{Path: tr.path("pairs.csv"), ChunkSize: 10, TempDir: tr.dir})
	if err != nil {
		return err
	}
	defer in.Close()
	j, err := journal.Lock(tr.path("report.csv"), batch.Calls)
	if err != nil {
		return err
	}
	defer j.Close()
	if _, err := begin(ctx, j, tr.job(in), false); err != nil {
		return err
	}
	text, err := os.ReadFile(j.Path())
	if rest, ok := bytes.CutPrefix(text, good); err != nil || !ok || bytes.Count(rest, []byte("\n")) != 1 || rest[len(rest)-1] != '\n' {
		return fmt.Errorf("the journal goes on with %q behind %d bytes (%v)", rest, len(good), err)
	}
	return nil
}

// goOn resumes from the journal that is there, and returns what is wrong with the end.
func (tr *trial) goOn(t *testing.T, applied bool) []string {
	t.Helper()
	j, err := journalOf(tr.path("report.csv.journal"))
	if err == nil {
		err = tr.reenact(tr.call().story(), j, applied)
	}
	if err != nil {
		t.Fatal(err)
	}
	if ended, failed := tr.run(t.Context(), settings{workers: 2, chunk: 10}); ended != nil || failed != nil {
		return []string{fmt.Sprintf("the run ended with %v, %v", ended, failed)}
	}
	return append(tr.check(), tr.sameEnd()...)
}

// told is a trial with the story's journal.
func told(t *testing.T, c *call) (*trial, []byte) {
	t.Helper()
	tr, err := newTrial(memory(t), storyTable(), false)
	if err != nil {
		t.Fatal(err)
	}
	tr.server.call = c
	whole, err := tr.tell(t.Context(), c.story())
	if err != nil {
		t.Fatal(err)
	}
	return tr, whole
}

// again is the trial with another journal, and a server that knows of nothing yet.
func again(t *testing.T, old *trial, text []byte) *trial {
	t.Helper()
	tr, err := newTrial(old.dir, old.table, false)
	if err == nil {
		tr.server.call = old.call()
		err = os.WriteFile(tr.path("report.csv.journal"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// sameEnd: the report is that of the run that nobody cut, but for the row that was never a friend: if its answer is lost it
// is presumed deleted.
func (tr *trial) sameEnd() (wrong []string) {
	want := []string{"deleted", "deleted", "not_friend", "deleted", "invalid", "deleted", "refused", "refused", "refused", "duplicate"}
	if tr.call() == checking {
		want = []string{"friends", "friends", "strangers", "friends", "invalid", "friends", "refused", "refused", "refused", "duplicate"}
	}
	report, err := readReport(tr.path("report.csv"))
	if err != nil {
		return []string{err.Error()}
	}
	for i, line := range report {
		presumed := want[i] == "not_friend" && line.outcome == "deleted" && line.code == "31704"
		toldApart := want[i] == "deleted" && line.outcome == "not_friend" && line.code == "30001" // which permits no presumption
		if line.outcome != want[i] && (!presumed && !toldApart || line.attempts < 2) {
			wrong = append(wrong, fmt.Sprintf("line %d: got %s, want %s as without a cut", line.line, line.outcome, want[i]))
		}
	}
	return wrong
}

func lastLine(text []byte) string {
	lines := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	return string(lines[len(lines)-1])
}

// What may be said about a journal that is damaged before good lines.
var damages = []*regexp.Regexp{
	regexp.MustCompile(`^reading \S+report.csv.journal line 1: this is no journal\nit was not written by friendsweep: move it away, or choose another --report$`),
	regexp.MustCompile(`^reading \S+report.csv.journal line \d+: it is not a line of a journal\n` + remedy),
	regexp.MustCompile(`^reading \S+report.csv.journal line \d+: it sends request \d+, and \d+ comes next\n` + remedy),
	regexp.MustCompile(`^reading \S+report.csv.journal line \d+: request \d+ is not out\n` + remedy),
	regexp.MustCompile(`^reading \S+report.csv.journal line \d+: it is not the line that was written there: it or the line before it was changed, removed or moved\n` + remedy),
	regexp.MustCompile(`^reading \S+report.csv.journal line \d+: it comes after the end of its run\n` + remedy),
}

const remedy = `nothing was changed. Restore the journal from a copy; or begin anew with --overwrite`

// TestDamagedAnywhere: a byte that is not what it was, in any line but the last, is an error that names the line and says
// what can be done, and changes nothing. In the last line it is a torn tail.
func TestDamagedAnywhere(t *testing.T) { forEach(t, damagedAnywhere) }

func damagedAnywhere(t *testing.T, c *call) {
	tr, whole := told(t, c)
	last := len(whole) - len(lastLine(whole)) - 2 // the line break before the last line belongs to it: without it there is one line less
	for at := range whole {
		damaged := slices.Clone(whole)
		damaged[at] = 0
		err := tr.replay(t, damaged)
		line := 1 + bytes.Count(whole[:at], []byte("\n"))
		switch {
		case at >= last && err == nil:
		case err == nil:
			t.Fatalf("got nothing about byte %d of %q, want an error", at, lines(whole)[line-1])
		case !explained(err), !strings.Contains(err.Error(), fmt.Sprintf(" line %d: ", line)):
			t.Fatalf("byte %d, line %d: got %q", at, line, err)
		}
	}
}

func lines(text []byte) []string {
	return strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
}

func explained(err error) bool {
	return slices.ContainsFunc(damages, func(d *regexp.Regexp) bool { return d.MatchString(err.Error()) })
}

// replay reads a journal as a run that resumes it would, and makes sure that this alone changes nothing.
func (tr *trial) replay(t *testing.T, text []byte) error {
	t.Helper()
	if err := os.WriteFile(tr.path("report.csv.journal"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Lock(tr.path("report.csv"), batch.Calls)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	_, err = j.Replay(t.Context(), false)
	if now, _ := os.ReadFile(tr.path("report.csv.journal")); !bytes.Equal(now, text) {
		t.Fatalf("the journal was changed by being read")
	}
	return err
}

// TestLinesTakenOutOrTwice: a journal that somebody has edited leads to an error that names a line, or to a report that is
// true for the rows whose lines are still there.
func TestLinesTakenOutOrTwice(t *testing.T) { forEach(t, linesTakenOutOrTwice) }

func linesTakenOutOrTwice(t *testing.T, c *call) {
	synctest.Test(t, func(t *testing.T) {
		tr, whole := told(t, c)
		all := lines(whole)
		messages := map[string]bool{}
		for i := range all[:len(all)-1] { // the last lines cut off are seen by the head alone
			out := slices.Concat(all[:i], all[i+1:])
			twice := slices.Concat(all[:i+1], all[i:])
			for _, edited := range [][]string{out, twice} {
				text := []byte(strings.Join(edited, ""))
				err := tr.replay(t, text)
				if err != nil {
					messages[regexp.MustCompile(`\d+`).ReplaceAllString(err.Error(), "N")] = true
					if !explained(err) {
						t.Errorf("line %d edited: got %q", i+1, err)
					}
					continue
				}
				tr = again(t, tr, text)
				if wrong := tr.goOn(t, true); len(wrong) > 0 && !(len(edited) < len(all) && strings.Contains(all[i], `"lost":true`)) {
					t.Errorf("line %d edited, %q:\n%s", i+1, all[i], strings.Join(wrong, "\n"))
				}
			}
		}
		if len(messages) == 0 {
			t.Error("no edit was seen")
		}
	})
}
