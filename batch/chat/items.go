package chat

import (
	"fmt"
	"slices"

	"github.com/go-faster/jx"
)

// list takes null for an empty list, as some JSON encoders write it.
func (d *decoder) list() error {
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

// item reads one element of the list. One that is no object or names no row of ours is as if it were not there; one without
// an integer code confirms nothing, nor does another that gives its row code 0.
func (d *decoder) item() error {
	if d.jx.Next() != jx.Object {
		return d.jx.Skip()
	}
	d.found = reading{row: -1}
	if err := d.jx.ObjBytes(d.eachField); err != nil {
		return err
	}
	switch r := &d.found; {
	case r.row < 0:
	case r.hasCode || r.twice:
		d.record(r)
	default:
		d.failed[r.row] = true
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
	state   state
	stated  bool // the state came
	unsure  bool // and came again with another value
}

// state is what an item says is so: one of the call's outcomes, or another word.
type state struct {
	outcome int    // -1: none that is known
	word    string // cleaned, of one that is not known; empty where it is no text
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
	case d.call.state:
		return d.itemState(r)
	}
	return d.jx.Skip()
}

func (d *decoder) itemState(r *reading) error {
	found := state{outcome: -1}
	if d.jx.Next() != jx.String {
		if err := d.jx.Skip(); err != nil {
			return err
		}
	} else {
		word, err := d.jx.StrBytes()
		if err != nil {
			return err
		}
		if found.outcome = slices.Index(d.call.states, string(word)); found.outcome < 0 {
			found.word = d.clean(word)
		}
	}
	r.unsure = r.unsure || r.stated && found != r.state
	r.state, r.stated = found, true
	return nil
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

// record keeps what the item says unless the answer says two things of the row.
func (d *decoder) record(r *reading) {
	it, found := &d.items[r.row], d.result(r)
	switch {
	case it.State == Missing:
		*it = found
	case it.State == Contradicted:
	case found.State == Contradicted:
		*it = found
	case it.Code != found.Code:
		*it = Item{State: Contradicted, Info: fmt.Sprintf("the answer gives the row the codes %d and %d", it.Code, found.Code)}
	case it.says() != found.says():
		*it = Item{State: Contradicted, Info: d.twoStates()}
	}
}

// says is what the item says is so; texts that come with code or outcome do not matter.
func (it *Item) says() Item {
	said := *it
	if said.State == Answered {
		said.Info = ""
	}
	return said
}

// result is what one element says of its row. What it says is so counts with code 0 alone.
func (d *decoder) result(r *reading) Item {
	switch {
	case r.twice:
		return Item{State: Contradicted, Info: "the answer gives the row two different codes"}
	case r.code != 0 || d.call.state == "":
		return Item{State: Answered, Code: r.code, Info: r.info}
	case r.unsure:
		return Item{State: Contradicted, Info: d.twoStates()}
	case !r.stated || r.state == state{outcome: -1}:
		return Item{State: Unclear, Info: "the answer gives code 0 and no " + d.call.state}
	case r.state.outcome < 0:
		return Item{State: Unclear, Info: d.clean([]byte("the answer gives a " + d.call.state + " that is not known: " + r.state.word))} // cuts it
	}
	return Item{State: Answered, Outcome: r.state.outcome, Info: r.info}
}

func (d *decoder) twoStates() string {
	return "the answer gives the row two different values of " + d.call.state
}

// failures notes the rows of Fail_Account and Invalid_Account. The one is not documented for every call, the other for none,
// so one of another type says nothing.
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
