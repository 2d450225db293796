package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"friendsweep/batch/sandbox"

	"github.com/google/go-cmp/cmp"
	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"
)

const (
	single = "Delete_Type_Single"
	both   = "Delete_Type_Both"
)

type resultItem struct {
	To   string `json:"To_Account"`
	Code int    `json:"ResultCode"`
	Info string `json:"ResultInfo"`
}

type infoItem struct {
	resultItem
	Relation string
}

type reply struct {
	Items  []resultItem `json:"ResultItem"`
	Infos  []infoItem   `json:"InfoItem"`
	Failed []string     `json:"Fail_Account"`
	Status string       `json:"ActionStatus"`
	Code   int          `json:"ErrorCode"`
	Info   string       `json:"ErrorInfo"`
}

func userSig(t testing.TB) string {
	t.Helper()
	sig, err := tencentyun.GenUserSig(sandbox.DefaultAppID, sandbox.DefaultKey, sandbox.DefaultIdentifier, 86400)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// goodQuery is the query of a request that is right in everything.
func goodQuery(t testing.TB) url.Values {
	t.Helper()
	return url.Values{
		"sdkappid":    {strconv.Itoa(sandbox.DefaultAppID)},
		"identifier":  {sandbox.DefaultIdentifier},
		"usersig":     {userSig(t)},
		"random":      {strconv.FormatUint(uint64(rand.Uint32()), 10)},
		"contenttype": {"json"},
	}
}

func body(t testing.TB, from string, to []string, deleteType string) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"From_Account": from, "To_Account": to, "DeleteType": deleteType})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// caller sends requests to one emulator over loopback.
type caller struct {
	t      testing.TB
	client *http.Client
	base   string
	query  string
}

func start(t testing.TB, opts sandbox.Options) (*sandbox.Server, caller) {
	t.Helper()
	s := sandbox.New(opts)
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return s, caller{t: t, client: web.Client(), base: web.URL, query: goodQuery(t).Encode()}
}

func (c caller) raw(method, target, text string) string {
	c.t.Helper()
	req, err := http.NewRequest(method, c.base+target, strings.NewReader(text))
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		c.t.Fatalf("got %v, want an answer", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		c.t.Fatalf("got status %d, error %v, want 200 and no error", resp.StatusCode, err)
	}
	return string(answer)
}

func (c caller) send(text string) reply {
	c.t.Helper()
	return c.sendTo("friend_delete", text)
}

func (c caller) sendTo(command, text string) reply {
	c.t.Helper()
	var r reply
	answer := c.raw("POST", "/v4/sns/"+command+"?"+c.query, text)
	if err := json.Unmarshal([]byte(answer), &r); err != nil {
		c.t.Fatalf("got %q, want JSON: %v", answer, err)
	}
	return r
}

func (c caller) delete(from string, to ...string) reply {
	c.t.Helper()
	return c.send(body(c.t, from, to, single))
}

// outcome shortens an answer to its code, or to the codes of its items.
func (r reply) outcome() string {
	if r.Code != 0 {
		return fmt.Sprint("request ", r.Code)
	}
	codes := make([]int, len(r.Items))
	for i, it := range r.Items {
		codes[i] = it.Code
	}
	return strings.Trim(fmt.Sprint(codes), "[]")
}

func TestAnswerIsInTheDocumentedFormat(t *testing.T) {
	_, c := start(t, sandbox.Options{})
	target := "/v4/sns/friend_delete?" + c.query
	for _, tt := range []struct{ name, send, want string }{
		{"all deleted", body(t, "a", []string{"id1", "id2"}, single),
			`{"ResultItem":[{"To_Account":"id1","ResultCode":0,"ResultInfo":""},{"To_Account":"id2","ResultCode":0,"ResultInfo":""}],"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"0","ErrorDisplay":""}`},
		{"partly failed", body(t, "a", []string{"id1", "id3", "missing-1"}, single),
			`{"ResultItem":[{"To_Account":"id1","ResultCode":31704,"ResultInfo":"Err_SNS_FriendDelete_Not_Friend"},{"To_Account":"id3","ResultCode":0,"ResultInfo":""},{"To_Account":"missing-1","ResultCode":30003,"ResultInfo":"Err_SNS_FriendDelete_Account_Not_Exist"}],"Fail_Account":["id1","missing-1"],"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"0","ErrorDisplay":""}`},
		{"refused", body(t, "missing-1", []string{"id1"}, single),
			`{"ActionStatus":"FAIL","ErrorCode":30003,"ErrorInfo":"Err_SNS_FriendDelete_Account_Not_Exist"}`},
	} {
		if diff := cmp.Diff(tt.want, c.raw("POST", target, tt.send)); diff != "" {
			t.Errorf("%s: answer differs (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestEveryPrintableByteComesBack(t *testing.T) {
	_, c := start(t, sandbox.Options{})
	var ids []string
	for b := byte(0x20); b <= 0x7e; b++ {
		ids = append(ids, "x"+string(b)+"y")
	}
	var got []string
	for _, it := range c.delete("quote\"back\\slash", ids...).Items {
		got = append(got, it.To)
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Errorf("items differ (-want +got):\n%s", diff)
	}
}

func TestSpecialIDs(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		want     []string // one after the other
	}{
		{"a", "b", []string{"0", "31704", "31704"}},
		{"a", "not-friend-1", []string{"31704", "31704"}},
		{"a", "missing-1", []string{"30003", "30003"}},
		{"a", "busy-30006-1", []string{"30006", "30006", "0", "31704"}},
		{"a", "busy-30007-1", []string{"30007", "30007", "0", "31704"}},
		{"a", "busy-30008-1", []string{"30008", "30008", "0", "31704"}},
		{"a", "busy-30009-1", []string{"0", "31704"}},
		{"a", "a", []string{"30001", "30001"}},
		{"a", "xmissing-", []string{"0", "31704"}},
		{"missing-1", "b", []string{"request 30003", "request 30003", "request 30003"}},
		{"busy-30006-1", "b", []string{"request 30006", "request 30006", "0", "31704"}},
		{"busy-30007-1", "b", []string{"request 30007", "request 30007", "0", "31704"}},
		{"busy-30008-1", "b", []string{"request 30008", "request 30008", "0", "31704"}},
		{"not-friend-1", "b", []string{"0", "31704"}},
		{"lost-answer-1", "b", []string{"0", "31704"}},
		{"a", "one-way-1", []string{"0", "31704"}},
		{"one-way-1", "a", []string{"31704", "31704"}},
		{"one-way-1", "one-way-2", []string{"31704"}},
		{"one-way-1", "busy-30006-1", []string{"30006", "30006", "31704"}},
		{"a", "xone-way-1", []string{"0", "31704"}},
		{"busy-30006-1", "busy-30008-1", []string{"request 30006", "request 30006", "30008", "30008", "0", "31704"}},
	} {
		_, c := start(t, sandbox.Options{})
		var got []string
		for range tt.want {
			got = append(got, c.delete(tt.from, tt.to).outcome())
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s deletes %s (-want +got):\n%s", tt.from, tt.to, diff)
		}
	}
}

func TestBusyIsCountedPerPairAndPerAccount(t *testing.T) {
	_, c := start(t, sandbox.Options{})
	for _, tt := range []struct{ from, to, want string }{
		{"a", "busy-30006-1", "30006"},
		{"b", "busy-30006-1", "30006"},
		{"a", "busy-30006-2", "30006"},
		{"a", "busy-30006-1", "30006"},
		{"b", "busy-30006-1", "30006"},
		{"a", "busy-30006-1", "0"},
		{"busy-30008-1", "x", "request 30008"},
		{"busy-30008-2", "x", "request 30008"},
		{"busy-30008-1", "y", "request 30008"},
		{"busy-30008-1", "z", "0"},
	} {
		if got := c.delete(tt.from, tt.to).outcome(); got != tt.want {
			t.Errorf("%s deletes %s: got %s, want %s", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestLostAnswerIsCarriedOutOnce(t *testing.T) {
	s, c := start(t, sandbox.Options{})
	target := c.base + "/v4/sns/friend_delete?" + c.query
	for _, from := range []string{"a", "b"} {
		resp, err := c.client.Post(target, "", strings.NewReader(body(t, from, []string{"x", "lost-answer-1", "busy-30006-1"}, single)))
		if err == nil {
			resp.Body.Close()
			t.Fatalf("got status %d for %s, want a closed connection", resp.StatusCode, from)
		}
		if !s.Deleted(from, "x") || !s.Deleted(from, "lost-answer-1") || s.Deleted(from, "busy-30006-1") {
			t.Errorf("%s: the lost request was not carried out for just the pairs that are due", from)
		}
		if got, want := c.delete(from, "x", "lost-answer-1", "busy-30006-1").outcome(), "31704 31704 30006"; got != want {
			t.Errorf("%s, second request: got %s, want %s", from, got, want)
		}
	}
	if got, want := s.Stats(), (sandbox.Stats{Requests: 4, Pairs: 12}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestLostAnswerOutlivesRefusals(t *testing.T) {
	s, c := start(t, sandbox.Options{})
	for range 2 {
		if got, want := c.delete("busy-30006-1", "lost-answer-1").outcome(), "request 30006"; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	resp, err := c.client.Post(c.base+"/v4/sns/friend_delete?"+c.query, "", strings.NewReader(body(t, "busy-30006-1", []string{"lost-answer-1"}, single)))
	if err == nil {
		resp.Body.Close()
		t.Errorf("got status %d, want a closed connection: refused requests are not the first that carries the ID out", resp.StatusCode)
	}
	if !s.Deleted("busy-30006-1", "lost-answer-1") {
		t.Error("got a friend, want it deleted")
	}
}

func TestLostAnswerWithoutAConnectionIsEmpty(t *testing.T) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/v4/sns/friend_delete?"+goodQuery(t).Encode(), strings.NewReader(body(t, "a", []string{"lost-answer-1"}, single)))
	sandbox.New(sandbox.Options{}).ServeHTTP(w, r)
	if w.Body.Len() != 0 {
		t.Errorf("got %q, want nothing", w.Body)
	}
}

func TestDeleteTypes(t *testing.T) {
	for _, tt := range []struct {
		name, first, firstFrom, second string
		want                           string
		left                           bool // whether b still has a at the end
	}{
		{"both have each other, single", "", "", single, "0", true},
		{"both have each other, both", "", "", both, "0", false},
		{"a has b only, single", single, "b", single, "0", false},
		{"a has b only, both", single, "b", both, "0", false},
		{"b has a only, single", single, "a", single, "31704", true},
		{"b has a only, both", single, "a", both, "31704", true},
		{"none, single", both, "a", single, "31704", false},
		{"none, both", both, "b", both, "31704", false},
	} {
		s, c := start(t, sandbox.Options{})
		if tt.first != "" {
			c.send(body(t, tt.firstFrom, []string{map[string]string{"a": "b", "b": "a"}[tt.firstFrom]}, tt.first))
		}
		if got := c.send(body(t, "a", []string{"b"}, tt.second)).outcome(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		if got := !s.Deleted("b", "a"); got != tt.left {
			t.Errorf("%s: got b has a %v, want %v", tt.name, got, tt.left)
		}
		if !s.Deleted("a", "b") {
			t.Errorf("%s: got a still has b, want it deleted", tt.name)
		}
	}
}

// Both sides of every friendship are deleted with Delete_Type_Both at once: exactly one side may be told that it was it.
func TestBothIsAtomic(t *testing.T) {
	s, c := start(t, sandbox.Options{})
	const accounts = 40
	var deleted atomic.Int64
	var wg sync.WaitGroup
	for from := range accounts {
		var to []string
		for other := range accounts {
			if other != from {
				to = append(to, fmt.Sprint("u", other))
			}
		}
		text := body(t, fmt.Sprint("u", from), to, both)
		wg.Go(func() {
			for _, it := range c.send(text).Items {
				if it.Code == 0 {
					deleted.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if got, want := deleted.Load(), int64(accounts*(accounts-1)/2); got != want {
		t.Errorf("got %d deleted, want %d", got, want)
	}
	if got := s.Stats().Overlaps; got != 0 {
		t.Errorf("got %d overlaps between different accounts, want 0", got)
	}
}

func TestOverlapIsRefused(t *testing.T) {
	arrived, goOn := make(chan struct{}), make(chan struct{})
	var s *sandbox.Server
	s, c := start(t, sandbox.Options{Observe: func(call sandbox.Call) {
		if slices.Equal(call.To, []string{"first"}) {
			close(arrived)
			<-goOn
		}
	}})
	first := make(chan string)
	go func() { first <- c.delete("a", "first").outcome() }() // ends with the answer, read below
	<-arrived
	if got, want := c.delete("a", "second").outcome(), "request 30008"; got != want {
		t.Errorf("same account: got %s, want %s", got, want)
	}
	if got, want := c.delete("b", "second").outcome(), "0"; got != want {
		t.Errorf("other account: got %s, want %s", got, want)
	}
	close(goOn)
	if got, want := <-first, "0"; got != want {
		t.Errorf("first: got %s, want %s", got, want)
	}
	if got, want := c.delete("a", "second").outcome(), "0"; got != want {
		t.Errorf("afterwards: got %s, want %s", got, want)
	}
	if got, want := s.Stats(), (sandbox.Stats{Requests: 4, Overlaps: 1, Pairs: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// onWrite is a client that acts at the first byte of its answer.
type onWrite struct {
	*httptest.ResponseRecorder
	act func()
}

func (w onWrite) Write(p []byte) (int, error) {
	w.act()
	return w.ResponseRecorder.Write(p)
}

// A caller that has its answer, or just the first bytes of it, may send the account's next chunk at once.
func TestAccountIsFreeBeforeTheAnswer(t *testing.T) {
	s, target := sandbox.New(sandbox.Options{}), "/v4/sns/friend_delete?"+goodQuery(t).Encode()
	send := func(w http.ResponseWriter, to string) {
		s.ServeHTTP(w, httptest.NewRequest("POST", target, strings.NewReader(body(t, "a", []string{to}, single))))
	}
	send(onWrite{httptest.NewRecorder(), func() { send(httptest.NewRecorder(), "second") }}, "first")
	if got, want := s.Stats(), (sandbox.Stats{Requests: 2, Pairs: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestObserve(t *testing.T) {
	var calls []sandbox.Call
	s, c := start(t, sandbox.Options{Limit: 1e-3, Observe: func(call sandbox.Call) { calls = append(calls, call) }})
	c.delete("a", "b", "c")
	c.delete("a", "d")
	if len(calls) != 2 {
		t.Fatalf("got %d calls, want 2", len(calls))
	}
	if got, want := s.Stats(), (sandbox.Stats{Requests: 2, Throttled: 1, Pairs: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	query, _ := url.ParseQuery(c.query)
	for i, want := range []sandbox.Call{
		{Command: "friend_delete", From: "a", To: []string{"b", "c"}, UserSig: query.Get("usersig"), Code: 0},
		{Command: "friend_delete", From: "a", To: []string{"d"}, UserSig: query.Get("usersig"), Code: 60007},
	} {
		if calls[i].At.IsZero() {
			t.Errorf("call %d: got no time, want one", i)
		}
		want.At = calls[i].At
		if diff := cmp.Diff(want, calls[i]); diff != "" {
			t.Errorf("call %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestOtherApp(t *testing.T) {
	_, c := start(t, sandbox.Options{AppID: 7, Identifier: "boss", Key: "other"})
	sig, err := tencentyun.GenUserSig(7, "other", "boss", 60)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.delete("a", "b").outcome(), "request 60006"; got != want {
		t.Errorf("default app: got %s, want %s", got, want)
	}
	c.query = url.Values{"sdkappid": {"7"}, "identifier": {"boss"}, "usersig": {sig}, "random": {"0"}, "contenttype": {"json"}}.Encode()
	if got, want := c.delete("a", "b").outcome(), "0"; got != want {
		t.Errorf("own app: got %s, want %s", got, want)
	}
}

// The embedding command's standard error must stay its own, even where net/http has something to say.
func TestServeIsQuiet(t *testing.T) {
	var logged bytes.Buffer
	defer log.SetOutput(log.Writer())
	log.SetOutput(&logged)
	c, stop := serve(t, sandbox.Options{Observe: func(sandbox.Call) { panic("logged by net/http") }})
	if resp, err := c.client.Post(c.base+"/v4/sns/friend_delete?"+c.query, "", nil); err == nil {
		resp.Body.Close()
		t.Error("got an answer, want a closed connection")
	}
	stop()
	if logged.Len() != 0 {
		t.Errorf("got %q in the log, want nothing", &logged)
	}
}
