package input

import "context"

// turnedMark stands, in a row that is asked for from the other side than written, in the place of the line that a mirror
// waits for. No record starts on line 1, which is the header's.
const turnedMark = 1

// regroup chooses from which side every friendship is asked for, so that few requests are needed. It reads the groups as
// they were written several times instead of holding them in memory, and keeps them if nothing is gained.
func (g *grouper) regroup(work *workspace, partitions int) error {
	g.data, g.pairs, g.accounts = nil, pairTable{}, accountTable{} // makes room for the table of the cover
	r := &regrouper{ctx: work.ctx, written: g.groups, turned: newGroupFile(work.dir)}
	defer func() { r.turned.close() }()
	r.asked = work.partitions(partitions, byAccount, 0)
	if err := r.run(newCover(g.Pairs, g.opts.ChunkSize)); err != nil {
		r.asked.close()
		return err
	}
	asked := newGroupFile(work.dir)
	t, err := g.groupInto(asked, r.asked)
	g.RequestsRegrouped = min(t.requests, g.RequestsWritten)
	if err != nil || !g.opts.Regroup || t.requests >= g.RequestsWritten {
		asked.close()
		return err
	}
	g.groups.close()
	g.groups = asked
	g.turned, r.turned = r.turned, g.turned
	g.Turned, g.Requests, g.Largest = r.pairs, t.requests, t.largest
	return nil
}

// regrouper chooses the side of every pair.
type regrouper struct {
	ctx     context.Context
	written *groupFile  // all pairs, by the account that was written
	asked   *partitions // all pairs, by the account that is asked
	turned  *groupFile  // the turned pairs, by the account that was written
	pairs   int64       // turned
	reads   int         // pairs read, to look at the context now and then
}

func (r *regrouper) run(c *cover) error {
	for _, pass := range []func(a, b *uint16){countFriends, choose, keepNeeded, keepOne} {
		if err := r.each(c, pass); err != nil {
			return err
		}
	}
	c.reduce()
	if err := r.each(c, c.assign); err != nil {
		return err
	}
	for group, err := range r.written.all() {
		if err == nil {
			err = r.group(c, group)
		}
		if err != nil {
			return err
		}
	}
	return r.turned.flush()
}

// each calls do with both ends of every pair.
func (r *regrouper) each(c *cover, do func(from, to *uint16)) error {
	var b batch
	for group, err := range r.written.all() {
		if err != nil {
			return err
		}
		from := c.slot(group.Account)
		for p, err := range group.Pairs() {
			if err = r.stopped(err); err != nil {
				return err
			}
			if b.add(from, c.slot(p.To)) {
				b.each(do)
			}
		}
	}
	b.each(do)
	return nil
}

// batch holds the ends of some pairs, because the table is much larger than a processor's cache: looking at many slots
// before any is worked on lets their memory be fetched side by side. A pass over ten million pairs takes 0.9 s instead of 2.1.
type batch struct {
	ends [512][2]*uint16
	n    int
	seen uint16 // what was looked at, which a compiler would leave out if nothing came of it
}

// add tells whether the batch is full now.
func (b *batch) add(from, to *uint16) bool {
	b.ends[b.n] = [2]*uint16{from, to}
	b.n++
	return b.n == len(b.ends)
}

// each calls do with all ends, and empties the batch.
func (b *batch) each(do func(from, to *uint16)) {
	for _, e := range b.ends[:b.n] {
		b.seen += *e[0] + *e[1]
	}
	for _, e := range b.ends[:b.n] {
		do(e[0], e[1])
	}
	b.n = 0
}

// group spreads the pairs of a group by the account that is asked, and notes those that are turned.
func (r *regrouper) group(c *cover, group Group) error {
	from, before := c.slot(group.Account), r.pairs
	for p, err := range group.Pairs() {
		if err = r.stopped(err); err != nil {
			return err
		}
		if !c.turn(from, c.slot(p.To)) {
			err = r.asked.put(group.Account, p.To, p.Line, 0)
		} else {
			err = r.turn(group.Account, p, r.pairs == before)
		}
		if err != nil {
			return err
		}
	}
	if r.pairs == before {
		return nil
	}
	_, err := r.turned.end()
	return err
}

func (r *regrouper) turn(account string, p Pair, first bool) error {
	if first {
		r.turned.begin([]byte(account))
	}
	r.pairs++
	if err := r.turned.addPair(p); err != nil {
		return err
	}
	return r.asked.put(p.To, account, p.Line, turnedMark)
}

func (r *regrouper) stopped(err error) error {
	if r.reads++; err == nil && r.reads%blockSize == 0 {
		return r.ctx.Err()
	}
	return err
}
