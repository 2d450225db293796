// Package terminal is how the program speaks to a person: progress, log lines, tables, and texts that may be shown.
//
// [Progress] shows how far a run is, as a bar or as lines, and lets log lines through; [Console] is a log for people. A
// [Sheet] is a text of labels, numbers and notes that fits its width. [Printable] makes any text harmless, and [ShellQuote]
// a command that can be pasted.
package terminal

import (
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Mode is how progress is shown.
type Mode uint8

// The modes of --progress.
const (
	ProgressNone  Mode = iota
	ProgressPlain      // a log line every 10 seconds
	ProgressBar        // one line of a terminal, drawn anew five times a second
)

// ChooseProgress turns the word of --progress (auto, bar, plain or none) into a mode; ok is false for any other word. A bar
// needs a terminal that can go back in its line: without one (terminal is false, or TERM is dumb or empty) it is plain,
// so that no carriage return gets into a log file, whatever was asked.
func ChooseProgress(word string, terminal bool, term string) (mode Mode, ok bool) {
	switch word {
	case "none":
		return ProgressNone, true
	case "plain":
		return ProgressPlain, true
	case "auto", "bar":
		if terminal && term != "dumb" && term != "" {
			return ProgressBar, true
		}
		return ProgressPlain, true
	}
	return ProgressNone, false
}

// Phase is what the run is doing.
type Phase uint8

// The phases that show progress.
const (
	Reading Phase = iota // Snapshot.Total is in bytes
	Sending              // Snapshot.Total is in rows
	Writing              // the report; Snapshot.Total is in rows. It leaves no line, and none is seen where it is short
)

// String is the word that the bar and the log begin with.
func (p Phase) String() string { return [...]string{"reading", "sending", "writing"}[p] }

// Snapshot is how far a phase is.
type Snapshot struct {
	Bytes    int64  // Reading: bytes read so far
	Rows     int64  // Reading: rows found; Sending: rows that are done, those of earlier runs included
	Total    int64  // see [Phase]; 0 where it is not known
	Failures int64  // rows that failed so far
	Head     string // Sending: the h of the journal's last line, so that it leaves the machine with the log
	Slow     string // why it is slow at the moment ("throttled to 50/s"); empty when it is not
}

// Options says how progress is shown; only Mode must be set.
type Options struct {
	Mode  Mode
	Width func() int // columns of the terminal, asked before every drawing so that resizing works; nil is 80
	Color bool
	Log   func(msg string, args ...any) // takes plain lines, as slog.Logger.Info does; needed by ProgressPlain
}

const (
	barEvery   = 200 * time.Millisecond
	plainEvery = 10 * time.Second
)

// Progress shows how far a run is. It is a Writer for the log as well: what is written to it appears above the bar. All
// methods are safe for concurrent use, but for Start and Stop, which belong to one goroutine.
type Progress struct {
	opts Options
	skip map[Phase]bool
	quit chan struct{} // closed by Stop
	done chan struct{} // closed when the goroutine of Start has ended

	mu    sync.Mutex
	w     io.Writer
	line  string // what the bar shows; empty while there is none
	drawn int    // columns of the line on the screen; 0 while there is none
	open  bool   // the log stands in the middle of a line, where no bar may be drawn
	gone  bool   // nothing is drawn any more
}

// NewProgress returns a Progress that draws on w. Until Start nothing is drawn.
func NewProgress(w io.Writer, opts Options) *Progress {
	if opts.Width == nil {
		opts.Width = func() int { return 80 }
	}
	return &Progress{w: w, opts: opts}
}

// Skip makes Start show nothing of a phase. Call it before Start.
func (p *Progress) Skip(phase Phase) {
	if p.skip == nil {
		p.skip = map[Phase]bool{}
	}
	p.skip[phase] = true
}

// Start shows a phase, from now until Stop. poll is called from another goroutine, several times a second, and must not
// block. A phase that is still shown is stopped first.
func (p *Progress) Start(phase Phase, poll func() Snapshot) {
	p.Stop()
	if p.opts.Mode == ProgressNone || p.skip[phase] {
		return
	}
	p.quit, p.done = make(chan struct{}), make(chan struct{})
	m := &meter{phase: phase, began: time.Now()}
	m.add(m.began, poll())
	if p.opts.Mode == ProgressBar {
		if phase != Writing {
			p.draw(m.bar(p.columns(), p.opts.Color))
		}
		go p.run(barEvery, func() {
			m.add(time.Now(), poll())
			p.draw(m.bar(p.columns(), p.opts.Color))
		}, func() { p.finish(m, poll()) })
		return
	}
	go p.run(plainEvery, func() {
		m.add(time.Now(), poll())
		p.opts.Log(phase.String(), m.attributes()...)
	}, func() {})
}

// Stop ends what Start began and returns when nothing of it can write any more: the bar is gone and in its place stands one
// line that says how the phase went. It does nothing if no phase is shown.
func (p *Progress) Stop() {
	if p.quit == nil {
		return
	}
	close(p.quit)
	<-p.done
	p.quit = nil
}

// run ends when Stop closes quit, and Stop waits for it.
func (p *Progress) run(every time.Duration, tick, last func()) {
	defer close(p.done)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			tick()
		case <-p.quit:
			last()
			return
		}
	}
}

// columns is one less than there are: a character in the last column makes some terminals begin a new line.
func (p *Progress) columns() int {
	if n := p.opts.Width(); n > 1 {
		return n - 1
	}
	return 79
}

func (p *Progress) draw(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return
	}
	p.line = line
	if p.open {
		return
	}
	// An error is not handled: there is nowhere left to tell it, and the run is worth more than its bar.
	io.WriteString(p.w, p.erasing()+line)
	p.drawn = Visible(line)
}

// Abandon takes the bar off the screen for good, before a process ends whose run does not end in order: the shell's prompt
// would stand behind it. It does not wait for the run.
func (p *Progress) Abandon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	io.WriteString(p.w, p.erasing())
	p.line, p.drawn, p.gone = "", 0, true
}

// finish leaves the cursor in the first column of an empty line.
func (p *Progress) finish(m *meter, last Snapshot) {
	m.add(time.Now(), last)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return
	}
	start := p.erasing()
	if p.open {
		start = "\n"
	}
	if m.phase != Writing {
		start += m.closing() + "\n"
	}
	io.WriteString(p.w, start)
	p.line, p.drawn, p.open = "", 0, false
}

// Write writes text, whole lines if possible, above the bar.
func (p *Progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line == "" {
		return p.w.Write(text)
	}
	p.open = !strings.HasSuffix(string(text), "\n")
	// One write, so that the terminal never shows the moment without a bar.
	before, after := p.erasing(), ""
	// A line for a wider terminal than there is now would be broken: the next drawing will fit.
	if p.drawn = 0; !p.open && Visible(p.line) <= p.columns() {
		after, p.drawn = p.line, Visible(p.line)
	}
	n, err := io.WriteString(p.w, before+string(text)+after)
	return min(max(n-len(before), 0), len(text)), err
}

// erasing is what takes the bar off the screen. A terminal that became narrower has broken the line into several; they end
// at the cursor, so it goes up by as many lines as the bar now has too many. Each is cleared alone, because tmux takes a
// cleared screen for something to keep in its history, and would keep every bar.
func (p *Progress) erasing() string {
	if p.drawn == 0 {
		return ""
	}
	up := (p.drawn - 1) / (p.columns() + 1)
	return "\r\x1b[K" + strings.Repeat("\x1b[A\x1b[K", up)
}

// Visible counts columns; colours take none. Everything in a bar is one column wide but for what a server might say in
// Slow, which Printable and the cut in bar keep harmless.
func Visible(line string) int {
	for {
		from := strings.Index(line, "\x1b[")
		if from < 0 {
			return utf8.RuneCountInString(line)
		}
		length := strings.IndexByte(line[from:], 'm')
		line = line[:from] + line[from+length+1:]
	}
}
