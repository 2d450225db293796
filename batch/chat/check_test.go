package chat

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// vendorSample has every Relation; trapSample is how the vendor's page shows a failed item: with NoRelation.
const (
	vendorSample = `{"InfoItem":[{"To_Account":"id1","Relation":"CheckResult_Type_BothWay","ResultCode":0,"ResultInfo":""},` +
		`{"To_Account":"id2","Relation":"CheckResult_Type_AWithB","ResultCode":0,"ResultInfo":""},` +
		`{"To_Account":"id3","Relation":"CheckResult_Type_BWithA","ResultCode":0,"ResultInfo":""},` +
		`{"To_Account":"id4","Relation":"CheckResult_Type_NoRelation","ResultCode":0,"ResultInfo":""}],` +
		`"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}`
	trapSample = `{"InfoItem":[{"To_Account":"id1","Relation":"CheckResult_Type_BothWay","ResultCode":0,"ResultInfo":""},` +
		`{"To_Account":"id2","Relation":"CheckResult_Type_NoRelation","ResultCode":30006,"ResultInfo":"Err_SNS_FriendCheck_Check_Relation_Exec_Task_Fail"}],` +
		`"Fail_Account":["id2"],"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}`
)

// is is an item with code 0 and an outcome.
func is(outcome int) Item { return Item{State: Answered, Outcome: outcome} }

func unclear(info string) Item { return Item{State: Unclear, Info: info} }

func TestCheckSamples(t *testing.T) {
	const failed = "Err_SNS_FriendCheck_Check_Relation_Exec_Task_Fail"
	for _, tc := range []struct {
		body string
		to   []string
		want []Ruling
	}{
		{vendorSample, []string{"id1", "id2", "id3", "id4"}, []Ruling{
			{Verdict: Final, Outcome: 0, Code: coded(0)}, {Verdict: Final, Outcome: 1, Code: coded(0)},
			{Verdict: Final, Outcome: 2, Code: coded(0)}, {Verdict: Final, Outcome: 3, Code: coded(0)}}},
		{trapSample, []string{"id2", "id1"}, []Ruling{retry.of(coded(30006), failed), {Verdict: Final, Code: coded(0)}}},
	} {
		a, err := decodeAs(Check(), tc.body, tc.to...)
		if err != nil {
			t.Fatalf("got %v, want an answer", err)
		}
		var got []Ruling
		for i := range a.Items {
			got = append(got, new(Check()).Row(&a, i))
		}
		if diff := cmp.Diff(got, tc.want); diff != "" {
			t.Errorf("got (-), want (+):\n%s", diff)
		}
	}
}

func TestCheckRequest(t *testing.T) {
	var got *http.Request
	var body []byte
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		io.WriteString(w, vendorSample)
	})
	cfg := config(s.URL)
	cfg.Call = Check()
	answer := newClient(t, cfg).Do(t.Context(), "a", []string{"id4", "id3", "id2", "id1"})
	want := Answer{HTTPStatus: 200, Items: []Item{is(3), is(2), is(1), is(0)}, Generation: 1}
	if diff := cmp.Diff(answer, want); diff != "" {
		t.Errorf("answer: got (-), want (+):\n%s", diff)
	}
	if want := `{"From_Account":"a","To_Account":["id4","id3","id2","id1"],"CheckType":"CheckResult_Type_Both"}`; string(body) != want {
		t.Errorf("body: got %s, want %s", body, want)
	}
	if got.Method != "POST" || got.URL.Path != "/v4/sns/friend_check" {
		t.Errorf("got %s %s, want POST /v4/sns/friend_check", got.Method, got.URL.Path)
	}
	checkQuery(t, got.URL.Query(), cfg.Identifier)
}

// An error says nothing about the friendship, whatever the code and whatever stands beside it.
func TestCheckErrorIsNoOutcome(t *testing.T) {
	for code := range map[int]entry{30001: {}, 30003: {}, 30006: {}, 30007: {}, 31704: {}, 60007: {}, 70009: {}, -1: {}, 1 << 40: {}} {
		for _, state := range append(Check().states, "x") {
			a, err := decodeAs(Check(), fmt.Sprintf(`{"ErrorCode":0,"InfoItem":[{"To_Account":"a","Relation":%q,"ResultCode":%d}]}`, state, code), "a")
			if err != nil {
				t.Fatal(err)
			}
			if r := new(Check()).Row(&a, 0); r.Verdict == Final || r.Code != coded(code) {
				t.Errorf("code %d with %s: got %+v, want no outcome", code, state, r)
			}
		}
	}
}

func TestCheckHostileItems(t *testing.T) {
	item := func(id, relation string) string {
		return `{"To_Account":"` + id + `","Relation":"CheckResult_Type_` + relation + `","ResultCode":0,"ResultInfo":""}`
	}
	list := func(items ...string) string { return `"InfoItem":[` + strings.Join(items, ",") + `]` }
	const friends, oneWay, reverse, strangers = 0, 1, 2, 3
	const two = "the answer gives the row two different values of Relation"
	const no = "the answer gives code 0 and no Relation"
	const unknown = "the answer gives a Relation that is not known: "
	for _, tc := range []struct {
		name, fields string // the fields beside ErrorCode 0
		want         []Item // of a and b
	}{
		{"in order", list(item("a", "BothWay"), item("b", "AWithB")), []Item{is(friends), is(oneWay)}},
		{"reordered", list(item("b", "BWithA"), item("a", "NoRelation")), []Item{is(strangers), is(reverse)}},
		{"missing", list(item("b", "BothWay")), []Item{{}, is(friends)}},
		{"no list", `"x":1`, []Item{{}, {}}},
		{"null list", `"InfoItem":null`, []Item{{}, {}}},
		{"the list of a deletion in its place", `"ResultItem":[` + item("a", "BothWay") + `,` + item("b", "BothWay") + `]`, []Item{{}, {}}},
		{"both lists", `"ResultItem":[` + item("a", "BothWay") + `],` + list(item("a", "AWithB"), item("b", "AWithB")), []Item{is(oneWay), is(oneWay)}},
		{"list in another case", `"infoitem":[` + item("a", "BothWay") + `]`, []Item{{}, {}}},
		{"unknown Relation", list(item("a", "Enemies"), item("b", "BothWay")), []Item{unclear(unknown + "CheckResult_Type_Enemies"), is(friends)}},
		{"Relation in another case", list(item("a", "bothway")), []Item{unclear(unknown + "CheckResult_Type_bothway"), {}}},
		{"Relation with a blank", list(item("a", "BothWay ")), []Item{unclear(unknown + "CheckResult_Type_BothWay "), {}}},
		{"Relation with control characters", list(item("a", `\u001b[31m\n`)), []Item{unclear(unknown + `CheckResult_Type_\x1b[31m\n`), {}}},
		{"Relation in escapes", list(strings.ReplaceAll(item("a", "BothWay"), "Both", `\u0042oth`)), []Item{is(friends), {}}},
		{"Relation missing", list(`{"To_Account":"a","ResultCode":0}`, `{"To_Account":"b","relation":"CheckResult_Type_BothWay","ResultCode":0}`), []Item{unclear(no), unclear(no)}},
		{"Relation empty", list(`{"To_Account":"a","Relation":"","ResultCode":0}`), []Item{unclear(no), {}}},
		{"Relation is no text", list(`{"To_Account":"a","Relation":0,"ResultCode":0}`, `{"To_Account":"b","Relation":["CheckResult_Type_BothWay"],"ResultCode":0}`), []Item{unclear(no), unclear(no)}},
		{"Relation is null", list(`{"To_Account":"a","Relation":null,"ResultCode":0}`), []Item{unclear(no), {}}},
		{"Relation twice", list(`{"To_Account":"a","Relation":"CheckResult_Type_BothWay","ResultCode":0,"Relation":"CheckResult_Type_AWithB"}`), []Item{clash(two), {}}},
		{"Relation twice, once null", list(`{"To_Account":"a","Relation":null,"ResultCode":0,"Relation":"CheckResult_Type_AWithB"}`), []Item{clash(two), {}}},
		{"Relation twice, both unknown", list(`{"To_Account":"a","Relation":"x","ResultCode":0,"Relation":"y"}`), []Item{clash(two), {}}},
		{"Relation twice, the same", list(`{"To_Account":"a","Relation":"CheckResult_Type_AWithB","Relation":"CheckResult_Type_AWithB","ResultCode":0}`), []Item{is(oneWay), {}}},
		{"repeated, same", list(item("a", "BothWay"), item("a", "BothWay")), []Item{is(friends), {}}},
		{"repeated, another Relation", list(item("a", "BothWay"), item("b", "BothWay"), item("a", "NoRelation")), []Item{clash(two), is(friends)}},
		{"repeated, an unknown Relation", list(item("a", "BothWay"), item("a", "x")), []Item{clash(two), {}}},
		{"repeated, two unknown Relations", list(item("a", "y"), item("a", "x")), []Item{clash(two), {}}},
		{"repeated, another code", list(item("a", "NoRelation"), `{"To_Account":"a","Relation":"CheckResult_Type_NoRelation","ResultCode":30006}`), []Item{clash("the answer gives the row the codes 0 and 30006"), {}}},
		{"repeated error, another Relation", list(`{"To_Account":"a","Relation":"CheckResult_Type_AWithB","ResultCode":30006}`, `{"To_Account":"a","Relation":"CheckResult_Type_NoRelation","ResultCode":30006}`), []Item{ok(30006), {}}},
		{"code twice", list(`{"To_Account":"a","Relation":"CheckResult_Type_BothWay","ResultCode":0,"ResultCode":1}`), []Item{clash(twice), {}}},
		{"no code", list(`{"To_Account":"a","Relation":"CheckResult_Type_BothWay"}`, item("b", "BothWay")), []Item{{}, is(friends)}},
		{"code is text", list(`{"To_Account":"a","Relation":"CheckResult_Type_BothWay","ResultCode":"0"}`), []Item{{}, {}}},
		{"failed with 0", list(item("a", "NoRelation"), item("b", "BothWay")) + `,"Fail_Account":["a"]`, []Item{clash(listed), is(friends)}},
		{"failed with 0 and no Relation", `"Invalid_Account":["a"],` + list(`{"To_Account":"a","ResultCode":0}`), []Item{clash(listed), {}}},
		{"failed with its code", `"Fail_Account":["a"],` + list(`{"To_Account":"a","ResultCode":30003}`), []Item{ok(30003), {}}},
		{"items of others beside ours", list(item("x", "BothWay"), item("a", "BothWay"), item("b", "AWithB")), []Item{is(friends), is(oneWay)}},
		{"a long Relation", list(item("a", strings.Repeat("x", 5000))), []Item{unclear((unknown + "CheckResult_Type_" + strings.Repeat("x", 300))[:297] + "…"), {}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, body := range []string{`{"ErrorCode":0,` + tc.fields + `}`, `{` + tc.fields + `,"ErrorCode":0}`} {
				got, err := decodeAs(Check(), body, "a", "b")
				if diff := cmp.Diff(got.Items, tc.want); diff != "" || err != nil {
					t.Errorf("%s: got (-), want (+), error %v:\n%s", body, err, diff)
				}
			}
		})
	}
}

func TestCheckOfAnotherRequest(t *testing.T) {
	for fields, want := range map[string]error{
		`"InfoItem":[{"To_Account":"x","Relation":"CheckResult_Type_BothWay","ResultCode":0}]`:                errForeign,
		`"Fail_Account":["x"],"InfoItem":[]`:                                                                  errForeign,
		`"InfoItem":{"To_Account":"a","Relation":"CheckResult_Type_BothWay","ResultCode":0}`:                  errNoArray,
		`"InfoItem":[{"To_Account":"a","Relation":"CheckResult_Type_BothWay","ResultCode":0,"To_Account":1}]`: nil,
		`"InfoItem":[{"To_Account":"a","To_Account":"b","ResultCode":0}]`:                                     errTwoNames,
	} {
		if got, err := decodeAs(Check(), `{"ErrorCode":0,`+fields+`}`, "a", "b"); err != want {
			t.Errorf("%s: got %+v, error %v, want error %v", fields, got, err, want)
		}
	}
}

// A secret in a Relation that is not known is a secret in a report.
func TestCheckRelationIsCleaned(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, `{"ErrorCode":0,"InfoItem":[{"To_Account":"b","ResultCode":0,"Relation":%q}]}`, r.URL.Query().Get("usersig"))
	})
	cfg := config(s.URL)
	cfg.Call = Check()
	got := newClient(t, cfg).Do(t.Context(), "a", []string{"b"})
	if want := unclear("the answer gives a Relation that is not known: [secret]"); len(got.Items) != 1 || got.Items[0] != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// No prefix of an answer may say what is so.
func TestCheckEveryTruncation(t *testing.T) {
	for n := range len(vendorSample) {
		if got, err := decodeAs(Check(), vendorSample[:n], "id1"); err == nil {
			t.Errorf("%s: got %+v, want an error", vendorSample[:n], got)
		}
	}
}
