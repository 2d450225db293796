package journal

import (
	"bytes"
	"encoding/json"
	"friendsweep/reports/journal/outcome"
	"strconv"
	"strings"
	"time"

	"github.com/go-faster/jx"
)

// The journal's lines as they are written, up to the comma before "h", which [seal] adds; [parser] is the other side.

// appendRequest begins a line about a request: key is send, answer or withdraw.
func appendRequest(dst []byte, key string, id int64, at time.Time) []byte {
	dst = append(dst, `{"`...)
	dst = append(dst, key...)
	dst = append(dst, `":`...)
	dst = strconv.AppendInt(dst, id, 10)
	return appendAt(dst, at)
}

func appendSend(dst []byte, account string, lines []int64) []byte {
	dst = append(dst, `,"account":`...)
	dst = appendString(dst, account)
	dst = append(dst, `,"lines":"`...)
	dst = appendLines(dst, lines)
	return append(dst, '"')
}

func appendAnswer(dst []byte, call *outcome.Call, took time.Duration, results []outcome.Result) []byte {
	dst = append(dst, `,"ms":`...)
	dst = strconv.AppendInt(dst, max(0, took.Milliseconds()), 10)
	return appendResults(dst, call, results)
}

func appendDecide(dst []byte, call *outcome.Call, account string, at time.Time, results []outcome.Result) []byte {
	dst = append(dst, `{"decide":`...)
	dst = appendString(dst, account)
	dst = appendAt(dst, at)
	return appendResults(dst, call, results)
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
		dst = append(dst, `,"lines":"`...)
		dst = appendRows(dst, r.Rows)
		dst = append(dst, '"')
	}
	return append(dst, '}')
}

func appendAt(dst []byte, at time.Time) []byte {
	dst = append(dst, `,"at":"`...)
	dst = at.UTC().AppendFormat(dst, StampLayout)
	return append(dst, '"')
}

const StampLayout = "2006-01-02T15:04:05.000Z"

// appendString appends a JSON string. Whatever is no UTF-8 becomes U+FFFD, so that the line stays readable.
func appendString(dst []byte, text string) []byte {
	w := jx.Writer{Buf: dst}
	w.Str(strings.ToValidUTF8(text, "\ufffd"))
	return w.Buf
}

func appendRunLine(dst []byte, l runLine) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(l)
	return bytes.TrimSuffix(buf.Bytes(), []byte("}\n")), err
}
