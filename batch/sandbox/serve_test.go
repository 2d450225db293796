package sandbox_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"friendsweep/batch/sandbox"
)

// serve runs Serve on a loopback port; stop ends it and waits for it.
func serve(t *testing.T, opts sandbox.Options) (c caller, stop func()) {
	t.Helper()
	ln, err := sandbox.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	c = caller{t: t, client: client, base: "http://" + ln.Addr().String(), query: goodQuery(t).Encode()}
	return c, background(t, sandbox.New(opts), ln, client)
}

func background(t *testing.T, s *sandbox.Server, ln net.Listener, client *http.Client) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, ln) }() // ended by cancel, awaited below
	return func() {
		t.Helper()
		client.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("got %v from Serve, want nil", err)
		}
	}
}

// pipes is a listener whose connections are pipes, which synctest's clock can see through.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// inBubble serves over pipes, inside a synctest bubble.
func inBubble(t *testing.T, opts sandbox.Options) (c caller, stop func()) {
	t.Helper()
	ln := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	client := &http.Client{Transport: &http.Transport{DialContext: ln.dial}}
	c = caller{t: t, client: client, base: "http://sandbox", query: goodQuery(t).Encode()}
	return c, background(t, sandbox.New(opts), ln, client)
}

func TestServeOverLoopback(t *testing.T) {
	c, stop := serve(t, sandbox.Options{})
	if got, want := c.delete("a", "b").outcome(), "0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	stop()
	if _, err := c.client.Get(c.base); err == nil {
		t.Error("got an answer after Serve returned, want none")
	}
}

func TestServeReturnsItsListenersError(t *testing.T) {
	ln, err := sandbox.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := sandbox.New(sandbox.Options{}).Serve(t.Context(), ln); err == nil {
		t.Error("got nil, want an error")
	}
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Far over the time-outs that the server has without a latency.
		c, stop := inBubble(t, sandbox.Options{Latency: 10 * time.Minute})
		defer stop()
		begin := time.Now()
		if got, want := c.delete("a", "b").outcome(), "0"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got, want := time.Since(begin), 10*time.Minute; got != want {
			t.Errorf("got an answer after %v, want %v", got, want)
		}
	})
}

func TestLatencyEndsWhenTheClientGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, stop := inBubble(t, sandbox.Options{Latency: time.Hour})
		defer stop()
		text := body(t, "a", []string{"b"}, single)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, "POST", c.base+"/v4/sns/friend_delete?"+c.query, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.client.Do(req); err == nil {
			t.Fatal("got an answer, want a time-out")
		}
		synctest.Wait()
		// The account is free again, and what was asked for was done.
		if got, want := c.delete("a", "b").outcome(), "31704"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestRefusalsDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, stop := inBubble(t, sandbox.Options{Latency: time.Hour, Limit: 1})
		defer stop()
		first := make(chan string, 1)
		go func() { first <- c.delete("a", "b").outcome() }() // ends with the answer, read below
		synctest.Wait()
		begin := time.Now()
		if got, want := c.delete("c", "d").outcome(), "request 60007"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		<-time.After(time.Second)
		if got, want := c.delete("a", "d").outcome(), "request 30008"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got, want := time.Since(begin), time.Second; got != want {
			t.Errorf("got refusals after %v, want them at once", got-want)
		}
		if got, want := <-first, "0"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestServeWaitsForRequestsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, stop := inBubble(t, sandbox.Options{Latency: time.Minute})
		answer := make(chan string, 1)
		go func() { answer <- c.delete("a", "b").outcome() }() // ends with the answer, read below
		synctest.Wait()
		stop()
		select {
		case got := <-answer:
			if want := "0"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		case <-time.After(time.Second):
			t.Error("Serve returned before the request in flight was answered")
		}
	})
}

func TestListenRefusesOtherMachines(t *testing.T) {
	for _, addr := range []string{"", ":8600", "0.0.0.0:0", "[::]:0", "192.168.0.1:0", "example.com:0", "localhost.:0", "127.0.0.1", "[::ffff:10.0.0.1]:0", "127.0.0.1:99999"} {
		if ln, err := sandbox.Listen(addr); err == nil {
			ln.Close()
			t.Errorf("%q: got a listener on %v, want an error", addr, ln.Addr())
		}
	}
	for _, addr := range []string{"127.0.0.1:0", "localhost:0", "127.1.2.3:0"} {
		ln, err := sandbox.Listen(addr)
		if err != nil {
			t.Errorf("%q: got %v, want a listener", addr, err)
			continue
		}
		ln.Close()
	}
}

func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, stop := inBubble(t, sandbox.Options{Limit: 3})
		defer stop()
		for _, tt := range []struct {
			wait time.Duration
			want int
		}{
			{0, 0}, {500 * time.Millisecond, 0}, {400 * time.Millisecond, 0}, {0, 60007},
			{99 * time.Millisecond, 60007}, {time.Millisecond, 0}, {0, 60007}, {500 * time.Millisecond, 0}, {0, 60007},
		} {
			<-time.After(tt.wait)
			if got := c.delete("a", "b").Code; got != tt.want {
				t.Errorf("after %v more: got %d, want %d", tt.wait, got, tt.want)
			}
		}
		if got, want := c.delete("", "b").Code, 30001; got != want {
			t.Errorf("malformed request: got %d, want %d", got, want)
		}
	})
}
