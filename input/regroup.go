package input

import "context"

// turnedMark stands, in a row that is asked for from the other side than written, in the place of the line that a mirror
// waits for. No record starts on line 1, which is the header's.
const turnedMark = 1

// regroup chooses from which side every friendship is asked for, so that few requests are needed. It reads the groups as
// they were written several times instead of holding them in memory, and keeps them if nothing is gained.
func (s *settler) regroup(shop *workshop, partitions int) error {
	s.data, s.pairs, s.accounts = nil, pairTable{}, accountTable{} // makes room for the table of the cover
	t := &turner{ctx: shop.ctx, written: s.groups, turned: newGrouped(shop.dir)}
	defer func() { t.turned.close() }()
	t.asked = shop.partitions(partitions, byAccount, 0)
	if err := t.run(newCover(s.Pairs, s.opts.ChunkSize)); err != nil {
		t.asked.close()
		return err
	}
	asked := newGrouped(shop.dir)
	sum, err := s.group(t.asked, asked)
	s.RequestsRegrouped = min(sum.requests, s.RequestsWritten)
	if err != nil || !s.opts.Regroup || sum.requests >= s.RequestsWritten {
		asked.close()
		return err
	}
	s.groups.close()
	s.groups = asked
	s.turned, t.turned = t.turned, s.turned
	s.Turned, s.Requests, s.Largest = t.pairs, sum.requests, sum.largest
	return nil
}

// turner turns pairs.
type turner struct {
	ctx     context.Context
	written *grouped    // all pairs, by the account that was written
	asked   *partitions // all pairs, by the account that is asked
	turned  *grouped    // the turned pairs, by the account that was written
	pairs   int64       // turned
	reads   int         // pairs read, to look at the context now and then
}

func (t *turner) run(c *cover) error {
	for _, pass := range []func(a, b *uint16){countFriends, choose, keepNeeded, keepOne} {
		if err := t.each(c, pass); err != nil {
			return err
		}
	}
	c.reduce()
	if err := t.each(c, c.assign); err != nil {
		return err
	}
	for group, err := range t.written.all() {
		if err == nil {
			err = t.group(c, group)
		}
		if err != nil {
			return err
		}
	}
	return t.turned.flush()
}

// each calls do with both ends of every pair.
func (t *turner) each(c *cover, do func(from, to *uint16)) error {
	for group, err := range t.written.all() {
		if err != nil {
			return err
		}
		from := c.slot(group.Account)
		for p, err := range group.Pairs() {
			if err = t.stopped(err); err != nil {
				return err
			}
			do(from, c.slot(p.To))
		}
	}
	return nil
}

// group spreads the pairs of a group by the account that is asked, and notes those that are turned.
func (t *turner) group(c *cover, group Group) error {
	from, before := c.slot(group.Account), t.pairs
	for p, err := range group.Pairs() {
		if err = t.stopped(err); err != nil {
			return err
		}
		if !c.turn(from, c.slot(p.To)) {
			err = t.asked.put(group.Account, p.To, p.Line, 0)
		} else {
			err = t.turn(group.Account, p, t.pairs == before)
		}
		if err != nil {
			return err
		}
	}
	if t.pairs == before {
		return nil
	}
	_, err := t.turned.end()
	return err
}

func (t *turner) turn(account string, p Pair, first bool) error {
	if first {
		t.turned.begin([]byte(account))
	}
	t.pairs++
	if err := t.turned.addPair(p); err != nil {
		return err
	}
	return t.asked.put(p.To, account, p.Line, turnedMark)
}

func (t *turner) stopped(err error) error {
	if t.reads++; err == nil && t.reads%blockSize == 0 {
		return t.ctx.Err()
	}
	return err
}
