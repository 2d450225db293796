package terminal

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// Console is a log for people: a line a record, and a hint on lines of its own. It is a [slog.Handler].
type Console struct {
	mu    *sync.Mutex
	w     io.Writer
	level slog.Level
	dated bool
	attrs []slog.Attr
}

// NewConsole logs to w what is at least of the level. Every line of a dated log begins with date and time, RFC 3339 in UTC,
// as is right for a file that many runs write to. The other kind is for a terminal: progress has the time of day, and what is
// wrong has none.
func NewConsole(w io.Writer, level slog.Level, dated bool) *Console {
	return &Console{mu: new(sync.Mutex), w: w, level: level, dated: dated}
}

// Enabled is as [slog.Handler] says.
func (c *Console) Enabled(_ context.Context, level slog.Level) bool { return level >= c.level }

// Handle is as [slog.Handler] says.
func (c *Console) Handle(_ context.Context, r slog.Record) error {
	var line strings.Builder
	date, clock := "", r.Time.Format("15:04:05 ")
	if c.dated {
		date, clock = r.Time.UTC().Format("2006-01-02T15:04:05Z "), ""
	}
	line.WriteString(date)
	switch {
	case r.Level >= slog.LevelError:
		line.WriteString("friendsweep: ")
	case r.Level >= slog.LevelWarn:
		line.WriteString("friendsweep: warning: ")
	default:
		line.WriteString(clock)
	}
	line.WriteString(Printable(r.Message))
	hint := ""
	each := func(a slog.Attr) bool {
		switch {
		case a.Key == "hint":
			hint = a.Value.String()
		case r.Level < slog.LevelError: // an error's attributes are for machines
			line.WriteString("  " + a.Key + "=" + Printable(a.Value.String()))
		}
		return true
	}
	for _, a := range c.attrs {
		each(a)
	}
	r.Attrs(each)
	for text := range strings.Lines(hint) {
		line.WriteString("\n" + date + "  " + Printable(strings.TrimRight(text, "\n")))
	}
	line.WriteByte('\n')
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := io.WriteString(c.w, line.String())
	return err
}

// WithAttrs is as [slog.Handler] says.
func (c *Console) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *c
	with.attrs = append(append([]slog.Attr(nil), c.attrs...), attrs...)
	return &with
}

// WithGroup is as [slog.Handler] says, but that names are left as they are: nothing here logs groups.
func (c *Console) WithGroup(string) slog.Handler { return c }
