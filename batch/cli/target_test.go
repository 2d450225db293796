package cli

import (
	"testing"

	"friendsweep/batch"
	"friendsweep/batch/sandbox"
)

// TestTarget: what the flags make of endpoint and app.
func TestTarget(t *testing.T) {
	for _, test := range []struct {
		flags    targetFlags
		endpoint string
		app      int
		complete bool // enough for a run
	}{
		{targetFlags{}, "", 0, false},
		{targetFlags{Sandbox: true}, batch.Sandbox, sandbox.DefaultAppID, true},
		{targetFlags{Sandbox: true, SDKAppID: 7}, batch.Sandbox, 7, true},
		{targetFlags{Region: "tokyo", SDKAppID: 7, Identifier: "a"}, "https://adminapijpn.im.qcloud.com", 7, true},
		{targetFlags{Region: "tokyo", Identifier: "a"}, "https://adminapijpn.im.qcloud.com", 0, false},
		{targetFlags{Region: "tokyo", SDKAppID: 7}, "https://adminapijpn.im.qcloud.com", 7, false},
		{targetFlags{Endpoint: "https://h.test/x/", SDKAppID: 7, Identifier: "a"}, "https://h.test/x", 7, true},
		{targetFlags{SDKAppID: 7, Identifier: "a"}, "", 7, false},
		{targetFlags{SDKAppID: -1, Region: "tokyo", Identifier: "a"}, "https://adminapijpn.im.qcloud.com", -1, false},
		{targetFlags{Region: "mars", SDKAppID: 7, Identifier: "a"}, "https://", 7, false},
		{targetFlags{Endpoint: "ftp://h.test", SDKAppID: 7, Identifier: "a"}, "", 7, false},
		{targetFlags{Region: "tokyo", Endpoint: "https://h.test", SDKAppID: 7, Identifier: "a"}, "https://adminapijpn.im.qcloud.com", 7, false},
		{targetFlags{Region: "tokyo", Sandbox: true}, batch.Sandbox, sandbox.DefaultAppID, false},
		{targetFlags{Endpoint: "https://h.test", Sandbox: true}, batch.Sandbox, sandbox.DefaultAppID, false},
	} {
		endpoint, app, err := test.flags.endpoint(), test.flags.app(), test.flags.check()
		if endpoint != test.endpoint || app != test.app || (err == nil) != test.complete {
			t.Errorf("%+v: got %q, app %d, %v; want %q, app %d, enough: %v", test.flags, endpoint, app, err, test.endpoint, test.app, test.complete)
		}
	}
}
