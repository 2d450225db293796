package sandbox_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"friendsweep/batch/sandbox"

	"github.com/google/go-cmp/cmp"
)

const (
	checkOne  = "CheckResult_Type_Single"
	checkBoth = "CheckResult_Type_Both"
)

func question(t testing.TB, from string, to []string, checkType string) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"From_Account": from, "To_Account": to, "CheckType": checkType})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (c caller) check(from string, to ...string) reply {
	c.t.Helper()
	return c.sendTo("friend_check", question(c.t, from, to, checkBoth))
}

// relations shortens an answer to what it says of each pair: its relation, with the code where that is not 0.
func (r reply) relations() string {
	if r.Code != 0 {
		return fmt.Sprint("request ", r.Code)
	}
	var words []string
	for _, it := range r.Infos {
		word := strings.TrimPrefix(it.Relation, "CheckResult_Type_")
		if it.Code != 0 {
			word = fmt.Sprint(word, " ", it.Code)
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

func TestCheckAnswerIsInTheDocumentedFormat(t *testing.T) {
	_, c := start(t, sandbox.Options{})
	target := "/v4/sns/friend_check?" + c.query
	for _, tt := range []struct{ name, send, want string }{
		{"all checked", question(t, "a", []string{"id1", "one-way-1"}, checkBoth),
			`{"InfoItem":[{"To_Account":"id1","Relation":"CheckResult_Type_BothWay","ResultCode":0,"ResultInfo":""},{"To_Account":"one-way-1","Relation":"CheckResult_Type_AWithB","ResultCode":0,"ResultInfo":""}],"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"0","ErrorDisplay":""}`},
		{"partly failed", question(t, "a", []string{"busy-30006-1", "id3"}, checkBoth),
			`{"InfoItem":[{"To_Account":"busy-30006-1","Relation":"CheckResult_Type_NoRelation","ResultCode":30006,"ResultInfo":"Err_SNS_FriendCheck_Check_Relation_Exec_Task_Fail"},{"To_Account":"id3","Relation":"CheckResult_Type_BothWay","ResultCode":0,"ResultInfo":""}],"Fail_Account":["busy-30006-1"],"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"0","ErrorDisplay":""}`},
		{"refused", question(t, "missing-1", []string{"id1"}, checkOne),
			`{"ActionStatus":"FAIL","ErrorCode":30003,"ErrorInfo":"Err_SNS_FriendCheck_Account_Not_Exist"}`},
	} {
		if diff := cmp.Diff(c.raw("POST", target, tt.send), tt.want); diff != "" {
			t.Errorf("%s: answer differs (-got +want):\n%s", tt.name, diff)
		}
	}
}

func TestCheckOfSpecialIDs(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		want     []string // one after the other
	}{
		{"a", "b", []string{"BothWay", "BothWay"}},
		{"a", "not-friend-1", []string{"NoRelation", "NoRelation"}},
		{"a", "one-way-1", []string{"AWithB", "AWithB"}},
		{"one-way-1", "a", []string{"BWithA", "BWithA"}},
		{"one-way-1", "one-way-2", []string{"NoRelation"}},
		{"one-way-1", "not-friend-1", []string{"NoRelation"}},
		{"a", "missing-1", []string{"NoRelation 30003", "NoRelation 30003", "NoRelation 30003"}},
		{"a", "busy-30006-1", []string{"NoRelation 30006", "NoRelation 30006", "BothWay", "BothWay"}},
		{"a", "busy-30007-1", []string{"NoRelation 30007", "NoRelation 30007", "BothWay"}},
		{"a", "busy-30008-1", []string{"NoRelation 30008", "NoRelation 30008", "BothWay"}},
		{"a", "a", []string{"NoRelation 30001"}},
		{"a", "xone-way-1", []string{"BothWay"}},
		{"missing-1", "b", []string{"request 30003", "request 30003"}},
		{"busy-30006-1", "b", []string{"request 30006", "request 30006", "BothWay"}},
		{"busy-30008-1", "busy-30006-1", []string{"request 30008", "request 30008", "NoRelation 30006", "NoRelation 30006", "BothWay"}},
		{"lost-answer-1", "b", []string{"BothWay"}},
	} {
		s, c := start(t, sandbox.Options{})
		var got []string
		for range tt.want {
			got = append(got, c.check(tt.from, tt.to).relations())
		}
		if diff := cmp.Diff(got, tt.want); diff != "" {
			t.Errorf("%s and %s (-got +want):\n%s", tt.from, tt.to, diff)
		}
		if s.Deleted(tt.from, tt.to) || s.Deleted(tt.to, tt.from) {
			t.Errorf("%s and %s: got deleted by a check, want nothing changed", tt.from, tt.to)
		}
	}
}

// Asked for one side, the API tells nothing of the other.
func TestCheckOfOneSide(t *testing.T) {
	_, c := start(t, sandbox.Options{})
	c.delete("gone", "a")
	for _, tt := range []struct{ from, to, want string }{
		{"a", "b", "AWithB"}, {"a", "one-way-1", "AWithB"}, {"one-way-1", "a", "NoRelation"},
		{"a", "gone", "AWithB"}, {"gone", "a", "NoRelation"}, {"a", "not-friend-1", "NoRelation"},
	} {
		if got := c.sendTo("friend_check", question(t, tt.from, []string{tt.to}, checkOne)).relations(); got != tt.want {
			t.Errorf("%s and %s: got %s, want %s", tt.from, tt.to, got, tt.want)
		}
	}
}

// What one call left is what the other finds, from both sides.
func TestCheckAgreesWithDelete(t *testing.T) {
	for _, tt := range []struct {
		name, to, deleteType string
		deleted              string // code of the deletion
		before, after, back  string
	}{
		{"single", "b", single, "0", "BothWay", "BWithA", "AWithB"},
		{"both", "b", both, "0", "BothWay", "NoRelation", "NoRelation"},
		{"one way, single", "one-way-1", single, "0", "AWithB", "NoRelation", "NoRelation"},
		{"one way, both", "one-way-1", both, "0", "AWithB", "NoRelation", "NoRelation"},
		{"refused, single", "missing-1", single, "30003", "NoRelation 30003", "NoRelation 30003", "request 30003"},
		{"strangers, both", "not-friend-1", both, "31704", "NoRelation", "NoRelation", "AWithB"},
	} {
		_, c := start(t, sandbox.Options{})
		got := []string{c.check("a", tt.to).relations(), c.send(body(t, "a", []string{tt.to}, tt.deleteType)).outcome(),
			c.check("a", tt.to).relations(), c.check(tt.to, "a").relations()}
		if diff := cmp.Diff(got, []string{tt.before, tt.deleted, tt.after, tt.back}); diff != "" {
			t.Errorf("%s (-got +want):\n%s", tt.name, diff)
		}
	}
}

// A one-way- account has nobody: nothing is left to delete from its side, and both sides agree on what there is.
func TestOneWayFromItsOwnSide(t *testing.T) {
	for _, deleteType := range []string{single, both} {
		_, c := start(t, sandbox.Options{})
		got := []string{c.send(body(t, "one-way-1", []string{"a"}, deleteType)).outcome(), c.check("a", "one-way-1").relations()}
		if diff := cmp.Diff(got, []string{"31704", "AWithB"}); diff != "" {
			t.Errorf("%s (-got +want):\n%s", deleteType, diff)
		}
	}
}

func TestBusyIsCountedPerCall(t *testing.T) {
	_, c := start(t, sandbox.Options{})
	got := []string{c.check("a", "busy-30006-1").relations(), c.delete("a", "busy-30006-1").outcome(), c.check("a", "busy-30006-1").relations(),
		c.delete("a", "busy-30006-1").outcome(), c.check("a", "busy-30006-1").relations(), c.delete("a", "busy-30006-1").outcome(), c.check("a", "busy-30006-1").relations()}
	want := []string{"NoRelation 30006", "30006", "NoRelation 30006", "30006", "BothWay", "0", "BWithA"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

func TestLostCheckChangesNothing(t *testing.T) {
	s, c := start(t, sandbox.Options{})
	send := func() bool {
		resp, err := c.client.Post(c.base+"/v4/sns/friend_check?"+c.query, "", strings.NewReader(question(t, "a", []string{"x", "lost-answer-1"}, checkBoth)))
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	}
	if send() {
		t.Error("got an answer to the first check, want a closed connection")
	}
	if got, want := c.check("a", "x", "lost-answer-1").relations(), "BothWay, BothWay"; got != want {
		t.Errorf("second check: got %s, want %s", got, want)
	}
	// The first deletion is lost as well: times are counted by call.
	resp, err := c.client.Post(c.base+"/v4/sns/friend_delete?"+c.query, "", strings.NewReader(body(t, "a", []string{"lost-answer-1"}, single)))
	if err == nil {
		resp.Body.Close()
		t.Error("got an answer to the first deletion, want a closed connection")
	}
	if got, want := c.check("a", "x", "lost-answer-1").relations(), "BothWay, BWithA"; got != want {
		t.Errorf("check after the deletion: got %s, want %s", got, want)
	}
	if got, want := s.Stats(), (sandbox.Stats{Requests: 4, Pairs: 7}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// 30008 is a conflict of writes: a check has none, and is no obstacle to a deletion that comes meanwhile.
func TestChecksDoNotOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, stop := inBubble(t, sandbox.Options{Latency: time.Minute})
		defer stop()
		answers := make(chan string, 4)
		for _, to := range []string{"b", "c"} {
			go func() { answers <- c.check("a", to).relations() }() // ends with the answer, read below
		}
		synctest.Wait()
		go func() { answers <- c.delete("a", "d").outcome() }()
		synctest.Wait()
		go func() { answers <- c.check("a", "d").relations() }()
		synctest.Wait()
		if got, want := c.delete("a", "e").outcome(), "request 30008"; got != want {
			t.Errorf("two deletions: got %s, want %s", got, want)
		}
		got := map[string]int{}
		for range 4 {
			got[<-answers]++
		}
		if diff := cmp.Diff(got, map[string]int{"BothWay": 2, "0": 1, "BWithA": 1}); diff != "" {
			t.Errorf("(-got +want):\n%s", diff)
		}
	})
}

func TestLimitIsOfItsOwnForEachCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, stop := inBubble(t, sandbox.Options{Limit: 2})
		defer stop()
		for i, want := range []string{"BothWay", "BothWay", "request 60007"} {
			if got := c.check("a", "b").relations(); got != want {
				t.Errorf("check %d: got %s, want %s", i, got, want)
			}
		}
		for i, want := range []string{"0", "31704", "request 60007"} {
			if got := c.delete("a", "b").outcome(); got != want {
				t.Errorf("deletion %d: got %s, want %s", i, got, want)
			}
		}
		<-time.After(time.Second)
		if got, want := c.check("a", "b").relations(), "BWithA"; got != want {
			t.Errorf("a second later: got %s, want %s", got, want)
		}
	})
}

func TestCheckIsObserved(t *testing.T) {
	var commands []string
	_, c := start(t, sandbox.Options{Observe: func(call sandbox.Call) { commands = append(commands, call.Command) }})
	c.check("a", "b")
	c.delete("a", "b")
	c.sendTo("friend_add", "{}")
	if diff := cmp.Diff(commands, []string{"friend_check", "friend_delete", ""}); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}
