package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

var every = flag.Bool("every", false, "change every byte of a long journal in every way")

// resealed is what somebody would write who changes lines and knows the chain.
func resealed(text string) string {
	previous := ""
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if open, h, ok := strings.Cut(line, `,"h":"`); ok && len(h) == 35 && strings.HasSuffix(h, "\"}\n") {
			sealed, h := entry.Seal([]byte(open), previous)
			lines[i], previous = string(sealed), h
		}
	}
	return strings.Join(lines, "")
}

// everyKind is the journal of a job with every kind of line in it, closed.
func everyKind(t testing.TB) (path, text string) { return everyKindOf(t, 3) }

// everyKindOf has that many answered requests in it, from one on.
func everyKindOf(t testing.TB, answered int) (path, text string) {
	j := started(t, jobOf(10, 11))
	for n := range int64(answered) {
		line := 2 + n%3*2
		id, err := j.Before("a", []int64{line, line + 1})
		must(t, err)
		must(t, j.After(id, time.Millisecond, []outcome.Result{deleted(line), {Rows: outcome.RowsAt(line + 1), Outcome: outcome.Open, Lost: true, Info: "x"}}))
	}
	id, err := j.Before("b", []int64{8})
	must(t, err)
	must(t, j.Withdraw(id))
	must(t, j.Decide("b", []outcome.Result{{Rows: outcome.RowsAt(8), Outcome: outcome.Refused, Info: "no"}}))
	must(t, j.End("4", "why"))
	_, err = j.Replay(t.Context(), false)
	must(t, err)
	must(t, j.Resume(someRun))
	_, err = j.Before("b", []int64{9})
	must(t, err)
	must(t, j.Close())
	return j.path, content(t, j.path)
}

// The chain as the contract says it, written again without a look at ours.
func TestChainIsThatOfTheContract(t *testing.T) {
	_, text := everyKind(t)
	previous := ""
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		covered, h, ok := strings.Cut(line, `,"h":"`)
		sum := sha256.Sum256([]byte(previous + covered))
		if want := hex.EncodeToString(sum[:])[:32]; !ok || h != want+`"}` {
			t.Fatalf("line %d: got %s, want %s", i+1, h, want)
		}
		previous = strings.TrimSuffix(h, `"}`)
	}
}

// readsAs tells how a journal of this text is read: the line that is refused, or 0, and the bytes that are taken for a torn tail.
func readsAs(t testing.TB, text string) (refused, torn int64) {
	f := &follower{path: "j", parser: entry.NewParser(testCalls), Reader: Reader{Apply: func(outcome.Rows, *Change) error { return nil }}}
	err := f.follow(t.Context(), strings.NewReader(text), int64(len(text)))
	if err == nil {
		return 0, f.seen.torn
	}
	if _, err := fmt.Sscanf(err.Error(), "reading j line %d:", &refused); err != nil {
		t.Fatalf("got %v, want an error that names the line", err)
	}
	return refused, 0
}

// Every byte in three ways where the journal is short; of a long one each byte in one of them, and with -every in all.
func TestEveryChangedByteIsSeen(t *testing.T) {
	for _, answered := range []int{3, 50} {
		_, text := everyKindOf(t, answered)
		tried := 0
		for at := range len(text) {
			for way, change := range []byte{0x01, 0x20, 0x80} {
				if answered == 3 || *every || at%3 == way {
					tried++
					isSeen(t, text, at, change)
				}
			}
		}
		t.Logf("%d lines, %d bytes, %d changes", strings.Count(text, "\n"), len(text), tried)
	}
}

// isSeen: the line in which a byte is changed is refused, or, if it is the last one, taken for a torn tail.
func isSeen(t *testing.T, text string, at int, change byte) {
	t.Helper()
	lastLine := strings.LastIndexByte(text[:len(text)-1], '\n') + 1
	data := []byte(text)
	data[at] ^= change
	number := int64(strings.Count(text[:at], "\n") + 1)
	refused, torn := readsAs(t, string(data))
	if refused != number && (at < lastLine || torn != int64(len(text)-lastLine)) {
		t.Errorf("byte %d, line %d, changed by %#x: refused line %d, %d bytes torn", at, number, change, refused, torn)
	}
}

func TestEveryMovedLineIsSeen(t *testing.T) {
	_, text := everyKind(t)
	_, other := everyKind(t)
	other = strings.ReplaceAll(other, `"pid":7`, `"pid":8`)
	lines, others := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n"), strings.SplitAfter(resealed(other), "\n")
	lines[len(lines)-1] += "\n"
	for i := range lines {
		changed := map[string][]string{
			"doubled": slices.Insert(slices.Clone(lines), i, lines[i]),
			"spliced": slices.Replace(slices.Clone(lines), i, i+1, others[i]),
		}
		if i < len(lines)-1 { // the last ones cut off is what the head is compared for
			changed["removed"] = slices.Delete(slices.Clone(lines), i, i+1)
			swapped := slices.Clone(lines)
			swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
			changed["swapped"] = swapped
		}
		for how, all := range changed {
			if refused, _ := readsAs(t, strings.Join(all, "")); refused == 0 {
				t.Errorf("line %d %s: not seen", i+1, how)
			}
		}
	}
}

// Wherever a journal ends, what follows its last whole line is torn, and the lines before it are good.
func TestEveryCutIsATornTail(t *testing.T) {
	_, text := everyKind(t)
	for at := range len(text) {
		want := int64(at - strings.LastIndexByte(text[:at], '\n') - 1)
		if refused, torn := readsAs(t, text[:at]); refused != 0 || torn != want {
			t.Errorf("the first %d bytes: got line %d refused and %d bytes torn, want %d", at, refused, torn, want)
		}
	}
	// The last line break is changed: that is no cut.
	last := int64(strings.Count(text, "\n"))
	if refused, _ := readsAs(t, strings.TrimSuffix(text, "\n")+"x"); refused != last {
		t.Errorf("got line %d refused, want %d", refused, last)
	}
}

// A power cut may leave the later of two writes on the disk and zeros where the earlier was to be; but not if something
// behind them shows that a sync was between the two.
func TestAHoleIsATornTail(t *testing.T) {
	j := started(t, jobOf(10, 11))
	send := func(line int64) int64 {
		id, err := j.Before("a", []int64{line})
		must(t, err)
		return id
	}
	answer := func(id, line int64) { must(t, j.After(id, time.Millisecond, []outcome.Result{deleted(line)})) }
	first, second := send(2), send(3)
	answer(first, 2)  // line 4
	answer(second, 3) // line 5
	third := send(4)  // line 6
	loose := content(t, j.path)
	answer(third, 4)
	synced := content(t, j.path)
	must(t, j.End("4", "why"))
	ended := content(t, j.path)
	must(t, j.Close())
	without := func(text string, number, many int) string {
		lines := strings.SplitAfter(text, "\n")
		lines[number-1] = strings.Repeat("\x00", many) + lines[number-1][many:]
		return strings.Join(lines, "")
	}
	all := len(strings.SplitAfter(loose, "\n")[3])
	good := int64(strings.Index(loose, `{"answer":1`))
	for name, c := range map[string]struct {
		text          string
		refused, torn int64
	}{
		"a line is missing":                         {without(loose, 4, all), 0, int64(len(loose)) - good},
		"half of two lines is missing":              {without(without(loose, 4, all/2), 5, all/2), 0, int64(len(loose)) - good},
		"half a line is missing":                    {without(loose, 4, all/2), 0, int64(len(loose)) - good},
		"a byte is missing":                         {without(loose, 4, 1), 4, 0},
		"a request that left after it was answered": {without(synced, 4, all), 4, 0},
		"the end of its run":                        {without(without(ended, 7, all/2), 4, all), 4, 0},
		"a line that is no hole":                    {strings.ReplaceAll(without(loose, 4, all), "\x00", "x"), 4, 0},
	} {
		if refused, torn := readsAs(t, c.text); refused != c.refused || torn != c.torn {
			t.Errorf("%s: got line %d refused and %d bytes torn, want %d and %d", name, refused, torn, c.refused, c.torn)
		}
	}
}

// A line that was torn by a crash has no end; one whose end was changed hides the next.
func TestAHiddenLineIsNoTornTail(t *testing.T) {
	_, text := everyKind(t)
	last := strings.LastIndexByte(text[:len(text)-1], '\n')
	joined := text[:last] + "x" + text[last+1:]
	if refused, torn := readsAs(t, joined); refused == 0 {
		t.Errorf("got a torn tail of %d bytes, want the line refused", torn)
	}
}

// A journal whose run died may not be on the disk: it is written anew, and the new one is the one that is locked.
func TestResumeWritesTheJournalAnew(t *testing.T) {
	path, text := everyKind(t)
	before, err := os.Stat(path)
	must(t, err)
	must(t, os.WriteFile(path, []byte(text+`{"torn`), 0o600))
	j := open(t, strings.TrimSuffix(path, ".journal"))
	_, err = j.Replay(t.Context(), false)
	must(t, err)
	must(t, j.Resume(someRun))
	after, err := os.Stat(path)
	must(t, err)
	if os.SameFile(before, after) {
		t.Error("got the same file, want a new one")
	}
	if got := content(t, path); !strings.HasPrefix(got, text+`{"resume":`) {
		t.Errorf("got %s, want the good lines and a resume", got)
	}
	if isHeld, err := held(mustOpen(t, path)); err != nil || !isHeld {
		t.Errorf("got held %v, %v; want the new file locked", isHeld, err)
	}
	if refused, torn := readsAs(t, content(t, path)); refused != 0 || torn != 0 {
		t.Errorf("got line %d refused and %d bytes torn", refused, torn)
	}
	must(t, j.End("0", ""))
	_, err = j.Replay(t.Context(), false)
	must(t, err)
	must(t, j.Resume(someRun))
	again, err := os.Stat(path)
	must(t, err)
	if !os.SameFile(after, again) {
		t.Error("got a new file after a run that ended in order, want the same")
	}
}

// The next process goes on with the chain and the numbers of the last one, whether it ended or died.
func TestResumeByAnotherProcess(t *testing.T) {
	for _, ends := range []bool{true, false} {
		j := started(t, jobOf(10, 11))
		for line := int64(2); line < 5; line++ {
			if line > 2 {
				j = open(t, j.report)
				_, err := j.Replay(t.Context(), false)
				must(t, err)
				must(t, j.Resume(someRun))
			}
			id, err := j.Before("a", []int64{line})
			must(t, err)
			must(t, j.After(id, 0, []outcome.Result{deleted()}))
			if id != line-1 {
				t.Errorf("got request %d, want %d", id, line-1)
			}
			if ends {
				must(t, j.End("4", "why"))
			}
			must(t, j.Close())
			must(t, os.WriteFile(j.path, []byte(content(t, j.path)+`{"torn`), 0o600))
		}
		if refused, torn := readsAs(t, content(t, j.path)); refused != 0 || torn != 6 {
			t.Errorf("ends %v: got line %d refused and %d bytes torn, want the last 6", ends, refused, torn)
		}
	}
}

func mustOpen(t testing.TB, path string) *os.File {
	f, err := os.Open(path)
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}
