// Friendsweep deletes friendships in bulk from a Tencent Cloud Chat app.
//
// It reads a CSV of (from, to) pairs, groups the pairs per From_Account into chunks of at most 1000, sends them to
// v4/sns/friend_delete through a bounded pool at a fixed pace, and writes one true report line for every record.
//
//	friendsweep delete  [flags] PAIRS     delete the pairs (PAIRS is a file, or - for standard input)
//	friendsweep plan    [flags] PAIRS     say what delete would do; contact nobody
//	friendsweep status  REPORT            how far a run got, and the command that continues it
//	friendsweep report  REPORT            write the report of a run that died; send nothing
//	friendsweep sandbox [flags]           serve the API emulator on a loopback address
//
// Try it, with nothing to set up and nothing real deleted:
//
//	friendsweep delete --sandbox testdata/pairs.csv
//
// The way of the data, and who owns what: package input reads and groups the pairs and owns the temporary files; package
// batch sends them and owns pool, pace and retries; package reports keeps the journal, the only record of truth, and
// makes the report from it. This package owns flags, signals and the exit code.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/posener/complete"
	"github.com/willabides/kongplete"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"friendsweep/batch"
	"friendsweep/batch/chat"
	"friendsweep/batch/sandbox"
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

func main() {
	// A panic must not look like exit code 2, and the memory of a crashed process, which holds the key, must not be
	// written to a core file.
	debug.SetTraceback("crash")
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	ctx, stop := interruptible()
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// interrupted is the cause of a context that a signal ended.
type interrupted syscall.Signal

// Error names the signal.
func (i interrupted) Error() string { return "interrupted by " + unix.SignalName(syscall.Signal(i)) }

// Signal is the signal's number.
func (i interrupted) Signal() int { return int(i) }

// interruptible returns a context that the first signal ends. The second ends the process: the journal makes that
// harmless.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	signal.Ignore(syscall.SIGPIPE) // a reader of the log that goes away must not end the run
	var once sync.Once
	go func() { // waited for by nobody: it ends with the process, which a second signal ends
		for s := range signals {
			again := true
			once.Do(func() {
				again = false
				cancel(interrupted(s.(syscall.Signal)))
			})
			if again {
				os.Exit(exitSignalsFrom + int(s.(syscall.Signal)))
			}
		}
	}()
	return ctx, func() { signal.Stop(signals) }
}

// app is what every command works with.
type app struct {
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

// run is the program: arguments in, exit code out.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr, started: time.Now(), version: version()}
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

// asked finds the value of a flag before the flags are parsed.
func asked(args []string, flag string) string {
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, flag+"="); ok {
			return value
		}
		if arg == flag && i+1 < len(args) {
			return args[i+1]
		}
	}
	return os.Getenv("FRIENDSWEEP_LOG_FORMAT")
}

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

// setLog makes the log that the flags ask for.
func (a *app) setLog() {
	if a.progress == nil {
		a.progress = reports.NewProgress(a.stderr, reports.ProgressOptions{})
	}
	level := slog.LevelInfo
	if a.out.Quiet {
		level = slog.LevelWarn
	}
	if a.out.LogFormat == "json" {
		a.log = slog.New(slog.NewJSONHandler(a.progress, &slog.HandlerOptions{Level: level}))
		return
	}
	a.log = slog.New(reports.NewConsole(a.progress, level))
}

// setOutput takes the output flags into use.
func (a *app) setOutput(flags logFlags) {
	a.out = flags
	terminal := isTerminal(a.stderr)
	mode, _ := reports.ChooseProgress(flags.Progress, terminal, os.Getenv("TERM"))
	if flags.Quiet || flags.LogFormat == "json" && mode == reports.ProgressBar {
		mode = reports.ProgressNone // a line that moves is no JSON object
	}
	a.progress = reports.NewProgress(a.stderr, reports.ProgressOptions{
		Mode: mode, Width: func() int { return width(a.stderr) }, Color: a.color(a.stderr),
		Log: func(msg string, args ...any) { a.log.Info(msg, args...) },
	})
	a.setLog()
}

// color tells whether colours may be used on w: https://no-color.org.
func (a *app) color(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func (a *app) text(w io.Writer) reports.TextOptions {
	if !isTerminal(w) {
		return reports.TextOptions{}
	}
	return reports.TextOptions{Width: width(w), Color: a.color(w)}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func width(stream any) int {
	if f, ok := stream.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return 80
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

// The flags. kong also reads each of them from FRIENDSWEEP_<FLAG>.

type commands struct {
	Delete     deleteCommand     `cmd:"" help:"Delete the pairs."`
	Plan       planCommand       `cmd:"" help:"Read, validate and count; say what delete would do; contact nobody."`
	Status     statusCommand     `cmd:"" help:"Say how far a run got, finished or dead, and the command that continues it."`
	Report     reportCommand     `cmd:"" help:"Write the report of a run that died, from its journal and its input; send nothing."`
	Sandbox    sandboxCommand    `cmd:"" help:"Serve the API emulator on a loopback address until interrupted."`
	Completion completionCommand `cmd:"" help:"Print the shell completion for bash, zsh or fish."`
	Version    kong.VersionFlag  `help:"Print version, commit and Go version." env:"-"`
}

// targetFlags say where to send and as whom.
type targetFlags struct {
	Region        string `group:"where" placeholder:"NAME" help:"API host of the app's data centre: ${regions}. There is no default: the wrong region fails in confusing ways."`
	Endpoint      string `group:"where" placeholder:"URL" help:"Instead of a region: a proxy or a test server. https only, except that a loopback host may be http."`
	Sandbox       bool   `group:"where" help:"Use the embedded emulator: no account, no network, nothing real deleted."`
	SDKAppID      int    `name:"sdkappid" group:"where" placeholder:"N" help:"The app."`
	Identifier    string `group:"where" default:"administrator" placeholder:"ID" help:"The app admin account."`
	SecretKeyFile string `predictor:"file" group:"where" placeholder:"FILE" help:"File with the app's secret key, or set FRIENDSWEEP_SECRET_KEY. UserSigs are made from it and renewed."`
	UsersigFile   string `predictor:"file" group:"where" placeholder:"FILE" help:"File with a ready-made UserSig, or set FRIENDSWEEP_USERSIG, for people who must not hold the key."`
}

// pairFlags say what to delete.
type pairFlags struct {
	DeleteType string `group:"what" enum:"single,both" default:"single" placeholder:"single|both" help:"single: From no longer has To. both: neither has the other."`
	FromColumn string `group:"what" placeholder:"NAME" help:"Header name of the From_Account column; else from_account or from."`
	ToColumn   string `group:"what" placeholder:"NAME" help:"Header name of the To_Account column; else to_account or to."`
	ChunkSize  int    `group:"what" default:"1000" placeholder:"N" help:"Pairs per request, 1 to 1000."`
	MaxRows    *int64 `group:"what" placeholder:"N" help:"Refuse an input of more records."`
}

type speedFlags struct {
	Rate           float64        `group:"speed" default:"200" placeholder:"N" help:"Requests per second for the whole run, retries included; 0 is no limit."`
	Workers        int            `group:"speed" default:"64" placeholder:"N" help:"Requests in flight; 64 keep up 200 a second at 300 ms an answer."`
	Timeout        time.Duration  `group:"speed" default:"15s" placeholder:"D" help:"One request; the server's own limit is 3s."`
	MaxAttempts    int            `group:"speed" default:"8" placeholder:"N" help:"Retryable failures of one row in one run before it is given up."`
	BackoffInitial time.Duration  `group:"speed" default:"500ms" placeholder:"D" help:"First delay before a retry; it doubles, with jitter."`
	BackoffMax     time.Duration  `group:"speed" default:"30s" placeholder:"D" help:"Longest delay before a retry."`
	MaxFailures    batch.Failures `group:"speed" default:"50%" placeholder:"N|P%" help:"Stop when so many rows are refused or given up; a percentage counts from 1000 rows of 10 accounts on, and 100% never stops."`
	Limit          *int64         `group:"what" placeholder:"N" help:"A canary: send at most N pairs in this run, of accounts in no particular order, then stop."`
	MaxDuration    *time.Duration `group:"speed" placeholder:"D" help:"A time box: stop after this time."`
}

type fileFlags struct {
	Report      string `predictor:"file" group:"files" placeholder:"FILE" help:"The report; pairs.csv has pairs.report.csv beside it. The journal is FILE.journal."`
	Failures    string `predictor:"file" group:"files" placeholder:"FILE" help:"Also write the failed lines alone: a valid input for the next run."`
	Resume      bool   `group:"files" help:"Continue the run that this report belongs to; with nothing to continue it is a fresh run."`
	RetryFailed bool   `group:"files" help:"With --resume: also send the refused rows again."`
	Overwrite   bool   `group:"files" help:"Start anew although a report or journal of this name is there; these are moved aside."`
	Lock        string `predictor:"file" group:"files" placeholder:"FILE" help:"Also hold this lock for the whole run, for scheduled runs whose reports have a new name each time."`
	HTML        string `predictor:"file" name:"html" group:"files" placeholder:"FILE" help:"The run as one self-contained page."`
	MetricsFile string `predictor:"file" group:"files" placeholder:"FILE" help:"The run's figures for a Prometheus textfile collector."`
}

type outputFlags struct {
	JSON bool `name:"json" group:"output" help:"The closing summary on standard output as JSON."`
	logFlags
}

type logFlags struct {
	Progress  string `group:"output" enum:"auto,bar,plain,none" default:"auto" placeholder:"MODE" help:"auto, bar, plain or none: a bar on a terminal, elsewhere a line every 10s."`
	LogFormat string `group:"output" enum:"text,json" default:"text" placeholder:"text|json" help:"text or json: the log on standard error."`
	Quiet     bool   `group:"output" help:"Only warnings and errors on standard error."`
}

type deleteCommand struct {
	Pairs string `arg:"" name:"PAIRS" predictor:"file" help:"CSV of (from, to) pairs, plain, gzip or zstd; - for standard input."`
	targetFlags
	pairFlags
	speedFlags
	fileFlags
	IgnoreNotFriend bool `group:"what" help:"Count \"was not a friend\" (31704) as success."`
	Yes             bool `short:"y" group:"what" help:"Do not ask."`
	outputFlags
}

type planCommand struct {
	Pairs string `arg:"" name:"PAIRS" predictor:"file" help:"CSV of (from, to) pairs, plain, gzip or zstd; - for standard input."`
	targetFlags
	pairFlags
	Rate float64 `group:"speed" default:"200" placeholder:"N" help:"Requests per second, for the time that it takes; 0 is no limit."`
	outputFlags
}

type statusCommand struct {
	Report string `arg:"" name:"REPORT" predictor:"file" help:"The report of the run, whether it is there yet or not."`
}

type reportCommand struct {
	Report          string `arg:"" name:"REPORT" predictor:"file" help:"The report to write."`
	Input           string `placeholder:"FILE" help:"The run's input, if it has moved or was standard input (- reads it there again)."`
	Failures        string `placeholder:"FILE" help:"Also write the failed lines alone."`
	IgnoreNotFriend bool   `help:"Count not_friend as success; so it is when the run had this flag."`
	logFlags
}

type sandboxCommand struct {
	Listen  string        `default:"127.0.0.1:8600" placeholder:"ADDR" help:"A loopback address; port 0 takes a free one."`
	Limit   float64       `default:"200" placeholder:"N" help:"Requests per second that are let through; 0 is no limit."`
	Latency time.Duration `default:"0s" placeholder:"D" help:"How long an answer takes."`
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

// strangers warns of variables that look like ours and set nothing: a misspelt one must not go unnoticed. Those that
// Kubernetes makes for a service named friendsweep are not meant for us.
func (a *app) strangers(parser *kong.Kong) {
	known := map[string]bool{secretKeyEnv: true, userSigEnv: true}
	for _, command := range parser.Model.Children {
		for _, flag := range command.Flags {
			for _, env := range flag.Envs {
				known[env] = true
			}
		}
	}
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		kubernetes := strings.HasSuffix(name, "_PORT") || strings.Contains(name, "_PORT_") || strings.Contains(name, "_SERVICE_")
		if strings.HasPrefix(name, envPrefix+"_") && !known[name] && !kubernetes {
			a.log.Warn("the variable " + name + " is no flag's: it sets nothing")
		}
	}
}

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints what makes the shell ask the program for completions.
func (c *completionCommand) Run(a *app) error {
	_, err := io.WriteString(a.stdout, map[string]string{
		"bash": "# friendsweep completion bash > /etc/bash_completion.d/friendsweep\n" +
			"complete -o default -C friendsweep friendsweep\n",
		"zsh": "# source <(friendsweep completion zsh)\n" +
			"autoload -U +X bashcompinit && bashcompinit\n" +
			"complete -o default -C friendsweep friendsweep\n",
		"fish": "# friendsweep completion fish > ~/.config/fish/completions/friendsweep.fish\n" +
			"function __complete_friendsweep\n" +
			"    set -lx COMP_LINE (commandline -cp)\n" +
			"    test -z (commandline -ct); and set COMP_LINE \"$COMP_LINE \"\n" +
			"    friendsweep\n" +
			"end\n" +
			"complete -c friendsweep -a \"(__complete_friendsweep)\"\n",
	}[c.Shell])
	return err
}

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

// Flags are also read from variables of this prefix; secrets from nothing but these variables and files.
const (
	envPrefix    = "FRIENDSWEEP"
	secretKeyEnv = envPrefix + "_SECRET_KEY"
	userSigEnv   = envPrefix + "_USERSIG"
)

const description = `Delete friendships in bulk from a Tencent Cloud Chat app: nothing lost, nothing false.

Try it, with nothing to set up and nothing real deleted:

  friendsweep delete --sandbox testdata/pairs.csv

Exit codes: 0 every row a success, 1 some rows failed, 2 wrong usage or refused for safety, 3 unusable input, 4 stopped before the end, 5 another run holds the job, 128+N ended by signal N. After 4 and after a signal the run can be resumed.`

// Help is what precedes the flags in the help of delete.
func (deleteCommand) Help() string {
	return `Examples:

  friendsweep delete --sandbox pairs.csv
  friendsweep delete --region singapore --sdkappid 1400000000 --secret-key-file key --limit 100 pairs.csv
  friendsweep delete --resume --region singapore --sdkappid 1400000000 --secret-key-file key --yes pairs.csv

The first deletes nothing real. The second is a canary of 100 pairs; the third does the rest.`
}

// Help is what precedes the flags in the help of plan.
func (planCommand) Help() string {
	return `Examples:

  friendsweep plan pairs.csv
  friendsweep plan --rate 50 --delete-type both pairs.csv
  zcat pairs.csv.gz | friendsweep plan --json -

Replace plan by delete in a command line to see it carried out.`
}

// Help is what precedes the flags in the help of status.
func (statusCommand) Help() string {
	return `Examples:

  friendsweep status pairs.report.csv
  watch friendsweep status pairs.report.csv`
}

// Help is what precedes the flags in the help of report.
func (reportCommand) Help() string {
	return `Examples:

  friendsweep report pairs.report.csv
  friendsweep report --input moved/pairs.csv --failures failures.csv pairs.report.csv`
}

// describe is the help of a flag with its default and its variable.
func describe(value *kong.Value) string {
	more := []string{}
	if value.HasDefault && value.Default != "" && !value.IsBool() {
		more = append(more, "default "+value.Default)
	}
	if value.Flag != nil {
		for _, env := range value.Flag.Envs {
			more = append(more, "$"+env)
		}
	}
	if len(more) == 0 {
		return value.Help
	}
	return value.Help + " [" + strings.Join(more, ", ") + "]"
}

var groups = []kong.Group{
	{Key: "where", Title: "Where and as whom:"},
	{Key: "what", Title: "What:"},
	{Key: "speed", Title: "How fast, how stubborn:"},
	{Key: "files", Title: "Files:"},
	{Key: "output", Title: "Output:"},
}

// Run serves the emulator until the first signal.
func (c *sandboxCommand) Run(a *app) error {
	if c.Limit < 0 || c.Latency < 0 {
		return refuse("--limit and --latency cannot be negative")
	}
	listener, err := sandbox.Listen(c.Listen)
	if err != nil {
		return refuse("%w", err)
	}
	fmt.Fprintf(a.stdout, "The API emulator listens on http://%s until it is interrupted. Send to it with\n\n", listener.Addr())
	fmt.Fprintf(a.stdout, "  FRIENDSWEEP_SECRET_KEY=%s \\\n  friendsweep delete --endpoint http://%s --sdkappid %d --identifier %s PAIRS\n",
		sandbox.DefaultKey, listener.Addr(), sandbox.DefaultAppID, sandbox.DefaultIdentifier)
	return sandbox.New(sandbox.Options{Limit: c.Limit, Latency: c.Latency}).Serve(a.ctx, listener)
}

// Run reads and counts the input. It makes no HTTP client at all.
func (c *planCommand) Run(a *app) error {
	a.setOutput(c.logFlags)
	if err := cmp.Or(c.pairFlags.check(), c.targetFlags.checkShape(), checkRate(c.Rate)); err != nil {
		return refuse("%w", err)
	}
	in, err := sweep.Read(a.ctx, &sweep.Options{
		Pairs: c.Pairs, Stdin: a.stdin, FromColumn: c.FromColumn, ToColumn: c.ToColumn, DeleteType: c.deleteType(),
		Batch: batch.Options{ChunkSize: c.ChunkSize}, TempDir: os.TempDir(), Progress: a.progress,
	})
	if code := exitCode(err); err != nil && code == exitStopped {
		return refuse("%w", err) // nothing was stopped: no room for temporary files, say
	}
	if err != nil {
		return err
	}
	defer in.Close()
	if c.MaxRows != nil && in.Rows > *c.MaxRows {
		return refuse("%s has %d records, --max-rows allows %d", c.Pairs, in.Rows, *c.MaxRows)
	}
	plan := sweep.NewPlan(in, c.ChunkSize, c.Rate)
	plan.Endpoint, plan.SDKAppID, plan.Identifier = c.endpoint(), c.SDKAppID, c.Identifier
	plan.DeleteType = string(c.deleteType())
	if c.JSON {
		return plan.WriteJSON(a.stdout)
	}
	return plan.WriteText(a.stdout, a.text(a.stdout))
}

func (f *pairFlags) deleteType() chat.DeleteType {
	if f.DeleteType == "both" {
		return chat.Both
	}
	return chat.Single
}

func (f *pairFlags) check() error {
	switch {
	case f.ChunkSize < 1 || f.ChunkSize > chat.MaxRows:
		return fmt.Errorf("--chunk-size %d is out of range: 1 to %d", f.ChunkSize, chat.MaxRows)
	case f.FromColumn != "" && f.FromColumn == f.ToColumn:
		return fmt.Errorf("--from-column and --to-column are both %q", f.FromColumn)
	case f.MaxRows != nil && *f.MaxRows < 0:
		return fmt.Errorf("--max-rows %d is negative", *f.MaxRows)
	}
	return nil
}

func checkRate(rate float64) error {
	if !(rate >= 0) || math.IsInf(rate, 1) {
		return fmt.Errorf("--rate %v is out of range: 0 or more requests per second", rate)
	}
	return nil
}

func (f *speedFlags) check() error {
	switch {
	case f.Workers < 1 || f.Workers > maxWorkers:
		return fmt.Errorf("--workers %d is out of range: 1 to %d", f.Workers, maxWorkers)
	case f.Timeout <= 0:
		return fmt.Errorf("--timeout %s must be more than 0", f.Timeout)
	case f.MaxAttempts < 1:
		return fmt.Errorf("--max-attempts %d must be 1 or more", f.MaxAttempts)
	case f.BackoffInitial <= 0 || f.BackoffMax < f.BackoffInitial:
		return fmt.Errorf("--backoff-initial %s and --backoff-max %s: the first must be more than 0, the second not less than it", f.BackoffInitial, f.BackoffMax)
	case f.Limit != nil && *f.Limit < 1:
		return fmt.Errorf("--limit %d must be 1 or more", *f.Limit)
	case f.MaxDuration != nil && *f.MaxDuration <= 0:
		return fmt.Errorf("--max-duration %s must be more than 0", *f.MaxDuration)
	}
	return checkRate(f.Rate)
}

// maxWorkers is far beyond what 200 requests a second can need, and below what a process may open files.
const maxWorkers = 4096

// checkShape looks at those of the target flags that are given; plan needs none of them.
func (f *targetFlags) checkShape() error {
	if f.Region != "" && f.Endpoint != "" || f.Sandbox && f.Region+f.Endpoint != "" {
		return errors.New("--region, --endpoint and --sandbox exclude each other")
	}
	if f.Region != "" {
		if _, ok := chat.Host(f.Region); !ok {
			return fmt.Errorf("--region %q is none of %s", f.Region, strings.Join(chat.Regions(), ", "))
		}
	}
	if f.Endpoint != "" {
		if _, err := chat.ParseEndpoint(f.Endpoint); err != nil {
			return fmt.Errorf("--endpoint: %w", err)
		}
	}
	if f.SDKAppID < 0 {
		return fmt.Errorf("--sdkappid %d must be more than 0", f.SDKAppID)
	}
	return nil
}

// check makes sure that it is known where to send, and as whom.
func (f *targetFlags) check() error {
	if err := f.checkShape(); err != nil || f.Sandbox {
		return err
	}
	switch {
	case f.Region == "" && f.Endpoint == "":
		return errors.New("where to? give --region, --endpoint or --sandbox\nthe wrong region fails in confusing ways, so there is no default")
	case f.SDKAppID == 0:
		return errors.New("which app? give --sdkappid")
	case f.Identifier == "":
		return errors.New("--identifier is empty: name an app admin account")
	}
	return nil
}

// endpoint is what the job's journal and summary call the place.
func (f *targetFlags) endpoint() string {
	switch {
	case f.Sandbox:
		return sweep.Sandbox
	case f.Region != "":
		host, _ := chat.Host(f.Region)
		return "https://" + host
	case f.Endpoint != "":
		endpoint, _ := chat.ParseEndpoint(f.Endpoint)
		return endpoint
	}
	return ""
}

// secrets reads the one secret that requests are signed with, from the environment or a file.
func (f *targetFlags) secrets() (key, sig chat.Secret, err error) {
	if f.Sandbox {
		return "", "", nil
	}
	if key, err = secret(secretKeyEnv, "--secret-key-file", f.SecretKeyFile); err != nil {
		return "", "", err
	}
	if sig, err = secret(userSigEnv, "--usersig-file", f.UsersigFile); err != nil {
		return "", "", err
	}
	switch {
	case key != "" && sig != "":
		return "", "", errors.New("both a secret key and a UserSig are given: which one?\n" +
			"unset FRIENDSWEEP_USERSIG and --usersig-file, or FRIENDSWEEP_SECRET_KEY and --secret-key-file")
	case key == "" && sig == "":
		return "", "", errors.New("no credentials\nset FRIENDSWEEP_SECRET_KEY or give --secret-key-file; " +
			"for a ready-made UserSig FRIENDSWEEP_USERSIG or --usersig-file")
	}
	return key, sig, nil
}

func secret(env, flag, file string) (chat.Secret, error) {
	value := os.Getenv(env)
	if file == "" {
		return chat.Secret(strings.TrimSpace(value)), nil
	}
	if value != "" {
		return "", fmt.Errorf("both %s and %s are given: which one?", env, flag)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", flag, file, errors.Unwrap(err))
	}
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return "", fmt.Errorf("%s: %s is empty", flag, file)
	}
	return chat.Secret(text), nil
}

func (c *deleteCommand) check() error {
	if err := cmp.Or(c.pairFlags.check(), c.speedFlags.check(), c.targetFlags.check()); err != nil {
		return err
	}
	switch {
	case c.Resume && c.Overwrite:
		return errors.New("--resume and --overwrite exclude each other: continue that run, or begin anew?")
	case c.RetryFailed && !c.Resume:
		return errors.New("--retry-failed is for --resume")
	case c.Report == "" && c.Pairs == "-":
		return errors.New("standard input has no name that a report could be named after: give --report")
	}
	if c.Sandbox && c.SDKAppID == 0 {
		c.SDKAppID = sandbox.DefaultAppID
	}
	if c.Report == "" {
		c.Report = sweep.ReportBeside(c.Pairs)
	}
	return nil
}

// Run deletes. Everything that can be refused is refused before the first request.
func (c *deleteCommand) Run(a *app) error {
	a.setOutput(c.logFlags)
	opts, err := c.options(a)
	if err != nil {
		return refuse("%w", err)
	}
	if !c.Sandbox {
		// Memory is bounded by design; this bounds what the collector leaves lying about. The emulator has no bound: it
		// remembers every pair.
		debug.SetMemoryLimit(200 << 20)
	}
	run := sweep.New(opts)
	defer run.Close()
	err = run.Prepare(a.ctx)
	var summary *reports.Summary
	if err == nil {
		defer a.announceInterrupt()()
		summary, a.code, err = run.Run(a.ctx)
	}
	if summary == nil {
		return c.nothingSent(run, err)
	}
	a.decided = true
	if stop, ok := err.(*batch.Stop); ok && stop.Asked {
		a.log.Info(stop.Reason)
		err = nil
	}
	if _, ok := err.(interrupted); ok {
		err = nil // it was announced when it came, and the summary says it
	}
	if a.code == exitRowsFailed && a.out.Quiet {
		a.log.Warn(fmt.Sprintf("%d of %d rows failed, see %s", summary.Failure, summary.Rows, summary.Report))
	}
	write := summary.WriteJSON
	if !c.JSON {
		write = func(w io.Writer) error { return summary.WriteText(w, a.text(w)) }
	}
	// A reader that has gone away wants no summary; a disk that is full has lost one.
	if failed := write(a.stdout); failed != nil && !errors.Is(failed, syscall.EPIPE) {
		a.code = exitStopped
		err = errors.Join(err, failed)
	}
	return err
}

// announceInterrupt tells the operator what the first signal does, when it comes.
func (a *app) announceInterrupt() (stop func() bool) {
	return context.AfterFunc(a.ctx, func() {
		a.log.Warn(context.Cause(a.ctx).Error() + ": requests in flight finish, then the report is written; a second signal ends the program at once")
	})
}

// nothingSent writes the figures of a run that ended before it began. One that found the job held leaves them to the
// run that holds it.
func (c *deleteCommand) nothingSent(run *sweep.Sweep, err error) error {
	code := exitCode(err)
	if code == exitHeld {
		return err
	}
	return errors.Join(err, run.WriteMetrics(code))
}

// options is the run that the flags ask for.
func (c *deleteCommand) options(a *app) (sweep.Options, error) {
	if err := c.check(); err != nil {
		return sweep.Options{}, err
	}
	key, sig, err := c.secrets()
	if err != nil {
		return sweep.Options{}, err
	}
	o := sweep.Options{
		Pairs: c.Pairs, Stdin: a.stdin, FromColumn: c.FromColumn, ToColumn: c.ToColumn, MaxRows: c.MaxRows,
		Endpoint: c.endpoint(), AppID: c.SDKAppID, Identifier: c.Identifier, Key: key, Sig: sig,
		DeleteType: c.deleteType(), Timeout: c.Timeout, Batch: c.speedFlags.batch(a.started), Proxy: http.ProxyFromEnvironment,
		Report: c.Report, Failures: c.Failures, HTML: c.HTML, Metrics: c.MetricsFile, Lock: c.Lock,
		Resume: c.Resume, RetryFailed: c.RetryFailed, Overwrite: c.Overwrite, IgnoreNotFriend: c.IgnoreNotFriend,
		Flags: a.flags, Defaults: a.defaults, Command: append([]string{"friendsweep"}, os.Args[1:]...), Version: a.version, Started: a.started,
		TempDir: os.TempDir(), Log: a.log, Progress: a.progress,
	}
	o.Batch.ChunkSize = c.ChunkSize
	for _, file := range []string{c.SecretKeyFile, c.UsersigFile} {
		if file != "" {
			o.Secrets = append(o.Secrets, file)
		}
	}
	if !c.Yes && !c.Sandbox {
		o.Ask = a.ask
		if c.Pairs == "-" || !isTerminal(a.stdin) || !isTerminal(a.stderr) {
			o.Ask = nobodyToAsk
		}
	}
	return o, nil
}

func (f *speedFlags) batch(started time.Time) batch.Options {
	o := batch.Options{Workers: f.Workers, Rate: f.Rate, MaxAttempts: f.MaxAttempts, BackoffInitial: f.BackoffInitial,
		BackoffMax: f.BackoffMax, MaxFailures: f.MaxFailures}
	if f.Limit != nil {
		o.Limit = *f.Limit
	}
	if f.MaxDuration != nil {
		o.Deadline = started.Add(*f.MaxDuration)
	}
	return o
}

func nobodyToAsk(*reports.Plan, int64) error {
	return refuse("nobody is there to be asked: nothing was sent\nlook at `friendsweep plan`, then give --yes")
}

// ask shows the plan and wants a typed yes.
func (a *app) ask(plan *reports.Plan, through int64) error {
	if err := plan.WriteText(a.stderr, a.text(a.stderr)); err != nil {
		return err
	}
	if through > 0 {
		fmt.Fprintf(a.stderr, "\nThis continues a run: %d of these rows are through already and are not sent again.\n", through)
	}
	fmt.Fprint(a.stderr, "\nDeleted friendships cannot be brought back. Type yes to delete them: ")
	answer, err := readLine(a.ctx, a.stdin)
	if err != nil {
		fmt.Fprintln(a.stderr)
		return err
	}
	if answer != "yes" {
		return refuse("the answer was not the whole word yes: nothing was sent")
	}
	return nil
}

// readLine reads a line. A read from a terminal cannot be interrupted: the goroutine that waits in it ends with the
// process.
func readLine(ctx context.Context, r io.Reader) (string, error) {
	line := make(chan string, 1)
	go func() { // see above
		text, _ := bufio.NewReader(r).ReadString('\n')
		line <- strings.TrimRight(text, "\r\n")
	}()
	select {
	case text := <-line:
		return text, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// Run tells how far a run got. It changes nothing.
func (c *statusCommand) Run(a *app) error {
	info, err := reports.Status(a.ctx, c.Report, os.TempDir())
	if err != nil {
		return refuse("%w\ngive the name of a report; its journal lies beside it", err)
	}
	standing := info.Standing(c.Report)
	if !standing.Held && standing.Tally.Open() > 0 {
		standing.ResumeCommand = sweep.ResumeCommand(info, c.Report, a.defaults)
	}
	return standing.WriteText(a.stdout, time.Now(), a.text(a.stdout))
}

// Run writes the report of a run that died.
func (c *reportCommand) Run(a *app) error {
	a.setOutput(c.logFlags)
	tally, next, err := sweep.Rewrite(a.ctx, sweep.Options{
		Report: c.Report, Pairs: c.Input, Stdin: a.stdin, Failures: c.Failures, IgnoreNotFriend: c.IgnoreNotFriend,
		Defaults: a.defaults, TempDir: os.TempDir(), Log: a.log, Progress: a.progress,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "The report is written: %d rows, %d success, %d failure, %d of them open.\n%s\n",
		tally.Rows, tally.Success, tally.Failure, tally.Open(), c.Report)
	if next != "" {
		fmt.Fprintf(a.stdout, "\nTo continue the run:\n  %s\n", next)
	}
	return nil
}
