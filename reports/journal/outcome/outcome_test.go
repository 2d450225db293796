package outcome

import "testing"

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
