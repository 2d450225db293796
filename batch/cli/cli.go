// Package cli is the command line: commands, flags, variables of the environment, secrets, the question, signals and exit
// codes.
//
// Read [Run] first, then the file of a command, which has its flags, its help, its checks and its Run. Flags that
// commands share stand in flags.go and target.go. What a command does is done by the packages beneath; they are told
// everything they need: no other package looks at flags or the environment, writes the log on its own or ends the process.
package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/posener/complete"
	"github.com/willabides/kongplete"

	"friendsweep/batch/chat"
	"friendsweep/reports"
)

// Run is the whole program: it carries out the command that args name and returns the exit code of the process, which
// the caller ends with it. The first signal ends the command in order; the second makes Run return at once, while
// the command still runs. Run changes what belongs to the process (signals, limits), so a process calls it once.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	hardenProcess()
	ctx, again := interruptible()
	code := make(chan int, 1)
	go func() { code <- run(ctx, args, stdin, stdout, stderr) }() // ends with the process at the latest
	select {
	case code := <-code:
		return code
	case second := <-again:
		return exitSignalsFrom + second.Signal()
	}
}

// hardenProcess sees to it that a panic does not look like exit code 2, and that the memory of a crashed process, which
// holds the key, is not written to a core file.
func hardenProcess() {
	debug.SetTraceback("crash")
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}

// app is what every command works with.
type app struct {
	args           []string
	ctx            context.Context // ended by the first signal; context.Cause tells which
	stdin          io.Reader
	stdout, stderr io.Writer
	started        time.Time
	version        string
	log            *slog.Logger
	progress       *reports.Progress
	flags          map[string]string // those of the command, by name
	defaults       map[string]string // of the flags of delete
	code           int               // the exit code
	decided        bool              // a command has set code, whatever its error says
	out            logFlags
}

// run is Run without what belongs to the process: ctx is ended by the first signal, which is then its cause.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{args: args, ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr, started: time.Now(), version: version()}
	a.out.LogFormat = asked(args, "--log-format") // errors about the flags themselves are lines of the log, too
	a.setLog()
	err := a.command(args)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = context.Cause(ctx) // which knows the signal
	}
	if err != nil {
		if !a.decided {
			a.code = exitCode(err)
		}
		a.complain(err)
	}
	return a.code
}

// commands is the grammar of the command line. kong also reads each flag from FRIENDSWEEP_<FLAG>.
type commands struct {
	Delete     deleteCommand     `cmd:"" help:"Delete the pairs."`
	Plan       planCommand       `cmd:"" help:"Read, validate and count; say what delete would do; contact nobody."`
	Status     statusCommand     `cmd:"" help:"Say how far a run got, finished or dead, and the command that continues it."`
	Report     reportCommand     `cmd:"" help:"Write the report of a run that died, from its journal and its input; send nothing."`
	Sandbox    sandboxCommand    `cmd:"" help:"Serve the API emulator on a loopback address until interrupted."`
	Completion completionCommand `cmd:"" help:"Print the shell completion for bash, zsh or fish."`
	Version    kong.VersionFlag  `help:"Print version, commit and Go version." env:"-"`
}

// command parses the arguments and runs what they name.
func (a *app) command(args []string) error {
	out := a.stdout
	switch {
	case len(args) == 0:
		args, out, a.code = []string{"--help"}, a.stderr, exitUsage
	case args[0] == "help":
		args = append(args[1:], "--help")
	}
	var cli commands
	answered := false // --help or --version has said all there is to say
	parser, err := kong.New(&cli, kong.Name("friendsweep"), kong.Description(description), kong.DefaultEnvars(envPrefix),
		kong.Writers(out, a.stderr), kong.Exit(func(int) { answered = true }), kong.ExplicitGroups(groups), kong.Bind(a),
		kong.Vars{"version": "friendsweep " + a.version + " " + runtime.Version(), "regions": strings.Join(chat.Regions(), ", ")},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}), kong.ValueFormatter(describe))
	if err != nil {
		return err
	}
	// Asked by a shell for completions (COMP_LINE is set), it prints them.
	kongplete.Complete(parser, kongplete.WithPredictor("file", complete.PredictFiles("*")))
	if answered {
		return nil
	}
	a.defaults = defaults(parser)
	chosen, err := parser.Parse(args)
	if answered {
		return nil
	}
	if err != nil {
		return refuse("%w\n`friendsweep help`, or `friendsweep help COMMAND`, tells more", err)
	}
	a.flags = setFlags(chosen)
	a.strangers(parser)
	return chosen.Run()
}

// version is what `go build` knows about this build.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && !strings.Contains(text, s.Value[:min(12, len(s.Value))]) {
			text += " " + s.Value[:min(12, len(s.Value))]
		}
	}
	return text
}
