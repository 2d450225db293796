package sandbox_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"friendsweep/batch/sandbox"
)

var (
	talks     = flag.Int("talks", 600, "how many clients that are none TestClientThatIsNone sends")
	talksSeed = flag.Uint64("talks.seed", 0, "the one seed of TestClientThatIsNone that is tried, if not 0")
)

// TestClientThatIsNone sends what keeps to HTTP more or less, made from a seed by a small grammar of requests and of their
// abuses. Whatever comes: the emulator does not panic, it answers in HTTP or closes the connection in time, a request by the
// book is carried out, and one that did not come whole is not.
func TestClientThatIsNone(t *testing.T) {
	counts := map[string]int{}
	if *talksSeed != 0 {
		oddTalk(t, *talksSeed, counts)
		return
	}
	for first, n := rand.Uint64(), 0; n < *talks && !t.Failed(); n++ {
		oddTalk(t, first+uint64(n), counts)
	}
	t.Logf("requests and answers: %v", counts)
	if counts["by the book"] == 0 || counts["not whole"] == 0 || counts["HTTP 400"] == 0 {
		t.Errorf("got %v, want some of each kind: the test does not test", counts)
	}
}

// oddRequest is a request and what the emulator must do about it.
type oddRequest struct {
	text, victim    string // the friend whose friendship it is to delete
	clean, notWhole bool
}

// oddClient is what sends.
type oddClient struct {
	*rand.Rand
	query string
}

func (c *oddClient) one(n int) bool { return c.IntN(n) == 0 }

func (c *oddClient) pick(of ...string) string { return of[c.IntN(len(of))] }

// oddTalk sends some requests over one connection and looks at what comes back and at what was done.
func oddTalk(t *testing.T, seed uint64, counts map[string]int) {
	synctest.Test(t, func(t *testing.T) {
		c := &oddClient{rand.New(rand.NewPCG(seed, 0x7a1c)), goodQuery(t).Encode()}
		box := sandbox.New(sandbox.Options{})
		requests := c.requests()
		stream, panicked := c.served(box, requests)
		wrong := c.judge(box, requests, stream, counts)
		if panicked != "" {
			wrong = append(wrong, "it panicked: "+panicked)
		}
		for _, w := range wrong {
			t.Errorf("seed %#x: %s\nsent %.2000q\ngot %.1500q (-talks.seed %#x)", seed, w, fmt.Sprintf("%+v", requests), stream, seed)
		}
	})
}

// served sends the requests to the emulator and returns all that comes back until the connection is closed. One time in two
// the emulator is served by a server that tells of a panic, and not by its own.
func (c *oddClient) served(box *sandbox.Server, requests []oddRequest) (stream []byte, panicked string) {
	ln := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	var report bytes.Buffer
	var ended sync.WaitGroup
	stop := make(chan struct{})
	if c.one(2) {
		srv := &http.Server{Handler: box, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute, ErrorLog: log.New(&report, "", 0)}
		ended.Go(func() { srv.Serve(ln) })
		ended.Go(func() { <-stop; srv.Close() })
	} else {
		ctx, cancel := context.WithCancel(context.Background())
		ended.Go(func() { <-stop; cancel() })
		ended.Go(func() { box.Serve(ctx, ln) })
	}
	near, err := ln.dial(context.Background(), "", "")
	if err != nil {
		return nil, err.Error()
	}
	near.SetReadDeadline(time.Now().Add(10 * time.Minute))
	ended.Go(func() { c.send(near, requests) })
	stream, err = io.ReadAll(near)
	near.Close()
	close(stop)
	ended.Wait()
	if err != nil && err != io.ErrClosedPipe {
		return stream, fmt.Sprintf("the connection is still open after 10 minutes (%v)", err)
	}
	if text := report.String(); strings.Contains(text, "panic") {
		panicked = text
	}
	return stream, panicked
}

// send sends in pieces, now and then with a rest, and closes the connection behind half of all it sends.
func (c *oddClient) send(conn net.Conn, requests []oddRequest) {
	began := time.Now()
	for _, r := range requests {
		for text := r.text; len(text) > 0; {
			n := 1 + c.IntN(len(text))
			if c.one(12) && (!r.clean || time.Since(began) < 9*time.Second) { // a request by the book takes 30 s at most
				<-time.After(time.Duration(c.IntN(20_000)) * time.Millisecond)
			}
			if _, err := io.WriteString(conn, text[:n]); err != nil {
				return
			}
			text = text[n:]
		}
	}
	if c.one(2) {
		<-time.After(time.Second) // for the answers
		conn.Close()
	}
}

func (c *oddClient) requests() (all []oddRequest) {
	for n := 1 + c.IntN(3); len(all) < n; {
		all = append(all, c.request(fmt.Sprintf("victim-%d", len(all)), len(all)+1 == n))
	}
	return all
}

// request is one for the victim. What does not come whole is told only of the last: what follows completes another.
func (c *oddClient) request(victim string, last bool) oddRequest {
	r := oddRequest{victim: victim}
	body := fmt.Sprintf(`{"From_Account":"from","To_Account":[%q],"DeleteType":"Delete_Type_Single"}`, victim)
	target := "/v4/sns/friend_delete?" + c.query
	if r.clean = c.one(4); r.clean {
		r.text = fmt.Sprintf("POST %s HTTP/1.1\r\nHost: sandbox\r\nContent-Length: %d\r\n\r\n%s", target, len(body), body)
		return r
	}
	if c.one(4) {
		body = c.oddBody(body, victim)
	}
	line := "POST " + target + " HTTP/1.1"
	if c.one(3) {
		line = c.oddLine(target)
	}
	headers, text, short := c.framed(body)
	r.text = line + c.pick("\r\n", "\r\n", "\r\n", "\n") + c.pick("Host: sandbox\r\n", "Host: sandbox\r\n", "Host: sandbox\r\n", "") + c.headers() + headers + c.headers() + c.pick("\r\n", "\r\n", "\r\n", "\n", "") + text
	r.notWhole = last && short
	if c.one(4) && last {
		r.text, r.notWhole = r.text[:len(r.text)-1-c.IntN(len(r.text)-1)], !strings.HasPrefix(headers, "Transfer") && headers != "" // of chunks the last bytes may not matter
	}
	return r
}

func (c *oddClient) oddLine(target string) string {
	return c.pick("GET "+target+" HTTP/1.1", "post "+target+" HTTP/1.1", "POST "+target, "POST "+target+" HTTP/1.0", "POST "+target+" HTTP/2.0", "POST  "+target+" HTTP/1.1", "POST "+target+" HTTP/9.9",
		"PRI * HTTP/2.0", "POST * HTTP/1.1", "CONNECT "+target+" HTTP/1.1", "OPTIONS * HTTP/1.1", "POST http://else"+target+" HTTP/1.1", "POST /../"+target+" HTTP/1.1", "\x16\x03\x01\x02\x00", "",
		"POST "+target+"&usersig=x HTTP/1.1", "POST /v4/sns/friend_delete?%zz HTTP/1.1", "POST /v4/sns/friend_delete HTTP/1.1", "POST /v4/sns/friend_check?"+c.query+" HTTP/1.1",
		"POST "+target+"&x="+strings.Repeat("y", 30_000)+" HTTP/1.1", "POST "+strings.Replace(target, "administrator", "else", 1)+" HTTP/1.1",
		"POST "+strings.Replace(target, "usersig=", "usersig=eJw", 1)+" HTTP/1.1", "POST "+strings.Replace(target, "json", "xml", 1)+" HTTP/1.1", "\x00\x00 / HTTP/1.1")
}

func (c *oddClient) headers() (text string) {
	for c.one(5) {
		text += c.pick("Host: a\r\nHost: b", "Host: \x00", "Expect: 100-continue", "Expect: else", "Connection: close", "Connection: Upgrade\r\nUpgrade: h2c", "no colon", " folded: x", ": nameless", "X : y", "X: \x01",
			"Trailer: X", "Content-Encoding: gzip", strings.Repeat("X: y\r\n", 300)+"X: y", "X: "+strings.Repeat("y", 20_000)) + c.pick("\r\n", "\r\n", "\r\n", "\n")
	}
	return text
}

// oddBody is one that the API would not take, or that is on its edge.
func (c *oddClient) oddBody(body, victim string) string {
	ids := strings.Repeat(fmt.Sprintf("%q,", victim), 1001)
	return c.pick("", "{}", "null", "[]", body+body, body[:len(body)/2], "\xff"+body, strings.Replace(body, `"from"`, "1", 1), strings.Replace(body, `"from"`, `""`, 1), strings.Replace(body, victim, "busy-30006-x", 1),
		strings.Replace(body, victim, "lost-answer-x", 1), strings.Replace(body, "[", "["+ids, 1), strings.Repeat("[", 100_000), strings.Replace(body, "Single", "Else", 1), `{"From_Account":"from","To_Account":{}}`,
		strings.Replace(body, "from", strings.Repeat("f", 33), 1), strings.Replace(body, "from", victim, 1), strings.Replace(body, "[", "[null,", 1), strings.Repeat(" ", 2<<20)+body, `{"To_Account":[]}`, strings.Replace(body, "from", `\ud800`, 1))
}

// framed is the body with the headers that say where it ends; short tells that what they say does not come.
func (c *oddClient) framed(body string) (headers, text string, short bool) {
	n := len(body)
	switch c.IntN(6) {
	case 0, 1:
		return fmt.Sprintf("Content-Length: %d\r\n", n), body, false
	case 2:
		return fmt.Sprintf("Content-Length: %d\r\n", n+1+c.IntN(9)), body, true
	case 3:
		return c.pick(fmt.Sprintf("Content-Length: +%d\r\n", n), fmt.Sprintf("Content-Length: %d\r\nContent-Length: %d\r\n", n, n+1), "Content-Length: 99999999999999999999\r\n", "Content-Length: -1\r\n", "", "Content-Length: 0\r\n",
			"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), body, false
	}
	var b strings.Builder
	for at := 0; at < n; {
		size := 1 + c.IntN(n-at)
		fmt.Fprintf(&b, c.pick("%x\r\n", "%x\r\n", "%X\r\n", "%x;a=b\r\n", "%x\n", "00%x\r\n"), size)
		b.WriteString(body[at:at+size] + "\r\n")
		if at += size; c.one(20) {
			b.WriteString(c.pick("x", "-1\r\n", "ffffffffffffffff\r\n", "\r\n", "1;"+strings.Repeat("x", 20_000)+"\r\n"))
		}
	}
	if c.one(4) {
		return "Transfer-Encoding: chunked\r\n", b.String(), true
	}
	return "Transfer-Encoding: chunked\r\n", b.String() + c.pick("0\r\n\r\n", "0\r\nX: y\r\n\r\n", "0\r\nno colon\r\n\r\n", "0\r\nContent-Length: 1\r\n\r\n"), false
}

// judge looks at answers and friendships.
func (c *oddClient) judge(box *sandbox.Server, requests []oddRequest, stream []byte, counts map[string]int) (wrong []string) {
	answers := 0
	for in := bufio.NewReader(bytes.NewReader(stream)); ; answers++ {
		if _, err := in.Peek(1); err != nil {
			break
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return append(wrong, fmt.Sprintf("what comes back is not HTTP: %v", err))
		}
		text, err := io.ReadAll(resp.Body)
		var a struct{ ErrorCode *int }
		if resp.StatusCode == http.StatusOK && (err != nil || json.Unmarshal(text, &a) != nil || a.ErrorCode == nil) && resp.ContentLength != 0 {
			wrong = append(wrong, fmt.Sprintf("the answer %q is none of the API's (%v)", text, err))
		}
		if resp.StatusCode == http.StatusContinue {
			answers--
		}
		counts[fmt.Sprintf("HTTP %d", resp.StatusCode)]++
	}
	for n, r := range requests {
		deleted := !c.areFriends(box, r.victim)
		switch {
		case r.clean && n == 0:
			counts["by the book"]++
			if !deleted || answers == 0 {
				wrong = append(wrong, fmt.Sprintf("request %d is by the book, and was not carried out", n))
			}
		case r.notWhole:
			counts["not whole"]++
			if deleted {
				wrong = append(wrong, fmt.Sprintf("request %d did not come whole, and was carried out", n))
			}
		}
	}
	return wrong
}

// areFriends asks the emulator itself.
func (c *oddClient) areFriends(box *sandbox.Server, victim string) bool {
	w := httptest.NewRecorder()
	box.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v4/sns/friend_check?"+c.query,
		strings.NewReader(fmt.Sprintf(`{"From_Account":"from","To_Account":[%q],"CheckType":"CheckResult_Type_Both"}`, victim))))
	return strings.Contains(w.Body.String(), "CheckResult_Type_BothWay")
}
