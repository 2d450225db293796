package chat

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

var regions = []struct{ name, host string }{
	{"china", "console.tim.qq.com"},
	{"singapore", "adminapisgp.im.qcloud.com"},
	{"seoul", "adminapikr.im.qcloud.com"},
	{"tokyo", "adminapijpn.im.qcloud.com"},
	{"frankfurt", "adminapiger.im.qcloud.com"},
	{"silicon-valley", "adminapiusa.im.qcloud.com"},
	{"jakarta", "adminapiidn.im.qcloud.com"},
}

// Host is the API host of a region, from https://www.tencentcloud.com/document/product/1047/34620; ok is false for a name
// that is not in [Regions].
func Host(region string) (host string, ok bool) {
	for _, r := range regions {
		if r.name == region {
			return r.host, true
		}
	}
	return "", false
}

// Regions are the names that [Host] knows, always in the same order.
func Regions() []string {
	names := make([]string, len(regions))
	for i, r := range regions {
		names[i] = r.name
	}
	return names
}

// ParseEndpoint checks the base URL of an API host, proxy or test server and gives it back without a trailing slash. The
// scheme is https, or http for a loopback host: an IP literal such as 127.0.0.1 or [::1], or the name localhost and nothing
// that merely resolves to it, since no look-up is made. A path is kept as a prefix; user, query and fragment are refused.
//
// Errors do not repeat s, which may hold a password.
func ParseEndpoint(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("not an http or https URL\nexample: https://" + regions[0].host)
	}
	if u.User != nil {
		return "", errors.New("a user or password in the URL is not used\nthe credential is a secret key or a UserSig of its own")
	}
	if strings.ContainsAny(s, "?#") {
		return "", errors.New("a query or fragment does not belong to the base URL\ngive scheme, host and at most a path")
	}
	if err := checkHost(u); err != nil {
		return "", err
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return "", errors.New("http is for loopback hosts only: the credential travels in the URL\nuse https")
	}
	return u.Scheme + "://" + u.Host + strings.TrimRight(u.EscapedPath(), "/"), nil
}

func checkHost(u *url.URL) error {
	if u.Hostname() == "" {
		return errors.New("no host in the URL\nexample: https://" + regions[0].host)
	}
	if strings.ContainsFunc(u.Host, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '%' }) {
		return errors.New("the host is not plain ASCII\nwrite an international name in its xn-- form")
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return errors.New("the port is not a number from 1 to 65535")
		}
	}
	return nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
