package sandbox

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Time-outs of the server, without the latency that its user asked for. Idle connections are kept longer than Go's clients keep
// theirs (90 s), so that it is the client who closes them and no request meets a connection that is just going away.
const (
	slack       = 30 * time.Second
	idleTimeout = 3 * time.Minute
	grace       = 10 * time.Second // over the 5 s that net/http grants a connection on which nothing was sent yet
)

// Serve answers calls on ln until ctx is done, then waits for the requests in flight, at most 10 s longer than the latency,
// and returns nil. It closes ln in every case. It returns an error when ln fails, or when requests had to be cut off.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:     s,
		ReadTimeout: slack,
		// It counts from the start of the request: without the latency in it a slow answer would be cut off.
		WriteTimeout:   s.opts.Latency + slack,
		IdleTimeout:    idleTimeout,
		MaxHeaderBytes: 16 << 10,
		// The embedding command's standard error is for its own log.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { drained <- drain(srv, s.opts.Latency+grace) })
	err := srv.Serve(ln)
	if stop() {
		return fmt.Errorf("serving the sandbox: %w", err)
	}
	return <-drained
}

func drain(srv *http.Server, d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		srv.Close()
		return fmt.Errorf("ending the sandbox: requests were still in flight after %v: %w", d, err)
	}
	return nil
}

// Listen opens a TCP listener on addr, a host and port such as "127.0.0.1:8600" or "[::1]:0" (a free port). The host must
// be a loopback address or "localhost", which is taken for 127.0.0.1 and never looked up: the emulator's key is public, so
// it must not be reachable from another machine.
func Listen(addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %v\nuse a loopback address and a port, like 127.0.0.1:8600", addr, err)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.Unmap().IsLoopback() {
		return nil, fmt.Errorf("listening on %q: not a loopback address\nthe sandbox's key is public: use 127.0.0.1 or [::1]", addr)
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", addr, err)
	}
	return ln, nil
}
