package chat

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"

	"github.com/go-faster/jx"
)

// encode is the request's body.
func encode(account string, to []string, kind DeleteType) []byte {
	size := len(`{"From_Account":"","To_Account":[],"DeleteType":""}`) + len(account) + len(kind) + 8
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
	b = appendText(append(b, `],"DeleteType":`...), string(kind))
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

// request copies the template; the header is shared, since a transport does not change it.
func (c *Client) request(ctx context.Context, query string, body *outgoing) *http.Request {
	u := *c.template.URL
	random := [10]byte{}
	u.RawQuery = query + string(strconv.AppendUint(random[:0], uint64(rand.Uint32()), 10))
	req := c.template.WithContext(ctx)
	req.URL, req.ContentLength = &u, int64(len(body.data))
	req.Body, req.GetBody = &bodyReader{out: body}, body.again
	return req
}

// outgoing is a request's body that knows whether the transport may have sent any of it.
//
// The transport takes the first byte of the body before it flushes anything, so a body that was never read means a request
// that cannot have been carried out. The transport reads it in a goroutine that may still be about to start when a
// cancelled RoundTrip returns; seal settles that race: after it, either the body was read or it never will be.
type outgoing struct {
	data  []byte
	state atomic.Int32
}

const (
	untouched int32 = iota
	taken
	sealed
)

var errSealed = errors.New("request given up")

// seal ends the sending and reports whether nothing was sent.
func (o *outgoing) seal() bool {
	return o.state.CompareAndSwap(untouched, sealed) || o.state.Load() == sealed
}

// again is called by the transport for a second connection, when not one byte was written to the first.
func (o *outgoing) again() (io.ReadCloser, error) {
	o.state.CompareAndSwap(taken, untouched)
	return &bodyReader{out: o}, nil
}

type bodyReader struct {
	out *outgoing
	off int
}

// Read marks the body as taken, or fails once it is sealed.
func (r *bodyReader) Read(p []byte) (int, error) {
	if !r.out.state.CompareAndSwap(untouched, taken) && r.out.state.Load() == sealed {
		return 0, errSealed
	}
	if r.off == len(r.out.data) {
		return 0, io.EOF
	}
	n := copy(p, r.out.data[r.off:])
	r.off += n
	return n, nil
}

// Close has nothing to close.
func (r *bodyReader) Close() error { return nil }
