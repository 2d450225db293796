package chat

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// piped is a client whose every connection is talked to over a pipe, in fake time.
func piped(t *testing.T, talk func(net.Conn)) *Client { return pipedTo(t, Delete(Single), talk) }

func pipedTo(t *testing.T, call Call, talk func(net.Conn)) *Client {
	t.Helper()
	var all sync.WaitGroup
	cfg := config("http://localhost")
	cfg.Call = call
	cfg.Timeout = 15 * time.Second
	cfg.DialContext = func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		all.Go(func() { defer far.Close(); talk(far) })
		return near, nil
	}
	t.Cleanup(all.Wait) // after the client's Close, which ends the connections
	return newClient(t, cfg)
}

// pass lets fake time pass.
func pass(d time.Duration) { <-time.After(d) }

func answer(conn net.Conn, body string) {
	fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// untilClosed keeps a connection open and silent.
func untilClosed(conn net.Conn) { io.Copy(io.Discard, conn) }

func timed(c *Client, ctx context.Context) (Answer, time.Duration) {
	start := time.Now()
	a := c.Do(ctx, "a", []string{"b"})
	return a, time.Since(start)
}

func TestSlowButInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := piped(t, func(conn net.Conn) {
			readRequest(conn)
			pass(14 * time.Second)
			answer(conn, okBody)
		})
		if got, took := timed(c, t.Context()); got.Kind != Envelope || took != 14*time.Second {
			t.Errorf("got %+v after %s, want an envelope after 14s", got, took)
		}
	})
}

func TestCancelled(t *testing.T) {
	for _, tc := range []struct {
		name string
		stop time.Duration
		dial time.Duration
		want Answer
	}{
		{"before the call", 0, 0, Answer{Kind: CancelledFault, Info: "interrupted before it was sent"}},
		{"while dialling", time.Second, 3 * time.Second, Answer{Kind: CancelledFault, Info: "interrupted before it was sent"}},
		{"while waiting", 4 * time.Second, 3 * time.Second, Answer{Kind: LostFault, Info: "interrupted while waiting for the answer"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := piped(t, untilClosed)
				dial := c.transport.DialContext
				c.transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					pass(tc.dial)
					return dial(ctx, network, addr)
				}
				ctx, cancel := context.WithTimeout(t.Context(), tc.stop)
				defer cancel()
				tc.want.Generation = 1
				got, took := timed(c, ctx)
				if diff := cmp.Diff(got, tc.want); diff != "" || took != tc.stop {
					t.Errorf("got (-) after %s, want (+) after %s:\n%s", took, tc.stop, diff)
				}
				pass(time.Minute) // the dial in the background ends, and its connection
				c.Close()
			})
		})
	}
}

// A kept connection that the server closed in silence is replaced before anything is written to it.
func TestStaleConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := piped(t, func(conn net.Conn) {
			readRequest(conn)
			answer(conn, okBody)
		})
		for i := range 3 {
			if got, _ := timed(c, t.Context()); got.Kind != Envelope {
				t.Errorf("request %d: got %+v, want an envelope", i, got)
			}
			synctest.Wait()
		}
	})
}

func TestSignatureRenewedBetweenRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var queries []string
		c := piped(t, func(conn net.Conn) {
			buf := make([]byte, 4096)
			n, _ := conn.Read(buf)
			queries = append(queries, strings.SplitN(string(buf[:n]), " ", 3)[1])
			if !strings.Contains(string(buf[:n]), "Delete_Type_Single") {
				readRequest(conn)
			}
			answer(conn, `{"ErrorCode":70001,"ErrorInfo":"`+usersig(queries[0])+` expired"}`)
		})
		first, _ := timed(c, t.Context())
		pass(time.Second)
		if !c.signer.Renew(first.Generation) {
			t.Error("renewing: got false, want true")
		}
		second, _ := timed(c, t.Context())
		for i, a := range []Answer{first, second} {
			if a.Generation != i+1 || a.Info != "[secret] expired" || c.call.Ruling(&a).Verdict != Renew {
				t.Errorf("request %d: got %+v, want generation %d and no secret", i, a, i+1)
			}
		}
		if len(queries) != 2 || usersig(queries[0]) == usersig(queries[1]) {
			t.Errorf("got %d requests, want 2 with different signatures", len(queries))
		}
	})
}

func usersig(target string) string {
	r, err := http.NewRequest(http.MethodPost, target, nil)
	if err != nil {
		return ""
	}
	return r.URL.Query().Get("usersig")
}

// A kept connection that broke is no reason to call a request lost: what counts is the connection that was tried last.
func TestStaleConnectionThenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := piped(t, func(conn net.Conn) {
			readRequest(conn)
			answer(conn, okBody)
			readRequest(conn) // and away
		})
		dial := c.transport.DialContext
		refused := false
		c.transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if refused {
				return nil, syscall.ECONNREFUSED
			}
			conn, err := dial(ctx, network, addr)
			return &deaf{Conn: conn, on: &refused}, err
		}
		if got, _ := timed(c, t.Context()); got.Kind != Envelope {
			t.Errorf("got %+v, want an envelope", got)
		}
		refused = true
		want := Answer{Kind: DialFault, Info: "connection refused", Generation: 1}
		if got, _ := timed(c, t.Context()); !cmp.Equal(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

// deaf is a connection on which nothing can be written any more once on is set.
type deaf struct {
	net.Conn
	on *bool
}

func (d *deaf) Write(p []byte) (int, error) {
	if *d.on {
		d.Conn.Close()
		return 0, syscall.EPIPE
	}
	return d.Conn.Write(p)
}
