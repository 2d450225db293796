package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"friendsweep/batch"
	"friendsweep/input"
	"friendsweep/reports/journal"
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
	var refused batch.Refusal
	var damaged *journal.Damage
	var unusable *input.Error
	var signal interrupted
	switch {
	case errors.As(err, &signal): // whatever it kept from being done
		return exitSignalsFrom + signal.Signal()
	case errors.As(err, &refused), errors.As(err, &damaged):
		return exitUsage
	case errors.Is(err, journal.ErrHeld):
		return exitHeld
	case errors.Is(err, input.ErrChanged):
		return exitStopped
	case errors.As(err, &unusable):
		return exitInput
	}
	return exitStopped
}

// refuse is an error for wrong usage: nothing was sent.
func refuse(format string, args ...any) error { return batch.Refusal{Err: fmt.Errorf(format, args...)} }

// said is what an error says: what is wrong, and after it the hint, if there is one. What several errors say is joined.
func (a *app) said(err error) (what, hint string) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var whats, hints []string
		for _, err := range several.Unwrap() {
			what, hint := a.said(err)
			whats = append(whats, what)
			if hint != "" {
				hints = append(hints, hint)
			}
		}
		return strings.Join(whats, "; "), strings.Join(hints, "\n")
	}
	what, hint, _ = strings.Cut(err.Error(), "\n")
	if a.code == exitUsage {
		what = a.blame(what)
	}
	return what, hint
}

// complain prints the error, each of several on its own, and none twice: a full disk ends a run, and then keeps it from
// writing its end.
func (a *app) complain(err error) { a.complainOnce(err, map[string]bool{}) }

func (a *app) complainOnce(err error, said map[string]bool) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range several.Unwrap() {
			a.complainOnce(err, said)
		}
		return
	}
	what, hint := a.said(err)
	if said[what] {
		return
	}
	said[what] = true
	if hint == "" {
		a.log.Error(what, "exit_code", a.code)
		return
	}
	a.log.Error(what, "exit_code", a.code, "hint", hint)
}

// printRefusal puts the one object on standard output that --json promises where there is no summary.
func (a *app) printRefusal(err error) {
	what, hint := a.said(err)
	out := json.NewEncoder(a.stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	// The exit code has been found and says more than that nobody reads the object.
	_ = out.Encode(struct {
		ExitCode int    `json:"exit_code"`
		Error    string `json:"error"`
		Hint     string `json:"hint"`
	}{a.code, what, hint})
}

// cause is an error of the file system without the path, which the message names already.
func cause(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
