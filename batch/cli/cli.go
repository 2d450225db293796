// Package cli is the command line: commands, flags, variables of the environment, the question, signals and exit codes. Package
// secret beneath it reads the file of a secret.
//
// Read [Run] first, then the file of a command, which has its flags, its help, its checks and its Run. Flags that commands
// share stand in flags.go with their defaults, those that say where to send in target.go. What a command does is done by the
// packages beneath; they are told everything they need: no other package looks at flags or the environment, writes the log on
// its own or ends the process.
package cli

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"friendsweep/reports/journal/entry"
	"friendsweep/reports/terminal"
)

// Run is the whole program: it carries out the command that args name and returns the exit code of the process, which
// the caller ends with it. The first signal ends the command in order; the second makes Run return at once, while
// the command still runs. Run changes what belongs to the process (signals, limits), so a process calls it once.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	hardenProcess()
	ctx, again := interruptible()
	a := newApp(args, stdin, stdout, stderr)
	code := make(chan int, 1)
	go func() { code <- a.run(ctx) }() // ends with the process at the latest
	select {
	case code := <-code:
		return code
	case second := <-again:
		a.announceSecond(second)
		return exitSignalsFrom + second.Signal()
	}
}

// hardenProcess sees to it that a panic does not look like exit code 2, and that the memory of a crashed process, which
// holds the key, is not written to a core file.
func hardenProcess() {
	debug.SetTraceback("crash")
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	// net/http writes what a server sends unasked to the standard logger: its bytes could echo a UserSig.
	log.SetOutput(io.Discard)
}

// app is what every command works with.
type app struct {
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
	started        time.Time
	version        string

	ctx       context.Context // ended by the first signal; context.Cause tells which
	log       *slog.Logger
	progress  *terminal.Progress
	out       logFlags
	flags     entry.Flags       // those of the command, as [recorded] spells them
	variables map[string]string // the variables that have set a flag of this command, by the flag's name

	code    int  // the exit code
	decided bool // a command has set code, whatever its error says
	json    bool // standard output is to have one JSON object
	printed bool // and has it

	// next is the command that continues what is going on, for the person who interrupts it a second time; empty before
	// anything is sent.
	next atomic.Pointer[string]

	// ending writes the last line of the log, once the exit code is known and everything else is said; nil for none.
	ending func()
}

func newApp(args []string, stdin io.Reader, stdout, stderr io.Writer) *app {
	a := &app{args: args, stdin: stdin, stdout: stdout, stderr: stderr, started: time.Now(), version: version()}
	a.out.LogFormat = asked(args, "log-format") // errors about the flags themselves are lines of the log, too
	a.setLog()
	return a
}

// run is [Run] without what belongs to the process: ctx is ended by the first signal, which is then its cause.
func (a *app) run(ctx context.Context) int {
	a.ctx = ctx
	a.settle(ctx, a.command())
	if a.ending != nil {
		a.ending()
	}
	return a.code
}

// settle finds the exit code of a command that has ended with the error, and says what was wrong.
func (a *app) settle(ctx context.Context, err error) {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = context.Cause(ctx) // which knows the signal
	}
	if err == nil {
		return
	}
	if !a.decided {
		a.code = exitCode(err)
	}
	a.complain(err)
	if a.json && !a.printed {
		a.printRefusal(err)
	}
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
