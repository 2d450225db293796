package cli

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"runtime"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/willabides/kongplete"

	"friendsweep/batch/chat"
)

// commands is the grammar of the command line. kong also reads each flag from FRIENDSWEEP_<FLAG>.
type commands struct {
	Delete     deleteCommand     `cmd:"" help:"Delete the pairs."`
	Check      checkCommand      `cmd:"" help:"Ask the API whether the pairs are friends now; change nothing."`
	Plan       planCommand       `cmd:"" help:"Read, validate and count; say what delete would do; contact nobody."`
	Status     statusCommand     `cmd:"" help:"Say how far a run got, finished or dead, and the command that continues it."`
	Report     reportCommand     `cmd:"" help:"Write the report of a run that died, from its journal and its input; send nothing."`
	Audit      auditCommand      `cmd:"" help:"Prove offline that report, journal and input belong together and that nobody changed them."`
	Sandbox    sandboxCommand    `cmd:"" help:"Serve the API emulator on a loopback address until interrupted."`
	Completion completionCommand `cmd:"" help:"Print the shell completion for bash, zsh or fish."`
	Version    kong.VersionFlag  `help:"Print version, commit and Go version." env:"-"`
}

// newParser makes a parser that fills in into. Help goes to help; answered becomes true when --help, --version or the
// shell's completion has said all there is to say. It reads no variables, unless environment says so.
func (a *app) newParser(into *commands, help io.Writer, answered *bool, environment ...kong.Option) (*kong.Kong, error) {
	return kong.New(into, append(environment, kong.Name("friendsweep"), kong.Description(description),
		kong.Writers(help, a.stderr), kong.Exit(func(int) { *answered = true }), kong.ExplicitGroups(groups), kong.Bind(a),
		kong.KindMapper(reflect.String, kong.MapperFunc(asItIs)),
		kong.Vars{"version": "friendsweep " + a.version + " " + runtime.Version(), "regions": strings.Join(chat.Regions(), ", ")},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 80}), kong.ValueFormatter(describe))...)
}

// asItIs takes a text as it was given. kong's own way leads through JSON, which puts other bytes in the place of those that
// are no UTF-8: then another file would be read or written than the one that was named.
func asItIs(ctx *kong.DecodeContext, target reflect.Value) error {
	token, err := ctx.Scan.PopValue("string")
	if err != nil {
		return err
	}
	target.SetString(token.String())
	return nil
}

// command runs what the arguments name.
func (a *app) command() error {
	args, help := a.args, a.stdout
	switch {
	case completing(): // whatever the arguments are
	case len(args) == 0:
		args, help, a.code = []string{"--help"}, a.stderr, exitUsage
	case args[0] == "help":
		return a.help(args[1:])
	}
	chosen, err := a.parse(args, help)
	if err != nil || chosen == nil {
		return err
	}
	return chosen.Run()
}

// parse finds out what the arguments say. It returns nil if all there was to say has been said: help, the version, or what
// a shell wants to know.
func (a *app) parse(args []string, help io.Writer) (*kong.Context, error) {
	answered := false
	parser, err := a.newParser(&commands{}, help, &answered, kong.DefaultEnvars(envPrefix))
	if err != nil {
		return nil, err
	}
	kongplete.Complete(parser, kongplete.WithPredictors(predictors))
	if answered {
		return nil, nil
	}
	chosen, err := parser.Parse(args)
	if answered {
		return nil, nil
	}
	if err != nil {
		return nil, a.misused(err)
	}
	a.variables = variables(chosen)
	a.flags = recorded(chosen)
	a.json = given(chosen, "json")
	a.strangers(parser)
	return chosen, nil
}

// given tells whether a switch is on. A command that has no such switch has it off.
func given(chosen *kong.Context, name string) bool {
	for _, flag := range chosen.Flags() {
		if flag.Name == name {
			return flag.Target.Bool()
		}
	}
	return false
}

// more is the hint where nothing better is known.
const more = "`friendsweep help`, or `friendsweep help COMMAND`, tells more"

// misused is an error of the parser in the words of whoever typed the command line.
func (a *app) misused(err error) error {
	var wrong *kong.ParseError
	if !errors.As(err, &wrong) || wrong.Context == nil {
		return refuse("%w\n%s", err, more)
	}
	chosen := wrong.Context
	a.variables = variables(chosen)
	if command := chosen.Selected(); command != nil {
		for _, flag := range command.Flags {
			a.json = a.json || flag.Name == "json" && switched(a.args, "json")
		}
	}
	if m := unknownFlag.FindStringSubmatch(err.Error()); m != nil {
		return refuse("unknown flag %s\n%s", m[1], suggestion(m[1], m[2]))
	}
	if question := missing(chosen); question != "" && chosen.Error == nil {
		return refuse("%s\n%s", question, more)
	}
	if m := badVariable.FindStringSubmatch(err.Error()); m != nil {
		return refuse("%s: %s\n%s", m[2], m[1], more)
	}
	return refuse("%s\n%s", noValue.ReplaceAllString(err.Error(), "$1: its value is missing"), more)
}

// What kong says.
var (
	unknownFlag = regexp.MustCompile(`^unknown flag (\S+?)(?:, did you mean (?:one of )?(.*)\?)?$`)
	badVariable = regexp.MustCompile(`(?s)^--[a-z-]+: (.*) \(from envar (\w+)=.*\)$`)
	noValue     = regexp.MustCompile(`^(--[a-z-]+): expected .* value but got "EOL".*$`)
)

// elsewhere are flags that other programs have, and what stands in for them here.
var elsewhere = map[string]string{
	"--dry-run": "`friendsweep plan` with the same flags says what delete would do, and contacts nobody",
	"-n":        "`friendsweep plan` with the same flags says what delete would do, and contacts nobody",
	"-q":        "did you mean --quiet?",
	"-v":        "there is no more detailed log; `friendsweep --version` prints the version",
	"--verbose": "there is no more detailed log",
	"-o":        "did you mean --report?",
	"--output":  "did you mean --report?",
	"--force":   "--overwrite starts anew although a report is there, and moves it aside",
	"-f":        "--overwrite starts anew although a report is there, and moves it aside",

	"--secret-key": "everybody on this machine sees a flag: set FRIENDSWEEP_SECRET_KEY or give --secret-key-file",
	"--usersig":    "everybody on this machine sees a flag: set FRIENDSWEEP_USERSIG or give --usersig-file",
}

// suggestion is the hint for an unknown flag; near are the names like it, quoted, as kong found them. The flag that skips
// the question is never proposed: somebody who mistypes would delete unasked.
func suggestion(name, near string) string {
	if hint, ok := elsewhere[name]; ok {
		return hint
	}
	var names []string
	for candidate := range strings.SplitSeq(near, ", ") {
		candidate = strings.Trim(candidate, `"`)
		if strings.HasPrefix(candidate, "--") && candidate != "--yes" {
			names = append(names, candidate)
		}
	}
	if len(names) == 0 || !strings.HasPrefix(name, "--") {
		return more
	}
	return fmt.Sprintf("did you mean %s?", strings.Join(names, " or "))
}

// missing asks for the argument that a command line lacks; it is empty where none does.
func missing(chosen *kong.Context) string {
	command := chosen.Selected()
	if command == nil {
		return "which command? " + strings.Join(names(chosen.Model.Children), ", ")
	}
	for _, argument := range command.Positional {
		if argument.Required && !argument.Set {
			return argument.Name + " is missing: " + argument.Tag.Get("question")
		}
	}
	return ""
}

func names(nodes []*kong.Node) (names []string) {
	for _, node := range nodes {
		names = append(names, node.Name)
	}
	return names
}
