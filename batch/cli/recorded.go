package cli

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/alecthomas/kong"

	"friendsweep/reports/terminal"
)

// recorded are the flags of the chosen command by name, as the journal keeps them for the next command: a switch as a
// bool, everything else as the text that was given, a file by its whole path, because the next run may be started in
// another folder. A flag without a value is left out. No secret is ever a flag.
func recorded(chosen *kong.Context) map[string]any {
	flags := map[string]any{}
	for _, flag := range chosen.Flags() {
		if flag.Name == "help" || flag.Name == "version" {
			continue
		}
		if value := plainValue(flag); value != "" {
			flags[flag.Name] = value
		}
	}
	return flags
}

// plainValue is a flag's value as a bool or a string, empty if it has none.
func plainValue(flag *kong.Flag) any {
	value := flag.Target
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return ""
		}
		value = value.Elem()
	}
	if value.Kind() == reflect.Bool {
		return value.Bool()
	}
	text := fmt.Sprint(value.Interface())
	if text != "" && isFile(flag) {
		if abs, err := filepath.Abs(text); err == nil {
			return abs
		}
	}
	return text
}

// isFile tells whether a flag's value is a file's name.
func isFile(flag *kong.Flag) bool { return flag.Tag.Get("predictor") == "file" }

// unasked are the flags of delete as they are in this environment if the command line names none of them, as [recorded]
// spells them. A command that is printed for somebody to paste leaves out what is so in any case. Where the environment
// itself is refused, there is nothing to leave out.
func (a *app) unasked() map[string]any {
	answered := false
	parser, err := a.newParser(&commands{}, io.Discard, &answered)
	if err != nil {
		return nil
	}
	chosen, err := parser.Parse([]string{"delete", "-"})
	if err != nil {
		return nil
	}
	return recorded(chosen)
}

// arguments spell flags so that they mean the same when they are pasted where defaults hold, in the order of their names.
// What only defaults have is taken back: a switch by --name=false, a text by --name= with nothing after it. (A number of the
// environment stays: --max-rows and --max-duration can only make a run smaller.)
func arguments(flags, defaults map[string]any) (args []string) {
	all := maps.Clone(flags)
	for name, value := range defaults {
		_, isText := value.(string)
		if _, ok := all[name]; !ok && isText && !slices.Contains(numbers, name) {
			all[name] = ""
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch value := all[name]; {
		case value == defaults[name], value == false && defaults[name] == nil:
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

// continuing is the command that continues a run of delete which is about to send: with its flags, but for those that say
// what becomes of an earlier run, and without a canary's limit, which has done its work.
func (a *app) continuing(pairs, report string) string {
	flags, defaults := maps.Clone(a.flags), maps.Clone(a.defaults)
	flags["overwrite"], flags["retry-failed"] = false, false
	for _, name := range []string{"limit", "report", "resume"} {
		delete(flags, name)
		delete(defaults, name)
	}
	if abs, err := filepath.Abs(report); err == nil {
		report = abs
	}
	if abs, err := filepath.Abs(pairs); err == nil && pairs != "-" {
		pairs = abs
	}
	args := append([]string{"friendsweep", "delete", "--resume"}, arguments(flags, defaults)...)
	return terminal.ShellQuote(append(args, "--report="+report, pairs)...)
}

// texts are flags as the journal of today keeps them: all of them as text.
func texts(flags map[string]any) map[string]string {
	all := map[string]string{}
	for name, value := range flags {
		all[name] = fmt.Sprint(value)
	}
	return all
}
