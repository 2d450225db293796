package chat

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"
)

const okBody = `{"ResultItem":[{"To_Account":"b","ResultCode":0,"ResultInfo":""}],"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}`

func config(endpoint string) Config {
	return Config{
		Endpoint: endpoint, AppID: testApp, Identifier: "administrator", Signer: NewSigner(testApp, "administrator", testKey),
		Call: Delete(Single), Timeout: 5 * time.Second, Workers: 4, UserAgent: "friendsweep/test", Secrets: []Secret{testKey},
	}
}

func newClient(t testing.TB, cfg Config) *Client {
	t.Helper()
	c, err := NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func serve(t testing.TB, handler http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(s.Close)
	return s
}

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func TestDoRequest(t *testing.T) {
	var got *http.Request
	var body map[string]any
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Errorf("reading the body: got %v, want none", err)
		}
		io.WriteString(w, okBody)
	})
	cfg := config(s.URL + "/prefix/")
	cfg.Identifier, cfg.Call = "ad min&+", Delete(Both)
	cfg.Signer = NewSigner(testApp, cfg.Identifier, testKey)
	answer := newClient(t, cfg).Do(t.Context(), "a", []string{"b", `q"\<>&/`})
	if diff := cmp.Diff(answer, Answer{HTTPStatus: 200, Items: []Item{ok(0), {}}, Generation: 1}); diff != "" {
		t.Errorf("answer: got (-), want (+):\n%s", diff)
	}
	if diff := cmp.Diff(body, map[string]any{"From_Account": "a", "To_Account": []any{"b", `q"\<>&/`}, "DeleteType": "Delete_Type_Both"}); diff != "" {
		t.Errorf("body: got (-), want (+):\n%s", diff)
	}
	if got.Method != "POST" || got.URL.Path != "/prefix/v4/sns/friend_delete" || got.ContentLength <= 0 {
		t.Errorf("got %s %s of %d bytes, want POST /prefix/v4/sns/friend_delete of known length", got.Method, got.URL.Path, got.ContentLength)
	}
	if diff := cmp.Diff(got.Header, http.Header{"Content-Type": {"application/json"}, "User-Agent": {"friendsweep/test"}, "Content-Length": got.Header["Content-Length"]}); diff != "" {
		t.Errorf("header: got (-), want (+):\n%s", diff)
	}
	checkQuery(t, got.URL.Query(), cfg.Identifier)
}

func checkQuery(t *testing.T, q url.Values, identifier string) {
	t.Helper()
	if _, err := strconv.ParseUint(q.Get("random"), 10, 32); err != nil {
		t.Errorf("random: got %q, want a 32-bit unsigned number", q.Get("random"))
	}
	if err := tencentyun.VerifyUserSig(testApp, testKey, identifier, q.Get("usersig"), time.Now()); err != nil {
		t.Errorf("verifying the UserSig: got %v, want none", err)
	}
	want := url.Values{"sdkappid": {"1400000000"}, "identifier": {identifier}, "contenttype": {"json"}, "usersig": q["usersig"], "random": q["random"]}
	if diff := cmp.Diff(q, want); diff != "" || len(q["random"]) != 1 {
		t.Errorf("query: got (-), want (+):\n%s", diff)
	}
}

func TestEncodeEveryByte(t *testing.T) {
	var to []string
	for c := range rune(0x100) {
		to = append(to, "x"+string(c)+"y", string(c))
	}
	body := Delete(Single).encode("from\"\\", to)
	var got struct {
		From_Account, DeleteType string
		To_Account               []string
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("%s: got %v, want JSON", body, err)
	}
	if diff := cmp.Diff(got.To_Account, to); diff != "" || got.From_Account != `from"\` || got.DeleteType != "Delete_Type_Single" {
		t.Errorf("%s: got (-), want (+):\n%s", body, diff)
	}
	if got, want := string(Delete(Both).encode("a", nil)), `{"From_Account":"a","To_Account":[],"DeleteType":"Delete_Type_Both"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDoStatus(t *testing.T) {
	for _, tc := range []struct {
		status int
		want   Kind
		info   string
	}{
		{301, RedirectFault, "redirected to another address (status 301)"},
		{302, RedirectFault, "redirected to another address (status 302)"},
		{303, RedirectFault, "redirected to another address (status 303)"},
		{307, RedirectFault, "redirected to another address (status 307)"},
		{308, RedirectFault, "redirected to another address (status 308)"},
		{304, RedirectFault, "redirected to another address (status 304)"},
		{400, HTTP4xx, "HTTP status 400 Bad Request"},
		{403, HTTP4xx, "HTTP status 403 Forbidden"},
		{404, HTTP4xx, "HTTP status 404 Not Found"},
		{407, HTTP4xx, "HTTP status 407 Proxy Authentication Required"},
		{499, HTTP4xx, "HTTP status 499"},
		{429, HTTP429, "HTTP status 429 Too Many Requests"},
		{500, HTTP5xx, "HTTP status 500 Internal Server Error"},
		{502, HTTP5xx, "HTTP status 502 Bad Gateway"},
		{503, HTTP5xx, "HTTP status 503 Service Unavailable"},
		{599, HTTP5xx, "HTTP status 599"},
		{201, UnreadableFault, "HTTP status 201 Created"},
		{204, UnreadableFault, "HTTP status 204 No Content"},
	} {
		requests := 0
		var s *httptest.Server
		s = serve(t, func(w http.ResponseWriter, r *http.Request) {
			requests++
			w.Header().Set("Location", s.URL+"/elsewhere?usersig=x")
			body := okBody
			if tc.status == 204 || tc.status == 304 {
				body = ""
			}
			reply(tc.status, body)(w, r)
		})
		got := newClient(t, config(s.URL)).Do(t.Context(), "a", []string{"b"})
		want := Answer{Kind: tc.want, HTTPStatus: tc.status, Info: tc.info, Generation: 1}
		if diff := cmp.Diff(got, want); diff != "" || requests != 1 {
			t.Errorf("status %d: got (-) after %d requests, want (+) after 1:\n%s", tc.status, requests, diff)
		}
	}
}

func TestDoUnreadable(t *testing.T) {
	for _, tc := range []struct{ name, body, want string }{
		{"html", "<html>login</html>", "the answer is HTML, not JSON"},
		{"empty", "", "the answer is empty"},
		{"cut", okBody[:40], "the answer is not JSON from beginning to end"},
		{"two", okBody + okBody, "the answer is not JSON from beginning to end"},
		{"over the bound", `{"ErrorCode":0,"x":"` + strings.Repeat("x", maxAnswer) + `"}`, "the answer is over 8 MiB"},
	} {
		s := serve(t, reply(200, tc.body))
		got := newClient(t, config(s.URL)).Do(t.Context(), "a", []string{"b"})
		if want := (Answer{Kind: UnreadableFault, HTTPStatus: 200, Info: tc.want, Generation: 1}); !cmp.Equal(got, want) {
			t.Errorf("%s: got %+v, want %+v", tc.name, got, want)
		}
	}
}

func TestDoBodyAtTheBound(t *testing.T) {
	frame := len(`{"ErrorCode":0,"x":""}`)
	s := serve(t, reply(200, `{"ErrorCode":0,"x":"`+strings.Repeat("x", maxAnswer-frame)+`"}`))
	if got := newClient(t, config(s.URL)).Do(t.Context(), "a", []string{"b"}); got.Kind != Envelope {
		t.Errorf("got %+v, want an envelope", got)
	}
}

// listen answers every connection by talk, over real loopback TCP.
func listen(t *testing.T, talk func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { defer conn.Close(); talk(conn.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return "http://" + l.Addr().String()
}

// readRequest reads to the end of the body.
func readRequest(conn net.Conn) {
	if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
		io.Copy(io.Discard, r.Body)
	}
}

func TestDoBrokenConnection(t *testing.T) {
	say := func(text string) func(*net.TCPConn) {
		return func(c *net.TCPConn) { readRequest(c); io.WriteString(c, text) }
	}
	head := "HTTP/1.1 200 OK\r\n"
	for _, tc := range []struct {
		name string
		talk func(*net.TCPConn)
		want string // "" is any text
	}{
		{"reset after reading", func(c *net.TCPConn) { readRequest(c); c.SetLinger(0) }, "connection reset by peer"},
		{"closed after reading", readRequestAndClose, "connection closed without a whole answer"},
		{"half a status line", say("HTTP/1.1 20"), "the answer is not HTTP"},
		{"no HTTP", say("220 smtp ready\r\n"), "the answer is not HTTP"},
		{"half a header", say(head + "Content-"), "the answer is not HTTP"},
		{"half a body", say(head + "Content-Length: 100\r\n\r\n{\"Error"), "connection closed without a whole answer"},
		{"whole JSON, half a body", say(head + "Content-Length: 1000\r\n\r\n" + okBody), "connection closed without a whole answer"},
		{"whole JSON, last chunk missing", say(head + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n", len(okBody), okBody)), "connection closed without a whole answer"},
		{"bad chunk", say(head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"), ""},
		{"two lengths", say(head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}"), ""},
		{"endless header", func(c *net.TCPConn) {
			readRequest(c)
			io.WriteString(c, head+"X: "+strings.Repeat("x", 1<<20))
		}, ""},
	} {
		got := newClient(t, config(listen(t, tc.talk))).Do(t.Context(), "a", []string{"b"})
		if got.Kind != LostFault || got.Items != nil || got.Info == "" || tc.want != "" && got.Info != tc.want {
			t.Errorf("%s: got %+v, want a lost answer, %s", tc.name, got, tc.want)
		}
	}
}

// Whether a request was sent before such a connection broke depends on who is faster; no answer came in either case.
func TestDoBrokenBeforeReading(t *testing.T) {
	for name, talk := range map[string]func(*net.TCPConn){
		"reset": func(c *net.TCPConn) { c.SetLinger(0) }, "closed": func(c *net.TCPConn) {},
	} {
		got := newClient(t, config(listen(t, talk))).Do(t.Context(), "a", []string{"b"})
		if got.Kind != LostFault && got.Kind != DialFault || got.Items != nil || got.Info == "" {
			t.Errorf("%s: got %+v, want a lost answer or a dial fault", name, got)
		}
	}
}

func readRequestAndClose(c *net.TCPConn) { readRequest(c) }

func TestDoRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	got := newClient(t, config("http://"+l.Addr().String())).Do(t.Context(), "a", []string{"b"})
	if want := (Answer{Kind: DialFault, Info: "connection refused", Generation: 1}); !cmp.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestDoDialErrors(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}}, "looking up the host: no such host"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "server misbehaving", IsTemporary: true}}, "looking up the host: server misbehaving"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: syscall.EHOSTUNREACH}, "no route to host"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}, "connection refused"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "i/o timeout", Name: "h", IsTimeout: true}}, "looking up the host: i/o timeout"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ETIMEDOUT}, "connection timed out"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}, "no connection within 5s"},
		{errors.New("odd\x1b[31m " + testKey), `odd\x1b[31m [secret]`},
	} {
		cfg := config("https://h")
		cfg.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, tc.err }
		got := newClient(t, cfg).Do(t.Context(), "a", []string{"b"})
		if want := (Answer{Kind: DialFault, Info: tc.want, Generation: 1}); !cmp.Equal(got, want) {
			t.Errorf("%v: got %+v, want %+v", tc.err, got, want)
		}
	}
}

func TestDoTLS(t *testing.T) {
	handler := reply(200, okBody)
	untrusted := httptest.NewUnstartedServer(handler)
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	roots := x509.NewCertPool()
	roots.AddCert(untrusted.Certificate())
	old := httptest.NewUnstartedServer(handler)
	old.Config.ErrorLog = untrusted.Config.ErrorLog
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	defer old.Close()
	clear := strings.Replace(serve(t, handler).URL, "http:", "https:", 1)
	wrongName := func(cfg *Config) {
		cfg.Endpoint = "https://other.test"
		cfg.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, untrusted.Listener.Addr().String())
		}
	}
	for _, tc := range []struct {
		name, url string
		tls       *tls.Config
		edit      func(*Config)
		kind      Kind
		want      string
	}{
		{"unknown authority", untrusted.URL, nil, nil, TLSFault, "certificate signed by unknown authority"},
		{"verification cannot be switched off", untrusted.URL, &tls.Config{InsecureSkipVerify: true}, nil, TLSFault, "certificate signed by unknown authority"},
		{"another host", "", &tls.Config{RootCAs: roots}, wrongName, TLSFault, "certificate is for another host"},
		{"expired", untrusted.URL, &tls.Config{RootCAs: roots, Time: func() time.Time { return time.Unix(1<<40, 0) }}, nil, TLSFault, "certificate expired or not yet valid"},
		{"no TLS", clear, nil, nil, TLSFault, "the other side does not speak TLS"},
		{"old TLS", old.URL, &tls.Config{RootCAs: roots}, nil, TLSFault, "TLS handshake failed: remote error: tls: protocol version not supported"},
		{"trusted", untrusted.URL, &tls.Config{RootCAs: roots}, nil, Envelope, ""},
	} {
		cfg := config(tc.url)
		cfg.TLS = tc.tls
		if tc.edit != nil {
			tc.edit(&cfg)
		}
		if tc.name == "another host" {
			cfg.Endpoint = "https://other.test"
		}
		c, err := NewClient(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Do(t.Context(), "a", []string{"b"}); got.Kind != tc.kind || got.Info != tc.want {
			t.Errorf("%s: got %+v, want kind %s, %s", tc.name, got, tc.kind, tc.want)
		}
		c.Close()
	}
}

// A connection that breaks in the handshake is a network fault, not a wrong server.
func TestDoResetInHandshake(t *testing.T) {
	endpoint := strings.Replace(listen(t, func(c *net.TCPConn) { c.SetLinger(0) }), "http:", "https:", 1)
	got := newClient(t, config(endpoint)).Do(t.Context(), "a", []string{"b"})
	if got.Kind != DialFault {
		t.Errorf("got %+v, want a dial fault", got)
	}
}

// The server repeats what it was sent in every text that reaches an Answer.
func TestDoEchoedSecrets(t *testing.T) {
	sig := func(r *http.Request) string { return r.URL.Query().Get("usersig") }
	envelope := func(text string) string {
		b, _ := json.Marshal(map[string]any{"ErrorCode": 70003, "ErrorInfo": text, "ResultItem": []any{map[string]any{"To_Account": "b", "ResultCode": 1, "ResultInfo": text + testKey}}})
		return string(b)
	}
	raw := func(format string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			fmt.Fprintf(conn, format, sig(r))
		}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"texts":       func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, envelope("bad sig "+sig(r))) },
		"query":       func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, envelope(r.URL.String())) },
		"cut":         func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, envelope("x"+sig(r)[:60])) },
		"status line": raw("HTTP/1.1 %s\r\n\r\n"),
		"proto":       raw("%s 200 OK\r\n\r\n"),
		"header":      raw("HTTP/1.1 200 OK\r\n%s\r\n\r\n"),
		"length":      raw("HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n"),
		"encoding":    raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n"),
		"reason":      raw("HTTP/1.1 403 %s\r\nContent-Length: 0\r\n\r\n"),
		"location":    raw("HTTP/1.1 302 Found\r\nLocation: http://h/?usersig=%s\r\nContent-Length: 0\r\n\r\n"),
		"body":        raw("HTTP/1.1 200 OK\r\n\r\n<html>%s"),
	} {
		c := newClient(t, config(serve(t, handler).URL))
		got := c.Do(t.Context(), "a", []string{"b"})
		secret, _ := signature(t, c.signer)
		text := fmt.Sprintf("%+v", got)
		for _, spelling := range []string{secret.Reveal(), url.QueryEscape(secret.Reveal()), testKey} {
			if found := anyRun(text, spelling); found != "" {
				t.Errorf("%s: got %s, want no secret", name, text)
			}
		}
		if name == "texts" && got.Info != "bad sig [secret]" {
			t.Errorf("%s: got %q, want the rest of the text kept", name, got.Info)
		}
	}
}

// anyRun is a run of gram bytes of the secret in text.
func anyRun(text, secret string) string {
	for i := 0; i+gram <= len(secret); i++ {
		if strings.Contains(text, secret[i:i+gram]) {
			return secret[i : i+gram]
		}
	}
	return ""
}

func TestNewClientRefuses(t *testing.T) {
	for want, edit := range map[string]func(*Config){
		"SDKAppID":    func(c *Config) { c.AppID = 0 },
		"identifier":  func(c *Config) { c.Identifier = "" },
		"signer":      func(c *Config) { c.Signer = nil },
		"delete type": func(c *Config) { c.Call = Delete("single") },
		"no call":     func(c *Config) { c.Call = Call{} },
		"timeout":     func(c *Config) { c.Timeout = 0 },
		"workers":     func(c *Config) { c.Workers = 0 },
		"loopback":    func(c *Config) { c.Endpoint = "http://h" },
		"proxy": func(c *Config) {
			c.Endpoint = "https://h"
			c.Proxy = func(*http.Request) (*url.URL, error) { return nil, errors.New("http://user:pw@proxy") }
		},
	} {
		cfg := config("http://localhost")
		edit(&cfg)
		c, err := NewClient(cfg)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "pw") {
			t.Errorf("got %v, error %v, want an error about %s", c, err, want)
		}
	}
}

// A proxy sees no credential: http is for loopback alone, and https goes through it sealed.
func TestProxy(t *testing.T) {
	var asked []string
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.RequestURI)
		http.Error(w, testKey, http.StatusProxyAuthRequired)
	})
	at, err := url.Parse(strings.Replace(proxy.URL, "//", "//user:proxypassword1@", 1))
	if err != nil {
		t.Fatal(err)
	}
	cfg := config("https://h.test")
	cfg.Proxy = http.ProxyURL(at)
	got := newClient(t, cfg).Do(t.Context(), "a", []string{"b"})
	if diff := cmp.Diff(asked, []string{"CONNECT h.test:443"}); diff != "" || got.Kind != DialFault || got.Info != "Proxy Authentication Required" {
		t.Errorf("https: got %+v, want a dial fault of the proxy; asked:\n%s", got, diff)
	}
	asked = nil
	cfg = config(serve(t, reply(200, okBody)).URL)
	cfg.Proxy = http.ProxyURL(at)
	if got := newClient(t, cfg).Do(t.Context(), "a", []string{"b"}); got.Kind != Envelope || asked != nil {
		t.Errorf("http: got %+v, proxy asked %v, want an envelope past the proxy", got, asked)
	}
}

// The proxy's password is as secret as the key: no text of the server can bring it into a report.
func TestTheProxysPasswordIsASecret(t *testing.T) {
	const text = "asked for proxypassword1 of user"
	for proxy, want := range map[string]string{
		"http://user:proxypassword1@127.0.0.1:1": "asked for [secret] of user",
		"http://user@127.0.0.1:1":                text,
		"":                                       text, // the setting has an exception for the host
	} {
		cfg := config("https://h.test")
		cfg.Proxy = func(*http.Request) (*url.URL, error) {
			if proxy == "" {
				return nil, nil
			}
			return url.Parse(proxy)
		}
		if got := newClient(t, cfg).redact.clean([]byte(text)); got != want {
			t.Errorf("proxy %q: got %q, want %q", proxy, got, want)
		}
	}
}

// A client for http looks at the address that it is about to dial, one for https does not. No byte leaves for either: the one is
// refused before, the other is a loopback address with nobody there.
func TestDialOfAnHTTPEndpoint(t *testing.T) {
	cfg := config("")
	for _, tc := range []struct {
		scheme, address string
		refused         bool
	}{{"http", "192.0.2.1:9", true}, {"http", "127.0.0.1:1", false}, {"https", "127.0.0.1:1", false}} {
		c, err := cfg.transport(tc.scheme).DialContext(t.Context(), "tcp", tc.address)
		if err == nil {
			c.Close()
		}
		if refused := err != nil && strings.Contains(err.Error(), "loopback hosts only"); refused != tc.refused {
			t.Errorf("%s to %s: got %v, want it refused: %v", tc.scheme, tc.address, err, tc.refused)
		}
	}
}

func TestLoopbackOnly(t *testing.T) {
	if loopbackOnly(false) != nil {
		t.Error("got a guard for https, which may go anywhere")
	}
	guard := loopbackOnly(true)
	for address, want := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "10.0.0.1:80": false, "[2001:db8::1]:80": false, "": false} {
		if err := guard("tcp", address, nil); (err == nil) != want {
			t.Errorf("%s: got %v, want allowed %v", address, err, want)
		}
	}
}

func TestKeepAlive(t *testing.T) {
	var mu sync.Mutex
	var asked atomic.Int64
	conns := map[string]bool{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		conns[r.RemoteAddr] = true
		mu.Unlock()
		reply(http.StatusOK, []string{okBody, `{"ErrorCode":60008}`, `{"ErrorCode":0,"ResultItem":[]}`}[asked.Add(1)%3])(w, r)
	})
	c := newClient(t, config(s.URL))
	for range 50 {
		c.Do(t.Context(), "a", []string{"b"})
	}
	if len(conns) != 1 {
		t.Errorf("got %d connections, want 1", len(conns))
	}
}

// A connection that is about to be closed is no other request's: nothing is lost because an answer to somebody else was not
// understood.
func TestAnEndedConnectionTakesNoOtherRequestWithIt(t *testing.T) {
	var asked atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1)%3 == 0 {
			w.WriteHeader(http.StatusBadGateway) // without a text: the transport has read its last byte with the header
			return
		}
		reply(http.StatusOK, okBody)(w, r)
	})
	cfg := config(s.URL)
	cfg.Workers = 8
	c := newClient(t, cfg)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 250 {
				if a := c.Do(t.Context(), "a", []string{"b"}); a.Kind != Envelope && a.Kind != HTTP5xx {
					t.Errorf("got %+v, want an answer", a)
					return
				}
			}
		})
	}
	all.Wait()
	if n := asked.Load(); n != 2000 && !t.Failed() {
		t.Errorf("got %d requests, want 2000", n)
	}
}

func TestConcurrentDo(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var body struct{ To_Account []string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return
		}
		fmt.Fprintf(w, `{"ErrorCode":0,"ErrorInfo":%q,"ResultItem":[{"To_Account":%q,"ResultCode":0,"ResultInfo":%q}]}`, body.To_Account[0], body.To_Account[0], body.To_Account[0])
	})
	c := newClient(t, config(s.URL))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				id := fmt.Sprintf("%d-%d", i, j)
				got := c.Do(t.Context(), "a", []string{id})
				if want := (Answer{HTTPStatus: 200, Info: id, Items: []Item{ok(0, id)}, Generation: 1}); !cmp.Equal(got, want) {
					t.Errorf("got %+v, want %+v", got, want)
				}
			}
		})
	}
	all.Wait()
}

// A connection whose answer was not understood is not used again: what comes next on it may be that answer, too late.
func TestOnlyAnUnderstoodAnswerKeepsItsConnection(t *testing.T) {
	for name, how := range map[string]struct {
		status int
		body   string
	}{
		"for another account":  {http.StatusOK, strings.Replace(okBody, `"b"`, `"x"`, 1)},
		"a page":               {http.StatusOK, "<html></html>"},
		"no text":              {http.StatusOK, ""},
		"cut off":              {http.StatusOK, okBody[:len(okBody)-1]},
		"no content":           {http.StatusNoContent, ""},
		"moved":                {http.StatusFound, okBody},
		"too many requests":    {http.StatusTooManyRequests, okBody},
		"a gateway's":          {http.StatusBadGateway, okBody},
		"a gateway's, no text": {http.StatusBadGateway, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			from := map[string]bool{}
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				from[r.RemoteAddr] = true
				mu.Unlock()
				reply(how.status, how.body)(w, r)
			})
			c := newClient(t, config(s.URL))
			for range 3 {
				if a := c.Do(t.Context(), "a", []string{"b"}); a.Kind == Envelope {
					t.Fatalf("got %+v, want no envelope", a)
				}
			}
			if len(from) != 3 {
				t.Errorf("got %d connections for 3 requests, want one each", len(from))
			}
		})
	}
}

func TestTextsOfFaults(t *testing.T) {
	for _, tc := range []struct{ got, want string }{
		{networkText(&net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}), "the connection timed out"},
		{networkText(net.UnknownNetworkError("ipx")), "unknown network ipx"}, // a net.Error that is no time-out
		{networkText(errors.New("it broke")), "it broke"},
		{tlsText(x509.CertificateInvalidError{Reason: x509.Expired}), "certificate expired or not yet valid"},
		{tlsText(x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}),
			"TLS handshake failed: x509: certificate is not authorized to sign other certificates"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}
