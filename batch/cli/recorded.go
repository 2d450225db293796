package cli

import (
	"cmp"
	"fmt"
	"path/filepath"
	"reflect"

	"github.com/alecthomas/kong"
)

// setFlags are the flags of the chosen command with their values, by name, but for those that have none. No secret is
// ever a flag.
func setFlags(chosen *kong.Context) map[string]string {
	set := map[string]string{}
	for _, flag := range chosen.Flags() {
		value := flag.Target
		if value.Kind() == reflect.Pointer {
			if value.IsNil() {
				continue
			}
			value = value.Elem()
		}
		text := fmt.Sprint(value.Interface())
		if text == "" || flag.Name == "help" || flag.Name == "version" {
			continue
		}
		if flag.Tag.Get("predictor") == "file" { // the next run may be started in another folder
			if abs, err := filepath.Abs(text); err == nil {
				text = abs
			}
		}
		set[flag.Name] = text
	}
	return set
}

// defaults are the values that the flags of delete have when they are not given, as setFlags spells them.
func defaults(parser *kong.Kong) map[string]string {
	all := map[string]string{}
	for _, command := range parser.Model.Children {
		for _, flag := range command.Flags {
			if command.Name == "delete" {
				all[flag.Name] = cmp.Or(flag.Default, fmt.Sprint(flag.Target.Interface()))
			}
		}
	}
	return all
}
