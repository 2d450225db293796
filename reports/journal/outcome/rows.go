package outcome

import (
	"cmp"
	"slices"
)

// Stretch is the rows whose records start in the lines from Lo to Hi, both included.
type Stretch struct{ Lo, Hi int64 }

// Count is how many rows it has, where a record starts in each of its lines.
func (s Stretch) Count() int64 { return s.Hi - s.Lo + 1 }

// Rows are rows of the input. Who makes them ascend keeps them so: [Rows.Has] needs it.
type Rows []Stretch

// RowsAt are the rows at these lines, which ascend.
func RowsAt(lines ...int64) (rows Rows) {
	for _, line := range lines {
		rows = rows.Add(line)
	}
	return rows
}

// Add appends the row at line to rows of which none is above it.
func (r Rows) Add(line int64) Rows {
	if n := len(r); n > 0 && r[n-1].Hi+1 == line {
		r[n-1].Hi = line
		return r
	}
	return append(r, Stretch{line, line})
}

// Count is how many rows there are.
func (r Rows) Count() (n int64) {
	for _, s := range r {
		n += s.Count()
	}
	return n
}

// Has reports whether the row at line is one of the rows, which ascend.
func (r Rows) Has(line int64) bool {
	i, _ := slices.BinarySearchFunc(r, line, func(s Stretch, line int64) int { return cmp.Compare(s.Hi, line) })
	return i < len(r) && r[i].Lo <= line
}
