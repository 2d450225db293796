package batch

import (
	"context"
	"fmt"
	"strings"

	"friendsweep/batch/chat"
	"friendsweep/batch/sandbox"
	"friendsweep/batch/send"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
)

// connect makes the client, and the emulator if it is to be used. stop ends both.
func (r *Run) connect() (client *chat.Client, stop func(), err error) {
	endpoint, stopSandbox := r.Endpoint, func() {}
	if r.Endpoint == Sandbox {
		r.Key = sandbox.DefaultKey
		if endpoint, stopSandbox, err = r.startSandbox(); err != nil {
			return nil, nil, err
		}
	}
	r.signer = chat.NewSigner(r.AppID, r.Identifier, r.Key)
	if r.Sig != "" {
		r.signer = chat.FixedSigner(r.Sig)
	}
	name, _, _ := strings.Cut(r.Version, " ")
	client, err = chat.NewClient(chat.Config{
		Endpoint: endpoint, AppID: r.AppID, Identifier: r.Identifier, Signer: r.signer, Call: r.API,
		Timeout: r.Timeout, Workers: r.Batch.Workers, UserAgent: "friendsweep/" + name,
		Secrets: []chat.Secret{r.Key, r.Sig}, Proxy: r.Proxy, DialContext: r.Dial,
	})
	if err != nil {
		stopSandbox()
		return nil, nil, err
	}
	return client, func() { client.Close(); stopSandbox() }, nil
}

// startSandbox serves the emulator on a free loopback port until stop, which waits for its end. Its limit lies above the
// run's pace, so that it is met only by a run that does not keep it.
func (r *Run) startSandbox() (endpoint string, stop func(), err error) {
	listener, err := sandbox.Listen("127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := sandbox.New(sandbox.Options{AppID: r.AppID, Identifier: r.Identifier, Limit: 1.1 * r.Batch.Rate})
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener) }() // ended and waited for by stop
	return "http://" + listener.Addr().String(), func() { cancel(); <-served }, nil
}

// setRunner connects the run with client, journal and history.
func (r *Run) setRunner(client *chat.Client) {
	r.runner = send.Runner{
		Options: r.Batch, Client: client, API: r.API, Signer: r.signer, Journal: r.journal, History: r.history,
	}
	switch {
	case r.in.Mirrors == 0:
	case r.history != nil:
		r.runner.Mirrored = r.history.Mirrored
	default:
		r.runner.Mirrored = outcome.NewBits(r.in.LastLine)
	}
}

// pairs are what is to be sent.
func (r *Run) pairs() send.Pairs {
	p := send.Pairs{Groups: r.in.Groups(), Mirrors: r.in.MirrorGroups(), LastLine: r.in.LastLine}
	if r.in.Turned > 0 {
		p.Turned = r.in.TurnedGroups()
	}
	return p
}

// snapshot is how far the sending is.
func (r *Run) snapshot() terminal.Snapshot {
	stats := &r.runner.Stats
	snap := terminal.Snapshot{Rows: stats.Decided.Load(), Failures: stats.Failed.Load() + stats.Unwanted.Load(), Slow: r.slow(), Head: r.journal.Link()}
	if r.history != nil {
		snap.Rows += r.history.FinalCount
	}
	snap.Total = max(r.in.Pairs, snap.Rows)
	return snap
}

// slow says what the run waits for at the moment, if it is not the server.
func (r *Run) slow() string {
	stats := &r.runner.Stats
	switch pace, waiting := stats.Pace(), stats.InBackoff.Load(); {
	case pace > 0:
		return fmt.Sprintf("throttled to %.3g/s", pace)
	case waiting > 0:
		return fmt.Sprintf("%d accounts back off", waiting)
	case stats.InPace.Load() > 0 && r.Batch.Rate > 0:
		return fmt.Sprintf("pace %g/s", r.Batch.Rate)
	}
	return ""
}
