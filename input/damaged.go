package input

import "strings"

// Damaged tells of cells that are valid IDs and look as if a spreadsheet or an export had changed them. They are sent as
// they are.
type Damaged struct {
	Cells int64  // how many
	Line  int64  // where the record of the first starts
	Cell  string // the first
	Kind  string // what is wrong with the first, for people
}

// look counts the cells of a valid record that look damaged.
func (d *Damaged) look(rec Record) {
	for _, cell := range [2]string{rec.From, rec.To} {
		kind := damage(cell)
		if kind == "" {
			continue
		}
		if d.Cells++; d.Cells == 1 {
			d.Line, d.Cell, d.Kind = rec.Line, strings.Clone(cell), kind
		}
	}
}

// damage says what is wrong with a valid ID, or nothing.
func damage(id string) string {
	switch first, last := id[0], id[len(id)-1]; {
	case first == ' ' || last == ' ':
		return "a blank at an end"
	case first == '#' && spreadsheetError(id):
		return "a spreadsheet's error"
	case last >= '0' && last <= '9' && rounded(id):
		return "a number that a spreadsheet rounded"
	}
	return ""
}

func spreadsheetError(id string) bool {
	switch id {
	case "#NAME?", "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#GETTING_DATA", "#ERROR!":
		return true
	}
	return len(id) > 2 && strings.Trim(id, "#") == "" // a column that was too narrow
}

// rounded recognises 1.00E+05, with a point or a comma.
func rounded(id string) bool {
	plus := strings.IndexByte(id, '+')
	if plus < 2 || id[plus-1]|0x20 != 'e' {
		return false
	}
	whole, fraction, hasFraction := strings.Cut(strings.Replace(strings.TrimPrefix(id[:plus-1], "-"), ",", ".", 1), ".")
	return digits(whole) && (!hasFraction || digits(fraction)) && digits(id[plus+1:])
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
