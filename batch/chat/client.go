package chat

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	maxAnswer = 8 << 20 // bytes; a thousand items of the longest IDs are about 150 KB
	// idleTime is under the 60 and 75 seconds after which common servers and balancers close a connection (a guess for this
	// one): a request that meets the closing is a lost answer.
	idleTime = 50 * time.Second
)

// Config is what a [Client] needs. The fields up to Workers are required.
type Config struct {
	Endpoint   string // as [ParseEndpoint] takes it
	AppID      int    // the SDKAppID, above 0
	Identifier string // an app admin account
	Signer     *Signer
	Call       Call
	Timeout    time.Duration // of one request, from dial to last byte; the server's own is 3 s, so use more
	Workers    int           // requests at a time: so many connections are kept

	UserAgent   string
	Secrets     []Secret                                                          // what else must not appear in texts, such as the key
	Proxy       func(*http.Request) (*url.URL, error)                             // nil: none; never used for an http endpoint
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error) // nil: the network
	TLS         *tls.Config                                                       // nil: the system's roots; is always verified
}

// Client makes one call of the API. It is safe for concurrent use.
type Client struct {
	appID      int
	identifier string
	call       Call
	timeout    time.Duration
	template   *http.Request // without query and body
	signer     *Signer
	signed     atomic.Pointer[signed]
	redact     *redactor
	transport  *http.Transport
	holders    *holders
	decoders   sync.Pool
}

// NewClient checks the configuration and makes a first signature; it contacts nobody. [Client.Close] ends what it opens.
func NewClient(cfg Config) (*Client, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	base, err := ParseEndpoint(cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(base + cfg.Call.path)
	if err != nil {
		return nil, errors.New("not an http or https URL")
	}
	c := &Client{
		appID: cfg.AppID, identifier: cfg.Identifier, call: cfg.Call, timeout: cfg.Timeout, signer: cfg.Signer,
		redact: newRedactor(), transport: cfg.transport(u.Scheme), holders: newHolders(),
		template: &http.Request{
			Method: http.MethodPost, URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {"application/json"}, "User-Agent": {cfg.UserAgent}},
		},
	}
	c.decoders.New = func() any { return newDecoder(c.call, c.redact.clean) }
	for _, secret := range cfg.Secrets {
		c.redact.learn(secret)
	}
	if err := c.learnProxy(); err != nil {
		return nil, err
	}
	if _, err := c.credentials(); err != nil {
		return nil, err
	}
	return c, nil
}

func (cfg *Config) check() error {
	switch {
	case cfg.AppID <= 0:
		return errors.New("the SDKAppID must be above 0")
	case cfg.Identifier == "":
		return errors.New("the identifier is empty")
	case cfg.Signer == nil:
		return errors.New("no signer")
	case cfg.Call.path == "":
		return errors.New("no call, or a deletion of another delete type than " + string(Single) + " and " + string(Both))
	case cfg.Timeout <= 0:
		return errors.New("the timeout must be above 0")
	case cfg.Workers <= 0:
		return errors.New("the number of workers must be above 0")
	}
	return nil
}

// transport speaks HTTP/1.1 alone. Over HTTP/2 all workers share one connection, whose end would lose the answers of all of
// them at once, and the transport sends refused streams again by itself, past the journal and the pace.
func (cfg *Config) transport(scheme string) *http.Transport {
	secure := &tls.Config{}
	if cfg.TLS != nil {
		secure = cfg.TLS.Clone()
	}
	secure.InsecureSkipVerify = false
	secure.MinVersion = max(secure.MinVersion, tls.VersionTLS12)
	t := &http.Transport{
		Proxy: cfg.Proxy, DialContext: cfg.DialContext, TLSClientConfig: secure, TLSHandshakeTimeout: cfg.Timeout,
		Protocols: new(http.Protocols), DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConns: cfg.Workers, MaxIdleConnsPerHost: cfg.Workers, IdleConnTimeout: idleTime,
	}
	t.Protocols.SetHTTP1(true)
	if t.DialContext == nil {
		// A dial goes on in the background when its request is given up: it needs an end of its own.
		t.DialContext = (&net.Dialer{Timeout: cfg.Timeout, Control: loopbackOnly(scheme == "http")}).DialContext
	}
	if scheme == "http" {
		t.Proxy = nil // it would read the credential
	}
	return t
}

// loopbackOnly guards http endpoints against a localhost that resolves elsewhere.
func loopbackOnly(on bool) func(network, address string, _ syscall.RawConn) error {
	if !on {
		return nil
	}
	return func(_, address string, _ syscall.RawConn) error {
		if to, err := netip.ParseAddrPort(address); err != nil || !to.Addr().Unmap().IsLoopback() {
			return errors.New("http is for loopback hosts only, and this one is elsewhere")
		}
		return nil
	}
}

// learnProxy makes the proxy's password a secret and finds a proxy setting that is none, whose error quotes it.
func (c *Client) learnProxy() error {
	if c.transport.Proxy == nil {
		return nil
	}
	proxy, err := c.transport.Proxy(c.template)
	if err != nil {
		return errors.New("the proxy setting is not a URL\ncheck HTTPS_PROXY")
	}
	if proxy == nil {
		return nil
	}
	if password, ok := proxy.User.Password(); ok {
		c.redact.learn(Secret(password))
	}
	return nil
}

// Do makes the call for account about the accounts to, and blocks until the answer, the time-out or the end of ctx. It sends
// one request and never a second: retries are the caller's. to holds 1 to [Call.MaxItems] accounts and none twice; it is not
// kept.
func (c *Client) Do(ctx context.Context, account string, to []string) Answer {
	s, err := c.credentials()
	if err != nil {
		return Answer{Kind: DialFault, Info: err.Error()}
	}
	a := c.send(ctx, s.query, c.call.encode(account, to), to)
	a.Generation = s.generation
	return a
}

// Format keeps fmt away from the fields.
func (c *Client) Format(f fmt.State, _ rune) { io.WriteString(f, "chat client") }

// Close closes idle connections. Use it when no Do is running.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// send uses the transport alone: http.Client would follow redirects and put the URL, UserSig included, into its errors.
func (c *Client) send(parent context.Context, query string, body []byte, to []string) Answer {
	ctx, cancel := context.WithTimeout(parent, c.timeout)
	defer cancel()
	sent := delivery{holders: c.holders}
	defer sent.end()
	resp, err := c.transport.RoundTrip(c.request(sent.traced(ctx), query, body))
	if err != nil {
		return c.fault(parent, err, ctx.Err() != nil, !sent.open)
	}
	defer resp.Body.Close()
	a := refusal(resp.StatusCode)
	if resp.StatusCode == http.StatusOK {
		if a, err = c.read(resp, to); err != nil {
			a = c.fault(parent, err, ctx.Err() != nil, false)
		}
		a.HTTPStatus = resp.StatusCode
	}
	if a.Kind != Envelope {
		// What comes next on the connection may be the answer to this request, too late, and would be taken for another's.
		sent.conn.Close()
	}
	return a
}

// read reads and decodes an answer. The error is one of the connection.
func (c *Client) read(resp *http.Response, to []string) (Answer, error) {
	d := c.decoders.Get().(*decoder)
	defer c.decoders.Put(d)
	defer d.forget()
	d.body.Reset()
	d.body.Grow(int(min(max(resp.ContentLength, 0), maxKept/2)) + bytes.MinRead) // a length is a claim
	n, err := d.body.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case n > maxAnswer:
		return Answer{Kind: UnreadableFault, Info: "the answer is over 8 MiB"}, nil
	case err != nil:
		return Answer{}, err
	}
	a, err := d.decode(d.body.Bytes(), to)
	if err != nil {
		return Answer{Kind: UnreadableFault, Info: err.Error()}, nil
	}
	return a, nil
}
