package terminal

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
)

// window is how far back the rate looks: long enough to be calm, short enough to show that a run has slowed down.
const window = 20 * time.Second

// meter turns snapshots into rates and into the line of a bar.
type meter struct {
	phase Phase
	began time.Time
	seen  []seen // of the last window, oldest first
}

type seen struct {
	at time.Time
	Snapshot
}

func (m *meter) add(now time.Time, s Snapshot) {
	for len(m.seen) > 1 && now.Sub(m.seen[1].at) >= window {
		m.seen = m.seen[1:]
	}
	m.seen = append(m.seen, seen{now, s})
}

func (m *meter) last() Snapshot { return m.seen[len(m.seen)-1].Snapshot }

// done is in the unit of Snapshot.Total.
func (m *meter) done(s Snapshot) int64 {
	if m.phase == Reading {
		return s.Bytes
	}
	return s.Rows
}

// rate is per second over the window; 0 where it cannot be known yet.
func (m *meter) rate(of func(Snapshot) int64) float64 {
	first, last := m.seen[0], m.seen[len(m.seen)-1]
	passed := last.at.Sub(first.at).Seconds()
	if passed <= 0 {
		return 0
	}
	return float64(of(last.Snapshot)-of(first.Snapshot)) / passed
}

func (m *meter) rows() int64 { return int64(m.rate(func(s Snapshot) int64 { return s.Rows })) }

// left is the time that is left at this rate; ok is false where nobody can say.
func (m *meter) left() (left time.Duration, ok bool) {
	s, rate := m.last(), m.rate(m.done)
	if s.Total <= 0 || rate <= 0 {
		return 0, false
	}
	seconds := float64(max(0, s.Total-m.done(s))) / rate
	if seconds > 1e8 { // three years: a rate that is next to nothing
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}

// bar is the line for a terminal with so many columns. Where it is narrow the drawing goes first, then what can be worked
// out from the rest.
func (m *meter) bar(columns int, color bool) string {
	s := m.last()
	head := m.phase.String()
	if s.Total > 0 {
		head = fmt.Sprintf("%s %3d%%", head, Percent(m.done(s), s.Total))
	}
	parts := []string{m.amount(), Count(m.rows()) + " rows/s", m.timeLeft(), m.failed(), Printable(s.Slow)}
	for _, i := range []int{0, 1, 2, 4, 3} { // what failed stays longest
		if length(head, parts) <= columns {
			break
		}
		parts[i] = ""
	}
	if room := columns - length(head, parts) - len(" []"); s.Total > 0 && room >= 8 {
		head = drawing(m.phase.String(), m.done(s), s.Total, min(room, 30))
	}
	return painted(clip(head+joined(parts), columns), parts[3], color)
}

func length(head string, parts []string) int { return utf8.RuneCountInString(head + joined(parts)) }

func joined(parts []string) string {
	var b strings.Builder
	for _, part := range parts {
		if part != "" {
			b.WriteString("  " + part)
		}
	}
	return b.String()
}

// drawing is label, percentage and bar. The line around it is ours: progressbar has no way to let log lines through, or
// to draw anew after a terminal was resized.
func drawing(label string, done, total int64, width int) string {
	bar := progressbar.NewOptions64(total, progressbar.OptionSetWriter(io.Discard), progressbar.OptionSetWidth(width),
		progressbar.OptionSetDescription(label), progressbar.OptionSetElapsedTime(false), progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "=", SaucerHead: ">", SaucerPadding: " ", BarStart: "[", BarEnd: "]"}))
	if err := bar.Set64(min(done, total)); err != nil { // it refuses only what is beyond the total
		return label
	}
	return strings.TrimSpace(bar.String())
}

func clip(line string, columns int) string {
	if runes := []rune(line); len(runes) > columns {
		return string(runes[:columns])
	}
	return line
}

func painted(line, failed string, color bool) string {
	if !color || failed == "" {
		return line
	}
	return strings.Replace(line, failed, "\x1b["+string(Fair)+"m"+failed+"\x1b[0m", 1)
}

func (m *meter) amount() string {
	s := m.last()
	switch {
	case m.phase == Reading && s.Total > 0:
		return fmt.Sprintf("%s of %s  %s", Size(s.Bytes), Size(s.Total), Counted(s.Rows, "row"))
	case m.phase == Reading:
		return fmt.Sprintf("%s  %s", Size(s.Bytes), Counted(s.Rows, "row"))
	default:
		return fmt.Sprintf("%s of %s", Count(s.Rows), Counted(s.Total, "row"))
	}
}

func (m *meter) timeLeft() string {
	left, ok := m.left()
	if !ok {
		return ""
	}
	if left < 10*time.Second { // span's tenths would only flicker
		return fmt.Sprintf("%.0fs left", left.Seconds())
	}
	return Span(left) + " left"
}

func (m *meter) failed() string {
	if n := m.last().Failures; n > 0 {
		return Count(n) + " failed"
	}
	return ""
}

// closing is the line that stays when the bar goes.
func (m *meter) closing() string {
	s, took := m.last(), m.seen[len(m.seen)-1].at.Sub(m.began)
	text := Counted(s.Rows, "row")
	if m.phase == Sending {
		text = m.amount()
	} else {
		text += " (" + Size(s.Bytes) + ")"
	}
	text = m.phase.String() + "  " + text + " in " + Span(took)
	if failed := m.failed(); failed != "" {
		text += ", " + failed
	}
	return text
}

// attributes are the figures of a plain line, as slog takes them.
func (m *meter) attributes() []any {
	s := m.last()
	args := []any{"rows", s.Rows}
	if m.phase == Reading {
		args = append(args, "bytes", s.Bytes)
	}
	if s.Total > 0 {
		args = append(args, "total", s.Total, "percent", Percent(m.done(s), s.Total))
	}
	args = append(args, "rows_per_second", m.rows())
	if left, ok := m.left(); ok {
		args = append(args, "left", left.Round(time.Second).String())
	}
	args = append(args, "failures", s.Failures)
	if s.Slow != "" {
		args = append(args, "slow", Printable(s.Slow))
	}
	if s.Head != "" {
		args = append(args, "journal_head", s.Head)
	}
	return args
}
