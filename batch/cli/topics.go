package cli

import (
	"embed"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// The topics of help beside the commands are sections of the README, word for word, which a test compares.
//
//go:embed help/*.md
var topicFiles embed.FS

// help prints the help of a command, that of a topic, both where both have the name, or without a name that of the whole.
func (a *app) help(words []string) error {
	about, isTopic := "", false
	if len(words) == 1 {
		about, isTopic = topic(words[0])
	}
	if isTopic && words[0] != "report" {
		_, err := io.WriteString(a.stdout, about)
		return err
	}
	if _, err := a.parse(append(slices.Clone(words), "--help"), a.stdout); err != nil || !isTopic {
		return err
	}
	_, err := io.WriteString(a.stdout, "\nThe columns of the report, and what its outcomes mean:\n\n"+about)
	return err
}

// topic is what `friendsweep help NAME` prints about a thing that is no command; ok is false where there is none.
func topic(name string) (text string, ok bool) {
	markdown, err := topicFiles.ReadFile("help/" + name + ".md")
	if err != nil {
		return "", false
	}
	return plainText(string(markdown), helpWidth), true
}

// helpWidth is what every terminal has.
const helpWidth = 80

// plainText lays Markdown out for a terminal: paragraphs and tables. Lines fit the width unless a word does not.
func plainText(markdown string, width int) string {
	var blocks []string
	for block := range strings.SplitSeq(strings.TrimSpace(markdown), "\n\n") {
		if strings.HasPrefix(block, "|") {
			blocks = append(blocks, table(cells(block), width))
			continue
		}
		blocks = append(blocks, strings.Join(wrap(unmarked(block), width), "\n")+"\n")
	}
	return strings.Join(blocks, "\n")
}

var link = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)

// unmarked is a text without the marks of Markdown that we use.
func unmarked(text string) string {
	text = link.ReplaceAllString(text, "$1")
	return strings.NewReplacer("`", "", `\|`, "|").Replace(text)
}

// wrap breaks a text into lines.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// cells are those of a table, without the line under its head.
func cells(block string) (rows [][]string) {
	for line := range strings.SplitSeq(block, "\n") {
		if strings.HasPrefix(line, "|--") {
			continue
		}
		line = strings.ReplaceAll(strings.Trim(line, "|"), `\|`, "\x00")
		var row []string
		for cell := range strings.SplitSeq(line, "|") {
			row = append(row, unmarked(strings.TrimSpace(strings.ReplaceAll(cell, "\x00", `\|`))))
		}
		rows = append(rows, row)
	}
	return rows
}

// table puts the rows into columns that are as wide as they must be, and wraps cells where all of it would be too wide.
func table(rows [][]string, width int) string {
	const gap = 2
	widths := columnWidths(rows, width-gap*(len(rows[0])-1))
	var b strings.Builder
	for _, row := range rows {
		height := 1
		wrapped := make([][]string, len(row))
		for i, cell := range row {
			wrapped[i] = wrap(cell, widths[i])
			height = max(height, len(wrapped[i]))
		}
		for n := range height {
			line := ""
			for i, lines := range wrapped {
				text := ""
				if n < len(lines) {
					text = lines[n]
				}
				line += text + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text)+gap)
			}
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	return b.String()
}

// columnWidths shares the room out: what a column's longest cell needs, and where that is too much, less for the widest,
// but never less than its longest word.
func columnWidths(rows [][]string, room int) []int {
	widths, least := make([]int, len(rows[0])), make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			for _, word := range strings.Fields(cell) {
				least[i] = max(least[i], utf8.RuneCountInString(word))
			}
		}
	}
	for total(widths) > room {
		widest := -1
		for i := range widths {
			if widths[i] > least[i] && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return widths
}

func total(widths []int) (sum int) {
	for _, w := range widths {
		sum += w
	}
	return sum
}
