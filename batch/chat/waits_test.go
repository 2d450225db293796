package chat

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// wait is a way in which the other side can keep a request from ending.
type wait struct {
	name   string
	dial   bool           // it never takes the connection
	secure bool           // over TLS
	talk   func(net.Conn) // what it does with the connection; then it keeps it open
	atOnce bool           // it cannot hold up the request for a moment
	want   Kind
	status int // of the answer
}

// waits are all that there are, from the dial to what comes behind the answer. Whoever sends on at full speed must come to
// a bound, whoever sends nothing, or a little now and then, to the end of the time.
func waits(body string) []wait {
	const head = "HTTP/1.1 200 OK\r\n"
	length := fmt.Sprintf("%sContent-Length: %d\r\n\r\n", head, len(body))
	const chunked = head + "Transfer-Encoding: chunked\r\n\r\n"
	whole := fmt.Sprintf("%s%x\r\n%s\r\n", chunked, len(body), body)
	const hint = "HTTP/1.1 103 Early Hints\r\n\r\n"
	return []wait{
		{name: "dial", dial: true, want: DialFault},
		{name: "silence in the handshake", secure: true, talk: untilClosed, want: DialFault},
		{name: "half a handshake", secure: true, talk: trickle("\x16\x03\x03\x00\x7a"), want: DialFault},
		{name: "request not read", talk: func(net.Conn) {}, want: LostFault},
		{name: "request half read", talk: func(c net.Conn) { io.ReadFull(c, make([]byte, 10)) }, want: LostFault},

		{name: "silence", talk: says(""), want: LostFault},
		{name: "half a status line", talk: says("HTTP/1.1 20"), want: LostFault},
		{name: "status line alone", talk: says(head), want: LostFault},
		{name: "header without end", talk: says(head + "Content-Length: 5\r\n"), want: LostFault},
		{name: "trickling header", talk: says("", strings.Split(length+body, "")...), want: LostFault},
		{name: "endless headers", talk: says(head, forever("X: y\r\n")...), want: LostFault},
		{name: "endless headers at full speed", talk: floods(head, "X: y\r\n"), want: LostFault, atOnce: true},
		{name: "an endless header at full speed", talk: floods(head+"X: ", "y"), want: LostFault, atOnce: true},

		{name: "early hints and silence", talk: says(hint), want: LostFault},
		{name: "endless early hints", talk: says("", forever(hint)...), want: LostFault},
		{name: "endless early hints at full speed", talk: floods("", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), want: LostFault, atOnce: true},
		{name: "continue and silence", talk: says("HTTP/1.1 100 Continue\r\n\r\n"), want: LostFault},
		{name: "endless continue", talk: says("", forever("HTTP/1.1 100 Continue\r\n\r\n")...), want: LostFault},
		{name: "other protocol and silence", talk: says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
			want: UnreadableFault, status: 101, atOnce: true},
		{name: "other protocol and more", talk: says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", forever("x")...),
			want: UnreadableFault, status: 101, atOnce: true},

		{name: "no body", talk: says(length), want: LostFault, status: 200},
		{name: "half a body", talk: says(length + body[:20]), want: LostFault, status: 200},
		{name: "trickling body", talk: says(length, strings.Split(body, "")...), want: LostFault, status: 200},
		{name: "whole body, connection open", talk: says(head + "\r\n" + body), want: LostFault, status: 200},
		{name: "endless blanks behind the body", talk: says(head+"\r\n"+body, forever(" ")...), want: LostFault, status: 200},
		{name: "endless body at full speed", talk: floods(head+"\r\n"+body, strings.Repeat(" ", 64<<10)), want: UnreadableFault, status: 200, atOnce: true},
		{name: "half a chunk", talk: says(whole[:len(whole)-10]), want: LostFault, status: 200},
		{name: "last chunk missing", talk: says(whole), want: LostFault, status: 200},
		{name: "endless empty chunk sizes", talk: says(whole, forever("0")...), want: LostFault, status: 200},
		{name: "endless chunk extension", talk: says(whole+"1;", forever("x")...), want: LostFault, status: 200},
		{name: "endless chunk extension at full speed", talk: floods(whole+"1;", "x"), want: LostFault, status: 200, atOnce: true},

		{name: "trailers missing", talk: says(whole + "0\r\n"), want: LostFault, status: 200},
		{name: "trailers without end", talk: says(whole + "0\r\nX: y\r\n"), want: LostFault, status: 200},
		{name: "endless trailers", talk: says(whole+"0\r\n", forever("X: y\r\n")...), want: LostFault, status: 200},
		{name: "endless trailers at full speed", talk: floods(whole+"0\r\n", "X: y\r\n"), want: LostFault, status: 200, atOnce: true},

		{name: "error page without body", talk: says("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\r\n"), want: HTTP5xx, status: 502, atOnce: true},
		{name: "endless error page", talk: says("HTTP/1.1 502 Bad Gateway\r\n\r\n", forever("x")...), want: HTTP5xx, status: 502, atOnce: true},
		{name: "endless error page at full speed", talk: floods("HTTP/1.1 403 Forbidden\r\n\r\n", strings.Repeat("x", 4<<10)), want: HTTP4xx, status: 403, atOnce: true},
		{name: "redirection without body", talk: says("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 5\r\n\r\n"), want: RedirectFault, status: 302, atOnce: true},

		{name: "silence behind the answer", talk: says(length + body), want: Envelope, status: 200, atOnce: true},
		{name: "bytes behind the answer", talk: says(length+body, forever("x")...), want: Envelope, status: 200, atOnce: true},
		{name: "bytes at full speed behind the answer", talk: floods(length+body, length+body), want: Envelope, status: 200, atOnce: true},
		{name: "bytes behind the last chunk", talk: says(whole+"0\r\n\r\n", forever("x")...), want: Envelope, status: 200, atOnce: true},
	}
}

// says reads the request, sends the text, and then one of the others every second.
func says(text string, others ...string) func(net.Conn) {
	return func(conn net.Conn) {
		readRequest(conn)
		io.WriteString(conn, text)
		trickle(others...)(conn)
	}
}

// trickle sends one of the texts every second.
func trickle(texts ...string) func(net.Conn) {
	return func(conn net.Conn) {
		for _, text := range texts {
			pass(time.Second)
			if _, err := io.WriteString(conn, text); err != nil {
				return
			}
		}
		untilClosed(conn)
	}
}

// forever is longer than any time-out.
func forever(text string) []string {
	texts := make([]string, 100)
	for i := range texts {
		texts[i] = text
	}
	return texts
}

// floods reads the request, sends the text, and the other without a pause until nobody reads any more.
func floods(text, other string) func(net.Conn) {
	return func(conn net.Conn) {
		readRequest(conn)
		other = strings.Repeat(other, max(1, 4096/len(other))) // small writes take long over a pipe
		for _, err := io.WriteString(conn, text); err == nil; _, err = io.WriteString(conn, other) {
		}
	}
}

// Nothing that the other side does or leaves undone keeps a request alive beyond its time-out or its context.
func TestEveryWaitEnds(t *testing.T) {
	defer log.SetOutput(log.Writer())
	log.SetOutput(io.Discard) // net/http has something to say of bytes behind an answer
	bodies := map[string]string{
		"delete": okBody,
		"check":  strings.Replace(strings.Replace(okBody, "ResultItem", "InfoItem", 1), `"ResultCode"`, `"Relation":"CheckResult_Type_BothWay","ResultCode"`, 1),
	}
	for _, call := range []Call{Delete(Single), Check()} {
		for _, w := range waits(bodies[call.Name]) {
			for _, ends := range []time.Duration{15 * time.Second, 4 * time.Second} { // of the time-out, of the context
				t.Run(fmt.Sprint(call.Name, "/", w.name, "/", ends), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { w.try(t, call, ends) })
				})
			}
		}
	}
}

func (w wait) try(t *testing.T, call Call, ends time.Duration) {
	c := pipedTo(t, call, func(conn net.Conn) {
		w.talk(conn)
		<-t.Context().Done()
	})
	if w.dial {
		c.transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	}
	if w.secure {
		c.template.URL.Scheme = "https"
	}
	ctx := t.Context()
	if ends < c.timeout {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, ends)
		defer cancel()
	}
	got, took := timed(c, ctx)
	if w.atOnce {
		ends = 0
	}
	want := Answer{Kind: w.want, HTTPStatus: w.status, Info: w.text(ends), Generation: 1}
	if want.Kind == DialFault && ends == 4*time.Second {
		want.Kind = CancelledFault
	}
	if got.Kind != want.Kind || got.HTTPStatus != want.HTTPStatus || want.Info != "" && got.Info != want.Info || took != ends {
		t.Errorf("got %+v after %s, want %+v after %s", got, took, want, ends)
	}
	if r := call.Ruling(&got); (r.Verdict == Accepted) != (want.Kind == Envelope) || r.Lost && !call.Loses {
		t.Errorf("got ruling %+v, want an accepted request only of a whole answer", r)
	}
}

// text is what the answer says of the wait, where it says how the wait ended.
func (w wait) text(ends time.Duration) string {
	switch {
	case w.want == DialFault && ends == 15*time.Second:
		return "no connection within 15s"
	case w.want == DialFault:
		return "interrupted before it was sent"
	case w.want == LostFault && ends == 15*time.Second:
		return "no answer within 15s"
	case w.want == LostFault && ends > 0:
		return "interrupted while waiting for the answer"
	}
	return ""
}
