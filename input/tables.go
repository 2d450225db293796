package input

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"slices"
)

// pairTable knows the pairs among the rows in data. It is a hash table with open addressing, whose arrays are used
// again for the next partition: a Go map costs three times the memory and time. Its hash has a seed of its own in every
// process, so that nobody can choose IDs that make it slow.
type pairTable struct {
	seed  maphash.Seed
	data  []byte
	slots []pairSlot
	shift int
}

// pairSlot is one place of the table. The half of the hash that is kept in it saves a look at the row.
type pairSlot struct {
	hash uint32
	at   uint32 // where in data the row begins, plus one; 0 is free
}

// reset empties the table and makes room for n rows.
func (t *pairTable) reset(data []byte, n int64) {
	size := max(8, 1<<bits.Len64(uint64(n+n/2)))
	t.data, t.shift = data, 64-bits.Len64(uint64(size-1))
	t.slots = slices.Grow(t.slots[:0], size)[:size]
	clear(t.slots)
	if t.seed == (maphash.Seed{}) {
		t.seed = maphash.MakeSeed()
	}
}

// seek finds the row of a pair or, with ok false, the slot where it belongs.
func (t *pairTable) seek(pair []byte) (slot *pairSlot, found row, ok bool) {
	h := maphash.Bytes(t.seed, pair)
	for i := h >> t.shift; ; i = (i + 1) & uint64(len(t.slots)-1) {
		slot = &t.slots[i]
		if slot.at == 0 {
			slot.hash = uint32(h)
			return slot, row{}, false
		}
		if b := t.data[slot.at-1:]; slot.hash == uint32(h) && bytes.HasPrefix(b, pair) {
			return slot, cutRow(b), true
		}
	}
}

// accountTable chains the rows of each account.
type accountTable struct {
	seed  maphash.Seed
	list  []accountRows
	slots []uint32 // index in list plus one; 0 is free
	rows  []chained
	shift int
}

type accountRows struct{ head, tail int32 } // indexes in rows

type chained struct {
	at   uint32 // where the row begins
	next int32  // index of the account's next row; -1 at the end
}

// reset empties the table.
func (t *accountTable) reset() {
	t.list, t.rows = t.list[:0], t.rows[:0]
	if t.slots == nil {
		t.seed = maphash.MakeSeed()
		t.resize(1 << 10)
	}
	clear(t.slots)
}

func (t *accountTable) resize(size int) {
	t.slots = slices.Grow(t.slots[:0], size)[:size]
	t.shift = 64 - bits.Len64(uint64(size-1))
}

// add appends the row at the position of data to its account's chain.
func (t *accountTable) add(data []byte, at uint32) {
	n := int32(len(t.rows))
	t.rows = append(t.rows, chained{at: at, next: -1})
	slot := t.seek(data, cutRow(data[at:]).from())
	if *slot > 0 {
		a := &t.list[*slot-1]
		t.rows[a.tail].next = n
		a.tail = n
		return
	}
	t.list = append(t.list, accountRows{head: n, tail: n})
	*slot = uint32(len(t.list))
	if 2*len(t.list) > len(t.slots) {
		t.grow(data)
	}
}

func (t *accountTable) seek(data, from []byte) *uint32 {
	for i := maphash.Bytes(t.seed, from) >> t.shift; ; i = (i + 1) & uint64(len(t.slots)-1) {
		slot := &t.slots[i]
		if *slot == 0 || bytes.Equal(t.account(data, t.list[*slot-1]), from) {
			return slot
		}
	}
}

func (t *accountTable) grow(data []byte) {
	t.resize(2 * len(t.slots))
	clear(t.slots)
	for i, a := range t.list {
		*t.seek(data, t.account(data, a)) = uint32(i + 1)
	}
}

func (t *accountTable) account(data []byte, a accountRows) []byte {
	return cutRow(data[t.rows[a.head].at:]).from()
}
