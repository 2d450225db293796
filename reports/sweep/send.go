package sweep

import (
	"context"
	"fmt"
	"strings"

	"friendsweep/batch"
	"friendsweep/batch/chat"
	"friendsweep/batch/sandbox"
	"friendsweep/reports"
)

// connect makes the client, and the emulator if it is to be used. stop ends both.
func (s *Sweep) connect() (client *chat.Client, stop func(), err error) {
	endpoint, stopSandbox := s.Endpoint, func() {}
	if s.Endpoint == Sandbox {
		s.Key = sandbox.DefaultKey
		if endpoint, stopSandbox, err = s.startSandbox(); err != nil {
			return nil, nil, err
		}
	}
	s.signer = chat.NewSigner(s.AppID, s.Identifier, s.Key)
	if s.Sig != "" {
		s.signer = chat.FixedSigner(s.Sig)
	}
	name, _, _ := strings.Cut(s.Version, " ")
	client, err = chat.NewClient(chat.Config{
		Endpoint: endpoint, AppID: s.AppID, Identifier: s.Identifier, Signer: s.signer, Call: chat.Delete(s.DeleteType),
		Timeout: s.Timeout, Workers: s.Batch.Workers, UserAgent: "friendsweep/" + name,
		Secrets: []chat.Secret{s.Key, s.Sig}, Proxy: s.Proxy,
	})
	if err != nil {
		stopSandbox()
		return nil, nil, err
	}
	return client, func() { client.Close(); stopSandbox() }, nil
}

// startSandbox serves the emulator on a free loopback port until stop, which waits for its end. Its limit lies above the
// run's pace, so that it is met only by a run that does not keep it.
func (s *Sweep) startSandbox() (endpoint string, stop func(), err error) {
	listener, err := sandbox.Listen("127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := sandbox.New(sandbox.Options{AppID: s.AppID, Identifier: s.Identifier, Limit: 1.1 * s.Batch.Rate})
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener) }() // ended and waited for by stop
	return "http://" + listener.Addr().String(), func() { cancel(); <-served }, nil
}

// setRunner connects the run with client, journal and history.
func (s *Sweep) setRunner(client *chat.Client) {
	s.runner = batch.Runner{
		Options: s.Batch, Call: chat.Delete(s.DeleteType), Send: client.Do, Renew: s.signer.Renew,
		Before: s.journal.Before, After: s.journal.After, Withdraw: s.journal.Withdraw, Decide: s.journal.Decide,
	}
	deleted := reports.NewBits(0)
	if h := s.history; h != nil {
		deleted = h.Deleted
		s.runner.Open = func(line int64) bool { return !h.Final.Has(line) }
		s.runner.Lost = h.Lost.Has
	} else if s.in.Mirrors > 0 {
		deleted = reports.NewBits(s.in.LastLine)
	}
	if s.in.Mirrors > 0 {
		s.runner.Deleted, s.runner.MarkDeleted = deleted.HasAtomic, deleted.SetAtomic
	}
}

// snapshot is how far the sending is.
func (s *Sweep) snapshot() reports.Snapshot {
	stats := &s.runner.Stats
	snap := reports.Snapshot{Rows: stats.Decided.Load(), Failures: stats.Failed.Load(), Slow: s.slow(), Head: s.journal.Link()}
	if !s.IgnoreNotFriend {
		snap.Failures += stats.NotFriend.Load()
	}
	if s.history != nil {
		snap.Rows += s.history.FinalCount
	}
	snap.Total = max(s.in.Pairs, snap.Rows)
	return snap
}

// slow says what the run waits for at the moment, if it is not the server.
func (s *Sweep) slow() string {
	stats := &s.runner.Stats
	switch pace, waiting := stats.Pace(), stats.InBackoff.Load(); {
	case pace > 0:
		return fmt.Sprintf("throttled to %.3g/s", pace)
	case waiting > 0:
		return fmt.Sprintf("%d accounts back off", waiting)
	case stats.InPace.Load() > 0 && s.Batch.Rate > 0:
		return fmt.Sprintf("pace %g/s", s.Batch.Rate)
	}
	return ""
}
