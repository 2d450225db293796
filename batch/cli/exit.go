package cli

import (
	"errors"
	"fmt"
	"strings"

	"friendsweep/input"
	"friendsweep/reports"
	"friendsweep/reports/sweep"
)

// The exit codes of the contract, section 8. A signal is 128 and its number.
const (
	exitDone        = 0
	exitRowsFailed  = 1
	exitUsage       = 2
	exitInput       = 3
	exitStopped     = 4
	exitHeld        = 5
	exitSignalsFrom = 128
)

// exitCode finds the code of an error that ended a command before anything was sent.
func exitCode(err error) int {
	var refused sweep.Refusal
	var damaged *reports.Damage
	var unusable *input.Error
	var signal interrupted
	switch {
	case errors.As(err, &refused), errors.As(err, &damaged):
		return exitUsage
	case errors.Is(err, reports.ErrHeld):
		return exitHeld
	case errors.As(err, &signal):
		return exitSignalsFrom + signal.Signal()
	case errors.Is(err, input.ErrChanged):
		return exitStopped
	case errors.As(err, &unusable):
		return exitInput
	}
	return exitStopped
}

// refuse is an error for wrong usage: nothing was sent.
func refuse(format string, args ...any) error { return sweep.Refusal{Err: fmt.Errorf(format, args...)} }

// complain prints the error: what is wrong, then the hint.
func (a *app) complain(err error) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range several.Unwrap() {
			a.complain(err)
		}
		return
	}
	what, hint, _ := strings.Cut(err.Error(), "\n")
	if hint == "" {
		a.log.Error(what, "exit_code", a.code)
		return
	}
	a.log.Error(what, "exit_code", a.code, "hint", hint)
}
