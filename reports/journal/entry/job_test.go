package entry_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/journaltest"
)

// TestDifferences: what makes another job of one is named in an operator's words, with what it is now and what it was; counts follow from it.
func TestDifferences(t *testing.T) {
	ab, cd := strings.Repeat("ab", 6)+"…", strings.Repeat("cd", 6)+"…"
	for _, tc := range []struct {
		name   string
		change func(j *entry.Job)
		want   []string
	}{
		{"the same", func(*entry.Job) {}, nil},
		{"other counts", func(j *entry.Job) { j.Rows, j.LastLine, j.Invalid, j.Duplicates, j.Mirrors = 7, 8, 1, 2, 1 }, nil},
		{"other bytes", func(j *entry.Job) { j.InputSHA256 = strings.Repeat("cd", 32) },
			[]string{"input: other bytes (100 bytes with sha256 " + cd + ", was 100 bytes with sha256 " + ab + ")"}},
		{"fewer bytes", func(j *entry.Job) { j.InputBytes = 99 },
			[]string{"input: other bytes (99 bytes with sha256 " + ab + ", was 100 bytes with sha256 " + ab + ")"}},
		{"a short hash", func(j *entry.Job) { j.InputSHA256 = "0123456789ab" },
			[]string{"input: other bytes (100 bytes with sha256 0123456789ab, was 100 bytes with sha256 " + ab + ")"}},
		{"another call", func(j *entry.Job) { j.Call = "check" }, []string{"call: check, was delete"}},
		{"other columns", func(j *entry.Job) { j.FromColumn, j.ToColumn = "a", "b" }, []string{"from column: a, was from", "to column: b, was to"}},
		{"another app elsewhere", func(j *entry.Job) { j.Endpoint, j.AppID = "sandbox", 14 },
			[]string{"endpoint: sandbox, was https://x.test", "sdkappid: 14, was 1400000000"}},
		{"one side", func(j *entry.Job) { j.DeleteType = "Delete_Type_Single" }, []string{"delete type: Delete_Type_Single, was Delete_Type_Both"}},
	} {
		now := journaltest.Job(5, 9)
		tc.change(&now)
		if diff := cmp.Diff(now.Differences(journaltest.Job(5, 9)), tc.want); diff != "" {
			t.Errorf("%s: got -, want +\n%s", tc.name, diff)
		}
	}
}

// TestSame: a line number means the same row to both only where the counts are the same as well.
func TestSame(t *testing.T) {
	job := journaltest.Job(5, 9)
	if err := job.Same(job); err != nil {
		t.Errorf("the same: got %v, want no error", err)
	}
	other, counted := job, job
	other.AppID, other.Rows = 14, 7
	counted.Rows, counted.Invalid, counted.Duplicates, counted.Mirrors, counted.LastLine = 6, 1, 3, 2, 8
	for want, was := range map[string]entry.Job{
		"the journal belongs to another job: sdkappid: 1400000000, was 14": other,
		"the same input was read differently: 5 rows, 0 invalid, 0 duplicates, 0 mirrors up to line 9; the journal has 6, 1, 3, 2 and 8\n" +
			"use the version of friendsweep that began the job": counted,
	} {
		if err := job.Same(was); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestSandbox(t *testing.T) {
	for endpoint, want := range map[string]bool{"sandbox": true, "https://sandbox": false, "": false} {
		if got := (entry.Job{Endpoint: endpoint}).Sandbox(); got != want {
			t.Errorf("%q: got %v, want %v", endpoint, got, want)
		}
	}
}
