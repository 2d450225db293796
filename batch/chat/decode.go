package chat

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"

	"github.com/go-faster/jx"
)

var (
	errEmpty    = errors.New("the answer is empty")
	errHTML     = errors.New("the answer is HTML, not JSON")
	errNotJSON  = errors.New("the answer is not valid JSON")
	errCut      = errors.New("the answer is not JSON from beginning to end")
	errNoCode   = errors.New("the answer has no integer ErrorCode")
	errTwoCodes = errors.New("the answer has two different values of ErrorCode")
	errTwoNames = errors.New("the answer has an item with two different values of To_Account")
	errNoArray  = errors.New("the answer's list of items is not an array")
	errForeign  = errors.New("the answer lacks an account that was asked for and names one that was not: it may be another request's")
)

// maxKept is the size of buffer that is kept for the next answer: 1000 items with texts fit in.
const maxKept = 512 << 10

// decoder reads one answer at a time and keeps its buffers for the next. jx was chosen by measurement (see the benchmark)
// among decoders that refuse what RFC 8259 does; it neither folds the case of keys nor merges repeated ones, so what a
// repeated key means is decided here.
type decoder struct {
	call   Call
	jx     jx.Decoder
	clean  func([]byte) string
	body   bytes.Buffer
	to     []string
	items  []Item
	failed []bool         // rows named in Fail_Account or Invalid_Account, or by an item without an integer code
	next   int            // the row that the next item is about, if the answer keeps the request's order
	index  map[string]int // rows by name, made for the first answer that does not
	ready  bool           // whether index is of this answer's rows
	alien  bool           // the answer names an account that was not asked for

	hasCode bool
	code    int
	info    string

	found     reading // the item that is being read
	eachField func(*jx.Decoder, []byte) error

	lastRaw  []byte // the text cleaned last: one text often comes a thousand times
	lastInfo string
}

func newDecoder(call Call, clean func([]byte) string) *decoder {
	d := &decoder{call: call, clean: clean}
	d.eachField = d.itemField // once: a method value is an allocation
	return d
}

// decode reads an answer about the accounts to, which holds no account twice. The error is for people.
func (d *decoder) decode(body []byte, to []string) (Answer, error) {
	d.begin(body, to)
	if err := d.object(body); err != nil {
		return Answer{}, err
	}
	if !d.hasCode {
		return Answer{}, errNoCode
	}
	for i, failed := range d.failed {
		if it := &d.items[i]; failed && it.succeeded() {
			*it = Item{State: Contradicted, Info: "the answer gives code 0 and lists the row as failed, or a second time without a code"}
		}
	}
	if d.alien && slices.ContainsFunc(d.items, func(it Item) bool { return it.State == Missing }) {
		return Answer{}, errForeign
	}
	return Answer{Kind: Envelope, Code: d.code, Info: d.info, Items: d.items}, nil
}

// succeeded tells whether the item gives code 0, clear or not.
func (it *Item) succeeded() bool {
	return it.State == Unclear || it.State == Answered && it.Code == 0
}

func (d *decoder) begin(body []byte, to []string) {
	d.jx.ResetBytes(body)
	d.to, d.items = to, make([]Item, len(to))
	d.failed = append(d.failed[:0], make([]bool, len(to))...)
	d.next, d.ready, d.alien = 0, false, false
	d.hasCode, d.code, d.info = false, 0, ""
}

// forget lets go of what belongs to the caller, and of buffers that a hostile answer blew up, before the decoder waits for
// its next use.
func (d *decoder) forget() {
	d.to, d.items, d.info = nil, nil, ""
	if d.body.Cap() > maxKept {
		d.body = bytes.Buffer{}
	}
	if cap(d.lastRaw) > maxRead {
		d.lastRaw, d.lastInfo = nil, ""
	}
}

func (d *decoder) object(body []byte) error {
	text := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(text) == 0:
		return errEmpty
	case text[0] == '<':
		return errHTML
	case text[0] != '{':
		return errNotJSON
	}
	fields, err := d.jx.ObjIter()
	if err != nil {
		return errCut
	}
	for fields.Next() {
		if err := d.field(fields.Key()); err != nil {
			return ours(err)
		}
	}
	if fields.Err() != nil || d.jx.Skip() != io.EOF { // anything but EOF is more text behind the object
		return errCut
	}
	return nil
}

// ours gives errors of the decoder one text: theirs quote the answer.
func ours(err error) error {
	for _, known := range []error{errNoCode, errTwoCodes, errTwoNames, errNoArray} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errCut
}

func (d *decoder) field(key []byte) (err error) {
	switch string(key) {
	case "ErrorCode":
		return d.errorCode()
	case "ErrorInfo":
		d.info, err = d.text()
	case d.call.list:
		return d.list()
	case "Fail_Account", "Invalid_Account":
		return d.failures()
	default:
		return d.jx.Skip()
	}
	return err
}

func (d *decoder) errorCode() error {
	code, ok, err := d.integer()
	if err != nil {
		return err
	}
	if !ok {
		return errNoCode
	}
	if d.hasCode && d.code != code {
		return errTwoCodes
	}
	d.code, d.hasCode = code, true
	return nil
}

// integer reads a value; ok is false for one that is no integer, such as "0", 0.0, 1e3, null or a number beyond 64 bits.
func (d *decoder) integer() (n int, ok bool, err error) {
	if d.jx.Next() != jx.Number {
		return 0, false, d.jx.Skip()
	}
	raw, err := d.jx.Raw()
	if err != nil {
		return 0, false, err
	}
	if len(raw) == 1 { // nearly always: a digit
		return int(raw[0] - '0'), true, nil
	}
	n, err = strconv.Atoi(string(raw))
	if err != nil {
		return 0, false, nil
	}
	return n, true, nil
}

// text reads a value and cleans it; one that is no string is no text.
func (d *decoder) text() (string, error) {
	if d.jx.Next() != jx.String {
		return "", d.jx.Skip()
	}
	raw, err := d.jx.StrBytes()
	if err != nil || len(raw) == 0 {
		return "", err
	}
	if string(raw) != string(d.lastRaw) {
		d.lastRaw, d.lastInfo = append(d.lastRaw[:0], raw...), d.clean(raw)
	}
	return d.lastInfo, nil
}
