package chat

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync"

	"github.com/go-faster/jx"
)

// encode is the request's body.
func (c Call) encode(account string, to []string) []byte {
	key, value := c.option[0], c.option[1]
	size := len(`{"From_Account":"","To_Account":[],"":""}`) + len(account) + len(key) + len(value) + 8
	for _, id := range to {
		size += len(id) + len(`"",`)
	}
	b := appendText(append(make([]byte, 0, size), `{"From_Account":`...), account)
	b = append(b, `,"To_Account":[`...)
	for i, id := range to {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, id)
	}
	b = appendText(append(b, `],`...), key)
	b = appendText(append(b, ':'), value)
	return append(b, '}')
}

// appendText spares IDs of plain characters, which is nearly every one, the library's look at each byte's escape.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			w := jx.Writer{Buf: b}
			w.Str(s)
			return w.Buf
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// signed is the part of the query that stays the same for one signature.
type signed struct {
	generation int
	query      string
}

// credentials gives the query for the present signature. A new signature is known to the redactor before it is first sent.
func (c *Client) credentials() (*signed, error) {
	sig, generation, err := c.signer.Signature()
	if err != nil {
		return nil, err
	}
	if s := c.signed.Load(); s != nil && s.generation == generation {
		return s, nil
	}
	c.redact.learn(sig)
	s := &signed{generation, "sdkappid=" + strconv.Itoa(c.appID) + "&identifier=" + url.QueryEscape(c.identifier) +
		"&usersig=" + url.QueryEscape(sig.Reveal()) + "&contenttype=json&random="}
	c.signed.Store(s)
	return s, nil
}

// request copies the template; the header is shared, since a transport does not change it. The body is of a type that the
// transport knows to be in memory: only then it sends header and body with one write, in one packet if they are small.
func (c *Client) request(ctx context.Context, query string, body []byte) *http.Request {
	u := *c.template.URL
	random := [10]byte{}
	u.RawQuery = query + string(strconv.AppendUint(random[:0], uint64(rand.Uint32()), 10))
	req := c.template.WithContext(ctx)
	req.URL, req.ContentLength = &u, int64(len(body))
	req.Body = io.NopCloser(bytes.NewReader(body))
	// For a second connection, when not one byte was written to the first.
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return req
}

// delivery knows whether a request may have been sent: that is from the moment on when the transport has a connection for
// it. Once it has, nobody can tell how far its writing goroutine got when RoundTrip ended in an error.
type delivery struct {
	open    bool
	conn    net.Conn // that of the request, which holds it; nil while it has none
	holders *holders
	trace   httptrace.ClientTrace
}

// traced makes a context for one RoundTrip, which calls both hooks before it returns and in the goroutine of its caller.
// The transport looks for a second connection only when it has not written one byte to the first.
func (d *delivery) traced(ctx context.Context) context.Context {
	d.trace.GetConn = func(string) { d.open = false; d.end() }
	d.trace.GotConn = func(info httptrace.GotConnInfo) {
		d.holders.take(info.Conn)
		d.open, d.conn = true, info.Conn
	}
	return httptrace.WithClientTrace(ctx, &d.trace)
}

// end lets the next request have the connection.
func (d *delivery) end() {
	if d.conn != nil {
		d.holders.giveBack(d.conn)
		d.conn = nil
	}
}

// holders are the connections whose last answer is still to be judged. The transport gives a connection away as soon as it has
// read the last byte of an answer; the next request waits here until it is known whether it may be used again. If not, it is
// closed by then, and the transport, which has not written a byte to it, takes another.
type holders struct {
	mu    sync.Mutex
	freed sync.Cond // with mu
	of    map[net.Conn]bool
}

func newHolders() *holders {
	h := &holders{of: map[net.Conn]bool{}}
	h.freed.L = &h.mu
	return h
}

func (h *holders) take(conn net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.of[conn] {
		h.freed.Wait()
	}
	h.of[conn] = true
}

func (h *holders) giveBack(conn net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.of, conn)
	h.freed.Broadcast()
}
