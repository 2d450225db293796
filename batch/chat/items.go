package chat

import (
	"fmt"

	"github.com/go-faster/jx"
)

// resultItems takes null for an empty list, as some JSON encoders write it.
func (d *decoder) resultItems() error {
	switch d.jx.Next() {
	case jx.Null:
		return d.jx.Null()
	case jx.Array:
	default:
		return errNoArray
	}
	items, err := d.jx.ArrIter()
	if err != nil {
		return err
	}
	for items.Next() {
		if err := d.item(); err != nil {
			return err
		}
	}
	return items.Err()
}

// item reads one element of ResultItem. One that is no object, names no row of ours or has no integer code is as if it
// were not there.
func (d *decoder) item() error {
	if d.jx.Next() != jx.Object {
		return d.jx.Skip()
	}
	d.found = reading{row: -1}
	if err := d.jx.ObjBytes(d.eachField); err != nil {
		return err
	}
	if d.found.row >= 0 && (d.found.hasCode || d.found.twice) {
		d.record(&d.found)
	}
	return nil
}

// reading is an item as far as it was read.
type reading struct {
	row     int  // -1: none of ours
	named   bool // To_Account came
	coded   bool // ResultCode came
	hasCode bool // and was an integer
	twice   bool // and came again with another value
	code    int
	info    string
}

func (d *decoder) itemField(_ *jx.Decoder, key []byte) (err error) {
	r := &d.found
	switch string(key) {
	case "To_Account":
		return d.itemName(r)
	case "ResultCode":
		code, ok, err := d.integer()
		r.twice = r.twice || r.coded && (ok != r.hasCode || code != r.code)
		r.coded, r.hasCode, r.code = true, ok, code
		return err
	case "ResultInfo":
		r.info, err = d.text()
		return err
	}
	return d.jx.Skip()
}

func (d *decoder) itemName(r *reading) error {
	if d.jx.Next() != jx.String {
		return d.jx.Skip()
	}
	name, err := d.jx.StrBytes()
	if err != nil {
		return err
	}
	row := d.find(name)
	if r.named && row != r.row {
		return errTwoNames
	}
	r.row, r.named = row, true
	return nil
}

// record keeps the code unless the answer gives the row two.
func (d *decoder) record(r *reading) {
	it := &d.items[r.row]
	switch {
	case it.State == Contradicted:
	case r.twice:
		*it = Item{State: Contradicted, Info: "the answer gives the row two different codes"}
	case it.State == Missing:
		*it = Item{State: Answered, Code: r.code, Info: r.info}
	case it.Code != r.code:
		*it = Item{State: Contradicted, Info: fmt.Sprintf("the answer gives the row the codes %d and %d", it.Code, r.code)}
	}
}

// failures notes the rows of Fail_Account and Invalid_Account. Neither is documented for this call, so one of another type
// says nothing.
func (d *decoder) failures() error {
	if d.jx.Next() != jx.Array {
		return d.jx.Skip()
	}
	names, err := d.jx.ArrIter()
	if err != nil {
		return err
	}
	for names.Next() {
		if err := d.failure(); err != nil {
			return err
		}
	}
	return names.Err()
}

func (d *decoder) failure() error {
	if d.jx.Next() != jx.String {
		return d.jx.Skip()
	}
	name, err := d.jx.StrBytes()
	if err != nil {
		return err
	}
	if row := d.find(name); row >= 0 {
		d.failed[row] = true
	}
	return nil
}

// find is the row of a name, or -1. The order of the request is tried first because servers keep it; nothing relies on it.
func (d *decoder) find(name []byte) int {
	if d.next < len(d.to) && d.to[d.next] == string(name) {
		d.next++
		return d.next - 1
	}
	if !d.ready {
		d.makeIndex()
	}
	row, ok := d.index[string(name)]
	if !ok {
		d.alien = true
		return -1
	}
	d.next = row + 1
	return row
}

func (d *decoder) makeIndex() {
	if d.index == nil {
		d.index = make(map[string]int, len(d.to))
	}
	clear(d.index)
	for i, name := range d.to {
		d.index[name] = i
	}
	d.ready = true
}
