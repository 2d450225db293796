package chat

import (
	"slices"
	"strings"
	"testing"
)

func TestParseEndpoint(t *testing.T) {
	for in, want := range map[string]string{
		"https://console.tim.qq.com":     "https://console.tim.qq.com",
		"https://console.tim.qq.com/":    "https://console.tim.qq.com",
		"HTTPS://Console.tim.qq.com:443": "https://Console.tim.qq.com:443",
		"https://10.1.2.3:8443/im/api/":  "https://10.1.2.3:8443/im/api",
		"https://proxy.corp/a%2Fb":       "https://proxy.corp/a%2Fb",
		"https://[2001:db8::1]:8443":     "https://[2001:db8::1]:8443",
		"http://localhost:8600":          "http://localhost:8600",
		"http://LOCALHOST":               "http://LOCALHOST",
		"http://127.0.0.1:8600/":         "http://127.0.0.1:8600",
		"http://127.9.9.9":               "http://127.9.9.9",
		"http://[::1]:8080":              "http://[::1]:8080",
		"http://[::ffff:127.0.0.1]:1":    "http://[::ffff:127.0.0.1]:1",
	} {
		if got, err := ParseEndpoint(in); got != want || err != nil {
			t.Errorf("%s: got %q, error %v, want %q", in, got, err, want)
		}
	}
}

func TestParseEndpointRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                             "not an http",
		"console.tim.qq.com":           "not an http",
		"//console.tim.qq.com":         "not an http",
		"ftp://localhost":              "not an http",
		"https:console.tim.qq.com":     "not an http",
		"https://a b":                  "not an http",
		"https://h\x00":                "not an http",
		`https://good\@evil`:           "not an http",
		"https://":                     "no host",
		"https:///v4":                  "no host",
		"https://:443":                 "no host",
		"https://h:":                   "port",
		"https://h:0":                  "port",
		"https://h:65536":              "port",
		"https://h:8o":                 "not an http",
		"https://user:pw@h":            "user or password",
		"https://pw@h":                 "user or password",
		"https://@h":                   "user or password",
		"http://127.0.0.1@evil.com":    "user or password",
		"https://h?usersig=pw":         "query",
		"https://h?":                   "query",
		"https://h#":                   "query",
		"https://h/#pw":                "query",
		"https://h%41":                 "not an http",
		"https://[fe80::1%25eth0]":     "ASCII",
		"https://ｈost":                 "ASCII",
		"http://console.tim.qq.com":    "loopback",
		"http://localhost.evil.com":    "loopback",
		"http://evil.com/localhost":    "loopback",
		"http://localhost.":            "loopback",
		"http://localhost.localdomain": "loopback",
		"http://127.0.0.1.nip.io":      "loopback",
		"http://127.1":                 "loopback",
		"http://2130706433":            "loopback",
		"http://0x7f.0.0.1":            "loopback",
		"http://0177.0.0.1":            "loopback",
		"http://0.0.0.0":               "loopback",
		"http://[::]":                  "loopback",
		"http://[::ffff:10.0.0.1]":     "loopback",
		"http://10.0.0.1":              "loopback",
		"http://192.168.0.1":           "loopback",
		"http://ip6-localhost":         "loopback",
		"http://128.0.0.1":             "loopback",
	} {
		got, err := ParseEndpoint(in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %q, error %v, want an error about %q", in, got, err, want)
			continue
		}
		if strings.Contains(err.Error(), "pw") {
			t.Errorf("%q: got %q, want no part of the input", in, err)
		}
	}
}

func TestRegions(t *testing.T) {
	want := []string{"china", "singapore", "seoul", "tokyo", "frankfurt", "silicon-valley", "jakarta"}
	if got := Regions(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, name := range want {
		host, ok := Host(name)
		if _, err := ParseEndpoint("https://" + host); !ok || err != nil {
			t.Errorf("%s: got %q, %v, error %v, want a host", name, host, ok, err)
		}
	}
	if host, _ := Host("silicon-valley"); host != "adminapiusa.im.qcloud.com" {
		t.Errorf("silicon-valley: got %q, want adminapiusa.im.qcloud.com", host)
	}
	if host, ok := Host("China"); ok {
		t.Errorf("China: got %q, want none", host)
	}
}
