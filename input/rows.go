package input

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"github.com/gocarina/gocsv"
)

// cells are the two columns that a row must have, as gocsv fills them in. Which of the header's columns these are is
// decided in header.go.
type cells struct {
	From string `csv:"from"`
	To   string `csv:"to"`
}

// rows reads records one by one and finds what is wrong with each.
type rows struct {
	text     *textReader
	csv      *csv.Reader
	cells    *gocsv.Unmarshaller
	from, to string    // the header's own names of the two columns
	labels   [2]string // the same for reasons: short enough to be repeated in every line of a report
	fi, ti   int       // their positions
	width    int       // fields of the header
	end      int64     // offset of the end of the last record
}

func newRows(text *textReader, opts Options) (*rows, error) {
	r := &rows{text: text, csv: csv.NewReader(bufio.NewReaderSize(text, blockSize))}
	um, err := gocsv.NewUnmarshaller(r.csv, &cells{})
	r.cells = um
	if err == io.EOF {
		return nil, &Error{File: text.name, Reason: "is empty", Hint: "A header line that names two columns is needed, from_account,to_account for example."}
	}
	if err != nil {
		return nil, r.explain(err)
	}
	r.width = len(um.Headers)
	if err := r.done(); err != nil {
		return nil, err
	}
	h := header{file: text.name, line: r.line(), names: um.Headers}
	if r.fi, r.ti, err = h.columns(opts.FromColumn, opts.ToColumn); err != nil {
		return nil, err
	}
	r.from, r.to = h.names[r.fi], h.names[r.ti]
	if err := um.RenormalizeHeaders(r.tags); err != nil {
		return nil, err
	}
	r.labels = [2]string{label(r.from), label(r.to)}
	// From here on a record of another width than the header's is reported by the CSV reader.
	r.csv.FieldsPerRecord = r.width
	r.csv.ReuseRecord = true
	return r, nil
}

// tags gives the two columns the names that cells have for them, and the others none.
func (r *rows) tags(names []string) []string {
	tags := make([]string, len(names))
	tags[r.fi], tags[r.ti] = "from", "to"
	return tags
}

// all calls each with every record.
func (r *rows) all(each func(Record) error) error {
	for {
		rec, err := r.read()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = each(rec)
		}
		if err != nil {
			return err
		}
	}
}

// read returns the next record, or io.EOF.
func (r *rows) read() (Record, error) {
	row, err := r.cells.Read()
	if errors.Is(err, csv.ErrFieldCount) {
		return r.otherWidth()
	}
	if err != nil {
		return Record{}, r.explain(err)
	}
	cells := row.(*cells)
	rec := Record{Line: r.line(), From: cells.From, To: cells.To}
	rec.Reason = r.whyInvalid(rec.From, rec.To)
	return rec, r.done()
}

func (r *rows) line() int64 {
	line, _ := r.csv.FieldPos(0)
	return int64(line)
}

// done remembers where the record ended and refuses it if it was too long.
func (r *rows) done() error {
	start := r.end
	r.end = r.csv.InputOffset()
	if r.end-start > MaxRecord {
		if rec := afterBlank(r.text.raw(start, r.end)); len(rec) > MaxRecord {
			return tooLong(r.text.name, r.line())
		}
	}
	r.text.forget(r.end)
	return nil
}

// otherWidth is a record of too few or too many fields. gocsv does not hand out its fields, so they are read again from
// the bytes of the record, which are still in memory.
func (r *rows) otherWidth() (Record, error) {
	again := csv.NewReader(bytes.NewReader(r.text.raw(r.end, r.csv.InputOffset())))
	fields, err := again.Read()
	if err != nil {
		return Record{}, r.explain(err)
	}
	rec := Record{Line: r.line(), Reason: fmt.Sprintf("too few fields: %d instead of %d", len(fields), r.width)}
	if len(fields) > r.width {
		rec.Reason = fmt.Sprintf("too many fields: %d instead of %d", len(fields), r.width)
	}
	if r.fi < len(fields) {
		rec.From = fields[r.fi]
	}
	if r.ti < len(fields) {
		rec.To = fields[r.ti]
	}
	return rec, r.done()
}

// explain turns an error of the CSV reader into one that says where and what to do.
func (r *rows) explain(err error) error {
	var pe *csv.ParseError
	if !errors.As(err, &pe) {
		return err
	}
	e := &Error{File: r.text.name, Line: int64(pe.Line), Column: pe.Column, Reason: pe.Err.Error()}
	switch {
	case pe.Err == csv.ErrBareQuote:
		e.Reason = `a quote (") inside a field that does not begin with one`
		e.Hint = `Put the whole field in quotes and double the quote inside it: "a ""b"" c".`
	case pe.Err == csv.ErrQuote && r.unclosed(pe.Column):
		e.Line, e.Column = r.opened(int64(pe.StartLine))
		e.Reason = `a quote (") is opened here and never closed`
	case pe.Err == csv.ErrQuote:
		e.Reason = `a quote (") inside a quoted field`
		e.Hint = `Double the quote inside the field: "a ""b"" c".`
	}
	return e
}

// opened finds the last quote that opens a field in the record that starts at the line.
func (r *rows) opened(start int64) (line int64, column int) {
	inside, at, begin := false, start, 0
	raw := bytes.TrimLeft(r.text.raw(r.end, r.csv.InputOffset()), "\r\n")
	for i := 0; i < len(raw); i++ {
		switch {
		case raw[i] == '\n':
			at, begin = at+1, i+1
		case raw[i] != '"':
		case inside && i+1 < len(raw) && raw[i+1] == '"':
			i++ // a doubled quote stands for itself
		case inside:
			inside = false
		default:
			inside, line, column = true, at, i-begin+1
		}
	}
	return line, column
}

// unclosed tells a quote that is never closed from a stray one, for which the CSV reader gives the position of that
// quote; for the other, it gives a position behind the last character.
func (r *rows) unclosed(column int) bool {
	raw := bytes.TrimSuffix(r.text.raw(r.end, r.csv.InputOffset()), []byte{'\n'})
	last := raw[bytes.LastIndexByte(raw, '\n')+1:]
	return column > len(last) || last[column-1] != '"'
}
