package input

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"os"

	"friendsweep/input/spread"
)

// Group is all that is to be sent for one account.
type Group struct {
	Account string // From_Account
	Size    int64  // number of pairs
	pairs   string // as the file holds them; empty for a group that is left on disk
	disk    *io.SectionReader
}

// Pairs yields the pairs of the group: in the order of the input, but for an account that does not fit into memory.
// Different groups may be read at the same time. An error ends the sequence.
func (g Group) Pairs() iter.Seq2[Pair, error] {
	if g.disk != nil {
		return g.streamed
	}
	return func(yield func(Pair, error) bool) {
		for rest := g.pairs; rest != ""; {
			var p Pair
			p, rest = cutPair(rest)
			if !yield(p, nil) {
				return
			}
		}
	}
}

// streamed reads the pairs from disk, a block at a time. The pairs share the memory of their block.
func (g Group) streamed(yield func(Pair, error) bool) {
	br := bufio.NewReaderSize(io.NewSectionReader(g.disk, 0, g.disk.Size()), blockSize)
	for left := g.Size; left > 0; {
		block, err := br.Peek(blockSize)
		if len(block) == 0 || err != nil && err != io.EOF {
			yield(Pair{}, tempError(err))
			return
		}
		// A pair may begin in one block and end in the next.
		rest := string(block)
		for ; rest != "" && (err == io.EOF || len(rest) >= maxRow); left-- {
			var p Pair
			if p, rest = cutPair(rest); !yield(p, nil) {
				return
			}
		}
		br.Discard(len(block) - len(rest))
	}
}

// cutPair reads the pair at the beginning of s: what is left of a row without its From_Account.
func cutPair(s string) (p Pair, rest string) {
	n := 1 + int(s[0])
	p.To, s = s[1:n], s[n:]
	line, s := cutUvarint(s)
	first, s := cutUvarint(s)
	p.Line, p.First = int64(line), int64(first)
	if p.First == turnedMark {
		p.Turned, p.First = true, 0
	}
	return p, s
}

func cutUvarint(s string) (v uint64, rest string) {
	for i := range len(s) {
		v |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return v, s[i+1:]
		}
	}
	return v, ""
}

// headSize is the size in bytes of what precedes the name of a group: the number of its pairs, the number of bytes
// that they take, and the length of the name.
const headSize = 8 + 8 + 1

// keepInMemory is the size in bytes up to which a group's pairs are read together with its head. The pairs of a larger
// one stay on disk until they are asked for.
const keepInMemory = 256 << 10

// groupFile is a file of groups, one after the other: head, name, pairs.
type groupFile struct {
	dir     string
	file    *os.File
	written int64  // bytes in the file
	buf     []byte // what comes after them

	start int64 // where the open group begins
	pairs int64 // of the open group
	name  []byte
}

func newGroupFile(dir string) *groupFile { return &groupFile{dir: dir} }

// begin opens a group.
func (g *groupFile) begin(account []byte) {
	g.start, g.pairs, g.name = g.written+int64(len(g.buf)), 0, append(g.name[:0], account...)
	g.buf = append(g.buf, make([]byte, headSize-1)...)
	g.buf = append(g.buf, byte(len(account)))
	g.buf = append(g.buf, account...)
}

// add appends the row's pair to the open group.
func (g *groupFile) add(r row) error {
	g.buf = append(g.buf, r.rest()...)
	return g.added()
}

// addPair appends the pair to the open group, as it was written.
func (g *groupFile) addPair(p Pair) error {
	g.buf = appendRest(g.buf, p.To, p.Line, p.First)
	return g.added()
}

func (g *groupFile) added() error {
	g.pairs++
	if len(g.buf) < keepInMemory {
		return nil
	}
	return g.flush()
}

// end closes the group, fills in its head, which is on disk already if the group was large, and returns the number of
// its pairs.
func (g *groupFile) end() (int64, error) {
	body := g.written + int64(len(g.buf)) - g.start - headSize - int64(len(g.name))
	var head [headSize - 1]byte
	binary.LittleEndian.PutUint64(head[:], uint64(g.pairs))
	binary.LittleEndian.PutUint64(head[8:], uint64(body))
	if g.start >= g.written {
		copy(g.buf[g.start-g.written:], head[:])
		return g.pairs, nil
	}
	if _, err := g.file.WriteAt(head[:], g.start); err != nil {
		return 0, fmt.Errorf("writing a temporary file: %w", err)
	}
	return g.pairs, nil
}

// flush writes what is in memory. It must be called once more after the last group.
func (g *groupFile) flush() error {
	if len(g.buf) == 0 {
		return nil
	}
	if g.file == nil {
		f, err := spread.Temp(g.dir)
		if err != nil {
			return err
		}
		g.file = f
	}
	if _, err := g.file.WriteAt(g.buf, g.written); err != nil {
		return fmt.Errorf("writing a temporary file: %w", err)
	}
	g.written += int64(len(g.buf))
	g.buf = g.buf[:0]
	return nil
}

// all yields the groups in the order they were written.
func (g *groupFile) all() iter.Seq2[Group, error] {
	return func(yield func(Group, error) bool) {
		if g.file == nil {
			return
		}
		r := &groupReader{file: g.file, size: g.written}
		r.seek(0)
		for r.at < r.size {
			group, err := r.next()
			if !yield(group, err) || err != nil {
				return
			}
		}
	}
}

func (g *groupFile) close() {
	if g.file != nil {
		g.file.Close()
	}
}

// groupReader reads a file of groups from its beginning.
type groupReader struct {
	br   *bufio.Reader
	file *os.File
	size int64
	at   int64 // of the next group
	buf  []byte
}

func (r *groupReader) seek(at int64) {
	part := io.NewSectionReader(r.file, at, r.size-at)
	if r.br == nil {
		r.br = bufio.NewReaderSize(part, keepInMemory)
	}
	r.br.Reset(part)
}

func (r *groupReader) next() (Group, error) {
	head := r.take(headSize)
	if _, err := io.ReadFull(r.br, head); err != nil {
		return Group{}, tempError(err)
	}
	group := Group{Size: int64(binary.LittleEndian.Uint64(head))}
	body, name := int64(binary.LittleEndian.Uint64(head[8:])), int(head[headSize-1])
	from := r.at + headSize + int64(name)
	r.at = from + body
	inMemory := body <= keepInMemory
	want := name
	if inMemory {
		want += int(body)
	}
	b := r.take(want)
	if _, err := io.ReadFull(r.br, b); err != nil {
		return Group{}, tempError(err)
	}
	all := string(b)
	group.Account, group.pairs = all[:name], all[name:]
	if inMemory {
		return group, nil
	}
	group.disk = io.NewSectionReader(r.file, from, body)
	r.seek(r.at)
	return group, nil
}

// take returns n bytes to read into; the next call takes them back.
func (r *groupReader) take(n int) []byte {
	if cap(r.buf) < n {
		r.buf = make([]byte, n+n/2)
	}
	return r.buf[:n]
}
