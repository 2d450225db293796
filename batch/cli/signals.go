package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// interrupted is the cause of a context that a signal ended.
type interrupted syscall.Signal

// Error names the signal.
func (i interrupted) Error() string { return "interrupted by " + i.Name() }

// Name is SIGINT, for example.
func (i interrupted) Name() string { return unix.SignalName(syscall.Signal(i)) }

// Signal is the signal's number.
func (i interrupted) Signal() int { return int(i) }

// interruptible returns a context that the first signal ends, and a channel that tells of the second. The journal makes
// it harmless to end the process then.
func interruptible() (context.Context, <-chan interrupted) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	signal.Ignore(syscall.SIGPIPE) // a reader of the log that goes away must not end the run
	again := make(chan interrupted, 1)
	go func() { // waited for by nobody: it ends with the process
		cancel(interrupted((<-signals).(syscall.Signal)))
		again <- interrupted((<-signals).(syscall.Signal))
	}()
	return ctx, again
}

// announceInterrupt tells the operator what the first signal does, when it comes.
func (a *app) announceInterrupt() (stop func() bool) {
	return context.AfterFunc(a.ctx, func() {
		a.log.Warn(context.Cause(a.ctx).Error()+": requests in flight finish, then the report is written",
			"hint", "a second signal ends the program at once")
	})
}

// announceSecond says how to go on, when the second signal comes.
func (a *app) announceSecond(second interrupted) {
	next := a.next.Load()
	if next == nil {
		return
	}
	a.progress.Abandon()
	if *next == "" {
		a.log.Warn("ended at once by a second " + second.Name() + ": nothing was sent")
		return
	}
	a.log.Warn("ended at once by a second "+second.Name()+": some rows may have been sent and have no answer; nothing is lost",
		"hint", "to continue:\n"+*next)
}
