package chat

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// FuzzDecode holds the decoder of every call against a plain reading of the same answer by encoding/json: whatever a server
// sends, a row counts as answered with 0, and with one outcome and not another, only if that reading finds just this.
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
		`{"ErrorCode":0,"ResultItem":[{"To_Account":"id1","ResultCode":0},{"To_Account":"id1","ResultCode":null}]}`,
		`{"ErrorCode":0,"Invalid_Account":["\u0069d1"],"ResultItem":[{"To_Account":"id1","ResultCode":-0}]}`,
		`{"ErrorCode":0.0,"ErrorInfo":"\u001b\ud800","ResultItem":null}`,
		vendorSample, trapSample,
		`{"ErrorCode":0,"InfoItem":[{"To_Account":"id1","Relation":"CheckResult_Type_AWithB","ResultCode":0},{"To_Account":"id1","Relation":"CheckResult_Type_BWithA","ResultCode":0}]}`,
		`{"ErrorCode":0,"InfoItem":[{"Relation":1,"To_Account":"id2","ResultCode":0,"Relation":"CheckResult_Type_\u0042othWay"}],"Fail_Account":["id1"]}`,
		`{"ErrorCode":0,"InfoItem":[{"To_Account":"id3","Relation":"friends","ResultCode":0},{"To_Account":"id3","Relation":"","ResultCode":0}],"ResultItem":[{"To_Account":"id1","ResultCode":0}]}`,
	} {
		f.Add([]byte(body))
	}
	to := []string{"id1", "id2", "id3"}
	r := newRedactor()
	r.learn(testSig)
	var used []*decoder
	for _, call := range calls() {
		used = append(used, newDecoder(call, r.clean))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, d := range used {
			got, err := d.decode(body, to)
			fresh, freshErr := newDecoder(d.call, r.clean).decode(body, to)
			if (err == nil) != (freshErr == nil) || !slices.Equal(got.Items, fresh.Items) || fresh.Code != got.Code {
				t.Fatalf("%s, used decoder: got %+v, %v, want %+v, %v", d.call.Name, got, err, fresh, freshErr)
			}
			if err != nil {
				checkClean(t, err.Error())
				continue
			}
			checkAnswer(t, body, got)
			for i := range got.Items {
				checkRow(t, d.call, body, to[i], &got, i)
			}
		}
	})
}

func checkRow(t *testing.T, call Call, body []byte, id string, got *Answer, i int) {
	t.Helper()
	item, row, want := got.Items[i], call.Row(got, i), plainReading(call, body, id)
	checkClean(t, item.Info)
	if len(item.Info) > maxInfo {
		t.Fatalf("%s: got a text of %d bytes, want at most %d", id, len(item.Info), maxInfo)
	}
	confirmed := item.State == Answered && item.Code == 0
	if confirmed != (len(want.zeros) == 1 && want.others == 0 && !want.failed) || confirmed && !want.zeros[item.Outcome] {
		t.Fatalf("%s, %s: got %+v, plain reading %+v", call.Name, id, item, want)
	}
	coded := row.Verdict == Final && row.Code.Number != 0 // "not a friend", of a deletion
	if (row.Verdict == Final) != (confirmed || coded && call.Loses) || row.Lost && !call.Loses {
		t.Fatalf("%s, %s: got %+v of %+v, plain reading %+v", call.Name, id, row, item, want)
	}
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

// tally is what a plain reading finds about one row: the outcomes that its items with code 0 give, how many give another code,
// none, or nothing clear, and whether it is listed as failed.
type tally struct {
	zeros  map[int]bool
	others int
	failed bool
}

type member struct {
	key   string
	value json.RawMessage
}

func plainReading(call Call, body []byte, id string) tally {
	t := tally{zeros: map[int]bool{}}
	for _, m := range members(body) {
		switch m.key {
		case map[string]string{"delete": "ResultItem", "check": "InfoItem"}[call.Name]:
			for _, item := range elements(m.value) {
				t.item(call, item, id)
			}
		case "Fail_Account", "Invalid_Account":
			for _, name := range elements(m.value) {
				t.failed = t.failed || text(name) == id
			}
		}
	}
	return t
}

func (t *tally) item(call Call, raw json.RawMessage, id string) {
	name, codes, relations := "", map[string]bool{}, map[string]bool{}
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
		case "Relation":
			relations[text(m.value)] = true
		}
	}
	outcome := outcomeIn(call, relations)
	switch {
	case name != id:
	case len(codes) == 1 && codes["0true"] && outcome >= 0:
		t.zeros[outcome] = true
	default:
		t.others++
	}
}

// outcomeIn is the outcome that the values of Relation in one item give, or -1.
func outcomeIn(call Call, relations map[string]bool) int {
	if call.Name == "delete" {
		return 0
	}
	for i, word := range []string{"BothWay", "AWithB", "BWithA", "NoRelation"} {
		if len(relations) == 1 && relations["CheckResult_Type_"+word] {
			return i
		}
	}
	return -1
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
