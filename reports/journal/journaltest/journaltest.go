// Package journaltest makes journals for the tests of packages that read them.
package journaltest

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

// The answers of [Call].
const (
	Deleted = outcome.Answered + iota
	NotFriend
)

// Call is the call of these journals.
var Call = &outcome.Call{
	Name: "delete", Loses: true,
	Answers: []outcome.Answer{
		{Word: "deleted", Meaning: "confirmed by the API, or presumed after a lost answer", Confirmed: true, Settles: true},
		{Word: "not_friend", Meaning: "was not a friend: nothing to delete", CountedBy: "--ignore-not-friend"},
	},
	Presumed: outcome.Presumption{Code: 31704, From: NotFriend, To: Deleted,
		Info: "31704 after a lost answer: presumed deleted; it may never have been a friend"},
	Meaning: meaning, Advice: advice,
	Texts: outcome.Texts{
		ToDo: "To delete", Nothing: "There is nothing to delete.",
		Sandbox: "This is the sandbox: nothing real is deleted.", InSandbox: "This was the sandbox: nothing real was deleted.",
		Sides: map[string]string{
			"Delete_Type_Single": "one side: To_Account leaves the friends of From_Account, which stays among the friends of To_Account",
			"Delete_Type_Both":   "both sides: From_Account and To_Account leave each other's friends",
		},
		Mirrored: "deleted from both sides", Succeeded: "succeeded", Failed: "failed", Record: "a bulk deletion of friendships", Row: "A friendship to delete.", Presumed: "It may never have been a friendship (31704).",
	},
}

// meaning and advice keep golden texts apart from the wording of package chat.
func meaning(code int) string {
	return map[int]string{31704: "not your friend", 30003: "account does not exist"}[code]
}

func advice(code int) string {
	return map[int]string{
		31704: "nothing is left to delete; --ignore-not-friend counts these rows as successes",
		30003: "check the ID in the input",
	}[code]
}

// Good is the answers that are successes.
var Good = Call.Set([]string{"deleted"})

// Calls are the calls of these journals.
var Calls = outcome.Calls{Call}

// Run is who works on the jobs of these journals.
var Run = entry.Run{Version: "v1", Input: "/in/pairs.csv", Flags: entry.Flags{"rate": entry.Text("200")}, Success: []string{"deleted"}, Host: "h", User: "u", PID: 7}

// Job is a job of so many rows up to the line last.
func Job(rows, last int64) entry.Job {
	return entry.Job{Call: "delete", InputSHA256: strings.Repeat("ab", 32), InputBytes: 100, Rows: rows, LastLine: last, FromColumn: "from",
		ToColumn: "to", Endpoint: "https://x.test", AppID: 1400000000, DeleteType: "Delete_Type_Both"}
}

// Start begins the job in a journal of its own, which is closed when the test ends.
func Start(t testing.TB, job entry.Job) *journal.Journal {
	t.Helper()
	j, err := journal.Lock(filepath.Join(t.TempDir(), "r.csv"), Calls)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	if err := j.Start(job, Run); err != nil {
		t.Fatal(err)
	}
	return j
}

// Report is the report that the journal lies beside.
func Report(j *journal.Journal) string { return strings.TrimSuffix(j.Path(), ".journal") }

// Deletes is the answer that the rows at these lines, or all rows of the request, are deleted.
func Deletes(lines ...int64) outcome.Result {
	return outcome.Result{Rows: outcome.RowsAt(lines...), Outcome: Deleted, Code: outcome.Code{Given: true}}
}

// Filled is the journal of a finished job of n rows in requests of chunk rows; scattered rows lie far apart in the input.
func Filled(t testing.TB, n, chunk int, scattered bool) (*journal.Journal, entry.Job) {
	t.Helper()
	job := Job(int64(n), int64(n)+1)
	j := Start(t, job)
	lines := make([]int64, n)
	for i := range lines {
		lines[i] = int64(i) + 2
	}
	if scattered {
		rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(x, y int) { lines[x], lines[y] = lines[y], lines[x] })
	}
	for part := range slices.Chunk(lines, chunk) {
		slices.Sort(part)
		id, err := j.Before("account-12345", part)
		if err == nil {
			err = j.After(id, 80*time.Millisecond, []outcome.Result{Deletes()})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := j.End("0", ""); err != nil {
		t.Fatal(err)
	}
	return j, job
}

// Resealed is the text of a journal whose chain fits what its lines say now, as the contract's section 7 has it: whoever
// can do this is held to what the lines say.
func Resealed(text string) string {
	previous := ""
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		open, _, ok := strings.Cut(line, `,"h":"`)
		if !ok || !strings.HasSuffix(line, "\"}\n") {
			continue
		}
		sum := sha256.Sum256([]byte(previous + open))
		previous = hex.EncodeToString(sum[:16])
		lines[i] = open + `,"h":"` + previous + "\"}\n"
	}
	return strings.Join(lines, "")
}

// Lines are the lines of the rows, one by one.
func Lines(rows outcome.Rows) (lines []int64) {
	for _, s := range rows {
		for line := s.Lo; line <= s.Hi; line++ {
			lines = append(lines, line)
		}
	}
	return lines
}
