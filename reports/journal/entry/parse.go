package entry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-faster/jx"

	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
)

// Parser turns the lines of one journal, from its first on, into entries. It owns the one entry that it hands out, which is
// good until its next line, and the memory behind it. It is for one goroutine.
type Parser struct {
	last  int64         // of the job: no row is above
	call  *outcome.Call // of the job
	calls outcome.Calls // that it may be of
	dec   jx.Decoder
	e     Entry
	res   outcome.Result
	seen  uint8 // which of the keys below the line had
	rows  outcome.Rows
	info  string // of the last result that had one: the next often has the same

	// Method values, bound once because binding allocates.
	onField, onResultField func(*jx.Decoder, []byte) error
	onResult               func(*jx.Decoder) error
}

const (
	sawID = 1 << iota
	sawAt
	sawAccount
	sawLines
	sawTook
	sawResults
)

// Which keys a line must have: these and no other of the list.
var keysOf = [...]uint8{
	Send:     sawID | sawAt | sawAccount | sawLines,
	Answer:   sawID | sawAt | sawTook | sawResults,
	Withdraw: sawID | sawAt,
	Decide:   sawAt | sawAccount | sawResults,
}

// NewParser makes the parser of a journal whose job may be of these calls.
func NewParser(calls outcome.Calls) *Parser {
	p := &Parser{calls: calls}
	p.onField, p.onResult, p.onResultField = p.field, p.result, p.resultField
	return p
}

// ErrLine says that a line is not one of a journal.
var ErrLine = errors.New("it is not a line of a journal")

// Parse reads one line, without its newline, whatever its h is: that is for [Link]. Keys it does not know are skipped: a later
// version may have written them.
func (p *Parser) Parse(line []byte) (*Entry, error) {
	if k := longLine(line); k != 0 {
		return p.parseLong(k, line)
	}
	p.e = Entry{Results: p.e.Results[:0]}
	p.seen, p.rows = 0, p.rows[:0]
	p.dec.ResetBytes(line)
	if err := p.dec.ObjBytes(p.onField); err != nil {
		return nil, unwrapped(err)
	}
	// The decoder stops behind the object: what follows is a second line in the first one's place.
	if p.dec.Skip() != io.EOF {
		return nil, ErrLine
	}
	if p.e.Kind == 0 || p.seen != keysOf[p.e.Kind] {
		return nil, ErrLine
	}
	return &p.e, nil
}

// unwrapped is the error of ours inside what the decoder made of it, or ErrLine: its own words are of no use to people.
func unwrapped(err error) error {
	for _, own := range []error{errLines, errResult} {
		if errors.Is(err, own) {
			return own
		}
	}
	return ErrLine
}

func (p *Parser) field(d *jx.Decoder, key []byte) (err error) {
	switch string(key) {
	case "send":
		p.e.ID, err = p.number(d, Send, sawID)
	case "answer":
		p.e.ID, err = p.number(d, Answer, sawID)
	case "withdraw":
		p.e.ID, err = p.number(d, Withdraw, sawID)
	case "ms":
		p.e.Took, err = p.number(d, 0, sawTook)
	case "at":
		err = p.stamp(d)
	case "account":
		err = p.string(d, 0)
	case "decide":
		err = p.string(d, Decide)
	case "lines":
		if err = p.saw(0, sawLines); err == nil {
			p.e.Rows, err = p.lines(d)
		}
	case "results":
		if err = p.saw(0, sawResults); err == nil {
			err = d.Arr(p.onResult)
		}
	default:
		err = d.Skip()
	}
	return err
}

// saw notes that a key came, and with it what kind of line this is. A key that comes twice has two meanings.
func (p *Parser) saw(k Kind, key uint8) error {
	if p.seen&key != 0 || k != 0 && p.e.Kind != 0 {
		return ErrLine
	}
	p.seen |= key
	if k != 0 {
		p.e.Kind = k
	}
	return nil
}

func (p *Parser) number(d *jx.Decoder, k Kind, key uint8) (int64, error) {
	if err := p.saw(k, key); err != nil {
		return 0, err
	}
	n, err := d.Int64()
	if err == nil && n < 0 {
		err = ErrLine
	}
	return n, err
}

func (p *Parser) string(d *jx.Decoder, k Kind) error {
	if err := p.saw(k, sawAccount); err != nil {
		return err
	}
	_, err := d.StrBytes()
	return err
}

func (p *Parser) stamp(d *jx.Decoder) error {
	if err := p.saw(0, sawAt); err != nil {
		return err
	}
	text, err := d.StrBytes()
	if err != nil {
		return err
	}
	var t time.Time
	if err := t.UnmarshalText(text); err != nil {
		return ErrLine
	}
	p.e.At = t.UnixMilli()
	return nil
}

// lines reads a "lines" string. All of a line of the journal share one slice, which may move while it grows; the parts
// handed out earlier keep the old one, so they stay good.
func (p *Parser) lines(d *jx.Decoder) (outcome.Rows, error) {
	text, err := d.StrBytes()
	if err != nil {
		return nil, err
	}
	from := len(p.rows)
	if p.rows, err = parseLines(p.rows, text, p.last); err != nil {
		return nil, err
	}
	return p.rows[from:len(p.rows):len(p.rows)], nil
}

var errResult = errors.New("one of its results contradicts itself")

func (p *Parser) result(d *jx.Decoder) error {
	if p.call == nil { // the first line was not read
		return ErrLine
	}
	p.res = outcome.Result{}
	if err := d.ObjBytes(p.onResultField); err != nil {
		return err
	}
	if !p.call.Sound(&p.res) {
		return errResult
	}
	p.e.Results = append(p.e.Results, p.res)
	return nil
}

func (p *Parser) resultField(d *jx.Decoder, key []byte) (err error) {
	r := &p.res
	switch string(key) {
	case "outcome":
		r.Outcome, err = p.outcome(d)
	case "code":
		r.Code.Given = true
		r.Code.Number, err = d.Int()
	case "info":
		r.Info, err = p.text(d)
	case "lost":
		r.Lost, err = d.Bool()
	case "presumed":
		r.Presumed, err = d.Bool()
	case "lines":
		r.Rows, err = p.lines(d)
	default:
		err = d.Skip()
	}
	return err
}

func (p *Parser) text(d *jx.Decoder) (string, error) {
	text, err := d.StrBytes()
	if string(text) != p.info {
		p.info = cut(string(text))
	}
	return p.info, err
}

// outcome reads a word that may stand in a journal.
func (p *Parser) outcome(d *jx.Decoder) (outcome.Outcome, error) {
	word, err := d.StrBytes()
	if err != nil {
		return 0, err
	}
	if o, ok := p.call.Outcome(string(word)); ok && o.IsWritten() {
		return o, nil
	}
	return 0, errResult
}

// longLine tells the lines that come a few times in a journal, and have more in them, from the others.
func longLine(line []byte) Kind {
	switch {
	case bytes.HasPrefix(line, []byte(Start)):
		return Begin
	case bytes.HasPrefix(line, []byte(`{"resume":`)):
		return Resume
	case bytes.HasPrefix(line, []byte(`{"end":`)):
		return End
	}
	return 0
}

func (p *Parser) parseLong(k Kind, line []byte) (*Entry, error) {
	var l runLine
	at, err := time.Time{}, json.Unmarshal(line, &l)
	if err == nil {
		err = at.UnmarshalText([]byte(l.At))
	}
	if err != nil {
		return nil, ErrLine
	}
	p.e = Entry{Kind: k, At: at.UnixMilli(), Results: p.e.Results[:0]}
	switch {
	case k == Begin && l.Friendsweep != nil && l.Job != nil && l.Job.sane() && l.Run != nil:
		if p.call = p.calls.Named(l.Job.Call); p.call == nil {
			return nil, fmt.Errorf("%w: its call %q is not one that this version knows", ErrLine, terminal.Printable(l.Job.Call))
		}
		p.e.Head = Head{Version: *l.Friendsweep, At: at, Call: p.call, Job: *l.Job, Run: *l.Run}
		p.e.Head.Run.Version, p.last = *l.Friendsweep, l.Job.LastLine
	case k == Resume && l.Resume != nil && l.Run != nil:
		p.e.Head.Run = *l.Run
		p.e.Head.Run.Version = *l.Resume
	case k == End && l.End != nil && l.Stopped != nil:
		p.e.Code, p.e.Stopped = *l.End, *l.Stopped
	default:
		return nil, ErrLine
	}
	return &p.e, nil
}
