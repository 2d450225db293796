package chat

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func decodeText(body string, to ...string) (Answer, error) {
	return decodeAs(Delete(Single), body, to...)
}

func decodeAs(call Call, body string, to ...string) (Answer, error) {
	return newDecoder(call, newRedactor().clean).decode([]byte(body), to)
}

func ok(code int, info ...string) Item {
	return Item{State: Answered, Code: code, Info: strings.Join(info, "")}
}

func clash(info string) Item { return Item{State: Contradicted, Info: info} }

func TestDecodeDocumentedSamples(t *testing.T) {
	for _, tc := range []struct {
		file string
		to   []string
		want Answer
	}{
		{"success.json", []string{"id1", "id2"}, Answer{Info: "0", Items: []Item{ok(0), ok(0)}}},
		{"refused.json", []string{"id1"}, Answer{Code: 60008,
			Info: "service timeout or request format error,please check and try again", Items: []Item{{}}}},
		{"partly-failed.json", []string{"id1", "id2", "id3"}, Answer{Items: []Item{ok(0),
			ok(31704, "Err_SNS_FriendDelete_Not_Friend"), ok(30006, "Err_SNS_FriendDelete_Internal")}}},
	} {
		body, err := os.ReadFile("../../testdata/api/" + tc.file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeText(string(body), tc.to...)
		if diff := cmp.Diff(got, tc.want); diff != "" || err != nil {
			t.Errorf("%s: got (-), want (+), error %v:\n%s", tc.file, err, diff)
		}
	}
}

const twice = "the answer gives the row two different codes"
const listed = "the answer gives code 0 and lists the row as failed, or a second time without a code"

func TestDecodeHostileItems(t *testing.T) {
	a := func(code string) string { return `{"To_Account":"a","ResultCode":` + code + `,"ResultInfo":""}` }
	b := func(code string) string { return `{"To_Account":"b","ResultCode":` + code + `,"ResultInfo":""}` }
	for _, tc := range []struct {
		name, fields string // the fields beside ErrorCode 0
		want         []Item // of a and b
	}{
		{"in order", `"ResultItem":[` + a("0") + `,` + b("30003") + `]`, []Item{ok(0), ok(30003)}},
		{"reordered", `"ResultItem":[` + b("30003") + `,` + a("0") + `]`, []Item{ok(0), ok(30003)}},
		{"first missing", `"ResultItem":[` + b("0") + `]`, []Item{{}, ok(0)}},
		{"last missing", `"ResultItem":[` + a("0") + `]`, []Item{ok(0), {}}},
		{"null list", `"ResultItem":null`, []Item{{}, {}}},
		{"no list", `"ResultItems":[` + a("0") + `]`, []Item{{}, {}}},
		{"empty list", `"ResultItem":[]`, []Item{{}, {}}},
		{"unknown ids", `"ResultItem":[{"To_Account":"x","ResultCode":0},` + a("0") + `,{"To_Account":"y","ResultCode":0},` + b("0") + `]`, []Item{ok(0), ok(0)}},
		{"keys in another case", `"ResultItem":[{"to_account":"a","ResultCode":0},{"To_Account":"b","resultcode":0}],"resultitem":[` + a("0") + `]`, []Item{{}, {}}},
		{"repeated, same code", `"ResultItem":[` + a("0") + `,` + a("0") + `,` + b("0") + `]`, []Item{ok(0), ok(0)}},
		{"repeated, other code", `"ResultItem":[` + a("0") + `,` + b("0") + `,` + a("30006") + `]`,
			[]Item{clash("the answer gives the row the codes 0 and 30006"), ok(0)}},
		{"a third time", `"ResultItem":[` + a("30006") + `,` + a("0") + `,` + a("0") + `]`,
			[]Item{clash("the answer gives the row the codes 30006 and 0"), {}}},
		{"list twice", `"ResultItem":[` + a("0") + `],"ResultItem":[` + a("1") + `,` + b("0") + `]`,
			[]Item{clash("the answer gives the row the codes 0 and 1"), ok(0)}},
		{"failed with 0", `"ResultItem":[` + a("0") + `,` + b("0") + `],"Fail_Account":["b"]`, []Item{ok(0), clash(listed)}},
		{"failed with 0, list first", `"Fail_Account":["b","x"],"ResultItem":[` + a("0") + `,` + b("0") + `]`, []Item{ok(0), clash(listed)}},
		{"invalid with 0", `"Invalid_Account":["a"],"ResultItem":[` + a("0") + `,` + b("0") + `]`, []Item{clash(listed), ok(0)}},
		{"failed with its code", `"Fail_Account":["b"],"ResultItem":[` + a("0") + `,` + b("31704") + `]`, []Item{ok(0), ok(31704)}},
		{"failed without item", `"Fail_Account":["b"],"ResultItem":[` + a("0") + `]`, []Item{ok(0), {}}},
		{"failures of another type", `"Fail_Account":"b","Invalid_Account":{"a":1},"ResultItem":[` + a("0") + `,` + b("0") + `]`, []Item{ok(0), ok(0)}},
		{"failures among others", `"Fail_Account":[1,null,{"To_Account":"a"},["a"],"b"],"ResultItem":[` + a("0") + `,` + b("0") + `]`, []Item{ok(0), clash(listed)}},
		{"code is text", `"ResultItem":[` + a(`"0"`) + `,` + b("0") + `]`, []Item{{}, ok(0)}},
		{"code is null", `"ResultItem":[` + a(`null`) + `,` + b("0") + `]`, []Item{{}, ok(0)}},
		{"code is a fraction", `"ResultItem":[` + a(`0.0`) + `,` + b("0.5") + `]`, []Item{{}, {}}},
		{"code is a power", `"ResultItem":[` + a(`0e1`) + `,` + b("3E4") + `]`, []Item{{}, {}}},
		{"code is false", `"ResultItem":[` + a(`false`) + `,` + b("[0]") + `]`, []Item{{}, {}}},
		{"code is huge", `"ResultItem":[` + a(`18446744073709551616`) + `,` + b("-1") + `]`, []Item{{}, ok(-1)}},
		{"code with spaces", "\"ResultItem\" : [ " + a(" \t0 ") + " ,\n" + b("\r\n7 ") + "]", []Item{ok(0), ok(7)}},
		{"no code", `"ResultItem":[{"To_Account":"a"},` + b("0") + `]`, []Item{{}, ok(0)}},
		{"code twice", `"ResultItem":[{"To_Account":"a","ResultCode":30003,"ResultCode":0},` + b("0") + `]`, []Item{clash(twice), ok(0)}},
		{"code twice, once text", `"ResultItem":[{"To_Account":"a","ResultCode":"1","ResultCode":0},{"ResultCode":0,"To_Account":"b","ResultCode":null}]`, []Item{clash(twice), clash(twice)}},
		{"two items, one without a code", `"ResultItem":[` + a(`"30003"`) + `,` + a("0") + `,` + b("0") + `,{"To_Account":"b"}]`, []Item{clash(listed), clash(listed)}},
		{"two items without a code", `"ResultItem":[` + a("null") + `,` + a("0.0") + `,` + b("30003") + `,` + b("1e3") + `]`, []Item{{}, {State: Answered, Code: 30003}}},
		{"code twice, the same", `"ResultItem":[{"To_Account":"a","ResultCode":0,"ResultCode":0}]`, []Item{ok(0), {}}},
		{"name twice, the same", `"ResultItem":[{"To_Account":"a","ResultCode":0,"To_Account":"a"}]`, []Item{ok(0), {}}},
		{"name last", `"ResultItem":[{"ResultInfo":"x","ResultCode":5,"To_Account":"b"}]`, []Item{{}, ok(5, "x")}},
		{"name in escapes", `"ResultItem":[{"To_Account":"\u0062","ResultCode":0}]`, []Item{{}, ok(0)}},
		{"name is a number", `"ResultItem":[{"To_Account":1,"ResultCode":0},` + b("0") + `]`, []Item{{}, ok(0)}},
		{"no name", `"ResultItem":[{"ResultCode":0},{},` + b("0") + `]`, []Item{{}, ok(0)}},
		{"item is no object", `"ResultItem":["a",0,null,["b",0],` + a("0") + `]`, []Item{ok(0), {}}},
		{"info is no text", `"ResultItem":[{"To_Account":"a","ResultCode":1,"ResultInfo":{"x":[1]}}]`, []Item{ok(1), {}}},
		{"unknown keys", `"x":{"ResultItem":[` + b("0") + `]},"ResultItem":[{"To_Account":"a","y":[{"ResultCode":1}],"ResultCode":0}]`, []Item{ok(0), {}}},
		{"status says fail", `"ActionStatus":"FAIL","ResultItem":[` + a("0") + `]`, []Item{ok(0), {}}},
		{"control characters", `"ResultItem":[{"To_Account":"a","ResultCode":1,"ResultInfo":"\u001b[31m\n\u202e"}]`, []Item{ok(1, `\x1b[31m\n\u202e`), {}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, body := range []string{`{"ErrorCode":0,` + tc.fields + `}`, `{` + tc.fields + `,"ErrorCode":0}`, " \r\n{" + tc.fields + ",\"ErrorCode\":0}\n\t "} {
				got, err := decodeText(body, "a", "b")
				if diff := cmp.Diff(got.Items, tc.want); diff != "" || err != nil {
					t.Errorf("%s: got (-), want (+), error %v:\n%s", body, err, diff)
				}
			}
		})
	}
}

func TestDecodeUnreadable(t *testing.T) {
	item := `{"To_Account":"a","ResultCode":0}`
	for body, want := range map[string]error{
		"":                                     errEmpty,
		" \r\n\t":                              errEmpty,
		"<html><body>502</body></html>":        errHTML,
		" <!DOCTYPE html>":                     errHTML,
		"null":                                 errNotJSON,
		"0":                                    errNotJSON,
		`"ErrorCode"`:                          errNotJSON,
		`[{"ErrorCode":0}]`:                    errNotJSON,
		"\ufeff" + `{"ErrorCode":0}`:           errNotJSON,
		`{"ErrorCode":0`:                       errCut,
		`{`:                                    errCut,
		`{"ErrorCode":0,}`:                     errCut,
		`{"ErrorCode":0}x`:                     errCut,
		`{"ErrorCode":0}{}`:                    errCut,
		`{"ErrorCode":0}n`:                     errCut,
		`{"ErrorCode":0}nul`:                   errCut,
		`{"ErrorCode":0}t`:                     errCut,
		`{"ErrorCode":0}fals`:                  errCut,
		`{"ErrorCode":0}-`:                     errCut,
		`{"ErrorCode":0}"`:                     errCut,
		`{"ErrorCode":0}[`:                     errCut,
		`{"ErrorCode":0} 1`:                    errCut,
		"{\"ErrorCode\":0}\x00":                errCut,
		`{'ErrorCode':0}`:                      errCut,
		`{"ErrorCode":00}`:                     errCut,
		`{"ErrorCode":+0}`:                     errCut,
		`{"ErrorCode":0,"x":tru}`:              errCut,
		"{\"ErrorCode\":0,\"x\":\"\n\"}":       errCut,
		`{"ErrorCode":0,"x":"\x"}`:             errCut,
		`{}`:                                   errNoCode,
		`{"ResultItem":[` + item + `]}`:        errNoCode,
		`{"errorcode":0}`:                      errNoCode,
		`{"ErrorCode":"0"}`:                    errNoCode,
		`{"ErrorCode":null}`:                   errNoCode,
		`{"ErrorCode":0.0}`:                    errNoCode,
		`{"ErrorCode":99999999999999999999}`:   errNoCode,
		`{"ErrorCode":0,"ErrorCode":1}`:        errTwoCodes,
		`{"ErrorCode":0,"ErrorCode":null}`:     errNoCode,
		`{"ErrorCode":0,"ResultItem":{"a":0}}`: errNoArray,
		`{"ErrorCode":0,"ResultItem":"a"}`:     errNoArray,
		`{"ErrorCode":0,"ResultItem":[` + item: errCut,
		`{"ErrorCode":0,"ResultItem":[` + item + `,]}`:                                        errCut,
		`{"ErrorCode":0,"ResultItem":[{"To_Account":"a","To_Account":"b","ResultCode":0}]}`:   errTwoNames,
		`{"ErrorCode":0,"x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`: errCut,
	} {
		if got, err := decodeText(body, "a", "b"); err != want {
			t.Errorf("%.80q: got %+v, error %v, want error %v", body, got, err, want)
		}
	}
}

// Every cut of a good answer is unreadable: no prefix may confirm a row.
func TestDecodeEveryTruncation(t *testing.T) {
	body := `{"ErrorCode":0,"ResultItem":[{"To_Account":"a","ResultCode":0,"ResultInfo":"é\u00e9"}],"Fail_Account":["b"],"n":-1.5e3,"t":true,"z":null}`
	for n := range len(body) {
		if got, err := decodeText(body[:n], "a"); err == nil {
			t.Errorf("%s: got %+v, want an error", body[:n], got)
		}
	}
	if _, err := decodeText(body, "a"); err != nil {
		t.Errorf("the whole answer: got %v, want none", err)
	}
}

func TestDecodeItemsOfRefusedRequest(t *testing.T) {
	a, err := decodeText(`{"ActionStatus":"FAIL","ErrorCode":30006,"ErrorInfo":"busy","ResultItem":[{"To_Account":"a","ResultCode":0},{"To_Account":"c","ResultCode":31704,"ResultInfo":"no"}]}`, "a", "b", "c")
	if err != nil {
		t.Fatal(err)
	}
	var got []Ruling
	for i := range a.Items {
		got = append(got, new(Delete(Single)).Row(&a, i))
	}
	want := []Ruling{deleted.of(coded(0), ""), retry.of(coded(30006), "busy"), notFriend.of(coded(31704), "no")}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("got (-), want (+):\n%s", diff)
	}
}

func coded(n int) Code { return Code{n, true} }

func TestRow(t *testing.T) {
	none := Code{}
	for _, tc := range []struct {
		name   string
		answer Answer
		want   Ruling
	}{
		{"missing", Answer{Items: []Item{{}}}, retryLost.of(none, "the answer says nothing about this row")},
		{"contradicted", Answer{Items: []Item{clash("why")}}, retryLost.of(none, "why")},
		{"contradicted in a refused request", Answer{Code: 30004, Items: []Item{clash("why")}}, retryLost.of(none, "why")},
		{"unclear", Answer{Items: []Item{{State: Unclear, Info: "why"}}}, refuse.of(coded(0), "why")},
		{"single row refused", Answer{Code: 31704, Info: "x", Items: []Item{{}}}, notFriend.of(coded(31704), "x")},
		{"many rows refused", Answer{Code: 31704, Info: "x", Items: []Item{{}, {}}}, splitAll.of(coded(31704), "x")},
		{"fault", Answer{Kind: LostFault, Info: "reset"}, retryLost.of(none, "reset")},
		{"fault before sending", Answer{Kind: DialFault, Info: "refused"}, retry.of(none, "refused")},
	} {
		if diff := cmp.Diff(new(Delete(Single)).Row(&tc.answer, 0), tc.want); diff != "" {
			t.Errorf("%s: got (-), want (+):\n%s", tc.name, diff)
		}
		want := tc.want
		want.Lost = false
		if got := new(Check()).Row(&tc.answer, 0); got.Lost || tc.want.Code != coded(31704) && got != want {
			t.Errorf("%s, of a check: got %+v, want %+v", tc.name, got, want)
		}
	}
}

// The request as a whole has its code and text as well, for those who stop a run for it.
func TestRuling(t *testing.T) {
	for _, tc := range []struct {
		answer Answer
		want   Ruling
	}{
		{Answer{Info: "0", Items: []Item{ok(0)}}, accepted.of(coded(0), "0")},
		{Answer{Code: 70009, Info: "key", Items: []Item{{}, {}}}, stop.of(coded(70009), "key")},
		{Answer{Code: 30003, Info: "x", Items: []Item{{}, {}}}, split.of(coded(30003), "x")},
		{Answer{Code: 30003, Info: "x", Items: []Item{{}}}, refuse.of(coded(30003), "x")},
		{Answer{Kind: HTTP4xx, Info: "HTTP status 403"}, stop.of(Code{}, "HTTP status 403")},
	} {
		for _, call := range calls() {
			if got := call.Ruling(&tc.answer); got != tc.want {
				t.Errorf("%s, %+v: got %+v, want %+v", call.Name, tc.answer, got, tc.want)
			}
		}
	}
}

// A decoder is used for one answer after another, of other rows.
func TestDecoderKeepsNothing(t *testing.T) {
	d := newDecoder(Delete(Single), newRedactor().clean)
	first, err := d.decode([]byte(`{"ErrorCode":5,"ErrorInfo":"old","Fail_Account":["b"],"ResultItem":[{"To_Account":"b","ResultCode":7,"ResultInfo":"t"}]}`), []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	d.forget()
	second, err := d.decode([]byte(`{"ErrorCode":0,"ResultItem":[{"To_Account":"b","ResultCode":0}]}`), []string{"c", "b"})
	if diff := cmp.Diff(second, Answer{Items: []Item{{}, ok(0)}}); diff != "" || err != nil {
		t.Errorf("second: got (-), want (+), error %v:\n%s", err, diff)
	}
	if diff := cmp.Diff(first.Items, []Item{{}, ok(7, "t")}); diff != "" {
		t.Errorf("first after the second: got (-), want (+):\n%s", diff)
	}
}

// What one huge answer took is given back before the decoder waits for the next one; what any answer takes is kept.
func TestDecoderGivesHugeBuffersBack(t *testing.T) {
	for _, tc := range []struct {
		body, text int
		keeps      bool
	}{{maxKept / 2, maxRead / 2, true}, {maxKept + 1, maxRead + 1, false}} {
		d := newDecoder(Delete(Single), newRedactor().clean)
		d.body.Grow(tc.body)
		d.lastRaw = make([]byte, tc.text)
		d.forget()
		if body, text := d.body.Cap() > 0, cap(d.lastRaw) > 0; body != tc.keeps || text != tc.keeps {
			t.Errorf("%d and %d bytes: kept %v and %v, want %v", tc.body, tc.text, body, text, tc.keeps)
		}
	}
}

// sample is an answer for rows of 32-byte IDs, as the API pads them with keys.
func sample(rows int, code int, info string) (body []byte, to []string) {
	var items []string
	for i := range rows {
		to = append(to, fmt.Sprintf("user-%027d", i))
		items = append(items, fmt.Sprintf(`{"To_Account":"%s","ResultCode":%d,"ResultInfo":"%s"}`, to[i], code, info))
	}
	return []byte(`{"ResultItem":[` + strings.Join(items, ",") + `],"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"0","ErrorDisplay":""}`), to
}

// checked is a sample's answer as one to a check.
func checked(body []byte) []byte {
	text := strings.ReplaceAll(string(body), `"ResultCode"`, `"Relation":"CheckResult_Type_BothWay","ResultCode"`)
	return []byte(strings.Replace(text, "ResultItem", "InfoItem", 1))
}

func TestDecodeAnyOrder(t *testing.T) {
	body, to := sample(100, 0, "")
	slices.Reverse(to)
	got, err := decodeText(string(body), to...)
	if err != nil {
		t.Fatal(err)
	}
	for i, item := range got.Items {
		if item != ok(0) {
			t.Errorf("item %d: got %+v, want %+v", i, item, ok(0))
		}
	}
}

// An answer that lacks an account that was asked for and names one that was not may be another request's.
func TestAnswerOfAnotherRequest(t *testing.T) {
	for _, fields := range []string{
		`"ResultItem":[{"To_Account":"a","ResultCode":0},{"To_Account":"x","ResultCode":0}]`,
		`"ResultItem":[{"To_Account":"A","ResultCode":0}]`,
		`"ResultItem":[{"To_Account":"a","ResultCode":0}],"Fail_Account":["x"]`,
	} {
		if got, err := decodeText(`{"ErrorCode":0,`+fields+`}`, "a", "b"); err != errForeign {
			t.Errorf("%s: got %+v, error %v, want %v", fields, got, err, errForeign)
		}
	}
}
