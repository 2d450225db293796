package terminal

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// screen is a terminal that breaks lines which are too long, and breaks them anew when its width changes, as tmux and most
// terminal windows do. The cursor is always at the end of what was written.
type screen struct {
	columns int
	lines   []string // by the newlines that were written
	at      int      // the line of the cursor
	column  int      // of the cursor, within lines[reports.at]
}

func newScreen(columns int) *screen { return &screen{columns: columns, lines: []string{""}} }

func (s *screen) Write(text []byte) (int, error) {
	rest := string(text)
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, "\x1b[A"):
			s.column = max(0, s.column-s.columns)
			rest = rest[3:]
		case strings.HasPrefix(rest, "\x1b[K"): // of a line that is broken only the last part is ever cleared
			s.lines[s.at] = s.lines[s.at][:s.column]
			rest = rest[3:]
		case strings.HasPrefix(rest, "\x1b["):
			rest = rest[strings.IndexByte(rest, 'm')+1:]
		case rest[0] == '\r':
			s.column = max(0, s.column-1) / s.columns * s.columns // after the last column it waits there
			rest = rest[1:]
		case rest[0] == '\n':
			s.lines = append(s.lines, "")
			s.at, s.column = s.at+1, 0
			rest = rest[1:]
		default:
			line := s.lines[s.at]
			s.lines[s.at] = line[:s.column] + rest[:1] + line[min(len(line), s.column+1):]
			s.column++
			rest = rest[1:]
		}
	}
	return len(text), nil
}

func TestBarAndLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term := newScreen(100)
		p := NewProgress(term, Options{Mode: ProgressBar, Width: func() int { return 100 }, Color: true})
		var rows atomic.Int64
		p.Start(Sending, func() Snapshot {
			return Snapshot{Rows: rows.Load(), Total: 10000, Failures: rows.Load() / 1000, Slow: "throttled to 50/s"}
		})
		for range 10 {
			time.Sleep(barEvery)
			rows.Add(100)
			synctest.Wait()
		}
		rows.Add(1000)
		time.Sleep(barEvery)
		synctest.Wait()
		got := strings.Join(term.lines, "\n")
		if want := "sending  20% [=>          ]  2,000 of 10,000 rows  909 rows/s  9s left  2 failed  throttled to 50/s"; got != want {
			t.Errorf("got bar %q, want %q", got, want)
		}
		io.WriteString(p, "a warning\nanother one\n")
		io.WriteString(p, "half a ")
		time.Sleep(barEvery)
		synctest.Wait()
		io.WriteString(p, "line\n")
		p.Stop()
		got = strings.Join(term.lines, "\n")
		want := "a warning\nanother one\nhalf a line\nsending  2,000 of 10,000 rows in 2.4s, 2 failed\n"
		if got != want {
			t.Errorf("got screen %q, want %q", got, want)
		}
		io.WriteString(p, "after\n")
		if got := term.lines[4]; got != "after" {
			t.Errorf("got %q after Stop, want it untouched", got)
		}
	})
}

func TestReadingBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term := newScreen(120)
		p := NewProgress(term, Options{Mode: ProgressBar, Width: func() int { return 120 }})
		var bytes atomic.Int64
		p.Start(Reading, func() Snapshot {
			return Snapshot{Bytes: bytes.Load(), Rows: bytes.Load() / 20, Total: 4_000_000}
		})
		bytes.Store(1_000_000)
		time.Sleep(time.Second)
		synctest.Wait()
		got, want := term.lines[0], "reading  25% [======>                       ]  1.0 MB of 4.0 MB  50,000 rows  50,000 rows/s  3s left"
		if got != want {
			t.Errorf("got bar %q, want %q", got, want)
		}
		p.Start(Sending, func() Snapshot { return Snapshot{Total: 7} })
		p.Stop()
		got = strings.Join(term.lines, "\n")
		if want := "reading  50,000 rows (1.0 MB) in 1.0s\nsending  0 of 7 rows in 0s\n"; got != want {
			t.Errorf("got screen %q, want %q", got, want)
		}
	})
}

// Whatever the widths and whenever lines are logged: every log line stays, and nothing of a bar does.
func TestBarSurvivesResize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		term := newScreen(80)
		p := NewProgress(term, Options{Mode: ProgressBar, Width: func() int { return term.columns }})
		m := &meter{phase: Sending, began: time.Now()}
		m.add(m.began, Snapshot{Total: 1000})
		var want []string
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				term.columns = rapid.IntRange(10, 150).Draw(t, "columns")
			case 1:
				m.add(m.began.Add(time.Duration(i+1)*time.Second), Snapshot{Total: 1000, Rows: int64(i), Failures: int64(i), Slow: "backing off"})
				p.draw(m.bar(p.columns(), true))
			case 2:
				want = append(want, fmt.Sprintf("log %d", i))
				fmt.Fprintln(p, want[len(want)-1])
			}
		}
		p.finish(m, Snapshot{Total: 1000})
		want = append(want, m.closing(), "")
		if got := strings.Join(term.lines, "\n"); got != strings.Join(want, "\n") {
			t.Fatalf("got screen %q, want %q", got, strings.Join(want, "\n"))
		}
	})
}

// TestAbandon: the prompt of the shell, and nothing else, follows what was logged.
func TestAbandon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term := newScreen(80)
		p := NewProgress(term, Options{Mode: ProgressBar, Width: func() int { return 80 }})
		p.Start(Sending, func() Snapshot { return Snapshot{Rows: 1, Total: 7} })
		time.Sleep(barEvery)
		synctest.Wait()
		p.Abandon()
		io.WriteString(p, "to continue: x\n")
		time.Sleep(3 * barEvery)
		synctest.Wait()
		p.Stop()
		if got, want := strings.Join(term.lines, "\n"), "to continue: x\n"; got != want {
			t.Errorf("got screen %q, want %q", got, want)
		}
	})
}

func TestBarFitsEveryWidth(t *testing.T) {
	m := &meter{phase: Sending, began: began}
	m.add(began, Snapshot{})
	m.add(began.Add(time.Second), Snapshot{Rows: 12345678, Total: 99999999, Failures: 1234, Slow: "throttled to 50/s"})
	for columns := 1; columns < 200; columns++ {
		if got := Visible(m.bar(columns, true)); got > columns {
			t.Errorf("got %d columns, want at most %d", got, columns)
		}
	}
	if got, want := m.bar(45, false), "sending  12%  7s left  1,234 failed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlainLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := NewProgress(&out, Options{Mode: ProgressPlain})
		p.opts.Log = slog.New(slog.NewTextHandler(p, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})).Info
		start := time.Now()
		p.Start(Sending, func() Snapshot {
			return Snapshot{Rows: int64(time.Since(start).Seconds()) * 50, Total: 2000, Slow: "pace\r", Head: "0f"}
		})
		time.Sleep(25 * time.Second)
		p.Stop()
		want := `level=INFO msg=sending rows=500 total=2000 percent=25 rows_per_second=50 left=30s failures=0 slow=pace\r journal_head=0f
level=INFO msg=sending rows=1000 total=2000 percent=50 rows_per_second=50 left=20s failures=0 slow=pace\r journal_head=0f
`
		if got := out.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestNoProgress(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, Options{})
	p.Start(Reading, func() Snapshot { t.Error("polled, want nothing"); return Snapshot{} })
	io.WriteString(p, "log\n")
	p.Stop()
	if got := out.String(); got != "log\n" {
		t.Errorf("got %q, want the log alone", got)
	}
}

func TestChooseProgress(t *testing.T) {
	for _, c := range []struct {
		word     string
		terminal bool
		term     string
		want     Mode
		ok       bool
	}{
		{"auto", true, "xterm", ProgressBar, true},
		{"auto", false, "xterm", ProgressPlain, true},
		{"bar", false, "xterm", ProgressPlain, true},
		{"bar", true, "dumb", ProgressPlain, true},
		{"auto", true, "", ProgressPlain, true},
		{"plain", true, "xterm", ProgressPlain, true},
		{"none", true, "xterm", ProgressNone, true},
		{"Bar", true, "xterm", ProgressNone, false},
	} {
		if got, ok := ChooseProgress(c.word, c.terminal, c.term); got != c.want || ok != c.ok {
			t.Errorf("ChooseProgress(%q, %v, %q): got %d, %v, want %d, %v", c.word, c.terminal, c.term, got, ok, c.want, c.ok)
		}
	}
}

var began = time.Date(2026, 11, 23, 18, 26, 9, 123e6, time.UTC)

// TestBarOfNothing: before the first row is through the bar says what it is, too.
func TestBarOfNothing(t *testing.T) {
	for _, columns := range []int{40, 60, 80, 120} {
		m := &meter{phase: Sending, began: time.Now()}
		m.add(m.began, Snapshot{Total: 100000})
		got := m.bar(columns, false)
		if !strings.HasPrefix(got, "sending   0%") || len(got) > columns {
			t.Errorf("%d columns: got %q, want it to begin with sending and 0%%, and to fit", columns, got)
		}
	}
}

// TestNarrowBar: whole words at any width, and the time that is left stays longer than the pace.
func TestNarrowBar(t *testing.T) {
	m := &meter{phase: Sending, began: time.Now()}
	s := Snapshot{Rows: 20000, Total: 100000, Failures: 450, Slow: "pace 150/s"}
	m.add(m.began, s)
	s.Rows += 1000
	m.add(m.began.Add(time.Second), s)
	for columns, want := range map[int]string{
		19: "sending  21%", 25: "sending  21%  450 failed", 39: "sending  21%  1m 19s left  450 failed", 12: "sending  21%",
		60: "sending  21% [>       ]  1m 19s left  450 failed  pace 150/s",
	} {
		if got := m.bar(columns, false); got != want {
			t.Errorf("%d columns: got %q, want %q", columns, got, want)
		}
	}
}

func TestSkippedPhase(t *testing.T) {
	var out strings.Builder
	p := NewProgress(&out, Options{Mode: ProgressBar})
	p.Skip(Reading)
	p.Start(Reading, func() Snapshot { return Snapshot{Rows: 1} })
	p.Stop()
	if got := out.String(); got != "" {
		t.Errorf("got %q while a skipped phase was shown, want nothing", got)
	}
	p.Start(Sending, func() Snapshot { return Snapshot{Rows: 1, Total: 1} })
	p.Stop()
	if got, want := out.String(), "sending  1 of 1 row in "; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q in it", got, want)
	}
}

// TestWritingLeavesNothing: the report of a large job takes its time, and then says so; that of a small one is not seen.
func TestWritingLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		p := NewProgress(&out, Options{Mode: ProgressBar})
		poll := func() Snapshot { return Snapshot{Rows: 5, Total: 10} }
		p.Start(Writing, poll)
		p.Stop()
		if got := out.String(); got != "" {
			t.Errorf("got %q of a phase that ended at once, want nothing", got)
		}
		term := newScreen(80)
		p = NewProgress(term, Options{Mode: ProgressBar})
		p.Start(Writing, poll)
		time.Sleep(barEvery)
		synctest.Wait()
		if got, want := term.lines[0], "writing  50% ["; !strings.HasPrefix(got, want) {
			t.Errorf("got %q while the report is written, want it to begin with %q", got, want)
		}
		p.Stop()
		if got := strings.Join(term.lines, "\n"); got != "" {
			t.Errorf("got %q after it, want nothing", got)
		}
	})
}

// TestRateLooksBack: over the last 20 seconds and the snapshot that they began with, however long the run has gone on.
func TestRateLooksBack(t *testing.T) {
	for _, c := range []struct {
		at   []int // seconds at which there were as many rows as the square of them
		want int64
	}{
		{[]int{0}, 0}, {[]int{0, 0}, 0}, {[]int{0, 10}, 10}, {[]int{0, 5, 20}, 20}, {[]int{0, 5, 24}, 24}, {[]int{0, 5, 25}, 30}, {[]int{0, 5, 10, 40}, 50},
	} {
		m := &meter{phase: Sending, began: began}
		for _, s := range c.at {
			m.add(began.Add(time.Duration(s)*time.Second), Snapshot{Rows: int64(s * s), Total: 1e6})
		}
		if got := m.rows(); got != c.want {
			t.Errorf("snapshots at %v: got %d rows/s, want %d", c.at, got, c.want)
		}
	}
}

// TestBarSaysWhatIsKnown: neither a share nor an end where there is no total, and no end where nothing moves.
func TestBarSaysWhatIsKnown(t *testing.T) {
	for _, c := range []struct {
		name        string
		phase       Phase
		first, last Snapshot // ten seconds apart
		columns     int
		want        string
	}{
		{"no total", Reading, Snapshot{}, Snapshot{Bytes: 1e6, Rows: 500}, 100, "reading  1.0 MB  500 rows  50 rows/s"},
		{"a total", Reading, Snapshot{Total: 4e6}, Snapshot{Bytes: 1e6, Rows: 500, Total: 4e6}, 100,
			"reading  25% [======>                       ]  1.0 MB of 4.0 MB  500 rows  50 rows/s  30s left"},
		{"nothing yet", Sending, Snapshot{Total: 100}, Snapshot{Total: 100}, 100, "sending   0% [                              ]  0 of 100 rows  0 rows/s"},
		{"all done before", Sending, Snapshot{Rows: 100, Total: 100}, Snapshot{Rows: 100, Total: 100}, 100, "sending 100% [==============================]  100 of 100 rows  0 rows/s"},
		{"all done", Sending, Snapshot{Total: 100}, Snapshot{Rows: 100, Total: 100}, 100, "sending 100% [==============================]  100 of 100 rows  10 rows/s  0s left"},
		{"in three years", Sending, Snapshot{Total: 1e8 + 10}, Snapshot{Rows: 10, Total: 1e8 + 10}, 70, "sending   0%  10 of 100,000,010 rows  1 rows/s  1157d 10h left"},
		{"later than anybody waits", Sending, Snapshot{Total: 1e8 + 11}, Snapshot{Rows: 10, Total: 1e8 + 11}, 60, "sending   0% [           ]  10 of 100,000,011 rows  1 rows/s"},
		{"what just fits", Sending, Snapshot{Total: 100}, Snapshot{Rows: 50, Total: 100}, 48, "sending  50%  50 of 100 rows  5 rows/s  10s left"},
		{"what does not fit", Sending, Snapshot{Total: 100}, Snapshot{Rows: 50, Total: 100}, 47, "sending  50% [=====>      ]  5 rows/s  10s left"},
	} {
		m := &meter{phase: c.phase, began: began}
		m.add(began, c.first)
		m.add(began.Add(10*time.Second), c.last)
		if got := m.bar(c.columns, false); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestBarInColour: only what failed is set off, and only where something did.
func TestBarInColour(t *testing.T) {
	for failures, want := range map[int64]string{
		0: "sending  1 of 2 rows  0 rows/s",
		1: "sending  1 of 2 rows  0 rows/s  \x1b[33m1 failed\x1b[0m",
	} {
		m := &meter{phase: Sending, began: began}
		m.add(began, Snapshot{Rows: 1, Total: 2, Failures: failures})
		if got := strings.Replace(m.bar(45, true), "  50%", "", 1); got != want {
			t.Errorf("%d failures: got %q, want %q", failures, got, want)
		}
	}
}

// TestPlainLineWithoutATotal: what is read from a pipe has no share and no end.
func TestPlainLineWithoutATotal(t *testing.T) {
	m := &meter{phase: Reading, began: began}
	m.add(began, Snapshot{Bytes: 2000, Rows: 100})
	if got, want := fmt.Sprint(m.attributes()...), fmt.Sprint("rows", 100, "bytes", 2000, "rows_per_second", 0, "failures", 0); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestVisible: colours take no columns, wherever they stand.
func TestVisible(t *testing.T) {
	for line, want := range map[string]int{"": 0, "é": 1, "\x1b[31mab\x1b[0m": 2, "a\x1b[32;1mb\x1b[0mc": 3, "\x1b[0m": 0} {
		if got := Visible(line); got != want {
			t.Errorf("%q: got %d, want %d", line, got, want)
		}
	}
}

// barOf draws a bar of so many columns on w, whose terminal is told to have the columns that are set.
func barOf(w io.Writer, bar int, columns *int) *Progress {
	p := NewProgress(w, Options{Mode: ProgressBar, Width: func() int { return *columns }})
	p.draw(strings.Repeat("=", bar))
	return p
}

// TestErasing: the cursor goes up by the lines that a bar was broken into, and not by one more, which would be the log's.
func TestErasing(t *testing.T) {
	for _, c := range []struct{ bar, columns, up int }{
		{0, 20, -1}, {1, 20, 0}, {20, 20, 0}, {21, 20, 1}, {40, 20, 1}, {41, 20, 2}, {79, 2, 39}, {79, 1, 0}, {79, 0, 0}, // 1 and 0 are taken for 80
	} {
		var out bytes.Buffer
		p := barOf(&out, c.bar, &c.columns)
		out.Reset()
		p.Abandon()
		want := ""
		if c.up >= 0 {
			want = "\r\x1b[K" + strings.Repeat("\x1b[A\x1b[K", c.up)
		}
		if got := out.String(); got != want {
			t.Errorf("a bar of %d on %d columns: got %q, want %q", c.bar, c.columns, got, want)
		}
	}
}

// TestBarUnderTheLog: a line of the log takes the bar off and puts it back below itself, unless the bar does not fit any more.
func TestBarUnderTheLog(t *testing.T) {
	for columns, after := range map[int]string{100: "==========", 11: "==========", 10: ""} {
		var out bytes.Buffer
		p := barOf(&out, 10, &columns)
		out.Reset()
		n, err := io.WriteString(p, "log\n")
		if got, want := out.String(), "\r\x1b[Klog\n"+after; got != want || n != 4 || err != nil {
			t.Errorf("%d columns: got %q, %d, %v, want %q, 4 and no error", columns, got, n, err, want)
		}
	}
}

// TestLogThatCannotBeWritten: the writer of the log is told how much of it came through, and nothing of the bar counts.
func TestLogThatCannotBeWritten(t *testing.T) {
	const bar, erased = 10, len("\r\x1b[K")
	for room, want := range map[int]int{0: 0, erased: 0, erased + 1: 1, erased + 4: 4, erased + 5: 4} {
		w, columns := &shortWriter{bar + room}, 80
		p := barOf(w, bar, &columns)
		if n, err := io.WriteString(p, "log\n"); n != want || err != syscall.ENOSPC {
			t.Errorf("room for %d bytes: got %d, %v, want %d, %v", room, n, err, want, syscall.ENOSPC)
		}
	}
}
