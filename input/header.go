package input

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// header is the first record of the input.
type header struct {
	file  string
	line  int64
	names []string
}

// columns finds the two columns: the named ones, else from_account and to_account, else from and to.
func (h header) columns(from, to string) (fi, ti int, err error) {
	if !utf8.ValidString(strings.Join(h.names, "")) {
		return 0, 0, h.wrong("the header is not text in UTF-8", "Save the file as CSV in UTF-8.")
	}
	df, dt := "from_account", "to_account"
	has := func(f, t string) bool {
		return (from != "" || slices.ContainsFunc(h.names, sameFold(f))) && (to != "" || slices.ContainsFunc(h.names, sameFold(t)))
	}
	if err := h.otherSeparator(); err != nil {
		return 0, 0, err
	}
	if !has(df, dt) && (has("from", "to") || h.hasOneOf("from", "to") && !h.hasOneOf(df, dt)) {
		df, dt = "from", "to" // where one of them is there, it is the other that is missing
	}
	if fi, err = h.column(from, df, "--from-column"); err != nil {
		return 0, 0, err
	}
	if ti, err = h.column(to, dt, "--to-column"); err != nil {
		return 0, 0, err
	}
	if fi == ti {
		return 0, 0, h.wrong(fmt.Sprintf("From_Account and To_Account are both read from column %q", h.names[fi]), "")
	}
	return fi, ti, nil
}

// hasOneOf tells whether one of the names is in the header, blanks around it aside.
func (h header) hasOneOf(names ...string) bool {
	return slices.ContainsFunc(h.names, func(have string) bool {
		return slices.ContainsFunc(names, sameFold(strings.TrimSpace(have)))
	})
}

// otherSeparator refuses a header in one piece that another separator would cut.
func (h header) otherSeparator() error {
	if len(h.names) != 1 {
		return nil
	}
	for _, other := range []struct{ separator, name string }{{";", "semicolons"}, {"\t", "tabs"}} {
		if strings.Contains(h.names[0], other.separator) {
			return h.wrong("the header has "+other.name+" where commas are needed", "Save the file as CSV with commas between the columns.")
		}
	}
	return nil
}

func sameFold(name string) func(string) bool {
	return func(s string) bool { return strings.EqualFold(s, name) }
}

// column finds the one column that has the wanted name to the letter or, where none was asked for, the usual one
// whatever its case.
func (h header) column(wanted, usual, flag string) (int, error) {
	match, name := sameFold(usual), usual
	if wanted != "" {
		match, name = func(s string) bool { return s == wanted }, wanted
	}
	i := slices.IndexFunc(h.names, match)
	if i < 0 {
		blank := slices.IndexFunc(h.names, func(s string) bool { return s != strings.TrimSpace(s) && match(strings.TrimSpace(s)) })
		if blank >= 0 {
			return 0, h.wrong(fmt.Sprintf("the column is called %q in the header, with blanks around %q", h.names[blank], name),
				fmt.Sprintf("Take the blanks out of the header, or name the column with them: %s %q.", flag, h.names[blank]))
		}
		return 0, h.wrong(fmt.Sprintf("no column %q in the header", name),
			fmt.Sprintf("The header is %.200q; name the right column with %s.", strings.Join(h.names, ","), flag))
	}
	if slices.ContainsFunc(h.names[i+1:], match) {
		return 0, h.wrong(fmt.Sprintf("the header has more than one column %q", name),
			"Rename one of them, or name the right column with "+flag+".")
	}
	return i, nil
}

func (h header) wrong(reason, hint string) error {
	return &Error{File: h.file, Line: h.line, Reason: reason, Hint: hint}
}
