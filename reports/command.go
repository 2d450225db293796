package reports

import (
	"maps"
	"slices"

	"friendsweep/reports/terminal"
)

// Next is a command that somebody may paste.
type Next struct {
	Call   string            // the command
	Input  string            // PAIRS: absolute, or - for standard input
	Report string            // absolute
	Flags  map[string]string // the flags of the run that is continued, without dashes; "true" for a switch
	Retry  bool              // also send the refused rows again
}

// Resume is the command that continues the run: its own flags and --resume. It never adds --yes. Where Input is - the
// same bytes must be given on standard input again, which the command cannot say.
func (n Next) Resume() string {
	args := []string{"friendsweep", n.Call, "--resume"}
	if n.Retry {
		args = append(args, "--retry-failed")
	}
	for _, name := range slices.Sorted(maps.Keys(n.Flags)) {
		switch value := n.Flags[name]; {
		case slices.Contains([]string{"resume", "retry-failed", "overwrite", "report"}, name), value == "false":
		case value == "true":
			args = append(args, "--"+name)
		default:
			args = append(args, "--"+name+"="+value)
		}
	}
	return terminal.ShellQuote(append(args, "--report="+n.Report, n.Input)...)
}
