package input

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

// cover is a set of accounts, small, such that every friendship has one of its two accounts in it: a vertex cover. It is
// found in a few passes over all pairs, and needs two bytes an account and 64 MiB at most, because the accounts are told
// apart by a hash only. Accounts that share a slot are in the set together, which may cost requests and nothing else.
//
// The hash has no seed of its own in every process: the same input is always regrouped in the same way.
type cover struct {
	slots []uint16
	shift int
	chunk uint16 // pairs per request
}

// A slot has two marks and a number: at first of the account's friendships, later of the pairs in its last request.
const (
	chosen = 1 << 15 // the account is in the set
	needed = 1 << 14 // it cannot be taken out again
	number = needed - 1
)

// mostSlots bounds the table for an input of any size.
const mostSlots = 32 << 20

// newCover makes a table for so many pairs. With eight slots for a pair few accounts share one.
func newCover(pairs int64, chunk int) *cover {
	size := 1 << 10
	for int64(size) < 8*pairs && size < mostSlots {
		size *= 2
	}
	return &cover{slots: make([]uint16, size), shift: 64 - bits.Len64(uint64(size-1)), chunk: uint16(min(chunk, number))}
}

// slot is the account's place in the table.
func (c *cover) slot(account string) *uint16 { return &c.slots[xxhash.Sum64String(account)>>c.shift] }

// The functions below are the passes, in their order. Each is called with both ends of every friendship before the next
// begins.

// countFriends counts the friendships of each account, up to a most.
func countFriends(a, b *uint16) {
	for _, end := range []*uint16{a, b} {
		if *end&number < number {
			*end++
		}
	}
}

// choose puts the account with more friends into the set, unless one of the two is in it already: so the many with few
// friends stay outside.
func choose(a, b *uint16) {
	if (*a|*b)&chosen == 0 {
		*larger(a, b) |= chosen
	}
}

// keepNeeded finds the accounts that have a friend outside the set.
func keepNeeded(a, b *uint16) {
	if *a&chosen == 0 {
		*b |= needed
	}
	if *b&chosen == 0 {
		*a |= needed
	}
}

// keepOne decides where neither of two friends is needed: one has to stay.
func keepOne(a, b *uint16) {
	if (*a|*b)&needed == 0 {
		*larger(a, b) |= needed
	}
}

func larger(a, b *uint16) *uint16 {
	if *b&number > *a&number {
		return b
	}
	return a
}

// reduce takes out who is not needed. From now on the numbers are those of the pairs in an account's last request, 0
// where that is full.
func (c *cover) reduce() {
	for i, s := range c.slots {
		c.slots[i] = 0
		if s&chosen != 0 && s&needed != 0 {
			c.slots[i] = chosen
		}
	}
}

// assign counts the pairs that can be asked for from one of their sides only.
func (c *cover) assign(a, b *uint16) {
	if *a&chosen == 0 {
		c.add(b)
	} else if *b&chosen == 0 {
		c.add(a)
	}
}

// turn decides whether a pair is asked for from the account that was written as the friend. Where both accounts are in
// the set, it goes where there is most room in a request that is sent anyway.
func (c *cover) turn(from, to *uint16) bool {
	if (*from&*to)&chosen == 0 {
		return *from&chosen == 0
	}
	if *to&number != 0 && (*from&number == 0 || *to&number < *from&number) {
		c.add(to)
		return true
	}
	c.add(from)
	return false
}

func (c *cover) add(s *uint16) {
	*s++
	if *s&number == c.chunk {
		*s &^= number
	}
}
