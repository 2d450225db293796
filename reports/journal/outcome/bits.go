package outcome

import (
	"math/bits"
	"sync/atomic"
)

// Bits is a set of rows, each named by the line where its record starts: 1 to the last line of the input. It takes one
// bit a line where there are rows, 12.5 MB for a hundred million, and next to nothing for lines between them that hold
// none. Lines outside are never in the set, and setting one is a programming error that panics. Only the
// methods that say so are safe for concurrent use, and not beside the others.
type Bits struct {
	pages []atomic.Pointer[page] // nil where nothing is in the set
}

// page is 32 KiB.
type page [pageLines / 64]uint64

const pageLines = 1 << 18

// NewBits makes an empty set for lines up to last.
func NewBits(last int64) *Bits { return &Bits{pages: make([]atomic.Pointer[page], last/pageLines+1)} }

// word is where the line's bit is; nil where none of its neighbours is in the set.
func (b *Bits) word(line int64) *uint64 {
	i := uint64(line) / pageLines
	if i >= uint64(len(b.pages)) {
		return nil
	}
	p := b.pages[i].Load()
	if p == nil {
		return nil
	}
	return &p[line%pageLines/64]
}

// make is word, with a page for it.
func (b *Bits) make(line int64) *uint64 {
	at := &b.pages[line/pageLines]
	if at.Load() == nil {
		at.CompareAndSwap(nil, new(page))
	}
	return &at.Load()[line%pageLines/64]
}

func bit(line int64) uint64 { return 1 << (uint64(line) % 64) }

// Has reports whether the row is in the set.
func (b *Bits) Has(line int64) bool {
	w := b.word(line)
	return w != nil && *w&bit(line) != 0
}

// Set puts the row into the set.
func (b *Bits) Set(line int64) { *b.make(line) |= bit(line) }

// Clear takes the row out of the set.
func (b *Bits) Clear(line int64) {
	if w := b.word(line); w != nil {
		*w &^= bit(line)
	}
}

// HasAtomic is Has, beside any number of SetAtomic and HasAtomic.
func (b *Bits) HasAtomic(line int64) bool {
	w := b.word(line)
	return w != nil && atomic.LoadUint64(w)&bit(line) != 0
}

// SetAtomic is Set, beside any number of SetAtomic and HasAtomic.
func (b *Bits) SetAtomic(line int64) { atomic.OrUint64(b.make(line), bit(line)) }

// Count is the number of rows in the set.
func (b *Bits) Count() (n int64) {
	for i := range b.pages {
		if p := b.pages[i].Load(); p != nil {
			for _, w := range p {
				n += int64(bits.OnesCount64(w))
			}
		}
	}
	return n
}

// AddAll puts the rows of a set of the same input into this one.
func (b *Bits) AddAll(more *Bits) {
	for i := range more.pages {
		if p := more.pages[i].Load(); p != nil {
			b.make(int64(i) * pageLines)
			for k, w := range p {
				b.pages[i].Load()[k] |= w
			}
		}
	}
}
