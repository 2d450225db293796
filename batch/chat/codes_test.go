package chat

import (
	"strings"
	"testing"
)

// The retry table of chat-api.md, written down a second time: request code of several rows, of one row, item code.
func TestJudgeCodes(t *testing.T) {
	refuseOnce := Ruling{Verdict: Refuse, UntilProven: true}
	type rulings struct{ request, row, item Ruling }
	for _, tc := range []struct {
		codes []int
		want  rulings
	}{
		{[]int{0}, rulings{deleted, deleted, deleted}},
		{[]int{30001, 30003}, rulings{split, refuse, refuse}},
		{[]int{30002}, rulings{stop, stop, refuse}},
		{[]int{30004}, rulings{stop, stop, stop}},
		{[]int{30006, 30008}, rulings{retry, retry, retry}},
		{[]int{30007}, rulings{retryLost, retryLost, retryLost}},
		{[]int{31704}, rulings{splitAll, notFriend, notFriend}},
		{[]int{31707}, rulings{throttle, throttle, throttle}},
		{[]int{60007, 60011, 60018, 60019}, rulings{throttle, throttle, throttle}},
		{[]int{60008, 60013, 60014}, rulings{retryLost, retryLost, retryLost}},
		{[]int{70169, 70202, 70500}, rulings{retry, retry, retry}},
		{[]int{70001, 70052}, rulings{resign, resign, refuse}},
		{[]int{70050}, rulings{stop, stop, refuse}},
		{[]int{60002, 60009, 60012}, rulings{stop, stop, refuse}},
		{[]int{60003, 60015}, rulings{split, refuse, refuse}},
		{[]int{60004, 60005}, rulings{splitOnce, refuseOnce, refuse}},
		{[]int{60006, 60010, 60016, 60017, 60020, 60021}, rulings{stop, stop, refuse}},
		{[]int{70002, 70003, 70005, 70009, 70013, 70014}, rulings{stop, stop, refuse}},
		{[]int{70016, 70020}, rulings{stop, stop, refuse}},
		{[]int{70051, 70114, 70403, 80005}, rulings{stop, stop, refuse}},
		{[]int{70107, 70206, 70402}, rulings{split, refuse, refuse}},
		{[]int{70032, 70346, 70000, 70999}, rulings{stop, stop, refuse}},
		{[]int{60000, 60001, 60022, 60999}, rulings{retryStop, retryStop, refuse}},
		{[]int{-1, 1, 10004, 30005, 30009, 31705, 40006, 59999, 61000, 69999, 71000, 80001, 1 << 40}, rulings{retry, retry, refuse}},
	} {
		for _, code := range tc.codes {
			got := rulings{Judge(AtRequest, code, "text"), Judge(AtRow, code, "text"), Judge(AtItem, code, "text")}
			if got != tc.want {
				t.Errorf("code %d: got %+v, want %+v", code, got, tc.want)
			}
		}
	}
}

func TestJudgeText(t *testing.T) {
	for _, tc := range []struct {
		where Where
		code  int
		text  string
		want  Ruling
	}{
		{AtItem, 30001, "Err_SNS_FriendDelete_Not_Friend", notFriend},
		{AtRow, 30001, "Err_SNS_FriendDelete_Not_Friend", notFriend},
		{AtRequest, 30001, "Err_SNS_FriendDelete_Not_Friend", splitAll},
		{AtItem, 30001, "Err_SNS_FriendDelete_Invalid", refuse},
		{AtRow, 30003, "Not_Friend", refuse},
		{AtItem, 30003, "Not_Friend", refuse},
		{AtItem, 0, "Not_Friend", deleted},
		{AtItem, 30006, "Not_Friend", retry},
	} {
		if got := Judge(tc.where, tc.code, tc.text); got != tc.want {
			t.Errorf("place %d, code %d, %s: got %+v, want %+v", tc.where, tc.code, tc.text, got, tc.want)
		}
	}
}

func TestJudgeWithoutCode(t *testing.T) {
	for where, want := range map[Where]Ruling{AtMissing: retryLost, AtContradicted: retryLost} {
		if got := Judge(where, 0, ""); got != want {
			t.Errorf("place %d: got %+v, want %+v", where, got, want)
		}
	}
	want := map[Kind]Ruling{
		DialFault: retry, TLSFault: stop, RedirectFault: stop, HTTP429: throttle, HTTP4xx: stop, HTTP5xx: retryLost,
		LostFault: retryLost, UnreadableFault: retryLost, CancelledFault: retry,
	}
	for kind := DialFault; int(kind) < len(kindNames); kind++ {
		a := Answer{Kind: kind}
		if got := a.Ruling(); got != want[kind] {
			t.Errorf("%s: got %+v, want %+v", kind, got, want[kind])
		}
	}
}

// Nothing but code 0 may ever count as deleted.
func TestJudgeDeletedIsCodeZeroAlone(t *testing.T) {
	for where := AtItem; where <= AtCancelled; where++ {
		for code := -10; code < 100000; code++ {
			r := Judge(where, code, "")
			if r.Verdict == Deleted && (code != 0 || where > AtRequest) {
				t.Fatalf("place %d, code %d: got %s, want another verdict", where, code, r.Verdict)
			}
		}
	}
}

func TestMeaningAndAdvice(t *testing.T) {
	for code := range codes {
		for what, text := range map[string]string{"meaning": Meaning(code), "advice": Advice(code)} {
			if text == "" || strings.ContainsAny(text, "\n") || len(text) > 120 {
				t.Errorf("%s of %d: got %q, want one short line", what, code, text)
			}
		}
	}
	for _, code := range []int{70016, 70020} {
		if got := Advice(code); !strings.Contains(got, "right region?") {
			t.Errorf("advice of %d: got %q, want a question about the region", code, got)
		}
	}
	if got := Meaning(12345); got == "" || Advice(12345) == "" {
		t.Errorf("meaning of an unknown code: got %q, want a line, and advice", got)
	}
}

func TestAdviceOnFaults(t *testing.T) {
	for kind := DialFault; int(kind) < len(kindNames); kind++ {
		a := Answer{Kind: kind}
		if got := kind.Advice(); got == "" && a.Ruling().Verdict == Stop {
			t.Errorf("%s stops the run: got no advice, want some", kind)
		}
	}
}
