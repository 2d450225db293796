package chat

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

var (
	deleted    = Ruling{Verdict: Final, Outcome: 0}
	notFriend  = Ruling{Verdict: Final, Outcome: 1}
	refuseOnce = Ruling{Verdict: Refuse, UntilProven: true}
)

// calls are all that there are.
func calls() []Call { return []Call{Delete(Single), Delete(Both), Check()} }

// rulings are those of a code that a request of several rows has, one of a single row, an item.
type rulings struct{ request, row, item Ruling }

func judged(c Call, code int, text string) rulings {
	return rulings{c.Judge(AtRequest, code, text), c.Judge(AtRow, code, text), c.Judge(AtItem, code, text)}
}

// The retry table of chat-api.md for a deletion, written down a second time.
func TestJudgeCodesOfDelete(t *testing.T) {
	for _, tc := range []struct {
		codes []int
		want  rulings
	}{
		{[]int{0}, rulings{accepted, accepted, deleted}},
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
		{[]int{70001, 70052}, rulings{renew, renew, refuse}},
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
			for _, call := range []Call{Delete(Single), Delete(Both)} {
				if got := judged(call, code, "text"); got != tc.want {
					t.Errorf("code %d: got %+v, want %+v", code, got, tc.want)
				}
			}
		}
	}
}

// The same for a check, which loses nothing and knows neither a write conflict nor 317xx.
func TestJudgeCodesOfCheck(t *testing.T) {
	first := Ruling{Verdict: Final}
	for _, tc := range []struct {
		codes []int
		want  rulings
	}{
		{[]int{0}, rulings{accepted, accepted, first}},
		{[]int{30001, 30003}, rulings{split, refuse, refuse}},
		{[]int{30002}, rulings{stop, stop, refuse}},
		{[]int{30004}, rulings{stop, stop, stop}},
		{[]int{30006, 30007}, rulings{retry, retry, retry}},
		{[]int{60007, 60011, 60018, 60019}, rulings{throttle, throttle, throttle}},
		{[]int{60008, 60013, 60014, 70169, 70202, 70500}, rulings{retry, retry, retry}},
		{[]int{70001, 70052}, rulings{renew, renew, refuse}},
		{[]int{60004, 60005}, rulings{splitOnce, refuseOnce, refuse}},
		{[]int{60003, 60015, 70107, 70206, 70402}, rulings{split, refuse, refuse}},
		{[]int{60002, 60009, 60012, 60006, 60010, 60016, 60017, 60020, 60021}, rulings{stop, stop, refuse}},
		{[]int{70002, 70003, 70005, 70009, 70013, 70014, 70016, 70020, 70050, 70051, 70114, 70403, 80005}, rulings{stop, stop, refuse}},
		{[]int{70032, 70346, 70000, 70999}, rulings{stop, stop, refuse}},
		{[]int{60000, 60001, 60022, 60999}, rulings{retryStop, retryStop, refuse}},
		{[]int{-1, 1, 30005, 30008, 31703, 31704, 31706, 31707, 40006, 1 << 40}, rulings{retry, retry, refuse}},
	} {
		for _, code := range tc.codes {
			if got := judged(Check(), code, "Err_SNS_FriendCheck_Not_Friend"); got != tc.want {
				t.Errorf("code %d: got %+v, want %+v", code, got, tc.want)
			}
		}
	}
}

// Every code of the tables stands in the two tests above: what they do not name is judged by its thousands alone.
func TestEveryCodeIsJudgedTwice(t *testing.T) {
	test, err := os.ReadFile("codes_test.go")
	if err != nil {
		t.Fatal(err)
	}
	before, of, _ := strings.Cut(string(test), "func TestJudgeCodesOfCheck")
	for _, table := range []map[int]entry{codes, deleteCodes} {
		for code := range table {
			if number := strconv.Itoa(code); !strings.Contains(before, number) || !strings.Contains(of, number) {
				t.Errorf("code %d: got no line in a test's table, want one in each", code)
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
		{AtRequest, 0, "Not_Friend", accepted},
		{AtItem, 30006, "Not_Friend", retry},
	} {
		if got := new(Delete(Both)).Judge(tc.where, tc.code, tc.text); got != tc.want {
			t.Errorf("place %d, code %d, %s: got %+v, want %+v", tc.where, tc.code, tc.text, got, tc.want)
		}
	}
}

func TestJudgeWithoutCode(t *testing.T) {
	want := map[Where]Ruling{
		AtMissing: retryLost, AtContradicted: retryLost, AtUnclear: refuse, AtDial: retry, AtTLS: stop, AtRedirect: stop,
		AtHTTP429: throttle, AtHTTP4xx: stop, AtHTTP5xx: retryLost, AtLost: retryLost, AtUnreadable: retryLost, AtCancelled: retry,
	}
	for where := AtMissing; where <= AtCancelled; where++ {
		for _, call := range calls() {
			want := want[where]
			want.Lost = want.Lost && call.Name == "delete"
			if got := call.Judge(where, 31704, "Not_Friend"); got != want {
				t.Errorf("%s, place %d: got %+v, want %+v", call.Name, where, got, want)
			}
		}
	}
	for kind := DialFault; int(kind) < len(kindNames); kind++ {
		a := Answer{Kind: kind}
		if got, want := new(Delete(Single)).Ruling(&a), want[AtDial+Where(kind-DialFault)]; got != want {
			t.Errorf("%s: got %+v, want %+v", kind, got, want)
		}
	}
}

// Nothing but code 0 of an item may ever be an outcome, not_friend aside; and no check loses anything.
func TestJudgeFinalIsCodeZeroAlone(t *testing.T) {
	for _, call := range calls() {
		for where := AtItem; where <= AtCancelled; where++ {
			for code := -10; code < 100000; code++ {
				r := call.Judge(where, code, "")
				is := where == AtItem && code == 0 || call.Name == "delete" && where <= AtRow && code == 31704
				if (r.Verdict == Final) != is || r.Lost && !call.Loses || r.Verdict == Final && r.Outcome == 0 && code != 0 {
					t.Fatalf("%s, place %d, code %d: got %+v, want an outcome: %v", call.Name, where, code, r, is)
				}
			}
		}
	}
}

func TestMeaningAndAdvice(t *testing.T) {
	for _, call := range calls() {
		for _, table := range []map[int]entry{codes, deleteCodes, {12345: {}}} {
			for code := range table {
				for what, text := range map[string]string{"meaning": call.Meaning(code), "advice": call.Advice(code)} {
					if text == "" || strings.ContainsAny(text, "\n") || len(text) > 120 {
						t.Errorf("%s, %s of %d: got %q, want one short line", call.Name, what, code, text)
					}
				}
			}
		}
		for _, code := range []int{70016, 70020} {
			if got := call.Advice(code); !strings.Contains(got, "right region?") {
				t.Errorf("%s, advice of %d: got %q, want a question about the region", call.Name, code, got)
			}
		}
		for _, code := range []int{30008, 31704, 31707} {
			if got, own := call.Meaning(code), call.Meaning(code) != call.Meaning(12345); own != (call.Name == "delete") {
				t.Errorf("%s, meaning of %d: got %q, want a meaning of its own only for a deletion", call.Name, code, got)
			}
		}
	}
}

func TestAdviceOnFaults(t *testing.T) {
	for kind := DialFault; int(kind) < len(kindNames); kind++ {
		a := Answer{Kind: kind}
		if got := kind.Advice(); got == "" && new(Check()).Ruling(&a).Verdict == Stop {
			t.Errorf("%s stops the run: got no advice, want some", kind)
		}
	}
}

// What the engine goes by without knowing a call's name.
func TestCallsAsData(t *testing.T) {
	for _, tc := range []struct {
		call  Call
		words string
		loses bool
		other string
		both  bool // an answer speaks of the pair seen from the other side, too
	}{
		{Delete(Single), "delete: deleted not_friend", true, "", true},
		{Delete(Both), "delete: deleted not_friend", true, "deleted from the other side", true},
		{Check(), "check: friends one_way reverse strangers", false, "", false},
	} {
		words := tc.call.Name + ":"
		for _, o := range tc.call.Outcomes {
			words += " " + o.Word
			if o.Meaning == "" || strings.Contains(o.Meaning, "\n") {
				t.Errorf("%s, meaning of %s: got %q, want one line", tc.call.Name, o.Word, o.Meaning)
			}
		}
		if got := tc.call.Settles(); got != tc.both {
			t.Errorf("%s: got answers that settle both sides: %v, want %v", tc.call.Name, got, tc.both)
		}
		if words != tc.words || tc.call.Loses != tc.loses || tc.call.OtherSide != tc.other || tc.call.MaxItems != 1000 {
			t.Errorf("got %s, loses %v, other side %q, at most %d, want %+v and 1000", words, tc.call.Loses, tc.call.OtherSide, tc.call.MaxItems, tc)
		}
	}
	if p := Delete(Both).Presumes; p.Code != 31704 || Delete(Both).Outcomes[p.From].Word != "not_friend" || Delete(Both).Outcomes[p.To].Word != "deleted" {
		t.Errorf("delete presumes: got %+v, want deleted for a not_friend with 31704", p)
	}
	if p := Check().Presumes; p != (Presumption{}) {
		t.Errorf("check presumes: got %+v, want nothing", p)
	}
}
