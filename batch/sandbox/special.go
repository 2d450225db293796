package sandbox

import (
	"bytes"
	"sync"
)

// The beginnings that give an ID a meaning; specials are those that stand for a code.
const (
	lostPrefix      = "lost-answer-"
	notFriendPrefix = "not-friend-"
	oneWayPrefix    = "one-way-"
)

var specials = [...]struct {
	prefix string
	code   int
}{
	{"missing-", codeNoAccount},
	{"busy-30006-", codeInternal},
	{"busy-30007-", codeTimeout},
	{"busy-30008-", codeConflict},
}

func begins(id []byte, prefix string) bool {
	return len(id) >= len(prefix) && string(id[:len(prefix)]) == prefix
}

// never tells whether from did not have to as a friend to begin with: an account that is one-way- has nobody, though all
// others have it, and nobody has one that is not-friend-.
func never(from, to []byte) bool {
	return begins(to, notFriendPrefix) || begins(from, oneWayPrefix)
}

func specialCode(id []byte) int {
	for _, s := range specials {
		if begins(id, s.prefix) {
			return s.code
		}
	}
	return 0
}

// busyTimes is how often a busy- ID answers its code before it gives in.
const busyTimes = 2

func isBusy(code int) bool { return code >= codeInternal && code <= codeConflict }

// meetings counts how often a special account or pair was met. Its zero value is ready.
type meetings struct {
	mu    sync.Mutex
	times map[ident]uint8
}

// next returns how often id was met before, up to busyTimes, and counts this time.
func (m *meetings) next(id ident) (before uint8) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.times == nil {
		m.times = make(map[ident]uint8)
	}
	before = m.times[id]
	if before < busyTimes {
		m.times[id] = before + 1
	}
	return before
}

// accountCode is the request code that the From_Account stands for, or 0. Of the meanings of a To_Account, lost-answer- has
// none here.
func (m *meetings) accountCode(x *exchange) int {
	code := specialCode(x.from)
	switch {
	case code == codeNoAccount:
		return code
	case isBusy(code) && m.next(x.account) < busyTimes:
		return code
	}
	return 0
}

// pairCode is the item code that the To_Account stands for, or 0 if what is asked is to be done. Times are counted per pair,
// not per To_Account: otherwise it would depend on the order of the workers which of several accounts meets it first.
//
// lost says that the answer to the whole request must be lost: the pair has a lost-answer- ID and was never in a request of
// this kind that was carried out. If that one was a deletion, the next answers 31704.
func (m *meetings) pairCode(x *exchange, it *item) (code int, lost bool) {
	if bytes.Equal(x.from, it.to) {
		return codeBadParameter, false // guess: nobody is a friend of himself, and friendsweep never asks
	}
	if begins(it.to, lostPrefix) {
		return 0, m.next(pairOf(x.account, it.id)) == 0
	}
	code = specialCode(it.to)
	if isBusy(code) && m.next(pairOf(x.account, it.id)) >= busyTimes {
		return 0, false
	}
	return code, false
}
