package input

import (
	"bytes"
	"context"
	"io"
	"math/bits"
	"slices"

	"github.com/cespare/xxhash/v2"

	"friendsweep/input/spread"
)

// limits say how much of the input is held in memory at a time. Tests lower them.
type limits struct {
	bytes int64 // of a partition that is read into memory whole
	rows  int64 // of such a partition
	parts int   // that one which does not fit is split into
	depth int   // of splits
}

// A partition of these sizes takes 30 to 45 MiB with its tables. Splitting ends by itself unless many rows were made to
// collide in a 64-bit hash; then, after the depth, memory is used instead of looping without end.
var usual = limits{bytes: 16 << 20, rows: 512 << 10, parts: 64, depth: 8}

// workspace is where partitions are made: what all of them share.
type workspace struct {
	ctx context.Context
	dir string
	limits
}

// partitions spreads rows so that those with the same key meet in the same partition, in the order they came.
type partitions struct {
	*workspace
	files *spread.Spread
	stats []stat
	key   key
	level int // how often the rows have been split before
	hash  func(id []byte) uint64
	buf   []byte
}

// stat tells how a partition can be dealt with.
type stat struct {
	rows     int64
	sample   row  // its first row
	samePair bool // all rows name the same two accounts, in either order
	oneFrom  bool // all rows have the same From_Account
}

// partitions makes n empty partitions.
func (w *workspace) partitions(n int, key key, level int) *partitions {
	return &partitions{workspace: w, files: spread.New(w.dir, n), stats: make([]stat, n), key: key, level: level, hash: seeded(level)}
}

// seeded makes the hash of a level: each has its own, so that one split says nothing about the next. The same input is
// always spread in the same way, because regrouping depends on the order of the groups.
func seeded(level int) func([]byte) uint64 {
	var d xxhash.Digest
	return func(id []byte) uint64 {
		d.ResetWithSeed(uint64(level))
		d.Write(id)
		return d.Sum64()
	}
}

// record adds what the first read found.
func (p *partitions) record(rec Record) error {
	return p.put(rec.From, rec.To, rec.Line, 0)
}

func (p *partitions) put(from, to string, line, first int64) error {
	p.buf = appendRest(appendID(p.buf[:0], from), to, line, first)
	return p.add(cutRow(p.buf))
}

func (p *partitions) add(r row) error {
	i, _ := bits.Mul64(p.key(p.hash, r), uint64(len(p.stats)))
	p.stats[i].count(r)
	return p.files.Append(int(i), r.raw)
}

func (s *stat) count(r row) {
	if s.rows == 0 {
		*s = stat{sample: cutRow(bytes.Clone(r.raw)), samePair: true, oneFrom: true}
	}
	s.rows++
	if s.oneFrom {
		s.oneFrom = bytes.Equal(r.from(), s.sample.from())
	}
	if s.samePair {
		s.samePair = bytes.Equal(r.pair(), s.sample.pair()) || r.mirrors(s.sample)
	}
}

func (p *partitions) fits(i int) bool {
	return p.stats[i].rows <= p.limits.rows && p.files.Size(i) <= p.limits.bytes || p.level >= p.depth
}

func (p *partitions) close() { p.files.Close() }

// split spreads partition i again, by another hash of key.
func (p *partitions) split(i int, key key) (*partitions, error) {
	finer := p.workspace.partitions(p.parts, key, p.level+1)
	if err := p.each(i, finer.add); err != nil {
		finer.close()
		return nil, err
	}
	return finer, nil
}

// each calls do with every row of partition i, in order, without holding more than one.
func (p *partitions) each(i int, do func(row) error) error {
	r, err := p.files.Open(i)
	if err != nil {
		return err
	}
	defer r.Close()
	return eachRow(stoppable{p.ctx, r}, do)
}

// load reads partition i into buf, which grows as needed, and returns it.
func (p *partitions) load(i int, buf []byte) ([]byte, error) {
	r, err := p.files.Open(i)
	if err != nil {
		return buf, err
	}
	defer r.Close()
	n := int(p.files.Size(i))
	buf = slices.Grow(buf[:0], n)[:n]
	if _, err := io.ReadFull(r, buf); err != nil {
		return buf, tempError(err)
	}
	return buf, nil
}

// stoppable ends a long read when the context is cancelled.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

// Read implements [io.Reader].
func (s stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}
