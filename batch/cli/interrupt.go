package cli

import (
	"context"

	"friendsweep/batch/cli/signals"
)

// announceInterrupt tells the operator what the first signal does, when it comes.
func (a *app) announceInterrupt() (stop func() bool) {
	return context.AfterFunc(a.ctx, func() {
		a.log.Warn(context.Cause(a.ctx).Error()+": requests in flight finish, then the report is written",
			"hint", "a second signal ends the program at once")
	})
}

// announceSecond says how to go on, when the second signal comes.
func (a *app) announceSecond(second signals.Interrupted) {
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
