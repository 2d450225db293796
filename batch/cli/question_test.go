package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

	"friendsweep/batch"
	"friendsweep/batch/chat"
	"friendsweep/batch/cli/signals"
	"friendsweep/reports"
)

// TestQuestion: only the whole word yes sends anything, and where there is nothing to send nobody is asked.
func TestQuestion(t *testing.T) {
	limit := func(n int64) *int64 { return &n }
	for _, test := range []struct {
		name, typed    string
		pairs, through int64
		limit          *int64
		asked, refused bool
		shown, hidden  string
	}{
		{"yes", "yes\n", 7, 0, nil, true, false, "Type yes to delete them: ", "--limit"},
		{"yes, from a system with other ends of lines", "yes\r\n", 7, 0, nil, true, false, "Type yes", "This continues a run"},
		{"yes and no end of line", "yes", 7, 0, nil, true, false, "Type yes to delete them: \n", ""},
		{"no", "no\n", 7, 0, nil, true, true, "Type yes", ""},
		{"more than yes", "yes please\n", 7, 0, nil, true, true, "Type yes", ""},
		{"another case", "YES\n", 7, 0, nil, true, true, "Type yes", ""},
		{"nothing", "", 7, 0, nil, true, true, "Type yes", ""},
		{"nothing to send", "no\n", 0, 3, nil, false, false, "", "Type yes"},
		{"a run that goes on", "yes\n", 7, 1, nil, true, false, "This continues a run: 1 row of earlier runs", ""},
		{"a canary", "yes\n", 7, 0, limit(6), true, false, "This run stops after 6 pairs of these, by --limit.", ""},
		{"a limit of everything", "yes\n", 7, 0, limit(7), true, false, "Type yes", "--limit"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var screen bytes.Buffer
			a := newApp(nil, strings.NewReader(test.typed), &screen, &screen)
			a.ctx = t.Context()
			o := batch.Options{}
			o.SetCall(chat.Delete(chat.Single), nil)
			plan := &reports.Plan{Call: o.Batch.Call, Pairs: test.pairs, ChunkSize: 1000}
			asked, err := a.ask(plan, test.through, test.limit)
			var refused batch.Refusal
			if asked != test.asked || errors.As(err, &refused) != test.refused || (err != nil) != test.refused {
				t.Errorf("got asked %v and %v, want %v and refused %v", asked, err, test.asked, test.refused)
			}
			if got := screen.String(); !strings.Contains(got, test.shown) || test.hidden != "" && strings.Contains(got, test.hidden) {
				t.Errorf("got the screen %q, want %q in it and not %q", got, test.shown, test.hidden)
			}
		})
	}
}

// TestQuestionInterrupted: who is asked may answer with Ctrl-C, and then nothing is sent.
func TestQuestionInterrupted(t *testing.T) {
	never, typing := io.Pipe()
	defer typing.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(signals.Interrupted(syscall.SIGINT))
	var screen bytes.Buffer
	a := newApp(nil, never, &screen, &screen)
	a.ctx = ctx
	o := batch.Options{}
	o.SetCall(chat.Delete(chat.Single), nil)
	asked, err := a.ask(&reports.Plan{Call: o.Batch.Call, Pairs: 1, ChunkSize: 1000}, 0, nil)
	if !asked || !errors.As(err, new(signals.Interrupted)) || !strings.HasSuffix(screen.String(), "Type yes to delete them: \n") {
		t.Errorf("got %v, %v and the screen %q, want the signal, and a line of its own for what follows", asked, err, &screen)
	}
}
