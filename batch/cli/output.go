package cli

import (
	"io"
	"log/slog"

	"friendsweep/reports/terminal"
)

// setLog makes the log that the flags ask for.
func (a *app) setLog() {
	if a.progress == nil {
		a.progress = terminal.NewProgress(a.stderr, terminal.Options{})
	}
	level := slog.LevelInfo
	if a.out.Quiet {
		level = slog.LevelWarn
	}
	if a.out.LogFormat == "json" {
		a.log = slog.New(slog.NewJSONHandler(a.progress, &slog.HandlerOptions{Level: level}))
		return
	}
	a.log = slog.New(terminal.NewConsole(a.progress, level, !terminal.Is(a.stderr)))
}

// setOutput takes the output flags into use.
func (a *app) setOutput(flags logFlags) {
	a.out = flags
	onTerminal := terminal.Is(a.stderr)
	mode, _ := terminal.ChooseProgress(flags.Progress, onTerminal, terminalKind())
	if flags.Quiet || flags.LogFormat == "json" && mode == terminal.ProgressBar {
		mode = terminal.ProgressNone // a line that moves is no JSON object
	}
	a.progress = terminal.NewProgress(a.stderr, terminal.Options{
		Mode: mode, Width: func() int { return terminal.Width(a.stderr) }, Color: a.color(a.stderr),
		Log: func(msg string, args ...any) { a.log.Info(msg, args...) },
	})
	a.setLog()
}

// announceInput says what the program waits for when it is to read from the terminal. No bar may move there then: it would
// write over what somebody types.
func (a *app) announceInput(pairs string) {
	if a.typed(pairs) {
		a.log.Info("reading the pairs from the terminal; Ctrl-D ends them")
		a.progress.Skip(terminal.Reading)
	}
}

// typed tells whether somebody types the pairs.
func (a *app) typed(pairs string) bool { return pairs == "-" && terminal.Is(a.stdin) }

// color tells whether colours may be used on w: https://no-color.org.
func (a *app) color(w io.Writer) bool {
	return terminal.Is(w) && !colorless()
}

func (a *app) text(w io.Writer) terminal.TextOptions {
	if !terminal.Is(w) {
		return terminal.TextOptions{}
	}
	return terminal.TextOptions{Width: terminal.Width(w), Color: a.color(w)}
}
