package outcome

import (
	"slices"
	"testing"
)

// TestAfter is the one rule of what a result does to a row.
func TestAfter(t *testing.T) {
	code := func(n int) Code { return Code{n, true} }
	loses := *testCall
	loses.Loses = false
	for _, tc := range []struct {
		name string
		call *Call
		was  State
		r    Result
		want State
	}{
		{"the first word counts", testCall, State{}, Result{Outcome: Refused, Code: code(30003)}, State{Outcome: Refused, Code: code(30003)}},
		{"a refused row is sent again", testCall, State{Outcome: Refused}, Result{Outcome: isDeleted, Code: code(0)}, State{Outcome: isDeleted, Code: code(0)}},
		{"what was answered stands", testCall, State{Outcome: isDeleted, Code: code(0)}, Result{Outcome: isNotFriend, Code: code(31704)}, State{Outcome: isDeleted, Code: code(0)}},
		{"a lost answer is remembered", testCall, State{Lost: true}, Result{Outcome: GaveUp, Code: code(30006)}, State{Outcome: GaveUp, Code: code(30006), Lost: true}},
		{"presumed", testCall, State{Lost: true}, Result{Outcome: isNotFriend, Code: code(31704)}, State{isDeleted, code(31704), true, true}},
		{"30001 allows no presumption", testCall, State{Lost: true}, Result{Outcome: isNotFriend, Code: code(30001)}, State{isNotFriend, code(30001), true, false}},
		{"no presumption without a loss", testCall, State{}, Result{Outcome: isDeleted, Code: code(31704), Presumed: true}, State{Outcome: isNotFriend, Code: code(31704)}},
		{"a call that loses nothing", &loses, State{}, Result{Lost: true}, State{}},
	} {
		if got := tc.call.After(tc.was, &tc.r); got != tc.want {
			t.Errorf("%s: got %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

func TestAtEnd(t *testing.T) {
	for _, tc := range []struct {
		s    State
		sent bool
		want Outcome
	}{
		{State{}, false, NotSent}, {State{}, true, NotSent}, {State{Lost: true}, true, Unknown},
		{State{Outcome: GaveUp, Lost: true}, true, GaveUp}, {State{Outcome: isDeleted}, true, isDeleted},
	} {
		if got := tc.s.AtEnd(tc.sent); got != tc.want {
			t.Errorf("%+v, sent %v: got %s, want %s", tc.s, tc.sent, testCall.Word(got), testCall.Word(tc.want))
		}
	}
}

// TestWords: every outcome has a word of its own, which comes back.
func TestWords(t *testing.T) {
	for o := Open; o <= isNotFriend; o++ {
		if got, ok := testCall.Outcome(testCall.Word(o)); !ok || got != o {
			t.Errorf("%s: got %d, %v; want %d", testCall.Word(o), got, ok, o)
		}
	}
	if _, ok := testCall.Outcome("friends"); ok {
		t.Error("friends: got an outcome, want none")
	}
	if s := testCall.Set([]string{"not_friend", "friends", "refused"}); s.Has(isDeleted) || !s.Has(isNotFriend) || s.Has(Refused) {
		t.Errorf("got set %b, want not_friend alone", s)
	}
}

// TestKindsOfOutcomes: what a resumed run sends again, what it never sends, and what may stand in a journal.
func TestKindsOfOutcomes(t *testing.T) {
	for _, tc := range []struct {
		o                            Outcome
		answer, final, open, written bool
	}{
		{o: Open, open: true, written: true},
		{o: Refused, final: true, written: true},
		{o: GaveUp, open: true, written: true},
		{o: Unknown, open: true},
		{o: NotSent, open: true},
		{o: Invalid},
		{o: Duplicate},
		{o: isDeleted, answer: true, final: true, written: true},
		{o: isNotFriend, answer: true, final: true, written: true},
	} {
		if tc.o.IsAnswer() != tc.answer || tc.o.IsFinal() != tc.final || tc.o.IsOpen() != tc.open || tc.o.IsWritten() != tc.written {
			t.Errorf("%s: got answer %v, final %v, open %v, written %v; want %+v",
				testCall.Word(tc.o), tc.o.IsAnswer(), tc.o.IsFinal(), tc.o.IsOpen(), tc.o.IsWritten(), tc)
		}
	}
}

// TestSound: a journal, whoever wrote it, makes nobody claim more than the API has said.
func TestSound(t *testing.T) {
	code := func(n int) Code { return Code{n, true} }
	concludes := *testCall
	concludes.Presumed = Presumption{} // nothing
	for _, tc := range []struct {
		name string
		call *Call
		r    Result
		want bool
	}{
		{"deleted", testCall, Result{Outcome: isDeleted, Code: code(0)}, true},
		{"deleted without a code", testCall, Result{Outcome: isDeleted}, false},
		{"deleted with a code of failure", testCall, Result{Outcome: isDeleted, Code: code(31704)}, false},
		{"an answer that needs no code", testCall, Result{Outcome: isNotFriend}, true},
		{"an answer with its code", testCall, Result{Outcome: isNotFriend, Code: code(31704)}, true},
		{"refused", testCall, Result{Outcome: Refused, Code: code(30003)}, true},
		{"given up without a code", testCall, Result{Outcome: GaveUp}, true},
		{"open", testCall, Result{Lost: true}, true},
		{"open with code 0", testCall, Result{Code: code(0)}, true},
		{"unknown", testCall, Result{Outcome: Unknown}, false},
		{"a duplicate", testCall, Result{Outcome: Duplicate}, false},

		{"presumed", testCall, Result{Outcome: isDeleted, Code: code(31704), Presumed: true}, true},
		{"presumed without a code", testCall, Result{Outcome: isDeleted, Presumed: true}, false},
		{"presumed with code 0", testCall, Result{Outcome: isDeleted, Code: code(0), Presumed: true}, false},
		{"presumed with another code", testCall, Result{Outcome: isDeleted, Code: code(30001), Presumed: true}, false},
		{"another outcome presumed", testCall, Result{Outcome: isNotFriend, Code: code(31704), Presumed: true}, false},
		{"presumed where nothing is", &concludes, Result{Outcome: isDeleted, Code: code(31704), Presumed: true}, false},
		{"open as presumed where nothing is", &concludes, Result{Code: code(0), Presumed: true}, false},
	} {
		if got := tc.call.Sound(&tc.r); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}

// TestSettles: only an answer that says so settles the pair seen from the other side.
func TestSettles(t *testing.T) {
	for o := Open; o <= isNotFriend; o++ {
		if got, want := testCall.Settles(o), o == isDeleted; got != want {
			t.Errorf("%s: got %v, want %v", testCall.Word(o), got, want)
		}
	}
}

// TestSetsComeBack: the words of a set are those it was made from, in the order of the call's answers.
func TestSetsComeBack(t *testing.T) {
	for _, want := range [][]string{nil, {"deleted"}, {"not_friend"}, {"deleted", "not_friend"}} {
		if got := testCall.Words(testCall.Set(want)); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNamed(t *testing.T) {
	other := &Call{Name: "check"}
	all := Calls{testCall, other}
	for name, want := range map[string]*Call{"delete": testCall, "check": other, "block": nil, "": nil} {
		if got := all.Named(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}
