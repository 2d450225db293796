package input

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// row is a valid record as the partitions hold it: both IDs, each behind a byte that tells its length, then the line
// and, for a mirror, the line that it waits for, turnedMark for a row that was turned, else 0. In this order what makes a pair
// the same pair is one run of bytes, and what a group holds of it is another.
type row struct {
	raw []byte
	to  int // where To_Account's length stands
	end int // where the line stands
}

// maxRow is the longest encoding of a row.
const maxRow = 2*(1+MaxID) + 2*binary.MaxVarintLen64

func appendID(b []byte, id string) []byte {
	b = append(b, byte(len(id)))
	return append(b, id...)
}

// appendRest appends all of a row that follows From_Account.
func appendRest(b []byte, to string, line, first int64) []byte {
	b = binary.AppendUvarint(appendID(b, to), uint64(line))
	return binary.AppendUvarint(b, uint64(first))
}

// cutRow finds the row at the beginning of b, which is whole.
func cutRow(b []byte) row {
	to := 1 + int(b[0])
	end := to + 1 + int(b[to])
	n := end
	for b[n] >= 0x80 {
		n++
	}
	n++
	for b[n] >= 0x80 {
		n++
	}
	return row{raw: b[:n+1], to: to, end: end}
}

// pair is the part that two records of the same pair share.
func (r row) pair() []byte { return r.raw[:r.end] }

func (r row) from() []byte { return r.raw[1:r.to] }

func (r row) friend() []byte { return r.raw[r.to+1 : r.end] }

// rest is what a group holds of the row: everything but From_Account.
func (r row) rest() []byte { return r.raw[r.to:] }

func (r row) line() int64 {
	line, _ := binary.Uvarint(r.raw[r.end:])
	return int64(line)
}

// mirrors tells whether the other row names the same two accounts the other way round.
func (r row) mirrors(other row) bool {
	return bytes.Equal(r.from(), other.friend()) && bytes.Equal(r.friend(), other.from())
}

// key decides which rows must meet in one partition.
type key func(hash func(id []byte) uint64, r row) uint64

func byAccount(hash func([]byte) uint64, r row) uint64 { return hash(r.from()) }

// byFriendship is the same for a pair and its mirror, and for every repeat of either.
func byFriendship(hash func([]byte) uint64, r row) uint64 { return hash(r.from()) + hash(r.friend()) }

// eachRow calls do with the rows of a stream. They are valid during the call.
func eachRow(r io.Reader, do func(row) error) error {
	br := bufio.NewReaderSize(r, blockSize)
	for {
		b, err := br.Peek(maxRow)
		if err == io.EOF && len(b) == 0 {
			return nil
		}
		if err != nil && err != io.EOF {
			return tempError(err)
		}
		row := cutRow(b)
		if err := do(row); err != nil {
			return err
		}
		br.Discard(len(row.raw))
	}
}

// tempError is the error for a temporary file that is not as we wrote it.
func tempError(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("reading a temporary file: %w", err)
}
