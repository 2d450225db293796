package terminal

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// TextOptions fits a text to the terminal it is shown on; the zero value is right for a file or a pipe.
type TextOptions struct {
	Width int  // columns notes are wrapped at; 0 is no limit
	Color bool // ANSI colours; they never say what the words do not say
}

// Sheet is a text of labels, right-aligned numbers and notes.
type Sheet struct {
	strings.Builder
	TextOptions
	Label, Number int // columns for labels and for numbers
}

// Tone is how a text is set off from the others: an ANSI colour, or bold.
type Tone string

const (
	Good Tone = "32"
	Fair Tone = "33"
	Bad  Tone = "31"
	Bold Tone = "1"
)

func (s *Sheet) paint(t Tone, text string) string {
	if !s.Color {
		return text
	}
	return "\x1b[" + string(t) + "m" + text + "\x1b[0m"
}

// Headline writes the first line, which alone must tell an operator where he stands.
func (s *Sheet) Headline(t Tone, text string) {
	for i, line := range wrap(Printable(text), s.Width) {
		if i > 0 {
			s.WriteByte('\n')
		}
		s.WriteString(s.paint(t+";1", line))
	}
	s.WriteByte('\n')
}

// Paragraph writes whole sentences from the first column on.
func (s *Sheet) Paragraph(text string) { s.line("", text) }

// Heading writes a line that what follows stands under, and an empty one above it.
func (s *Sheet) Heading(text string) { s.WriteString("\n" + s.paint(Bold, text) + "\n") }

// Row writes one line, and the note's further lines below its first. A negative number stands for none.
func (s *Sheet) Row(label string, number int64, note string) {
	digits := ""
	if number >= 0 {
		digits = Count(number)
	}
	s.line(fmt.Sprintf("%-*s %*s  ", s.Label, Printable(label), s.Number, digits), note)
}

// Fact writes a label and what there is to say, left-aligned; nothing where there is nothing to say.
func (s *Sheet) Fact(label, text string) {
	if text != "" {
		s.line(fmt.Sprintf("%-*s ", s.Label, Printable(label)), text)
	}
}

// Note is whole sentences of their own, over the whole width.
func (s *Sheet) Note(text string) { s.line("", text) }

// Path is [Sheet.Fact] for a file name, which is never broken: it is there to be copied.
func (s *Sheet) Path(label, name string) {
	if name != "" {
		fmt.Fprintf(s, "%-*s %s\n", s.Label, label, Printable(name))
	}
}

func (s *Sheet) line(head, note string) {
	indent := utf8.RuneCountInString(head)
	width := s.Width - indent
	if s.Width > 0 && width < 24 { // a column this thin cannot be read: let the terminal break the line
		width = 0
	}
	for i, part := range wrap(Printable(note), width) {
		if i > 0 {
			head = strings.Repeat(" ", indent)
		}
		s.WriteString(strings.TrimRight(head+part, " ") + "\n")
	}
}

// Command shows a command alone on its line and never breaks it, so that it can be pasted.
func (s *Sheet) Command(why, command string) {
	s.Heading(why)
	s.WriteString("  " + Printable(command) + "\n")
}

// Print writes the sheet to w.
func (s *Sheet) Print(w io.Writer) error {
	_, err := io.WriteString(w, s.String())
	return err
}

// wrap breaks text at spaces into lines of at most width columns; a longer word gets a line of its own.
func wrap(text string, width int) []string {
	if width <= 0 {
		return []string{text}
	}
	var lines []string
	line, columns := "", 0
	for _, word := range strings.Split(text, " ") {
		n := utf8.RuneCountInString(word)
		if columns > 0 && columns+1+n > width {
			lines = append(lines, line)
			line, columns = word, n
			continue
		}
		if columns > 0 {
			word, n = " "+word, n+1
		}
		line, columns = line+word, columns+n
	}
	return append(lines, line)
}

// WriteJSON writes value as indented JSON. Characters a terminal would obey or reorder by are \u escapes: the same value
// to every program that reads it.
func WriteJSON(w io.Writer, value any) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return err
	}
	_, err := io.WriteString(w, escapeJSON(b.String()))
	return err
}

func escapeJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || !Unshowable(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
