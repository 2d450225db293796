package chat

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// FuzzDecode holds the decoder against a plain reading of the same answer by encoding/json: whatever a server sends, a row
// counts as answered with 0 only if that reading finds the one item that says so.
func FuzzDecode(f *testing.F) {
	samples, err := filepath.Glob("../../testdata/api/*.json")
	if err != nil || len(samples) == 0 {
		f.Fatalf("got %d samples, error %v, want some", len(samples), err)
	}
	for _, sample := range samples {
		body, err := os.ReadFile(sample)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	for _, body := range []string{
		"", "<html>", "{}", "null", `{"ErrorCode":0}n`, `{"ErrorCode":0,"ErrorCode":1}`,
		`{"ErrorCode":0,"ResultItem":[{"To_Account":"id2","ResultCode":0},{"To_Account":"id1","ResultCode":0}]}`,
		`{"ErrorCode":0,"ResultItem":[{"To_Account":"id1","ResultCode":0},{"To_Account":"id1","ResultCode":30006}]}`,
		`{"ErrorCode":0,"ResultItem":[{"To_Account":"id1","ResultCode":0,"ResultCode":"0"}],"Fail_Account":["id2",1]}`,
		`{"ErrorCode":0,"Invalid_Account":["\u0069d1"],"ResultItem":[{"To_Account":"id1","ResultCode":-0}]}`,
		`{"ErrorCode":0.0,"ErrorInfo":"\u001b\ud800","ResultItem":null}`,
	} {
		f.Add([]byte(body))
	}
	to := []string{"id1", "id2", "id3"}
	r := newRedactor()
	r.learn(testSig)
	used := newDecoder(Delete(Single), r.clean)
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := used.decode(body, to)
		if fresh, freshErr := newDecoder(Delete(Single), r.clean).decode(body, to); (err == nil) != (freshErr == nil) || fresh.Code != got.Code {
			t.Fatalf("used decoder: got %+v, %v, want %+v, %v", got, err, fresh, freshErr)
		}
		if err != nil {
			checkClean(t, err.Error())
			return
		}
		checkAnswer(t, body, got)
		for i, item := range got.Items {
			checkClean(t, item.Info)
			want := plainReading(body, to[i])
			if confirmed := item.State == Answered && item.Code == 0; confirmed != (want.zeros > 0 && want.others == 0 && !want.failed) {
				t.Fatalf("%s: got %+v, plain reading %+v", to[i], item, want)
			}
		}
	})
}

func checkAnswer(t *testing.T, body []byte, got Answer) {
	t.Helper()
	var top map[string]any
	if err := json.Unmarshal(body, &top); err != nil {
		t.Fatalf("got %+v, want an error as from encoding/json: %v", got, err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&top); err != nil {
		t.Fatal(err)
	}
	code, _ := top["ErrorCode"].(json.Number)
	if n, err := strconv.Atoi(code.String()); err != nil || n != got.Code {
		t.Fatalf("ErrorCode: got %d, want %s", got.Code, code)
	}
	checkClean(t, got.Info)
}

// tally is what a plain reading finds about one row: how many items give it code 0, how many another or no clear one, and
// whether it is listed as failed.
type tally struct {
	zeros, others int
	failed        bool
}

type member struct {
	key   string
	value json.RawMessage
}

func plainReading(body []byte, id string) (t tally) {
	for _, m := range members(body) {
		switch m.key {
		case "ResultItem":
			for _, item := range elements(m.value) {
				t.item(item, id)
			}
		case "Fail_Account", "Invalid_Account":
			for _, name := range elements(m.value) {
				t.failed = t.failed || text(name) == id
			}
		}
	}
	return t
}

func (t *tally) item(raw json.RawMessage, id string) {
	name, codes := "", map[string]bool{}
	for _, m := range members(raw) {
		switch m.key {
		case "To_Account":
			name += text(m.value) // a second one that differs makes the answer unreadable
			if m := text(m.value); name == m+m {
				name = m
			}
		case "ResultCode":
			n, err := strconv.Atoi(string(m.value))
			if err != nil {
				n = 0
			}
			codes[strconv.Itoa(n)+strconv.FormatBool(err == nil)] = true
		}
	}
	switch {
	case name != id || len(codes) == 0 || len(codes) == 1 && codes["0false"]:
	case len(codes) == 1 && codes["0true"]:
		t.zeros++
	default:
		t.others++
	}
}

// members are an object's keys and values in order, repeated ones included; none for another value.
func members(raw []byte) (all []member) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	for d.More() {
		key, err := d.Token()
		m := member{}
		if err != nil || d.Decode(&m.value) != nil {
			return all
		}
		m.key, _ = key.(string)
		all = append(all, m)
	}
	return all
}

func elements(raw json.RawMessage) (all []json.RawMessage) {
	if json.Unmarshal(raw, &all) != nil {
		return nil
	}
	return all
}

func text(raw json.RawMessage) (s string) {
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
