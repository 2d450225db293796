package fates

import (
	"encoding/binary"
	"errors"
	"io"

	"friendsweep/input"
	"friendsweep/input/spread"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

// store holds what happened to rows, on disk by line number, and hands it back one bucket of lines after the other.
//
// A record goes to the bucket of its row. Repeats whose first lies in an earlier bucket wait in links, in the bucket of
// the first; when that one is loaded, what became of the first is forwarded to the bucket of the repeat, which is loaded
// later because a first comes before its repeats.
type store struct {
	call  *outcome.Call
	dir   string
	shift uint  // a bucket is 1<<shift lines
	base  int64 // Unix milliseconds that times are kept relative to
	rows  *spread.Spread
	links *spread.Spread

	// While the journal is read.
	common    map[string]int32 // texts that many rows share, by their number
	texts     []string         // the same, by number-1
	mostTexts int
	buf       []byte
	tail      []byte

	// While buckets are loaded.
	first int64 // the line of cells[0]
	cells []cell
	waits bool // some cell is waiting
	own   ownTexts
}

// mostBuckets is how many buckets there are at most: each of the two spreads buffers 32 MiB, the one of links only where
// there are as many repeats.
const mostBuckets = 4096

// sizes is what the memory of a store depends on.
type sizes struct {
	shift uint // the smallest bucket is 1<<shift lines
	texts int  // common ones
	group int  // rows that have their own texts in memory together
}

// usualSizes: the cells of the smallest bucket fit into a processor's cache; the API has dozens of texts; and a group
// of rows has 16 MiB of texts if each has the longest there is.
var usualSizes = sizes{shift: 14, texts: 4096, group: 1 << 14}

func newStore(dir string, head *entry.Head, size sizes) store {
	last := head.Job.LastLine
	s := store{call: head.Call, dir: dir, shift: size.shift, mostTexts: size.texts, base: head.At.UnixMilli(), common: make(map[string]int32)}
	s.own.groupRows = size.group
	for last>>s.shift >= mostBuckets {
		s.shift++
	}
	n := int(last>>s.shift) + 1
	s.rows, s.links = spread.New(dir, n), spread.New(dir, n)
	s.cells = make([]cell, min(last+1, 1<<s.shift))
	return s
}

func (s *store) bucketOf(line int64) int { return int(line >> s.shift) }

func (s *store) at(line int64) *cell { return &s.cells[line-s.first] }

// The kinds of records in rows, and what else their first byte tells.
const (
	recordChange  = iota // journal: a stretch of rows, a result
	recordRepeat         // input: a row and the line of its first, in the same bucket
	recordForward        // from an earlier bucket: a row and what a repeat needs to know of its first
	recordKind    = 3
	recordMirror  = 4
)

// The second byte of a change and of a forward.
const (
	changeOutcome  = 0x0f
	changeHasCode  = 0x10
	changeLost     = 0x20
	changePresumed = 0x40
	changeCarried  = 0x80
	sideMirrored   = 0x20 // forward only
)

// longestRecord is more than a record takes: five numbers of at most ten bytes, and a text.
const longestRecord = 64 + entry.MaxInfo

// change keeps what happened to the rows.
func (s *store) change(rows outcome.Rows, d *journal.Change) error {
	s.tail = s.appendResult(s.tail[:0], d)
	for _, r := range rows {
		for lo := r.Lo; lo <= r.Hi; {
			b := s.bucketOf(lo)
			hi := min(r.Hi, int64(b+1)<<s.shift-1)
			s.buf = append(s.buf[:0], recordChange)
			s.buf = binary.AppendUvarint(s.buf, uint64(lo-int64(b)<<s.shift))
			s.buf = binary.AppendUvarint(s.buf, uint64(hi-lo))
			s.buf = append(s.buf, s.tail...)
			if err := s.rows.Append(b, s.buf); err != nil {
				return err
			}
			lo = hi + 1
		}
	}
	return nil
}

func (s *store) appendResult(dst []byte, d *journal.Change) []byte {
	dst = append(dst, byte(d.Outcome)|boolFlag(d.Code.Given, changeHasCode)|boolFlag(d.Lost, changeLost)|
		boolFlag(d.Presumed, changePresumed)|boolFlag(d.Carried, changeCarried))
	dst = binary.AppendVarint(dst, int64(d.Code.Number))
	dst = binary.AppendVarint(dst, d.At-s.base)
	text := d.Info
	number := s.numberOf(text)
	dst = binary.AppendVarint(dst, number)
	if number < 0 {
		dst = append(dst, text...)
	}
	return dst
}

// numberOf is the number of a common text, 0 for an empty one, and minus its length for one that goes into the record.
// The first few thousand texts are common ones; the API has dozens.
func (s *store) numberOf(text string) int64 {
	if len(text) == 0 {
		return 0
	}
	if n, ok := s.common[text]; ok {
		return int64(n)
	}
	if len(s.texts) == s.mostTexts {
		return -int64(len(text))
	}
	s.texts = append(s.texts, text)
	n := int32(len(s.texts))
	s.common[text] = n
	return int64(n)
}

var errRepeat = errors.New("joining the journal with the input: a repeat comes before what it repeats")

// repeat keeps that a row repeats an earlier one.
func (s *store) repeat(r input.Repeat) error {
	if r.First < 2 || r.First >= r.Line || s.bucketOf(r.Line) >= s.rows.Len() {
		return errRepeat
	}
	b, first := s.bucketOf(r.Line), s.bucketOf(r.First)
	s.buf = append(s.buf[:0], recordRepeat|boolFlag(r.Mirror, recordMirror))
	if b == first {
		s.buf = binary.AppendUvarint(s.buf, uint64(r.Line-int64(b)<<s.shift))
		s.buf = binary.AppendUvarint(s.buf, uint64(r.First))
		return s.rows.Append(b, s.buf)
	}
	s.buf = binary.AppendUvarint(s.buf, uint64(r.First-int64(first)<<s.shift))
	s.buf = binary.AppendUvarint(s.buf, uint64(r.Line))
	return s.links.Append(first, s.buf)
}

// load makes b the bucket in memory. Every bucket is loaded once, in ascending order.
func (s *store) load(b int) error {
	clear(s.cells)
	s.first, s.waits = int64(b)<<s.shift, false
	if err := s.own.begin(s.dir, len(s.cells)); err != nil {
		return err
	}
	if err := s.each(s.rows, b, s.apply); err != nil {
		return err
	}
	if s.waits {
		s.resolve()
	}
	return s.each(s.links, b, s.forward)
}

// resolve settles the repeats whose first is in the same bucket, in the order of their lines: a first may itself be a
// repeat, and comes before.
func (s *store) resolve() {
	for i := range s.cells {
		if c := &s.cells[i]; c.has(waiting) {
			m := c.has(mirror)
			c.repeats(s.call, s.at(c.of).forwarded(c.of, m), m)
		}
	}
}

func (s *store) apply(r *record) error {
	switch kind := r.byte(); kind & recordKind {
	case recordChange:
		return s.applyChange(r)
	case recordRepeat:
		c := &s.cells[r.uvarint()]
		c.flags |= touched | waiting | boolFlag(kind&recordMirror != 0, mirror)
		c.of, s.waits = int64(r.uvarint()), true
	case recordForward:
		c, flags := &s.cells[r.uvarint()], r.byte()
		c.repeats(s.call, forwarded{
			outcome: outcome.Outcome(flags & changeOutcome), mirrored: flags&sideMirrored != 0,
			of: int64(r.uvarint()), code: outcome.Code{Number: int(r.varint()), Given: flags&changeHasCode != 0},
		}, kind&recordMirror != 0)
	}
	return nil
}

func (s *store) applyChange(r *record) error {
	from := r.uvarint()
	through := from + r.uvarint()
	flags := r.byte()
	d := journal.Change{Carried: flags&changeCarried != 0}
	d.Outcome, d.Code.Given, d.Lost = outcome.Outcome(flags&changeOutcome), flags&changeHasCode != 0, flags&changeLost != 0
	d.Presumed, d.Code.Number, d.At = flags&changePresumed != 0, int(r.varint()), r.varint()+s.base
	text := r.varint()
	if text < 0 {
		own, err := s.own.add(r.bytes(-text), int(from), int(through))
		if err != nil {
			return err
		}
		text = int64(own)
	}
	for i := from; i <= through; i++ {
		s.cells[i].apply(s.call, &d, int32(text))
	}
	return nil
}

// forward sends what a repeat needs to know to the bucket of its repeat.
func (s *store) forward(r *record) error {
	kind := r.byte()
	first, line := r.uvarint(), int64(r.uvarint())
	m := kind&recordMirror != 0
	st := s.cells[first].forwarded(s.first+int64(first), m)
	b := s.bucketOf(line)
	s.buf = append(s.buf[:0], recordForward|kind&recordMirror)
	s.buf = binary.AppendUvarint(s.buf, uint64(line-int64(b)<<s.shift))
	s.buf = append(s.buf, byte(st.outcome)|boolFlag(st.code.Given, changeHasCode)|boolFlag(st.mirrored, sideMirrored))
	s.buf = binary.AppendUvarint(s.buf, uint64(st.of))
	s.buf = binary.AppendVarint(s.buf, int64(st.code.Number))
	return s.rows.Append(b, s.buf)
}

// text is the text with this number of the row at line.
func (s *store) text(line int64, number int32) (string, error) {
	switch {
	case number == 0:
		return "", nil
	case number > 0:
		return s.texts[number-1], nil
	}
	return s.own.find(s.cells, int(line-s.first), number)
}

// record reads the numbers of one record, which is known to be there as a whole.
type record struct {
	data []byte
	pos  int
}

func (r *record) byte() byte {
	r.pos++
	return r.data[r.pos-1]
}

func (r *record) uvarint() uint64 {
	v, n := binary.Uvarint(r.data[r.pos:])
	r.pos += n
	return v
}

func (r *record) varint() int64 {
	v, n := binary.Varint(r.data[r.pos:])
	r.pos += n
	return v
}

func (r *record) bytes(n int64) []byte {
	r.pos += int(n)
	return r.data[r.pos-int(n) : r.pos]
}

// each calls do for every record of the bucket. What do does not read is not skipped: it has to read all of it.
func (s *store) each(sp *spread.Spread, b int, do func(*record) error) error {
	if sp.Size(b) == 0 {
		return nil
	}
	in, err := sp.Open(b)
	if err != nil {
		return err
	}
	defer in.Close()
	if s.own.in == nil {
		s.own.in = make([]byte, 128<<10)
	}
	return eachRecord(in, s.own.in, do)
}

func eachRecord(in io.Reader, buf []byte, do func(*record) error) error {
	r := record{}
	for full := false; ; {
		if !full && len(r.data)-r.pos < longestRecord {
			n := copy(buf, r.data[r.pos:])
			more, err := io.ReadFull(in, buf[n:])
			if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
				return err
			}
			r.data, r.pos, full = buf[:n+more], 0, err != nil
		}
		if r.pos == len(r.data) {
			return nil
		}
		if err := do(&r); err != nil {
			return err
		}
	}
}
