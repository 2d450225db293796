package input

import (
	"bytes"
	"io"
)

// textReader hands on text and knows what the CSV reader behind it does not: the raw bytes of the record that is being
// read, and where a NUL stands. It stops a record that grows without end.
type textReader struct {
	r     io.Reader
	plain io.Closer // the decompressor behind r
	name  string
	kind  string // gzip, zstd or nothing

	lines     int64 // line breaks handed on
	lineStart int64 // offset of the byte after the last of them
	offset    int64 // bytes handed on

	// window holds the bytes from offset base on: all that was handed on since the record at hand began.
	window []byte
	base   int64
	mark   int64 // offset of the end of the last whole record; base <= mark
}

var notText = []struct{ magic, what string }{
	{"\xff\xfe", "UTF-16 text"}, {"\xfe\xff", "UTF-16 text"}, {"PK\x03\x04", "a zip archive or an Excel workbook"},
	{"BZh", "bzip2 data"}, {"\xfd7zXZ\x00", "xz data"}, {"%PDF", "a PDF"}, {"PAR1", "a Parquet file"},
}

// skipMark drops a UTF-8 byte-order mark and refuses what is known not to be CSV.
func (t *textReader) skipMark() error {
	head := make([]byte, 6)
	n, err := io.ReadFull(t.r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return explain(t.name, t.kind, err)
	}
	if err == io.ErrUnexpectedEOF && t.kind != "" && n == 0 {
		return explain(t.name, t.kind, err)
	}
	head = head[:n]
	for _, k := range notText {
		if bytes.HasPrefix(head, []byte(k.magic)) {
			return &Error{File: t.name, Reason: "is not a CSV text but " + k.what,
				Hint: "Save it as CSV in UTF-8, plain or compressed with gzip or zstd."}
		}
	}
	t.r = io.MultiReader(bytes.NewReader(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))), t.r)
	return nil
}

// forget says that everything before the offset has been read as whole records.
func (t *textReader) forget(offset int64) {
	t.mark = offset
	if drop := offset - t.base; drop >= blockSize {
		t.window = t.window[:copy(t.window, t.window[drop:])]
		t.base = offset
	}
}

// raw returns the bytes from offset from to offset to. They are valid until the next Read.
func (t *textReader) raw(from, to int64) []byte {
	return t.window[max(from, t.base)-t.base : to-t.base]
}

// Read implements [io.Reader].
func (t *textReader) Read(p []byte) (int, error) {
	if err := t.bound(); err != nil {
		return 0, err
	}
	n, err := t.r.Read(p)
	if i := bytes.IndexByte(p[:n], 0); i >= 0 {
		t.count(p[:i])
		return 0, &Error{File: t.name, Line: t.lines + 1, Column: int(t.offset-t.lineStart) + 1,
			Reason: "a NUL byte: this is not a CSV text", Hint: "Save the file as CSV in UTF-8."}
	}
	t.count(p[:n])
	t.window = append(t.window, p[:n]...)
	if err != nil && err != io.EOF {
		err = explain(t.name, t.kind, err)
	}
	return n, err
}

func (t *textReader) close() error { return t.plain.Close() }

// count moves the position past p.
func (t *textReader) count(p []byte) {
	if i := bytes.LastIndexByte(p, '\n'); i >= 0 {
		t.lines += int64(bytes.Count(p, []byte{'\n'}))
		t.lineStart = t.offset + int64(i) + 1
	}
	t.offset += int64(len(p))
}

// bound stops a record that is too long before it takes the memory with it. Blank lines belong to no record, however
// many they are.
func (t *textReader) bound() error {
	const most = MaxRecord + 2*blockSize // what the CSV reader has buffered may belong to the next record
	if len(t.window) <= most {
		return nil
	}
	rest := afterBlank(t.window[t.mark-t.base:])
	t.base += int64(len(t.window) - len(rest))
	t.mark = t.base
	t.window = t.window[:copy(t.window, rest)]
	if len(t.window) <= most {
		return nil
	}
	return tooLong(t.name, t.lines-int64(bytes.Count(t.window, []byte{'\n'}))+1)
}

// afterBlank drops the blank lines at the beginning of b.
func afterBlank(b []byte) []byte {
	for {
		rest := bytes.TrimLeft(b, "\n")
		rest = bytes.TrimPrefix(rest, []byte("\r\n"))
		if len(rest) == len(b) {
			return b
		}
		b = rest
	}
}

func tooLong(name string, line int64) error {
	return &Error{File: name, Line: line, Reason: "the record that starts here is over 4 MiB",
		Hint: "Most often a quote (\") was opened here and never closed."}
}
