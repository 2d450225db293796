package input

import (
	"encoding/binary"
	"slices"
)

// settler recognises repeats and groups by account, one partition after the other.
type settler struct {
	*Input
	into *grouped
	sum  sum

	// The memory for one partition, used again for the next.
	data     []byte
	pairs    pairTable
	accounts accountTable
	flip     []byte
}

// sum says of a set of groups what it takes to send them.
type sum struct {
	accounts, pairs, requests int64
	largest                   []Account
}

// settle turns the partitions of the first read into groups.
func (in *Input) settle(parts *partitions) error {
	s := &settler{Input: in}
	if err := s.run(parts); err != nil {
		return err
	}
	return in.repeats.flush()
}

func (s *settler) run(parts *partitions) error {
	if !s.opts.Both {
		return s.written(parts)
	}
	first, later, err := s.match(parts)
	if err != nil {
		return err
	}
	if err := s.written(first); err != nil {
		later.close()
		return err
	}
	if _, err := s.group(later, s.mirrors); err != nil {
		return err
	}
	if !s.opts.Regroup && !s.opts.CountRegrouped {
		return nil
	}
	return s.regroup(parts.workshop, len(parts.stats))
}

// written groups the pairs to send by the account that was written.
func (s *settler) written(parts *partitions) error {
	sum, err := s.group(parts, s.groups)
	s.Accounts, s.Pairs, s.Requests, s.Largest = sum.accounts, sum.pairs, sum.requests, sum.largest
	s.RequestsWritten = sum.requests
	return err
}

// group groups every partition into one file, and frees them.
func (s *settler) group(parts *partitions, into *grouped) (sum, error) {
	s.into, s.sum = into, sum{}
	err := s.all(parts)
	if err == nil {
		// The last of the file is written now: a disk that is full shows before the first request, and who reads the
		// file changes nothing.
		err = into.flush()
	}
	return s.sum, err
}

// match is the extra step of Delete_Type_Both. parts holds a pair and its mirror together; they leave in two sets of
// partitions by account: those to send, and the mirrors that wait for them.
func (s *settler) match(parts *partitions) (first, later *partitions, err error) {
	defer parts.close()
	n := len(parts.stats)
	first, later = parts.partitions(n, byAccount, 0), parts.partitions(n, byAccount, 0)
	for i := range parts.stats {
		err = s.distinct(parts, i, func(r row) error { return s.face(r, first, later) })
		if err != nil {
			first.close()
			later.close()
			return nil, nil, err
		}
	}
	return first, later, nil
}

// face adds the row to first or, if an earlier one is its mirror, to later.
func (s *settler) face(r row, first, later *partitions) error {
	s.flip = append(append(s.flip[:0], r.raw[r.to:r.end]...), r.raw[:r.to]...)
	_, other, ok := s.pairs.seek(s.flip)
	if !ok {
		return first.add(r)
	}
	s.flip = append(s.flip[:0], r.raw[:len(r.raw)-1]...)
	s.flip = binary.AppendUvarint(s.flip, uint64(other.line()))
	if err := later.add(cutRow(s.flip)); err != nil {
		return err
	}
	s.Mirrors++
	return s.repeat(Repeat{Line: r.line(), First: other.line(), Mirror: true})
}

// all groups every partition, and frees them.
func (s *settler) all(parts *partitions) error {
	defer parts.close()
	for i, st := range parts.stats {
		if err := parts.ctx.Err(); err != nil {
			return err
		}
		if st.rows == 0 {
			continue
		}
		if err := s.partition(parts, i); err != nil {
			return err
		}
	}
	return nil
}

// partition groups the rows of one partition, which is split until every part fits or is a single account.
func (s *settler) partition(parts *partitions, i int) error {
	switch {
	case parts.fits(i):
		return s.shelf(parts, i)
	case parts.stats[i].oneFrom:
		s.into.begin(parts.stats[i].sample.from())
		if err := s.distinct(parts, i, s.into.add); err != nil {
			return err
		}
		return s.end()
	}
	finer, err := parts.split(i, byAccount)
	if err != nil {
		return err
	}
	return s.all(finer)
}

// end closes a group and counts it.
func (s *settler) end() error {
	pairs, err := s.into.end()
	if err != nil {
		return err
	}
	size := int64(s.opts.ChunkSize)
	s.sum.accounts++
	s.sum.pairs += pairs
	s.sum.requests += (pairs + size - 1) / size
	s.sum.rank(s.into.name, pairs)
	return nil
}

// rank keeps the five largest accounts.
func (s *sum) rank(name []byte, pairs int64) {
	at := len(s.largest)
	for at > 0 && s.largest[at-1].Pairs < pairs {
		at--
	}
	if at == 5 {
		return
	}
	s.largest = slices.Insert(s.largest, at, Account{Name: string(name), Pairs: pairs})
	s.largest = s.largest[:min(5, len(s.largest))]
}

// repeat notes that a row says what an earlier one says.
func (s *settler) repeat(r Repeat) error {
	s.Duplicates++
	return s.repeats.add(r)
}

// distinct calls emit with the rows of one partition less the repeats, which it notes. It works for any size: a
// partition that does not fit is split by pair, and the rows of one pair alone need no memory.
func (s *settler) distinct(parts *partitions, i int, emit func(row) error) error {
	switch {
	case parts.stats[i].rows == 0:
		return parts.ctx.Err()
	case parts.stats[i].samePair:
		return s.stream(parts, i, emit)
	case parts.fits(i):
		return s.sieve(parts, i, func(r row, _ uint32) error { return emit(r) })
	}
	finer, err := parts.split(i, byFriendship)
	if err != nil {
		return err
	}
	defer finer.close()
	for j := range finer.stats {
		if err := s.distinct(finer, j, emit); err != nil {
			return err
		}
	}
	return nil
}

// sieve reads a partition into memory and calls keep with its rows less the repeats, and where in s.data each begins.
func (s *settler) sieve(parts *partitions, i int, keep func(r row, at uint32) error) (err error) {
	if s.data, err = parts.load(i, s.data); err != nil {
		return err
	}
	s.pairs.reset(s.data, parts.stats[i].rows)
	for at := 0; at < len(s.data); {
		r := cutRow(s.data[at:])
		known, err := s.sift(r, uint32(at))
		if err == nil && !known {
			err = keep(r, uint32(at))
		}
		if err != nil {
			return err
		}
		at += len(r.raw)
	}
	return nil
}

// stream does the same for rows that name one pair of accounts, of which at most two are kept.
func (s *settler) stream(parts *partitions, i int, emit func(row) error) error {
	s.pairs.reset(nil, 2)
	return parts.each(i, func(r row) error {
		at := len(s.pairs.data)
		s.pairs.data = append(s.pairs.data, r.raw...)
		known, err := s.sift(r, uint32(at))
		if known {
			s.pairs.data = s.pairs.data[:at]
		}
		if err != nil || known {
			return err
		}
		return emit(r)
	})
}

// sift notes the row, which begins at the position of the data, as the first of its pair or as a repeat.
func (s *settler) sift(r row, at uint32) (known bool, err error) {
	slot, first, known := s.pairs.seek(r.pair())
	if known {
		return true, s.repeat(Repeat{Line: r.line(), First: first.line()})
	}
	slot.at = at + 1
	return false, nil
}
