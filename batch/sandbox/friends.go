package sandbox

import (
	"hash/maphash"
	"sync"
)

// ident stands for an ID, or for an ordered pair of IDs: 16 bytes of hash in place of up to 64 bytes of text and two string
// headers, and no pointers for the garbage collector to follow. Sixteen bytes, not eight: among a hundred million pairs
// one run in 4000 would have two with the same 8 bytes, and answer 31704 to a pair that is still there, which nobody could
// ever reproduce. With 16 that takes 10^22 runs. The seeds are random, so no input can be made to collide.
type ident [2]uint64

// pairOf tells (a,b) from (b,a): the first ID is multiplied by an odd number, which loses nothing of it.
func pairOf(from, to ident) ident {
	const odd = 0x9e3779b97f4a7c15
	return ident{from[0]*odd ^ to[0], from[1]*odd ^ to[1]}
}

// friends knows who deleted whom.
type friends struct {
	seeds  [2]maphash.Seed
	shards [64]shard
}

// shard is padded to a cache line, so that cores with different pairs do not wait for each other.
type shard struct {
	mu      sync.Mutex
	deleted map[ident]struct{}
	_       [48]byte
}

func newFriends() *friends {
	f := &friends{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	for i := range f.shards {
		f.shards[i].deleted = make(map[ident]struct{})
	}
	return f
}

func (f *friends) ident(id []byte) ident {
	return ident{maphash.Bytes(f.seeds[0], id), maphash.Bytes(f.seeds[1], id)}
}

// shard is the same one for both directions of a friendship, so that one lock makes Delete_Type_Both atomic.
func (f *friends) shard(a, b ident) *shard {
	return &f.shards[(a[0]^b[0])%uint64(len(f.shards))]
}

// remove deletes to from from's friends, and with both from from to's; false if it was not there. What the API does when
// only the other side is left is not documented: here that is "not a friend", and nothing is removed (guess).
func (f *friends) remove(from, to ident, both bool) bool {
	s := f.shard(from, to)
	s.mu.Lock()
	defer s.mu.Unlock()
	pair := pairOf(from, to)
	if _, gone := s.deleted[pair]; gone {
		return false
	}
	s.deleted[pair] = struct{}{}
	if both {
		s.deleted[pairOf(to, from)] = struct{}{}
	}
	return true
}

// relation tells whether from still has to, and to has from, both at one moment.
func (f *friends) relation(from, to ident) (there, back bool) {
	s := f.shard(from, to)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, gone := s.deleted[pairOf(from, to)]
	_, goneBack := s.deleted[pairOf(to, from)]
	return !gone, !goneBack
}

func (f *friends) gone(from, to ident) bool {
	s := f.shard(from, to)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, gone := s.deleted[pairOf(from, to)]
	return gone
}
