package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"friendsweep/batch/sandbox"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"
)

// checkOf makes a request to delete one to check.
var checkOf = strings.NewReplacer("DeleteType", "CheckType", "Delete_Type_", "CheckResult_Type_", "deletetype", "checktype", "friend_delete", "friend_check")

// commands are the calls that are answered, each with what makes a text about a deletion one about it.
var commands = map[string]*strings.Replacer{"friend_delete": strings.NewReplacer(), "friend_check": checkOf}

func TestURLIsChecked(t *testing.T) {
	for command, made := range commands {
		t.Run(command, func(t *testing.T) { testURL(t, command, made) })
	}
}

func testURL(t *testing.T, command string, made *strings.Replacer) {
	s, c := start(t, sandbox.Options{})
	for _, tt := range []struct {
		name, method, path string
		change             func(url.Values)
		want               int
	}{
		{"right", "POST", "/v4/sns/friend_delete", func(url.Values) {}, 0},
		{"method", "GET", "/v4/sns/friend_delete", func(url.Values) {}, 60002},
		{"path", "POST", "/v4/sns/friend_delete_all", func(url.Values) {}, 60002},
		{"upper case", "POST", "/v4/sns/friend_DELETE", func(url.Values) {}, 60002},
		{"trailing slash", "POST", "/v4/sns/friend_delete/", func(url.Values) {}, 60002},
		{"no random", "POST", "/v4/sns/friend_delete", func(q url.Values) { q.Del("random") }, 60002},
		{"random over 32 bits", "POST", "/v4/sns/friend_delete", func(q url.Values) { q.Set("random", "4294967296") }, 60002},
		{"largest random", "POST", "/v4/sns/friend_delete", func(q url.Values) { q.Set("random", "4294967295") }, 0},
		{"no contenttype", "POST", "/v4/sns/friend_delete", func(q url.Values) { q.Del("contenttype") }, 60002},
		{"contenttype", "POST", "/v4/sns/friend_delete", func(q url.Values) { q.Set("contenttype", "xml") }, 60002},
		{"no sdkappid", "POST", "/v4/sns/friend_delete", func(q url.Values) { q.Del("sdkappid") }, 60012},
		{"other sdkappid", "POST", "/v4/sns/friend_delete", func(q url.Values) { q.Set("sdkappid", "1400000001") }, 60006},
		{"no identifier", "POST", "/v4/sns/friend_delete", func(q url.Values) { q.Del("identifier") }, 60004},
		{"no usersig", "POST", "/v4/sns/friend_delete", func(q url.Values) { q.Del("usersig") }, 70002},
		{"unreadable usersig", "POST", "/v4/sns/friend_delete", func(q url.Values) { q.Set("usersig", "no signature") }, 70003},
		{"cut usersig", "POST", "/v4/sns/friend_delete", func(q url.Values) { q.Set("usersig", q.Get("usersig")[:60]) }, 70003},
		{"usersig of somebody else", "POST", "/v4/sns/friend_delete", func(q url.Values) { q.Set("identifier", "somebody") }, 70013},
	} {
		query := goodQuery(t)
		tt.change(query)
		answer := c.raw(tt.method, made.Replace(tt.path)+"?"+query.Encode(), made.Replace(body(t, "a", []string{tt.name}, single)))
		var got reply
		if err := json.Unmarshal([]byte(answer), &got); err != nil {
			t.Fatalf("%s: got %q, want JSON: %v", tt.name, answer, err)
		}
		if got.Code != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got.Code, tt.want)
		}
		if done, want := s.Deleted("a", tt.name), tt.want == 0 && command == "friend_delete"; done != want {
			t.Errorf("%s: got deleted %v, want %v", tt.name, done, want)
		}
	}
}

func TestUserSigIsChecked(t *testing.T) {
	_, c := start(t, sandbox.Options{})
	sign := func(app int, key, identifier string, expire int) string {
		sig, err := tencentyun.GenUserSig(app, key, identifier, expire)
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	withBuf, err := tencentyun.GenUserSigWithBuf(sandbox.DefaultAppID, sandbox.DefaultKey, sandbox.DefaultIdentifier, 60, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("bob", 1500) // as yet right, but over what we are willing to inflate
	for _, tt := range []struct {
		name, identifier, sig string
		want                  int
	}{
		{"right", "administrator", sign(sandbox.DefaultAppID, sandbox.DefaultKey, "administrator", 60), 0},
		{"expired", "administrator", sign(sandbox.DefaultAppID, sandbox.DefaultKey, "administrator", -10), 70001},
		{"wrong key", "administrator", sign(sandbox.DefaultAppID, "key", "administrator", 60), 70009},
		{"other app", "administrator", sign(1, sandbox.DefaultKey, "administrator", 60), 70014},
		{"other identifier", "administrator", sign(sandbox.DefaultAppID, sandbox.DefaultKey, "bob", 60), 70013},
		{"no admin", "bob", sign(sandbox.DefaultAppID, sandbox.DefaultKey, "bob", 60), 60010},
		{"too long", long, sign(sandbox.DefaultAppID, sandbox.DefaultKey, long, 60), 70003},
		{"other product", "administrator", withBuf, 70005},
	} {
		query := goodQuery(t)
		query.Set("identifier", tt.identifier)
		query.Set("usersig", tt.sig)
		c.query = query.Encode()
		for range 2 { // the second time it may come from memory
			if got := c.delete("a", "b").Code; got != tt.want {
				t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
			}
		}
	}
}

func TestUserSigExpiresWhileItIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, stop := inBubble(t, sandbox.Options{})
		defer stop()
		sig, err := tencentyun.GenUserSig(sandbox.DefaultAppID, sandbox.DefaultKey, sandbox.DefaultIdentifier, 60)
		if err != nil {
			t.Fatal(err)
		}
		query := goodQuery(t)
		query.Set("usersig", sig)
		c.query = query.Encode()
		for _, tt := range []struct {
			wait time.Duration
			want int
		}{{0, 0}, {0, 0}, {60 * time.Second, 0}, {0, 0}, {time.Second, 70001}, {0, 70001}} {
			<-time.After(tt.wait)
			if got := c.delete("a", "b").Code; got != tt.want {
				t.Errorf("after %v more: got %d, want %d", tt.wait, got, tt.want)
			}
		}
	})
}

// many returns n different IDs.
func many(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("user-%027d", i)
	}
	return ids
}

func TestBodyIsChecked(t *testing.T) {
	for command, made := range commands {
		t.Run(command, func(t *testing.T) { testBody(t, command, made) })
	}
}

func testBody(t *testing.T, command string, made *strings.Replacer) {
	s, c := start(t, sandbox.Options{})
	for _, tt := range []struct {
		name, send string
		want       int
	}{
		{"right", body(t, "a", []string{"b"}, single), 0},
		{"most", body(t, "a", many(1000), single), 0},
		{"longest and escaped", `{"From_Account":"a","To_Account":["` + strings.Repeat(`\u0041`, 32) + `"],"DeleteType":"Delete_Type_Both"}`, 0},
		{"unknown fields and space", " {\"x\":[{\"y\":null}],\n\"From_Account\":\"a\",\"To_Account\":[\"c\"],\"DeleteType\":\"Delete_Type_Single\"} \n", 0},
		{"escaped field name", `{"From\u005fAccount":"a","To_Account":["d"],"DeleteType":"Delete_Type_Single"}`, 0},
		{"too many", body(t, "a", many(1001), single), 30001},
		{"none", body(t, "a", []string{}, single), 30001},
		{"repeated", body(t, "a", []string{"x", "y", "x"}, single), 30001},
		{"empty To_Account", body(t, "a", []string{"x", ""}, single), 30001},
		{"long To_Account", body(t, "a", []string{strings.Repeat("x", 33)}, single), 30001},
		{"unprintable To_Account", body(t, "a", []string{"x\x7f"}, single), 30001},
		{"other than ASCII", body(t, "a", []string{"é"}, single), 30001},
		{"lone surrogate", `{"From_Account":"a","To_Account":["\ud800"],"DeleteType":"Delete_Type_Single"}`, 30001},
		{"empty From_Account", body(t, "", []string{"x"}, single), 30001},
		{"long From_Account", body(t, strings.Repeat("x", 33), []string{"x"}, single), 30001},
		{"DeleteType", body(t, "a", []string{"x"}, "Delete_Type_Triple"), 30001},
		{"no DeleteType", `{"From_Account":"a","To_Account":["x"]}`, 30001},
		{"no From_Account", `{"To_Account":["x"],"DeleteType":"Delete_Type_Single"}`, 30001},
		{"no To_Account", `{"From_Account":"a","DeleteType":"Delete_Type_Single"}`, 30001},
		{"field names in lower case", `{"from_account":"a","to_account":["x"],"deletetype":"Delete_Type_Single"}`, 30001},
		{"the option of the other call", strings.NewReplacer("Delete", "Check", "Check", "Delete").Replace(made.Replace(body(t, "a", []string{"x"}, single))), 30001},
		{"From_Account a number", `{"From_Account":1,"To_Account":["x"],"DeleteType":"Delete_Type_Single"}`, 60015},
		{"To_Account of numbers", `{"From_Account":"a","To_Account":["x",1],"DeleteType":"Delete_Type_Single"}`, 60015},
		{"To_Account a string", `{"From_Account":"a","To_Account":"x","DeleteType":"Delete_Type_Single"}`, 60003},
		{"To_Account null", `{"From_Account":"a","To_Account":null,"DeleteType":"Delete_Type_Single"}`, 60003},
		{"DeleteType a number", `{"From_Account":"a","To_Account":["x"],"DeleteType":1}`, 60003},
		{"field twice", `{"From_Account":"a","To_Account":["x"],"DeleteType":"Delete_Type_Single","From_Account":"a"}`, 60003},
		{"trailing comma", `{"From_Account":"a","To_Account":["x",],"DeleteType":"Delete_Type_Single"}`, 60003},
		{"trailing text", body(t, "a", []string{"x"}, single) + "x", 60003},
		{"two objects", body(t, "a", []string{"x"}, single) + "{}", 60003},
		{"cut", `{"From_Account":"a","To_Account":["x"],"DeleteType":"Delete_Type_Single"`, 60003},
		{"bad UTF-8", `{"From_Account":"a","To_Account":["x"],"DeleteType":"Delete_Type_Single","y":"` + "\xff" + `"}`, 60003},
		{"empty", "", 60003},
		{"array", "[]", 60003},
		{"over the bound", body(t, "a", []string{"x"}, single) + strings.Repeat(" ", 1<<20), 60003},
	} {
		if got := c.sendTo(command, made.Replace(tt.send)).Code; got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
	if s.Deleted("a", "x") || s.Deleted("a", "y") {
		t.Error("a refused request was carried out")
	}
}

// FuzzBody holds our reading of a body against encoding/json, for every call: nothing is accepted that is not JSON, and an
// accepted request is answered for just the accounts in it, in their order.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"From_Account":"a","To_Account":["b","c\"\\"],"DeleteType":"Delete_Type_Single"}`,
		`{"From_Account":"a","To_Account":["\u0062","missing-1"],"DeleteType":"Delete_Type_Both","x":[1e5,{"y":null}]}`,
		`{"From_Account":"a","To_Account":["b","one-way-1"],"CheckType":"CheckResult_Type_Both"}`,
		`{"From_Account":"a","To_Account":["busy-30006-","a"],"CheckType":"CheckResult_Type_Single","DeleteType":"Delete_Type_Both"}`,
		`{"To_Account":[]}`, `{"From_Account":1`, ``, `null`, "{}{}",
	} {
		f.Add([]byte(seed))
	}
	query := goodQuery(f).Encode()
	f.Fuzz(func(t *testing.T, text []byte) {
		for command := range commands {
			w := httptest.NewRecorder()
			r := httptest.NewRequest("POST", "/v4/sns/"+command+"?"+query, strings.NewReader(string(text)))
			sandbox.New(sandbox.Options{}).ServeHTTP(w, r)
			holdAnswer(t, text, w.Body.Bytes())
		}
	})
}

func holdAnswer(t *testing.T, text, answer []byte) {
	t.Helper()
	var want struct {
		To []string `json:"To_Account"`
	}
	jsonErr := json.Unmarshal(text, &want)
	if len(answer) == 0 && slices.ContainsFunc(want.To, func(to string) bool { return strings.HasPrefix(to, "lost-answer-") }) {
		return
	}
	var got reply
	if err := json.Unmarshal(answer, &got); err != nil || got.Status == "" {
		t.Fatalf("got %q, want an answer: %v", answer, err)
	}
	if got.Code != 0 {
		return
	}
	if jsonErr != nil {
		t.Fatalf("accepted %q, but %v", text, jsonErr)
	}
	var to []string
	for _, it := range got.Items {
		to = append(to, it.To)
	}
	for _, it := range got.Infos {
		to = append(to, it.To)
	}
	if !slices.Equal(to, want.To) {
		t.Errorf("got items %v, want %v", to, want.To)
	}
}
