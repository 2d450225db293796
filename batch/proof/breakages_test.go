package proof

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// meaning is what chat-api.md says about a code, or about the lack of one.
type meaning uint8

const (
	_         meaning = iota
	done              // the API confirms it
	notFriend         // 31704
	refuse            // no for good
	split             // refused for what one of several rows contains; no for good for a single one
	unproven          // the same once a request of the run has succeeded; before that it stops the run
	retry             // sent again, certainly not carried out
	retryStop         // sent again, then the run stops
	lost              // sent again, it may have been carried out
	throttle          // slower, and again
	resign            // signed anew, and again
	stop              // nothing more is sent
)

// requestMeans and itemMeans are the tables of chat-api.md, typed in once more.
var requestMeans = map[int]meaning{
	30001: split, 30002: stop, 30003: split, 30004: stop, 30006: retry, 30007: lost, 30008: retry, 31704: split, 31707: throttle,
	60007: throttle, 60011: throttle, 60018: throttle, 60019: throttle, 60008: lost, 60013: lost, 60014: lost,
	70169: retry, 70202: retry, 70500: retry, 70001: resign, 70052: resign, 70050: stop, 60002: stop, 60009: stop, 60012: stop,
	60003: split, 60015: split, 60004: unproven, 60005: unproven, 60006: stop, 60010: stop, 60016: stop, 60017: stop, 60020: stop,
	60021: stop, 70002: stop, 70003: stop, 70005: stop, 70009: stop, 70013: stop, 70014: stop, 70016: stop, 70020: stop, 70051: stop,
	70114: stop, 70403: stop, 80005: stop, 70107: split, 70206: split, 70402: split, 70346: stop, 60099: retryStop, 12345: retry,
}

var itemMeans = map[int]meaning{
	30001: refuse, 30002: refuse, 30003: refuse, 30004: stop, 30006: retry, 30007: lost, 30008: retry, 31704: notFriend, 31707: throttle,
	60007: throttle, 60011: throttle, 60018: throttle, 60019: throttle, 60008: lost, 60013: lost, 60014: lost,
	70169: retry, 70202: retry, 70500: retry, 99999: refuse, 70003: refuse, 60006: refuse,
}

// word is what an answer says about a row.
type word struct {
	means   meaning
	coded   bool // the API gave a code
	code    int
	info    string // the API's own text; only with a code
	outcome string // of a word that is done
}

// fault is what the server does with one request. The zero value answers like the API does.
type fault struct {
	kind int    // place in breakages
	seed uint64 // decides over the rows
}

type envelope struct {
	Items       []item   `json:"ResultItem,omitempty"`
	Checked     []item   `json:"InfoItem,omitempty"` // the same in the answer to a check
	Failed      []string `json:"Fail_Account,omitempty"`
	Status      string   `json:"ActionStatus"`
	ErrorCode   int
	ErrorInfo   string
	NobodyKnows any `json:",omitempty"`
}

type item struct {
	To       string `json:"To_Account"`
	Relation string `json:",omitempty"`
	Code     int    `json:"ResultCode"`
	Info     string `json:"ResultInfo"`
}

// breakage is one way to answer, or not to.
type breakage struct {
	name   string
	answer func(x *exchange)
	dreamt bool // it waits for a time-out: for fake time alone
}

// breakages are all of them. The first is no fault.
var breakages = slices.Concat([]breakage{
	{"honest", (*exchange).honest, false},
	{"items of every kind", (*exchange).everyKind, false},
	{"items of every kind", (*exchange).everyKind, false},
	{"refused, with items", (*exchange).refusedWithItems, false},
	{"codes without end", (*exchange).endlessCodes, false},
	{"items in another's place", (*exchange).misplaced, false},
	{"no items", func(x *exchange) { x.coded = true; x.garbled(`{"ActionStatus":"OK","ErrorCode":0,"ResultItem":null}`) }, false},
	{"code is a text", func(x *exchange) { x.garbled(`{"ActionStatus":"OK","ErrorCode":"0","ResultItem":[]}`) }, false},
	{"two codes", func(x *exchange) { x.garbled(`{"ErrorCode":0,"ErrorCode":30006,"ResultItem":[]}`) }, false},
	{"rubbish behind", func(x *exchange) { x.garbled(`{"ErrorCode":0,"ResultItem":[]}{}`) }, false},
	{"no object", func(x *exchange) { x.garbled(`[0]`) }, false},
	{"empty", func(x *exchange) { x.garbled(``) }, false},
	{"html", func(x *exchange) { x.garbled(`<html>` + x.r.URL.String() + `</html>`) }, false},
	{"truncated", (*exchange).truncated, false},
	{"cut off", (*exchange).cutOff, false},
	{"reset", (*exchange).reset, false},
	{"answered, then closed", (*exchange).closed, false},
	{"silent", (*exchange).silent, true},
	{"late", (*exchange).late, true},
	{"trickle", (*exchange).trickle, true},
}, statuses(), refusals())

func statuses() (all []breakage) {
	for status, means := range map[int]meaning{500: lost, 502: lost, 503: lost, 504: lost, 429: throttle, 404: stop, 403: stop, 302: stop, 204: lost, 206: lost} {
		all = append(all, breakage{fmt.Sprintf("HTTP %d", status), func(x *exchange) { x.status(status, means) }, false})
	}
	slices.SortFunc(all, func(a, b breakage) int { return strings.Compare(a.name, b.name) })
	return all
}

func refusals() (all []breakage) {
	for _, code := range slices.Sorted(maps.Keys(requestMeans)) {
		all = append(all, breakage{fmt.Sprintf("code %d", code), func(x *exchange) { x.refused(code) }, false})
	}
	return all
}

func kindOf(name string) int {
	return slices.IndexFunc(breakages, func(b breakage) bool { return b.name == name })
}

// honest answers what the emulator answers.
func (x *exchange) honest() {
	if strings.HasPrefix(x.From, "missing-") {
		x.refused(30003)
		return
	}
	x.send(x.allItems())
}

// allItems carries out every row and has the items of all.
func (x *exchange) allItems() envelope {
	a := envelope{Status: "OK", ErrorInfo: "0"}
	for i, answered := range byRow(x.carryOut(x.some(2))) {
		a.Items = append(a.Items, x.item(i, answered))
		if answered.Code != 0 && x.dice.IntN(2) == 0 {
			a.Failed = append(a.Failed, x.To[i])
		}
	}
	return a
}

func byRow(items map[int]item) func(func(int, item) bool) {
	return func(yield func(int, item) bool) {
		for _, i := range slices.Sorted(maps.Keys(items)) {
			if !yield(i, items[i]) {
				return
			}
		}
	}
}

// item is the answer to a row, and puts it on record. A code 0 mostly comes without a text; 31704 may come in the words that
// the vendor's FAQ knows. An item of a check that failed says NoRelation, as in the vendor's sample, or anything else.
func (x *exchange) item(i int, answered item) item {
	w := word{means: x.call.item[answered.Code], coded: true, code: answered.Code, info: x.text(x.To[i])}
	relation := ""
	if x.call == checking {
		relation = answered.Relation
		if answered.Code != 0 {
			relation = []string{"CheckResult_Type_NoRelation", "CheckResult_Type_BothWay", ""}[x.dice.IntN(3)]
		}
	}
	switch {
	case answered.Code == 0:
		w.means, w.outcome = done, "deleted"
		if x.call == checking {
			w.outcome = relations[relation]
		}
		if x.dice.IntN(4) > 0 {
			w.info = ""
		}
	case x.call == deletion && answered.Code == 31704 && x.kind > 0 && x.dice.IntN(4) == 0:
		w.code, w.info = 30001, "Err_SNS_FriendDelete_Not_Friend "+w.info
	}
	x.say(i, w)
	return item{x.To[i], relation, w.code, w.info}
}

// everyKind answers each row in another way, in any order, with rows that nobody asked about.
func (x *exchange) everyKind() {
	a := envelope{Status: "OK", NobodyKnows: map[string]int{"ErrorCode": 70003}}
	codes := slices.Sorted(maps.Keys(x.call.item))
	for i, to := range x.To {
		switch kind := x.dice.IntN(12); kind {
		case 0, 1, 2: // a code, although the row may be done where the code permits it
			code := codes[x.dice.IntN(len(codes))]
			if code == 31704 && x.call == deletion || x.call.item[code] == stop && x.dice.IntN(8) > 0 {
				code = 30006
			}
			if x.call.item[code] == lost && x.dice.IntN(2) == 0 {
				x.carryOut([]int{i})
			}
			a.Items = append(a.Items, x.item(i, item{Code: code}))
		case 3, 4, 5: // nothing that can be understood, although the row may be done
			if x.dice.IntN(2) == 0 {
				x.carryOut([]int{i})
			}
			if x.call == checking && x.dice.IntN(2) == 0 {
				a.Items = append(a.Items, x.unknownRelation(i))
				continue
			}
			x.say(i, word{means: lost})
			x.unclear(&a, to, kind)
		default:
			a.Items = append(a.Items, x.item(i, x.carryOut([]int{i})[i]))
		}
	}
	if x.dice.IntN(2) == 0 {
		a.Items = append(a.Items, item{"nobody-asked", "", 0, ""}, item{"", "", 30006, ""})
		if !a.names(x.To) {
			x.sayAll(word{means: lost}) // it may be another request's answer
		}
	}
	x.dice.Shuffle(len(a.Items), func(i, j int) { a.Items[i], a.Items[j] = a.Items[j], a.Items[i] })
	x.send(a)
}

// endlessCodes refuses every row with another code, none of which anybody knows.
func (x *exchange) endlessCodes() {
	a := envelope{Status: "OK"}
	for i, to := range x.To {
		w := word{means: refuse, coded: true, code: 1_000_000 + 1000*x.number + i, info: x.text(to)}
		x.say(i, w)
		a.Items = append(a.Items, item{to, "", w.code, w.info})
	}
	x.send(a)
}

// names tells whether the answer has an item for every account.
func (a *envelope) names(to []string) bool {
	for _, id := range to {
		if !slices.ContainsFunc(a.Items, func(it item) bool { return it.To == id }) {
			return false
		}
	}
	return true
}

// unknownRelation has code 0 and says nothing that we know: no for good.
func (x *exchange) unknownRelation(i int) item {
	relation := []string{"", "CheckResult_Type_Else", "BothWay"}[x.dice.IntN(3)]
	x.say(i, word{means: refuse, coded: true, code: 0, info: "*"})
	return item{x.To[i], relation, 0, ""}
}

// unclear answers about an account in a way that confirms nothing.
func (x *exchange) unclear(a *envelope, to string, kind int) {
	both, neither := "", ""
	if x.call == checking {
		both, neither = "CheckResult_Type_BothWay", "CheckResult_Type_NoRelation"
	}
	switch kind {
	case 4:
		a.Items = append(a.Items, item{to, both, 0, ""}, item{to, neither, 30003, ""})
		if x.call == checking && x.dice.IntN(2) == 0 { // two answers of one code
			a.Items[len(a.Items)-1].Code = 0
		}
	case 5:
		a.Items, a.Failed = append(a.Items, item{to, both, 0, ""}), append(a.Failed, to)
	}
}

// refusedWithItems is an envelope that says no, with items for some of the rows, which count.
func (x *exchange) refusedWithItems() {
	codes := slices.Sorted(maps.Keys(x.call.request))
	code := codes[x.dice.IntN(len(codes))]
	if means := x.call.request[code]; means == stop || means == resign || code == 31704 && x.call == deletion {
		code = 30006
	}
	a := envelope{Status: "FAIL", ErrorCode: code, ErrorInfo: x.text("all")}
	x.sayAll(word{means: x.call.request[code], coded: true, code: code, info: a.ErrorInfo})
	for i := range x.To {
		switch x.dice.IntN(3) {
		case 0:
			a.Items = append(a.Items, x.item(i, x.carryOut([]int{i})[i]))
		case 1:
			if x.call.request[code] == lost {
				x.carryOut([]int{i})
			}
		}
	}
	x.send(a)
}

// refused says no to the request as a whole.
func (x *exchange) refused(code int) {
	a := envelope{Status: "FAIL", ErrorCode: code, ErrorInfo: x.text("all")}
	means := x.call.request[code]
	switch {
	case x.call == checking:
	case code == 31704 || code == 30001 && x.dice.IntN(2) == 0:
		items := x.allItems()
		if slices.ContainsFunc(items.Items, func(it item) bool { return it.Code == 0 }) {
			x.send(items) // the refusal would be a lie
			return
		}
		a.ErrorInfo = "Err_SNS_FriendDelete_Not_Friend " + a.ErrorInfo
		if len(x.To) == 1 {
			means = notFriend
		}
	case means == lost:
		x.carryOut(x.some(0.5))
	}
	x.sayAll(word{means: means, coded: true, code: code, info: a.ErrorInfo})
	x.send(a)
}

func (x *exchange) send(a envelope) {
	x.coded, x.code = a.ErrorCode == 0, a.ErrorCode
	raw := x.encode(a)
	x.leave()
	x.w.Write(raw)
}

// encode puts the items where the call has them.
func (x *exchange) encode(a envelope) []byte {
	if x.call == checking {
		a.Items, a.Checked = nil, a.Items
	}
	raw, err := json.Marshal(a)
	if err != nil {
		x.wrong("encoding an answer: %v", err)
	}
	return raw
}

// misplaced has the items where another call has them, which is no answer to this one.
func (x *exchange) misplaced() {
	a := x.allItems()
	x.sayAll(word{means: lost})
	if x.call == deletion {
		a.Items, a.Checked = nil, a.Items
	}
	x.coded = true
	raw, _ := json.Marshal(a)
	x.leave()
	x.w.Write(raw)
}

// maybe carries out some of the rows, all or none.
func (x *exchange) maybe() {
	x.carryOut(x.some([]float64{0, 0.5, 2}[x.dice.IntN(3)]))
	x.sayAll(word{means: lost})
}

// garbled answers 200 with something that is no answer.
func (x *exchange) garbled(text string) {
	x.maybe()
	x.leave()
	x.w.Write([]byte(text))
}

func (x *exchange) truncated() {
	x.maybe()
	raw := x.encode(envelope{Items: []item{{x.To[0], "CheckResult_Type_BothWay", 0, ""}}, Status: "OK"})
	x.leave()
	x.w.Write(raw[:x.dice.IntN(len(raw))])
}

// cutOff announces more than it sends.
func (x *exchange) cutOff() {
	x.maybe()
	x.leave()
	x.raw("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + `{"ResultItem":[{"To_Account":"`)
}

// reset closes the connection without a byte.
func (x *exchange) reset() {
	x.maybe()
	x.leave()
	x.raw("")
}

// closed gives a good answer and closes the connection without a word, so that a next request may meet the closing.
func (x *exchange) closed() {
	raw := x.encode(x.allItems())
	x.coded = true
	x.leave()
	x.raw(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(raw), raw))
}

// raw writes to the bare connection and closes it; a TCP connection is reset, if there is nothing to write.
func (x *exchange) raw(text string) {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		x.wrong("taking the connection: %v", err)
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok && text == "" {
		tcp.SetLinger(0)
	}
	conn.Write([]byte(text))
	conn.Close()
}

func (x *exchange) status(status int, means meaning) {
	if means == lost {
		x.maybe()
	} else {
		x.sayAll(word{means: means})
	}
	x.leave()
	x.w.Header().Set("Location", "http://127.0.0.1:1/"+x.r.URL.RequestURI())
	x.w.WriteHeader(status)
	if status != http.StatusNoContent {
		fmt.Fprintf(x.w, "<html>%s</html>", x.r.URL)
	}
}

// silent never answers.
func (x *exchange) silent() {
	x.maybe()
	x.leave()
	<-x.r.Context().Done()
}

// late does it after the client has given up.
func (x *exchange) late() {
	x.sayAll(word{means: lost})
	rows, wait := x.some(0.7), time.Duration(x.dice.IntN(20_000))*time.Millisecond
	x.leave()
	<-x.r.Context().Done()
	<-time.After(wait)
	x.carryOut(rows)
}

// trickle sends so slowly that the time-out comes first.
func (x *exchange) trickle() {
	x.maybe()
	x.leave()
	flush := http.NewResponseController(x.w)
	for x.r.Context().Err() == nil {
		x.w.Write([]byte(" "))
		flush.Flush()
		select {
		case <-time.After(time.Second):
		case <-x.r.Context().Done():
		}
	}
}
