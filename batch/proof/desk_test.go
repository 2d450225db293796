package proof

import (
	"fmt"
	"os"
	"sync"
	"time"

	"friendsweep/reports/journal"
	"friendsweep/reports/journal/outcome"
)

// The answers of delete.
const (
	isDeleted = outcome.Answered + iota
	isNotFriend
)

// desk is the journal as the runner knows it. From one call on it is that of a dead process, whose requests in flight
// still reach the server.
type desk struct {
	*journal.Journal
	trial *trial
	dieAt int

	mu     sync.Mutex
	calls  int
	dead   bool
	synced int64 // what is on disk for certain
	sent   map[int64]*sending
}

// sending is a line before a request, and what followed.
type sending struct {
	account   string
	to        []string
	arrived   int // requests of the account that had arrived before this one left
	request   *request
	withdrawn bool
}

// dies counts a call, and reports whether it is not made any more.
func (d *desk) dies() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	d.dead = d.dead || d.calls == d.dieAt
	return d.dead
}

func (d *desk) Before(account string, lines []int64) (int64, error) {
	if d.dies() {
		return 0, errDead
	}
	id, err := d.Journal.Before(account, lines)
	if err == nil {
		d.noteSync()
		s := &sending{account: account, to: d.trial.table.to(account, lines), arrived: d.trial.server.count(account)}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.sent[id] = s
	}
	return id, err
}

func (d *desk) After(id int64, took time.Duration, results []outcome.Result) error {
	d.mu.Lock()
	s := d.sent[id]
	d.mu.Unlock()
	s.request = d.carried(s, results)
	if d.dies() {
		d.lose(s)
		return errDead
	}
	return d.Journal.After(id, took, results)
}

// carried is the request of the server that was announced. One that never arrived met a dial that failed, or a connection
// that was closed just then.
func (d *desk) carried(s *sending, results []outcome.Result) *request {
	server := d.trial.server
	if server.count(s.account) > s.arrived {
		return server.last(s.account)
	}
	w := word{means: retry}
	if results[0].Lost {
		w = word{means: lost}
	}
	return server.ghost(s.account, s.to, w)
}

func (d *desk) Withdraw(id int64) error {
	d.mu.Lock()
	s := d.sent[id]
	s.withdrawn = true
	d.mu.Unlock()
	if d.dies() {
		d.lose(s)
		return errDead
	}
	return d.Journal.Withdraw(id)
}

func (d *desk) Decide(account string, results []outcome.Result) error {
	if d.dies() {
		return errDead
	}
	return d.Journal.Decide(account, results)
}

// lose notes that what came of a request is not in the journal.
func (d *desk) lose(s *sending) {
	if s.withdrawn {
		s.request = d.trial.server.ghost(s.account, s.to, word{means: lost})
	}
	s.request.unheard = true
}

func (d *desk) noteSync() {
	info, err := os.Stat(d.Path())
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.synced = max(d.synced, info.Size())
	}
}

// cutPower takes away a part of what was never synced, and notes which answers went with it.
func (d *desk) cutPower(part float64) error {
	info, err := os.Stat(d.Path())
	if err != nil {
		return err
	}
	if err := os.Truncate(d.Path(), info.Size()-int64(part*float64(info.Size()-d.synced))); err != nil {
		return err
	}
	left, err := journalOf(d.Path())
	if err != nil {
		return err
	}
	for id, s := range d.sent {
		known := left.answered[id] || left.withdrawn[id]
		if !known && s.request == nil && !s.withdrawn {
			return fmt.Errorf("request %d was announced, and neither sent nor withdrawn", id)
		}
		if !known && (s.request == nil || !s.request.unheard) {
			d.lose(s)
		}
	}
	return nil
}
