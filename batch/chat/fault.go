package chat

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// fault is the answer where RoundTrip or the reading of the body ended in err. parent is the caller's context; timed says
// that our own time-out is over; unsent, that the server cannot have got the request.
func (c *Client) fault(parent context.Context, err error, timed, unsent bool) Answer {
	switch {
	case parent.Err() != nil && unsent:
		return Answer{Kind: CancelledFault, Info: "interrupted before it was sent"}
	case parent.Err() != nil:
		return Answer{Kind: LostFault, Info: "interrupted while waiting for the answer"}
	case unsent && (timed || ownTimeout(err)):
		return Answer{Kind: DialFault, Info: "no connection within " + c.timeout.String()}
	case timed:
		return Answer{Kind: LostFault, Info: "no answer within " + c.timeout.String()}
	case unsent && isTLS(err):
		return Answer{Kind: TLSFault, Info: c.redact.clean([]byte(tlsText(err)))}
	case unsent:
		return Answer{Kind: DialFault, Info: c.redact.clean([]byte(networkText(err)))}
	}
	return Answer{Kind: LostFault, Info: c.redact.clean([]byte(networkText(err)))}
}

// ownTimeout tells an end of dial or handshake by the time-out that both have from us, as the request has, from one that the
// system or the resolver sets. Which of ours comes first is chance, and must not be seen in a text.
func ownTimeout(err error) bool {
	var dns *net.DNSError
	var no syscall.Errno
	var wait net.Error
	return errors.As(err, &wait) && wait.Timeout() && !errors.As(err, &dns) && !errors.As(err, &no)
}

// isTLS tells a handshake that failed from a connection that broke. The library has no common type for the former.
func isTLS(err error) bool {
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var op *net.OpError
	return errors.As(err, &verify) || errors.As(err, &record) ||
		errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error") ||
		strings.HasPrefix(err.Error(), "tls: ") || strings.Contains(err.Error(), "HTTP response to HTTPS client")
}

// tlsText gives texts of our own for what names certificates in detail or quotes what came.
func tlsText(err error) string {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &unknown):
		return "certificate signed by unknown authority"
	case errors.As(err, &host):
		return "certificate is for another host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "certificate expired or not yet valid"
	case errors.As(err, &record), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return "the other side does not speak TLS"
	}
	return "TLS handshake failed: " + err.Error()
}

// networkText says what broke without addresses and ports, which differ from attempt to attempt and would hide that it is
// always the same.
func networkText(err error) string {
	var dns *net.DNSError
	var no syscall.Errno
	var wait net.Error
	switch {
	case errors.As(err, &dns):
		return "looking up the host: " + dns.Err
	case errors.As(err, &no):
		return no.Error() // "connection refused", "connection reset by peer", "no route to host"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.HasPrefix(err.Error(), "http: server closed"):
		return "connection closed without a whole answer"
	case strings.Contains(err.Error(), "malformed"):
		return "the answer is not HTTP"
	case errors.As(err, &wait) && wait.Timeout():
		return "the connection timed out"
	}
	return err.Error()
}

// refusal is the answer for a status that is not 200, the only one the API itself gives.
func refusal(status int) Answer {
	text := fmt.Sprintf("HTTP status %d", status)
	if name := http.StatusText(status); name != "" {
		text += " " + name
	}
	a := Answer{HTTPStatus: status, Info: text}
	switch {
	case status >= 500:
		a.Kind = HTTP5xx
	case status == http.StatusTooManyRequests:
		a.Kind = HTTP429
	case status >= 400:
		a.Kind = HTTP4xx
	case status >= 300:
		a.Kind, a.Info = RedirectFault, fmt.Sprintf("redirected to another address (status %d)", status)
	default:
		a.Kind = UnreadableFault
	}
	return a
}
