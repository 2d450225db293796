// Package signals makes of SIGINT, SIGTERM and SIGHUP the end of a context, and the cause of that end: see [Context].
package signals

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Interrupted is the cause of a context that a signal ended.
type Interrupted syscall.Signal

// Error names the signal.
func (i Interrupted) Error() string { return "interrupted by " + i.Name() }

// Name is SIGINT, for example.
func (i Interrupted) Name() string { return unix.SignalName(syscall.Signal(i)) }

// Signal is the signal's number.
func (i Interrupted) Signal() int { return int(i) }

// Context returns a context that the first signal ends, and a channel that tells of the second: the journal makes it harmless
// to end the process then. It changes what signals do to this process, for good, so it is called once.
func Context() (context.Context, <-chan Interrupted) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	signal.Ignore(syscall.SIGPIPE) // a reader of the log that goes away must not end the run
	again := make(chan Interrupted, 1)
	go func() { // waited for by nobody: it ends with the process
		cancel(Interrupted((<-signals).(syscall.Signal)))
		again <- Interrupted((<-signals).(syscall.Signal))
	}()
	return ctx, again
}
