package fates

import (
	"iter"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"friendsweep/input"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func content(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return string(data)
}

func drawLines(t *rapid.T, name string, last int64) []int64 {
	lines := rapid.SliceOfNDistinct(rapid.Int64Range(2, last), 1, 40, rapid.ID).Draw(t, name)
	slices.Sort(lines)
	return lines
}

// small is a job with one row of every kind.
func small(t testing.TB) (*journal.Journal, entry.Job, []input.Record, []input.Repeat) {
	t.Helper()
	job := journaltest.Job(11, 13)
	job.Invalid, job.Duplicates, job.Mirrors = 1, 2, 1
	j := journaltest.Start(t, job)
	send := func(lines ...int64) int64 {
		id, err := j.Before("a", lines)
		must(t, err)
		return id
	}
	answer := func(id int64, results ...outcome.Result) { must(t, j.After(id, 20*time.Millisecond, results)) }
	answer(send(2, 3, 4, 6, 7, 8),
		outcome.Result{Rows: outcome.RowsAt(2), Outcome: journaltest.Deleted, Code: outcome.Code{Given: true}},
		outcome.Result{Rows: outcome.RowsAt(3), Outcome: journaltest.NotFriend, Code: outcome.Code{Number: 31704, Given: true}, Info: "Err_SNS_FriendDelete_Not_Friend"},
		outcome.Result{Rows: outcome.RowsAt(4), Outcome: outcome.Refused, Code: outcome.Code{Number: 30003, Given: true}, Info: `no "account"`},
		outcome.Result{Rows: outcome.RowsAt(6), Outcome: outcome.GaveUp, Code: outcome.Code{Number: 30006, Given: true}},
		outcome.Result{Rows: outcome.RowsAt(7, 8), Outcome: outcome.Open, Lost: true, Info: "no answer within 15s"})
	answer(send(8), outcome.Result{Outcome: journaltest.Deleted, Code: outcome.Code{Number: 31704, Given: true}, Presumed: true})
	answer(send(9), outcome.Result{Outcome: outcome.Open, Code: outcome.Code{Number: 70003, Given: true}, Info: "bad signature"})
	must(t, j.End("4", "credentials"))
	records := []input.Record{
		{Line: 2, From: "a", To: "b"}, {Line: 3, From: "a", To: "=1+1"}, {Line: 4, From: "a", To: "d"},
		{Line: 5, From: "", To: "x\ny\r\n\"", Reason: "from_account is empty"}, {Line: 6, From: "a", To: "f"},
		{Line: 7, From: "a", To: "g"}, {Line: 8, From: "a", To: "h"}, {Line: 9, From: "a", To: "i"},
		{Line: 11, From: "b", To: "a"}, {Line: 12, From: "a", To: "=1+1"}, {Line: 13, From: "z", To: "y"},
	}
	return j, job, records, []input.Repeat{{Line: 12, First: 3}, {Line: 11, First: 2, Mirror: true}}
}

func repeatsOf(all []input.Repeat) iter.Seq2[input.Repeat, error] {
	return func(yield func(input.Repeat, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func sum(all []int64) (n int64) {
	for _, v := range all {
		n += v
	}
	return n
}

func perSecond(b *testing.B, n int, unit string) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), unit+"s/s")
	b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(n)/float64(b.N), "ns/"+unit)
}
