package entry

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-faster/jx"

	"friendsweep/reports/journal/outcome"
)

// Append appends the line of an entry, up to the comma before "h", which [Seal] adds. The call gives the results their words;
// an entry without results needs none.
func Append(dst []byte, call *outcome.Call, e *Entry) ([]byte, error) {
	switch e.Kind {
	case Send:
		dst = appendRequest(dst, "send", e)
		dst = append(dst, `,"account":`...)
		dst = appendString(dst, e.Account)
		return appendLines(dst, e.Rows), nil
	case Answer:
		dst = appendRequest(dst, "answer", e)
		dst = append(dst, `,"ms":`...)
		dst = strconv.AppendInt(dst, e.Took, 10)
		return appendResults(dst, call, e.Results), nil
	case Withdraw:
		return appendRequest(dst, "withdraw", e), nil
	case Decide:
		dst = append(dst, `{"decide":`...)
		dst = appendString(dst, e.Account)
		dst = appendAt(dst, e.At)
		return appendResults(dst, call, e.Results), nil
	}
	return appendRun(dst, e)
}

// appendRequest begins a line about a request.
func appendRequest(dst []byte, key string, e *Entry) []byte {
	dst = append(dst, `{"`...)
	dst = append(dst, key...)
	dst = append(dst, `":`...)
	dst = strconv.AppendInt(dst, e.ID, 10)
	return appendAt(dst, e.At)
}

func appendAt(dst []byte, at int64) []byte {
	dst = append(dst, `,"at":"`...)
	dst = time.UnixMilli(at).UTC().AppendFormat(dst, StampLayout)
	return append(dst, '"')
}

func appendResults(dst []byte, call *outcome.Call, results []outcome.Result) []byte {
	dst = append(dst, `,"results":[`...)
	for i := range results {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendResult(dst, call, &results[i])
	}
	return append(dst, ']')
}

func appendResult(dst []byte, call *outcome.Call, r *outcome.Result) []byte {
	dst = append(dst, `{"outcome":"`...)
	dst = append(dst, call.Word(r.Outcome)...)
	dst = append(dst, '"')
	if r.Code.Given {
		dst = append(dst, `,"code":`...)
		dst = strconv.AppendInt(dst, int64(r.Code.Number), 10)
	}
	if r.Lost {
		dst = append(dst, `,"lost":true`...)
	}
	if r.Presumed {
		dst = append(dst, `,"presumed":true`...)
	}
	if r.Info != "" {
		dst = append(dst, `,"info":`...)
		dst = appendString(dst, cut(r.Info))
	}
	if r.Rows != nil {
		dst = appendLines(dst, r.Rows)
	}
	return append(dst, '}')
}

// appendString appends a JSON string. Whatever is no UTF-8 becomes U+FFFD, so that the line stays readable.
func appendString(dst []byte, text string) []byte {
	w := jx.Writer{Buf: dst}
	w.Str(strings.ToValidUTF8(text, "\ufffd"))
	return w.Buf
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

// appendRun appends the line that begins or ends a run.
func appendRun(dst []byte, e *Entry) ([]byte, error) {
	l := runLine{At: time.UnixMilli(e.At).UTC().Format(StampLayout)}
	head, code, stopped := e.Head, e.Code, e.Stopped // copies, so that the entries of requests need no heap
	switch e.Kind {
	case Begin:
		l.Friendsweep, l.Job, l.Run = &head.Run.Version, &head.Job, &head.Run
	case Resume:
		l.Resume, l.Run = &head.Run.Version, &head.Run
	case End:
		l.End, l.Stopped = &code, &stopped
	}
	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(l)
	return bytes.TrimSuffix(buf.Bytes(), []byte("}\n")), err
}
