package input

import (
	"encoding/binary"
	"slices"
)

// grouper recognises repeats and groups pairs by account, one partition after the other.
type grouper struct {
	*Input
	into   *groupFile
	totals totals

	// The memory for one partition, used again for the next.
	data     []byte
	pairs    pairTable
	accounts accountTable
	buf      []byte
}

// totals say of a file of groups what it takes to send them.
type totals struct {
	accounts, pairs, requests int64
	largest                   []Account
}

// group turns the partitions of the first read into groups.
func (in *Input) group(parts *partitions) error {
	g := &grouper{Input: in}
	group := g.groupWritten
	if in.opts.Both {
		group = g.groupBoth
	}
	if err := group(parts); err != nil {
		return err
	}
	return in.repeats.flush()
}

// groupWritten groups the pairs to send by the account that was written.
func (g *grouper) groupWritten(parts *partitions) error {
	t, err := g.groupInto(g.groups, parts)
	g.Accounts, g.Pairs, g.Requests, g.Largest = t.accounts, t.pairs, t.requests, t.largest
	g.RequestsWritten = t.requests
	return err
}

// groupBoth is for Delete_Type_Both.
func (g *grouper) groupBoth(parts *partitions) error {
	first, mirrors, err := g.separateMirrors(parts)
	if err != nil {
		return err
	}
	if err := g.groupWritten(first); err != nil {
		mirrors.close()
		return err
	}
	if _, err := g.groupInto(g.mirrors, mirrors); err != nil {
		return err
	}
	if !g.opts.Regroup && !g.opts.CountRegrouped {
		return nil
	}
	return g.regroup(parts.workspace, len(parts.stats))
}

// separateMirrors takes partitions that hold a pair and its mirror together. The pairs leave in two sets of partitions by
// account: those to send, and the mirrors that wait for them.
func (g *grouper) separateMirrors(parts *partitions) (first, mirrors *partitions, err error) {
	defer parts.close()
	n := len(parts.stats)
	first, mirrors = parts.partitions(n, byAccount, 0), parts.partitions(n, byAccount, 0)
	for i := range parts.stats {
		err = g.eachDistinct(parts, i, func(r row) error { return g.addOrMirror(r, first, mirrors) })
		if err != nil {
			first.close()
			mirrors.close()
			return nil, nil, err
		}
	}
	return first, mirrors, nil
}

// addOrMirror adds the row to first or, if an earlier one is its mirror, to mirrors.
func (g *grouper) addOrMirror(r row, first, mirrors *partitions) error {
	g.buf = append(append(g.buf[:0], r.raw[r.to:r.end]...), r.raw[:r.to]...)
	_, other, ok := g.pairs.seek(g.buf)
	if !ok {
		return first.add(r)
	}
	g.buf = append(g.buf[:0], r.raw[:len(r.raw)-1]...)
	g.buf = binary.AppendUvarint(g.buf, uint64(other.line()))
	if err := mirrors.add(cutRow(g.buf)); err != nil {
		return err
	}
	g.Mirrors++
	return g.repeat(Repeat{Line: r.line(), First: other.line(), Mirror: true})
}

// groupInto groups every partition into one file, and frees them.
func (g *grouper) groupInto(file *groupFile, parts *partitions) (totals, error) {
	g.into, g.totals = file, totals{}
	if err := g.eachPartition(parts); err != nil {
		return totals{}, err
	}
	// The last of the file is written now: a disk that is full shows before the first request, and who reads the file
	// changes nothing.
	return g.totals, file.flush()
}

func (g *grouper) eachPartition(parts *partitions) error {
	defer parts.close()
	for i, st := range parts.stats {
		if err := parts.ctx.Err(); err != nil {
			return err
		}
		if st.rows == 0 {
			continue
		}
		if err := g.partition(parts, i); err != nil {
			return err
		}
	}
	return nil
}

// partition groups the rows of one partition, which is split until every part fits or is a single account.
func (g *grouper) partition(parts *partitions, i int) error {
	switch {
	case parts.fits(i):
		return g.groupInMemory(parts, i)
	case parts.stats[i].oneFrom:
		g.into.begin(parts.stats[i].sample.from())
		if err := g.eachDistinct(parts, i, g.into.add); err != nil {
			return err
		}
		return g.endGroup()
	}
	finer, err := parts.split(i, byAccount)
	if err != nil {
		return err
	}
	return g.eachPartition(finer)
}

// groupInMemory groups a partition that fits into memory: its rows less the repeats, account after account in the order
// in which they first occur, the rows of each in the order of the input.
func (g *grouper) groupInMemory(parts *partitions, i int) error {
	g.accounts.reset()
	err := g.eachDistinctInMemory(parts, i, func(_ row, at uint32) error {
		g.accounts.add(g.data, at)
		return nil
	})
	if err != nil {
		return err
	}
	for _, a := range g.accounts.list {
		if err := g.account(a); err != nil {
			return err
		}
	}
	return nil
}

// account writes the group of an account whose rows are in memory.
func (g *grouper) account(a accountRows) error {
	g.into.begin(g.accounts.account(g.data, a))
	for n := a.head; n >= 0; n = g.accounts.rows[n].next {
		if err := g.into.add(cutRow(g.data[g.accounts.rows[n].at:])); err != nil {
			return err
		}
	}
	return g.endGroup()
}

// endGroup closes a group and counts it.
func (g *grouper) endGroup() error {
	pairs, err := g.into.end()
	if err != nil {
		return err
	}
	size := int64(g.opts.ChunkSize)
	g.totals.accounts++
	g.totals.pairs += pairs
	g.totals.requests += (pairs + size - 1) / size
	g.totals.rank(g.into.name, pairs)
	return nil
}

// rank keeps the five largest accounts.
func (t *totals) rank(name []byte, pairs int64) {
	at := len(t.largest)
	for at > 0 && t.largest[at-1].Pairs < pairs {
		at--
	}
	if at == 5 {
		return
	}
	t.largest = slices.Insert(t.largest, at, Account{Name: string(name), Pairs: pairs})
	t.largest = t.largest[:min(5, len(t.largest))]
}

// repeat notes that a row says what an earlier one says.
func (g *grouper) repeat(r Repeat) error {
	g.Duplicates++
	return g.repeats.add(r)
}

// eachDistinct calls emit with the rows of one partition less the repeats, which it notes. It works for any size: a
// partition that does not fit is split by pair, and the rows of one pair alone need no memory.
func (g *grouper) eachDistinct(parts *partitions, i int, emit func(row) error) error {
	switch {
	case parts.stats[i].rows == 0:
		return parts.ctx.Err()
	case parts.stats[i].samePair:
		return g.eachDistinctOfOnePair(parts, i, emit)
	case parts.fits(i):
		return g.eachDistinctInMemory(parts, i, func(r row, _ uint32) error { return emit(r) })
	}
	finer, err := parts.split(i, byFriendship)
	if err != nil {
		return err
	}
	defer finer.close()
	for j := range finer.stats {
		if err := g.eachDistinct(finer, j, emit); err != nil {
			return err
		}
	}
	return nil
}

// eachDistinctInMemory reads a partition into memory and calls emit with its rows less the repeats, and where in g.data
// each begins.
func (g *grouper) eachDistinctInMemory(parts *partitions, i int, emit func(r row, at uint32) error) (err error) {
	if g.data, err = parts.load(i, g.data); err != nil {
		return err
	}
	g.pairs.reset(g.data, parts.stats[i].rows)
	for at := 0; at < len(g.data); {
		r := cutRow(g.data[at:])
		known, err := g.known(r, uint32(at))
		if err == nil && !known {
			err = emit(r, uint32(at))
		}
		if err != nil {
			return err
		}
		at += len(r.raw)
	}
	return nil
}

// eachDistinctOfOnePair does the same for rows that name one pair of accounts, of which at most two are kept.
func (g *grouper) eachDistinctOfOnePair(parts *partitions, i int, emit func(row) error) error {
	g.pairs.reset(nil, 2)
	return parts.each(i, func(r row) error {
		at := len(g.pairs.data)
		g.pairs.data = append(g.pairs.data, r.raw...)
		known, err := g.known(r, uint32(at))
		if known {
			g.pairs.data = g.pairs.data[:at]
		}
		if err != nil || known {
			return err
		}
		return emit(r)
	})
}

// known tells whether the row, which begins at the position of the data, is a repeat, and notes it: as one, or as the
// first of its pair.
func (g *grouper) known(r row, at uint32) (bool, error) {
	slot, first, known := g.pairs.seek(r.pair())
	if known {
		return true, g.repeat(Repeat{Line: r.line(), First: first.line()})
	}
	slot.at = at + 1
	return false, nil
}
