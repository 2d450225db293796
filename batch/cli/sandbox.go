package cli

import (
	"fmt"
	"time"

	"friendsweep/batch/sandbox"
)

// sandboxCommand is `friendsweep sandbox`.
type sandboxCommand struct {
	Listen  string        `default:"127.0.0.1:8600" placeholder:"ADDR" help:"A loopback address; port 0 takes a free one."`
	Limit   float64       `default:"200" placeholder:"N" help:"Requests per second that are let through; 0 is no limit. (FRIENDSWEEP_LIMIT sets this here; for delete it is a number of pairs.)"`
	Latency time.Duration `default:"0s" placeholder:"D" help:"How long an answer takes."`
}

// Help is what precedes the flags in the help of sandbox.
func (sandboxCommand) Help() string {
	return `Examples:

  friendsweep sandbox
  friendsweep sandbox --listen 127.0.0.1:0 --latency 300ms

It prints the app, the key and a command that sends to it. What is deleted
there stays deleted until it ends, so a deletion and the check after it can be
rehearsed. --sandbox of delete and check is an emulator for that one run, in
which everybody is everybody's friend again.`
}

// Run serves the emulator until the first signal.
func (c *sandboxCommand) Run(a *app) error {
	if err := checkRate("--limit", c.Limit); err != nil {
		return refuse("%w", err)
	}
	if c.Latency < 0 {
		return refuse("--latency %s is negative", c.Latency)
	}
	listener, err := sandbox.Listen(c.Listen)
	if err != nil {
		return refuse("%w", err)
	}
	fmt.Fprintf(a.stdout, "The API emulator listens on http://%s until it is interrupted. Send to it with\n\n", listener.Addr())
	fmt.Fprintf(a.stdout, "  FRIENDSWEEP_SECRET_KEY=%s \\\n  friendsweep delete --endpoint http://%s --sdkappid %d --identifier %s PAIRS\n",
		sandbox.DefaultKey, listener.Addr(), sandbox.DefaultAppID, sandbox.DefaultIdentifier)
	return sandbox.New(sandbox.Options{Limit: c.Limit, Latency: c.Latency}).Serve(a.ctx, listener)
}
