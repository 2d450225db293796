package journal

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"friendsweep/reports/journal/outcome"
)

func TestDamageIsRefused(t *testing.T) {
	j := started(t, jobOf(10, 11))
	for line := int64(2); line < 8; line += 2 {
		id, err := j.Before("a", []int64{line, line + 1})
		must(t, err)
		must(t, j.After(id, 0, []outcome.Result{deleted(line), deleted(line + 1)}))
	}
	must(t, j.End("0", ""))
	good := content(t, j.path)
	lines := strings.SplitAfter(good, "\n")
	replace := func(n int, old, new string) string {
		text := slices.Clone(lines)
		text[n-1] = strings.Replace(text[n-1], old, new, 1)
		if text[n-1] == lines[n-1] {
			t.Fatalf("line %d has no %q", n, old)
		}
		return strings.Join(text, "")
	}
	for name, c := range map[string]struct {
		text string
		line int
	}{
		"garbage":                  {replace(4, `{"send"`, "\x00\x00\x00"), 4},
		"half a line":              {replace(3, "\n", ""), 3},
		"a key twice":              {replace(2, `"account"`, `"lines":"4","account"`), 2},
		"no account":               {replace(2, `"account"`, `"acount"`), 2},
		"two kinds":                {replace(2, `"account"`, `"withdraw":1,"account"`), 2},
		"something behind":         {replace(2, "}\n", "}}\n"), 2},
		"an outcome of no one":     {replace(3, `"deleted"`, `"deletes"`), 3},
		"deleted with a code":      {replace(3, `"code":0`, `"code":3`), 3},
		"a row beyond the input":   {replace(2, `"2-3"`, `"2-12"`), 2},
		"a row of somebody else":   {replace(3, `"lines":"2"`, `"lines":"4"`), 3},
		"a row twice":              {replace(3, `"lines":"2"`, `"lines":"3"`), 3},
		"a row without an answer":  {replace(2, `"2-3"`, `"2-4"`), 3},
		"one result, of one row":   {replace(3, `,{"outcome":"deleted","code":0,"lines":"3"}`, ``), 3},
		"a withdrawal of nothing":  {replace(3, lines[2][:strings.Index(lines[2], `,"h"`)], `{"withdraw":9,"at":"2026-01-31T02:00:00.000Z"`), 3},
		"a decision about no row":  {replace(3, lines[2][:strings.Index(lines[2], `,"h"`)], `{"decide":"a","at":"2026-01-31T02:00:00.000Z","results":[{"outcome":"refused"}]`), 3},
		"an answer to nothing":     {replace(3, `"answer":1`, `"answer":9`), 3},
		"a line taken out":         {strings.Join(slices.Delete(slices.Clone(lines), 1, 2), ""), 2},
		"a request taken out":      {strings.Join(slices.Delete(slices.Clone(lines), 1, 3), ""), 2},
		"a line put twice":         {strings.Join(slices.Insert(slices.Clone(lines), 2, lines[1]), ""), 3},
		"a second first line":      {strings.Join(slices.Insert(slices.Clone(lines), 3, lines[0]), ""), 4},
		"a line behind the end":    {good + lines[1], len(lines)},
		"a time of no day":         {replace(2, `"at":"2`, `"at":"x`), 2},
		"a number with a fraction": {replace(2, `"send":1`, `"send":1.5`), 2},
		"first line":               {replace(1, `"job"`, `"jobs"`), 1},
		"no count can be":          {replace(1, `"rows":10`, `"rows":99`), 1},
	} {
		if refused, _ := readsAs(t, c.text); refused == 0 {
			t.Errorf("%s: not seen", name)
		}
		// Whoever can seal the lines again is held to what they say.
		text := resealed(c.text)
		must(t, os.WriteFile(j.path, []byte(text), 0o600))
		must(t, j.adopt(j.file))
		_, err := j.Replay(t.Context(), false)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("line %d: ", c.line)) || !strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want an error about line %d and a hint", name, err, c.line)
		}
		if err := j.Resume(someRun); err == nil {
			t.Errorf("%s: resumed", name)
		}
		if content(t, j.path) != text {
			t.Errorf("%s: the journal was changed", name)
		}
	}
	must(t, os.WriteFile(j.path, []byte(good+"{\"garbage\n\x00\x00\nmore"), 0o600))
	must(t, j.adopt(j.file))
	h, err := j.Replay(t.Context(), false)
	if err != nil || h.GoodBytes != int64(len(good)) || h.MirroredCount != 6 {
		t.Errorf("a torn tail of several lines: got %+v, %v", h, err)
	}
}
