package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/go-faster/jx"

	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
)

// MaxInfo bounds the text kept with a result, in bytes. The API's own texts are cut to 300 where they are read; this
// bound is what the memory of [fates.Fates] is reckoned with.
const MaxInfo = 1024

// kind is what a line of the journal tells.
type kind uint8

const (
	kindHead     kind = iota + 1
	kindResume        // another run goes on with the job
	kindSend          // a request is about to be sent
	kindAnswer        // it was answered, or its answer was lost
	kindWithdraw      // it was not sent after all
	kindDecide        // rows got an outcome without a request
	kindEnd           // the run ended by itself
)

// event is one line of the journal. It belongs to the parser and is good until its next line.
type event struct {
	kind    kind
	id      int64 // of the request: send, answer, withdraw
	at      int64 // Unix milliseconds
	took    int64 // milliseconds: answer
	rows    outcome.Rows
	results []outcome.Result
	head    Head   // head; its Run and Version also for resume
	code    string // end: the exit code
	stopped string // end: why, or empty
}

// parser turns lines into events. It owns the one event it hands out, and the memory behind it.
type parser struct {
	last  int64         // of the job: no row is above
	call  *outcome.Call // of the job
	calls outcome.Calls // that it may be of
	dec   jx.Decoder
	ev    event
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
	kindSend:     sawID | sawAt | sawAccount | sawLines,
	kindAnswer:   sawID | sawAt | sawTook | sawResults,
	kindWithdraw: sawID | sawAt,
	kindDecide:   sawAt | sawAccount | sawResults,
}

func newParser(calls outcome.Calls) *parser {
	p := &parser{calls: calls}
	p.onField, p.onResult, p.onResultField = p.field, p.result, p.resultField
	return p
}

var errLine = errors.New("it is not a line of a journal")

// parse reads one line, without its newline. Keys it does not know are skipped: a later version may have written them.
func (p *parser) parse(line []byte) (*event, error) {
	if k := longLine(line); k != 0 {
		return p.parseLong(k, line)
	}
	p.ev = event{results: p.ev.results[:0]}
	p.seen, p.rows = 0, p.rows[:0]
	p.dec.ResetBytes(line)
	if err := p.dec.ObjBytes(p.onField); err != nil {
		return nil, unwrapped(err)
	}
	// The decoder stops behind the object: what follows is a second line in the first one's place.
	if p.dec.Skip() != io.EOF {
		return nil, errLine
	}
	if p.ev.kind == 0 || p.seen != keysOf[p.ev.kind] {
		return nil, errLine
	}
	return &p.ev, nil
}

// unwrapped is the error of ours inside what the decoder made of it, or errLine: its own words are of no use to people.
func unwrapped(err error) error {
	for _, own := range []error{errLines, errResult} {
		if errors.Is(err, own) {
			return own
		}
	}
	return errLine
}

func (p *parser) field(d *jx.Decoder, key []byte) (err error) {
	switch string(key) {
	case "send":
		p.ev.id, err = p.number(d, kindSend, sawID)
	case "answer":
		p.ev.id, err = p.number(d, kindAnswer, sawID)
	case "withdraw":
		p.ev.id, err = p.number(d, kindWithdraw, sawID)
	case "ms":
		p.ev.took, err = p.number(d, 0, sawTook)
	case "at":
		err = p.stamp(d)
	case "account":
		err = p.string(d, 0)
	case "decide":
		err = p.string(d, kindDecide)
	case "lines":
		if err = p.saw(0, sawLines); err == nil {
			p.ev.rows, err = p.lines(d)
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
func (p *parser) saw(k kind, key uint8) error {
	if p.seen&key != 0 || k != 0 && p.ev.kind != 0 {
		return errLine
	}
	p.seen |= key
	if k != 0 {
		p.ev.kind = k
	}
	return nil
}

func (p *parser) number(d *jx.Decoder, k kind, key uint8) (int64, error) {
	if err := p.saw(k, key); err != nil {
		return 0, err
	}
	n, err := d.Int64()
	if err == nil && n < 0 {
		err = errLine
	}
	return n, err
}

func (p *parser) string(d *jx.Decoder, k kind) error {
	if err := p.saw(k, sawAccount); err != nil {
		return err
	}
	_, err := d.StrBytes()
	return err
}

func (p *parser) stamp(d *jx.Decoder) error {
	if err := p.saw(0, sawAt); err != nil {
		return err
	}
	text, err := d.StrBytes()
	if err != nil {
		return err
	}
	var t time.Time
	if err := t.UnmarshalText(text); err != nil {
		return errLine
	}
	p.ev.at = t.UnixMilli()
	return nil
}

// lines reads a "lines" string. All of a line of the journal share one slice, which may move while it grows; the parts
// handed out earlier keep the old one, so they stay good.
func (p *parser) lines(d *jx.Decoder) (outcome.Rows, error) {
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

func (p *parser) result(d *jx.Decoder) error {
	if p.call == nil { // the first line was not read
		return errLine
	}
	p.res = outcome.Result{}
	if err := d.ObjBytes(p.onResultField); err != nil {
		return err
	}
	if !p.call.Sound(&p.res) {
		return errResult
	}
	p.ev.results = append(p.ev.results, p.res)
	return nil
}

func (p *parser) resultField(d *jx.Decoder, key []byte) (err error) {
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

func (p *parser) text(d *jx.Decoder) (string, error) {
	text, err := d.StrBytes()
	if string(text) != p.info {
		p.info = cut(string(text))
	}
	return p.info, err
}

// outcome reads a word that may stand in a journal.
func (p *parser) outcome(d *jx.Decoder) (outcome.Outcome, error) {
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
func longLine(line []byte) kind {
	switch {
	case bytes.HasPrefix(line, []byte(headStart)):
		return kindHead
	case bytes.HasPrefix(line, []byte(`{"resume":`)):
		return kindResume
	case bytes.HasPrefix(line, []byte(`{"end":`)):
		return kindEnd
	}
	return 0
}

// headStart is how every journal begins, and nothing else does.
const headStart = `{"friendsweep":`

// runLine is the first line of a journal, of a resumed run, and of an end.
type runLine struct {
	Friendsweep *string `json:"friendsweep,omitempty"`
	Resume      *string `json:"resume,omitempty"`
	End         *string `json:"end,omitempty"`
	At          string  `json:"at"`
	Stopped     *string `json:"stopped,omitempty"`
	Job         *Job    `json:"job,omitempty"`
	Run         *Run    `json:"run,omitempty"`
}

func (p *parser) parseLong(k kind, line []byte) (*event, error) {
	var l runLine
	at, err := time.Time{}, json.Unmarshal(line, &l)
	if err == nil {
		err = at.UnmarshalText([]byte(l.At))
	}
	if err != nil {
		return nil, errLine
	}
	p.ev = event{kind: k, at: at.UnixMilli(), results: p.ev.results[:0]}
	switch {
	case k == kindHead && l.Friendsweep != nil && l.Job != nil && l.Job.sane() && l.Run != nil:
		if p.call = p.calls.Named(l.Job.Call); p.call == nil {
			return nil, fmt.Errorf("%w: its call %q is not one that this version knows", errLine, terminal.Printable(l.Job.Call))
		}
		p.ev.head = Head{Version: *l.Friendsweep, At: at, Call: p.call, Job: *l.Job, Run: *l.Run}
		p.ev.head.Run.Version = *l.Friendsweep
	case k == kindResume && l.Resume != nil && l.Run != nil:
		p.ev.head.Run = *l.Run
		p.ev.head.Run.Version = *l.Resume
	case k == kindEnd && l.End != nil && l.Stopped != nil:
		p.ev.code, p.ev.stopped = *l.End, *l.Stopped
	default:
		return nil, errLine
	}
	return &p.ev, nil
}

// cut shortens a text to maxInfo bytes, at the border of a character.
func cut(text string) string {
	if len(text) <= MaxInfo {
		return text
	}
	end := MaxInfo
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// Damage says that a journal cannot be trusted, or that a file is none. Nothing was changed.
type Damage struct{ err error }

// Error says what is wrong where, and on a second line what can be done.
func (d *Damage) Error() string { return d.err.Error() }

// Unwrap is what is wrong.
func (d *Damage) Unwrap() error { return d.err }

// damage is an error about a line of a journal that cannot be trusted.
func damage(path string, line int64, why error) error {
	return &Damage{fmt.Errorf("reading %s line %d: %w\n"+
		"nothing was changed. Restore the journal from a copy; or begin anew with --overwrite, which keeps this one aside: "+
		"what was deleted already will then be answered as not_friend", path, line, why)}
}
