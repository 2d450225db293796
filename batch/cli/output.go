package cli

import (
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"

	"friendsweep/reports"
)

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
	mode, _ := reports.ChooseProgress(flags.Progress, terminal, terminalKind())
	if flags.Quiet || flags.LogFormat == "json" && mode == reports.ProgressBar {
		mode = reports.ProgressNone // a line that moves is no JSON object
	}
	a.progress = reports.NewProgress(a.stderr, reports.ProgressOptions{
		Mode: mode, Width: func() int { return width(a.stderr) }, Color: a.color(a.stderr),
		Log: func(msg string, args ...any) { a.log.Info(msg, args...) },
	})
	a.setLog()
}

// announceInput says what the program waits for when it is to read from the terminal.
func (a *app) announceInput(pairs string) {
	if pairs == "-" && isTerminal(a.stdin) {
		a.log.Info("reading the pairs from the terminal; Ctrl-D ends them")
	}
}

// color tells whether colours may be used on w: https://no-color.org.
func (a *app) color(w io.Writer) bool {
	return isTerminal(w) && !colorless()
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
