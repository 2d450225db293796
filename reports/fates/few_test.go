package fates

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"friendsweep/input"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
)

// chain is the repeat that the row at line is, behind the repeat that its first is.
func (m *saga) chain(line int64) (chain []input.Repeat) {
	for r, ok := m.repeats[line]; ok; r, ok = m.repeats[r.First] {
		chain = append(chain, r)
	}
	slices.Reverse(chain)
	return chain
}

func TestFewAreThoseOfFates(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		m, j := playOut(t, dir)
		defer j.Close()
		f, err := New(context.Background(), j, Options{Job: m.job(modelLast), Repeats: m.repeatSeq(), Dir: dir, sizes: smallSizes})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for _, line := range m.rows {
			want, err := f.Next(line)
			if err != nil {
				t.Fatal(err)
			}
			lines := []int64{line}
			for _, r := range m.chain(line) {
				lines = append(lines, r.First)
			}
			few := NewFew(journaltest.Call, lines...)
			if _, err := j.Follow(context.Background(), journal.Reader{Apply: few.Apply}); err != nil {
				t.Fatal(err)
			}
			for _, r := range m.chain(line) {
				few.Repeat(r)
			}
			if diff := cmp.Diff(few.Fate(line), want); diff != "" {
				t.Errorf("line %d: got -, want +\n%s", line, diff)
			}
		}
	})
}

// TestWhatHappensToARow: what a row's fate is after each kind of change, its time included.
func TestWhatHappensToARow(t *testing.T) {
	code := func(n int) outcome.Code { return outcome.Code{Number: n, Given: true} }
	at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	said := func(ms int64, r outcome.Result) journal.Change {
		return journal.Change{Result: r, At: ms, Carried: true}
	}
	decided := func(ms int64, r outcome.Result) journal.Change { return journal.Change{Result: r, At: ms} }
	const noAnswer = "no answer within 15s"
	for _, c := range []struct {
		name    string
		changes []journal.Change
		want    Fate
	}{
		{"nothing", nil, Fate{Outcome: outcome.NotSent, Info: infoNoTurn}},
		{"deleted", []journal.Change{said(5, outcome.Result{Outcome: journaltest.Deleted, Code: code(0)})},
			Fate{Outcome: journaltest.Deleted, Code: code(0), Attempts: 1, At: at(5)}},
		{"the answer stands, whatever comes later", []journal.Change{said(5, outcome.Result{Outcome: journaltest.NotFriend, Code: code(31704), Info: "no"}),
			said(6, outcome.Result{Outcome: outcome.Refused, Code: code(30003), Info: "later"})},
			Fate{Outcome: journaltest.NotFriend, Code: code(31704), Info: "no", Attempts: 2, At: at(5)}},
		{"lost", []journal.Change{said(5, outcome.Result{Lost: true, Info: noAnswer})}, Fate{Outcome: outcome.Unknown, Info: noAnswer, Attempts: 1, At: at(5)}},
		{"presumed", []journal.Change{said(5, outcome.Result{Lost: true, Info: noAnswer}), said(6, outcome.Result{Outcome: journaltest.NotFriend, Code: code(31704), Info: "no"})},
			Fate{Outcome: journaltest.Deleted, Code: code(31704), Info: journaltest.Call.Presumed.Info, Presumed: true, Attempts: 2, At: at(6)}},
		{"too frequent", []journal.Change{said(5, outcome.Result{Code: code(60007), Info: "slower"})},
			Fate{Outcome: outcome.NotSent, Code: code(60007), Info: "slower", Attempts: 1, At: at(5)}},
		{"sent, and nothing was said", []journal.Change{said(5, outcome.Result{})}, Fate{Outcome: outcome.NotSent, Attempts: 1, At: at(5)}},
		{"decided without a request", []journal.Change{decided(5, outcome.Result{Outcome: outcome.Refused, Info: "not tried alone"})},
			Fate{Outcome: outcome.Refused, Info: "not tried alone"}},
		{"decided without a word", []journal.Change{decided(5, outcome.Result{Outcome: outcome.Refused})}, Fate{Outcome: outcome.Refused}},
		{"decided after a request, which has the time", []journal.Change{said(5, outcome.Result{Code: code(40006), Info: "one of them"}), decided(6, outcome.Result{Outcome: outcome.Refused, Info: "not tried alone"})},
			Fate{Outcome: outcome.Refused, Info: "not tried alone", Attempts: 1, At: at(5)}},
		{"put off", []journal.Change{decided(5, outcome.Result{Info: "the account waits"})}, Fate{Outcome: outcome.NotSent, Info: "the account waits"}},
		{"put off without a word", []journal.Change{decided(5, outcome.Result{})}, Fate{Outcome: outcome.NotSent, Info: infoNoTurn}},
		{"lost without a request, which cannot be", []journal.Change{decided(5, outcome.Result{Lost: true, Info: "x"})}, Fate{Outcome: outcome.NotSent, Info: "x"}},
	} {
		few := NewFew(journaltest.Call, 7, 8)
		for _, change := range c.changes {
			if err := few.Apply(outcome.RowsAt(7, 9), &change); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(few.Fate(7), c.want); diff != "" {
			t.Errorf("%s: got -, want +\n%s", c.name, diff)
		}
		if diff := cmp.Diff(few.Fate(8), Fate{Outcome: outcome.NotSent, Info: infoNoTurn}); diff != "" {
			t.Errorf("%s: a row that it is not about: got -, want +\n%s", c.name, diff)
		}
	}
}

// TestRepeatsWithAResultOfTheirOwn: a mirror that was refused is a duplicate of a row that is deleted, for nothing is left to be
// sent; any other row keeps what it was answered itself.
func TestRepeatsWithAResultOfTheirOwn(t *testing.T) {
	refused := outcome.Result{Outcome: outcome.Refused, Info: "no account"}
	deleted := outcome.Result{Outcome: journaltest.Deleted, Code: outcome.Code{Given: true}}
	for _, c := range []struct {
		name   string
		first  outcome.Result
		own    outcome.Result
		mirror bool
		want   outcome.Outcome
	}{
		{"a repeat of a deleted row", deleted, outcome.Result{}, false, outcome.Duplicate},
		{"a repeat of a refused row", refused, outcome.Result{}, false, outcome.Duplicate},
		{"a repeat that was refused itself", deleted, refused, false, outcome.Refused},
		{"a mirror of a deleted row", deleted, outcome.Result{}, true, outcome.Duplicate},
		{"a mirror that was refused itself", deleted, refused, true, outcome.Duplicate},
		{"a mirror of a refused row", refused, outcome.Result{}, true, outcome.NotSent},
		{"a refused mirror of a refused row", refused, refused, true, outcome.Refused},
		{"a mirror that was deleted itself", deleted, deleted, true, journaltest.Deleted},
	} {
		few := NewFew(journaltest.Call, 2, 3)
		for line, r := range map[int64]outcome.Result{2: c.first, 3: c.own} {
			if r.Outcome != outcome.Open {
				must(t, few.Apply(outcome.RowsAt(line), &journal.Change{Result: r, At: 5, Carried: true}))
			}
		}
		few.Repeat(input.Repeat{Line: 3, First: 2, Mirror: c.mirror})
		if got := few.Fate(3).Outcome; got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, journaltest.Call.Word(got), journaltest.Call.Word(c.want))
		}
	}
}
