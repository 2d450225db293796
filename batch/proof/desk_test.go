package proof

import (
	"fmt"
	"os"
	"sync"
	"time"

	"friendsweep/reports/journal"
)

// The answers of delete.
const (
	isDeleted = journal.Answered + iota
	isNotFriend
)

// desk is the journal as the runner knows it. From one call on it is that of a dead process, whose requests in flight
// still reach the server.
type desk struct {
	*journal.Journal
	trial *trial
	dieAt int

	mu      sync.Mutex
	calls   int
	dead    bool
	synced  int64 // what is on disk for certain
	sent    map[int64]*sending
	current map[string]*request // by account, the request that is out
}

// sending is a line before a request, and what followed.
type sending struct {
	account   string
	to        []string
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
		d.mu.Lock()
		defer d.mu.Unlock()
		d.sent[id] = &sending{account: account, to: d.trial.table.to(lines)}
		delete(d.current, account)
	}
	return id, err
}

// carried notes which request of the server it was that a line announced.
func (d *desk) carried(account string, q *request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.current[account] = q
}

func (d *desk) After(id int64, took time.Duration, results []journal.Result) error {
	d.mu.Lock()
	s := d.sent[id]
	s.request = d.current[s.account]
	d.mu.Unlock()
	if d.dies() {
		d.lose(s)
		return errDead
	}
	return d.Journal.After(id, took, results)
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

func (d *desk) Decide(account string, results []journal.Result) error {
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
