package fates

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"

	"friendsweep/input/spread"
)

// ownTexts keeps the texts that are not common ones, of one bucket: on disk by groups of rows, and in memory those of
// the group that is being asked for, as far as they still are some row's last word. So a text for every row, and several
// of them, take the memory of one group.
type ownTexts struct {
	groupRows int
	dir       string
	spread    *spread.Spread // nil while the bucket has none
	groups    int
	last      int32 // number of the last text; they go down from -1
	buf       []byte
	in        []byte // for reading

	group int // the one in memory; -1 for none
	held  []heldText
	data  []byte
}

// heldText is where a text is in data.
type heldText struct {
	number   int32
	from, to int
}

func (o *ownTexts) begin(dir string, rows int) error {
	err := o.close()
	o.dir, o.groups, o.last, o.group = dir, (rows+o.groupRows-1)/o.groupRows, 0, -1
	o.held, o.data = o.held[:0], o.data[:0]
	return err
}

func (o *ownTexts) close() error {
	if o.spread == nil {
		return nil
	}
	err := o.spread.Close()
	o.spread = nil
	return err
}

// add keeps a text that the rows from one to the other share, and returns its number.
func (o *ownTexts) add(text []byte, from, through int) (int32, error) {
	if o.spread == nil {
		o.spread = spread.New(o.dir, o.groups)
	}
	o.last--
	o.buf = binary.AppendVarint(o.buf[:0], int64(o.last))
	o.buf = binary.AppendUvarint(o.buf, uint64(from))
	o.buf = binary.AppendUvarint(o.buf, uint64(through))
	o.buf = binary.AppendUvarint(o.buf, uint64(len(text)))
	o.buf = append(o.buf, text...)
	for g := from / o.groupRows; g <= through/o.groupRows; g++ {
		if err := o.spread.Append(g, o.buf); err != nil {
			return 0, err
		}
	}
	return o.last, nil
}

// find is the text with this number of the row at index row, one of cells.
func (o *ownTexts) find(cells []cell, row int, number int32) (string, error) {
	if g := row / o.groupRows; g != o.group {
		if err := o.load(cells, g); err != nil {
			return "", err
		}
	}
	// Numbers go down in the order in which the texts were added.
	i, ok := slices.BinarySearchFunc(o.held, number, func(h heldText, n int32) int { return cmp.Compare(n, h.number) })
	if !ok {
		return "", errors.New("joining the journal with the input: a text is not where it was put")
	}
	return string(o.data[o.held[i].from:o.held[i].to]), nil
}

func (o *ownTexts) load(cells []cell, group int) error {
	o.group, o.held, o.data = group, o.held[:0], o.data[:0]
	in, err := o.spread.Open(group)
	if err != nil {
		return err
	}
	defer in.Close()
	lo, hi := group*o.groupRows, min((group+1)*o.groupRows, len(cells))
	return eachRecord(in, o.in, func(r *record) error {
		number, from, through := int32(r.varint()), int(r.uvarint()), int(r.uvarint())
		text := r.bytes(int64(r.uvarint()))
		if lastWord(cells[max(lo, from):min(hi, through+1)], number) {
			o.held = append(o.held, heldText{number, len(o.data), len(o.data) + len(text)})
			o.data = append(o.data, text...)
		}
		return nil
	})
}

// lastWord reports whether the text is still that of one of the rows.
func lastWord(cells []cell, number int32) bool {
	return slices.ContainsFunc(cells, func(c cell) bool { return c.text == number })
}
