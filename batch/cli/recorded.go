package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"reflect"

	"github.com/alecthomas/kong"

	"friendsweep/batch"
	"friendsweep/reports"
	"friendsweep/reports/journal/entry"
)

// recorded are the flags of the chosen command by name, as the journal keeps them for the next command: a switch as a
// bool, everything else as the text that was given, a file by its whole path, because the next run may be started in
// another folder. A flag without a value is left out. No secret is ever a flag.
func recorded(chosen *kong.Context) entry.Flags {
	flags := entry.Flags{}
	for _, flag := range chosen.Flags() {
		if flag.Name == "help" || flag.Name == "version" {
			continue
		}
		if value := plainValue(flag); value != entry.Text("") {
			flags[flag.Name] = value
		}
	}
	return flags
}

// plainValue is a flag's value as a bool or a text, empty if it has none.
func plainValue(flag *kong.Flag) any {
	value := flag.Target
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return entry.Text("")
		}
		value = value.Elem()
	}
	if value.Kind() == reflect.Bool {
		return value.Bool()
	}
	text := fmt.Sprint(value.Interface())
	if text != "" && isFile(flag) {
		if abs, err := filepath.Abs(text); err == nil {
			return entry.Text(abs)
		}
	}
	return entry.Text(text)
}

// isFile tells whether a flag's value is a file's name.
func isFile(flag *kong.Flag) bool { return flag.Tag.Get("predictor") == "file" }

// unasked are the flags of a command if the command line names none of them, as [recorded] spells them. A command that is
// printed for somebody to paste leaves out what is so in any case. Where the environment itself is refused, there is
// nothing to leave out.
func (a *app) unasked(command string) reports.Defaults {
	return reports.Defaults{Here: a.unaskedIn(command, kong.DefaultEnvars(envPrefix)), Bare: a.unaskedIn(command)}
}

func (a *app) unaskedIn(command string, environment ...kong.Option) entry.Flags {
	answered := false
	parser, err := a.newParser(&commands{}, io.Discard, &answered, environment...)
	if err != nil {
		return nil
	}
	chosen, err := parser.Parse([]string{command, "-"})
	if err != nil {
		return nil
	}
	return recorded(chosen)
}

// defaults are unasked for every call of the API.
func (a *app) defaults() map[string]reports.Defaults {
	all := map[string]reports.Defaults{}
	for _, call := range batch.Calls {
		all[call.Name] = a.unasked(call.Name)
	}
	return all
}
