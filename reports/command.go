package reports

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"friendsweep/reports/journal/entry"
	"friendsweep/reports/terminal"
)

// Next makes the command that continues a job, for somebody to paste.
type Next struct {
	Call     string      // the command
	Input    string      // PAIRS as it was given, or - for standard input
	Report   string      // as it was given
	Flags    entry.Flags // of the run that is continued
	Defaults Defaults    // what is so where the command is pasted if no flag says otherwise
	Retry    bool        // also send the refused rows again
}

// Defaults are what is so if no flag says otherwise. A command may be pasted where its variables are set, and, out of a log
// or a mail, where they are not.
type Defaults struct {
	Here entry.Flags // with the variables of this environment
	Bare entry.Flags // without any
}

// Resume is the command: the run's own flags and --resume, with whole paths, because it may be pasted in another folder.
// Flags that say what becomes of an earlier run are left out, and a canary's --limit has done its work. It never adds --yes.
// Where Input is - the same bytes must be given on standard input again, which the command cannot say.
func (n Next) Resume() string {
	flags, defaults := maps.Clone(n.Flags), Defaults{Here: maps.Clone(n.Defaults.Here), Bare: n.Defaults.Bare}
	if flags == nil {
		flags = entry.Flags{}
	}
	for _, name := range []string{"overwrite", "retry-failed"} {
		if _, ok := flags[name]; ok || defaults.Here[name] == true {
			flags[name] = false
		}
	}
	for _, name := range []string{"limit", "report", "resume"} {
		delete(flags, name)
		delete(defaults.Here, name)
	}
	args := []string{"friendsweep", n.Call, "--resume"}
	if n.Retry {
		delete(flags, "retry-failed")
		args = append(args, "--retry-failed")
	}
	input := "-"
	if !IsGone(n.Input) {
		input = absolute(n.Input)
	}
	args = append(append(args, Arguments(flags, defaults)...), "--report="+absolute(n.Report))
	return terminal.ShellQuote(append(args, input)...)
}

// CanRetry reports whether the command can send refused rows again: what is only asked is asked anew.
func (n Next) CanRetry() bool {
	_, ok := n.Flags["retry-failed"]
	return ok
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// Arguments spell flags so that they mean the same when they are pasted here or in a bare environment, in the order of their
// names. What only the variables here say is taken back: a switch by --name=false, a text by --name= with nothing after it. (A number of the
// environment stays: --max-rows and --max-duration can only make a run smaller.)
func Arguments(flags entry.Flags, defaults Defaults) (args []string) {
	all := maps.Clone(flags)
	for name, value := range defaults.Here {
		_, isText := value.(entry.Text)
		if _, ok := all[name]; !ok && isText && !slices.Contains(numbers, name) {
			all[name] = entry.Text("")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch value := all[name]; {
		case value == defaults.Here[name] && value == defaults.Bare[name], value == false && defaults.Here[name] == nil:
		case value == true:
			args = append(args, "--"+name)
		default:
			args = append(args, fmt.Sprintf("--%s=%v", name, value))
		}
	}
	return args
}

// numbers are the flags that have no value unless they are given, and cannot be given without one.
var numbers = []string{"limit", "max-rows", "max-duration"}
