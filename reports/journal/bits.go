package journal

import (
	"math/bits"
	"sync/atomic"
)

// Bits is a set of rows, each named by the line where its record starts: 1 to the last line of the input. It takes one
// bit a line, 12.5 MB for a hundred million, whatever is in it. Lines outside are never in the set, and setting one is
// a programming error that panics. Whoever got it from [Journal.Replay] owns it; only the methods that say so are safe
// for concurrent use, and not beside the others.
type Bits struct {
	words []uint64
}

// NewBits makes an empty set for lines up to last.
func NewBits(last int64) *Bits { return &Bits{words: make([]uint64, last/64+1)} }

// Has reports whether the row is in the set.
func (b *Bits) Has(line int64) bool {
	w := uint64(line) / 64
	return w < uint64(len(b.words)) && b.words[w]&(1<<(uint64(line)%64)) != 0
}

// Set puts the row into the set.
func (b *Bits) Set(line int64) { b.words[line/64] |= 1 << (line % 64) }

// Clear takes the row out of the set.
func (b *Bits) Clear(line int64) { b.words[line/64] &^= 1 << (line % 64) }

// HasAtomic is Has, beside any number of SetAtomic and HasAtomic.
func (b *Bits) HasAtomic(line int64) bool {
	w := uint64(line) / 64
	return w < uint64(len(b.words)) && atomic.LoadUint64(&b.words[w])&(1<<(uint64(line)%64)) != 0
}

// SetAtomic is Set, beside any number of SetAtomic and HasAtomic.
func (b *Bits) SetAtomic(line int64) { atomic.OrUint64(&b.words[line/64], 1<<(line%64)) }

// Count is the number of rows in the set.
func (b *Bits) Count() (n int64) {
	for _, w := range b.words {
		n += int64(bits.OnesCount64(w))
	}
	return n
}
