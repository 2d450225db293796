package proof

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"friendsweep/batch/sandbox"
)

// server is the world that the program acts on: the emulator behind a layer of faults, and the record of what was asked,
// done and answered. The record is the oracle of every test here.
type server struct {
	call *call // what it is asked
	box  *sandbox.Server
	// plan is the fault of the nth request of an account, counted from 0.
	plan func(account string, n int) fault
	// echo has every text repeat the URL.
	echo bool
	// Hooks, which may be nil: arrived before anything is done, answering when all is done but the answering.
	arrived, answering func(q *request)

	handlers sync.WaitGroup
	open     connections

	mu       sync.Mutex
	record   map[string][]*request // by account, in the order of arrival
	all      []*request
	flying   map[string]bool
	sigs     map[string]bool // UserSigs as they came
	run      int             // the number of the program's run
	severed  bool            // who sends is dead: what still comes was never sent
	problems []string        // what the client must never do
}

// request is one that was sent: as the server saw it, or as a journal says that it may have been sent.
type request struct {
	run    int
	number int       // over all accounts
	at     time.Time // of its arrival
	from   string
	to     []string
	said   []word // what the answer says about each of to; the server knows whether it could be understood
	done   []bool // the friendship was there, and this request removed it
	coded  bool   // the answer was an envelope with code 0
	code   int    // of the envelope
	broken string // the name of the fault
	sig    string // the UserSig that it came with

	unheard bool // the answer did not reach the journal: a crash came first
	phantom bool // it never reached the server
	// condemned: the rows may have been refused without having been tried alone, by a line of the journal that a test wrote.
	condemned bool

	places map[string]int // of to; made when it is first asked for
}

// place is where the account stands in to, or -1. It is for the time when no server is at work.
func (q *request) place(account string) int {
	if q.places == nil {
		q.places = map[string]int{}
		for i, to := range q.to {
			q.places[to] = i
		}
	}
	if i, ok := q.places[account]; ok {
		return i
	}
	return -1
}

func newServer() *server {
	return &server{
		call: deletion, box: sandbox.New(sandbox.Options{}), plan: func(string, int) fault { return fault{} },
		record: map[string][]*request{}, flying: map[string]bool{}, sigs: map[string]bool{},
	}
}

// serve listens on a loopback port until the test ends, and returns the endpoint.
func (s *server) serve(t testing.TB) string {
	web := httptest.NewUnstartedServer(s)
	s.open.gone.L = &s.open.mu
	web.Config.ConnState = s.open.note
	web.Start()
	t.Cleanup(web.Close)
	return web.URL
}

// connections counts those that are open.
type connections struct {
	mu   sync.Mutex
	gone sync.Cond
	n    int
}

func (c *connections) note(_ net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.n++
	case http.StateClosed, http.StateHijacked:
		c.n--
		c.gone.Broadcast()
	}
}

// settle returns when everything that dead processes have sent is dealt with. Its own connection comes behind theirs in
// the queue of the listener, and theirs end when all that was sent over them has been read.
func (s *server) settle(t testing.TB, endpoint string) {
	t.Helper()
	fence := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := fence.Get(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	s.open.mu.Lock()
	for s.open.n > 0 {
		s.open.gone.Wait()
	}
	s.open.mu.Unlock()
	s.handlers.Wait()
	s.fence()
}

// fence is between a test that sets up the server and the handlers that look at it, and the other way round: a request from
// another process is nothing that the race detector knows of.
func (s *server) fence() {
	s.mu.Lock()
	defer s.mu.Unlock()
}

// wrong notes something that the client must never do.
func (s *server) wrong(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

// body is that of a request.
type body struct {
	From       string   `json:"From_Account"`
	To         []string `json:"To_Account"`
	DeleteType string   `json:",omitempty"`
	CheckType  string   `json:",omitempty"`
}

// exchange is a request that is being answered.
type exchange struct {
	*server
	*request
	body
	fault
	w    http.ResponseWriter
	r    *http.Request
	dice *rand.Rand
	left bool
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.handlers.Add(1)
	defer s.handlers.Done()
	if r.Method == http.MethodGet {
		return
	}
	raw, err := io.ReadAll(r.Body)
	x := &exchange{server: s, w: w, r: r}
	if err != nil {
		return // its sender died over it
	}
	if err = json.Unmarshal(raw, &x.body); err != nil || len(x.To) == 0 {
		s.wrong("unreadable request %q: %v", raw, err)
		return
	}
	if !strings.HasSuffix(r.URL.Path, "/"+s.call.command) {
		s.wrong("a request for %s, want %s", r.URL.Path, s.call.command)
	}
	if !x.arrive() {
		x.raw("")
		return
	}
	if s.arrived != nil {
		s.arrived(x.request)
	}
	breakages[x.kind%len(breakages)].answer(x)
	x.leave()
}

// arrive puts the request on record and chooses its fault. It is false for a request that nobody can have sent.
func (x *exchange) arrive() bool {
	s := x.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.severed {
		return false
	}
	if s.flying[x.From] {
		s.problems = append(s.problems, fmt.Sprintf("two requests of %q at the same time", x.From))
	}
	s.flying[x.From] = true
	s.sigs[x.r.URL.Query().Get("usersig")] = true
	x.fault = s.plan(x.From, s.heard(x.From))
	x.dice = rand.New(rand.NewPCG(x.seed, 1))
	x.request = s.enter(x.From, x.To)
	x.broken, x.sig = breakages[x.kind%len(breakages)].name, x.r.URL.Query().Get("usersig")
	return true
}

// heard is how many requests of the account have arrived. Called with mu held, like enter.
func (s *server) heard(account string) int {
	n := 0
	for _, q := range s.record[account] {
		if !q.phantom {
			n++
		}
	}
	return n
}

func (s *server) enter(from string, to []string) *request {
	q := &request{run: s.run, number: len(s.all) + 1, at: time.Now(), from: from, to: slices.Clone(to),
		said: make([]word, len(to)), done: make([]bool, len(to))}
	for i := range q.said {
		q.said[i] = word{means: lost}
	}
	s.record[from] = append(s.record[from], q)
	s.all = append(s.all, q)
	return q
}

// leave ends the request as far as overlaps go: a client that has the answer may send the next one at once.
func (x *exchange) leave() {
	if x.left {
		return
	}
	x.left = true
	if x.answering != nil {
		x.answering(x.request)
	}
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	delete(x.flying, x.From)
}

// ghost enters a request that the server never saw, but that the program must take for sent.
func (s *server) ghost(from string, to []string, w word) *request {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.enter(from, to)
	q.phantom = true
	for i := range q.said {
		q.said[i] = w
	}
	return q
}

func (s *server) count(account string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.record[account])
}

func (s *server) last(account string) *request {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.record[account]
	return all[len(all)-1]
}

// carryOut gives the rows to the emulator and returns its items.
func (x *exchange) carryOut(rows []int) map[int]item {
	items := map[int]item{}
	if len(rows) == 0 {
		return items
	}
	b := x.body
	b.To = nil
	for _, i := range rows {
		b.To = append(b.To, x.To[i])
	}
	a := x.ask(x.r.URL.String(), b)
	if a.ErrorCode != 0 && x.call.item[a.ErrorCode] == 0 {
		x.wrong("the emulator answers %+v to %+v", a, b)
	}
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	for n, i := range rows {
		items[i] = item{Code: a.ErrorCode}
		if a.ErrorCode == 0 {
			items[i] = a.Items[n]
		}
		x.done[i] = x.done[i] || items[i].Code == 0
	}
	return items
}

// ask puts a request to the emulator.
func (s *server) ask(url string, b body) (a envelope) {
	raw, err := json.Marshal(b)
	if err == nil {
		rec := httptest.NewRecorder()
		s.box.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, url, bytes.NewReader(raw)))
		err = json.Unmarshal(rec.Body.Bytes(), &a)
		a.Items = append(a.Items, a.Checked...)
	}
	if err != nil {
		s.wrong("asking the emulator: %v", err)
	}
	return a
}

// some are the rows that the dice choose, each with the probability.
func (x *exchange) some(probability float64) []int {
	var rows []int
	for i := range x.To {
		if x.dice.Float64() < probability {
			rows = append(rows, i)
		}
	}
	return rows
}

// say puts on record what the answer tells about a row.
func (x *exchange) say(i int, w word) {
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	x.said[i] = w
}

func (x *exchange) sayAll(w word) {
	for i := range x.To {
		x.say(i, w)
	}
}

// text is what the server says, different for every row and request, so that none can be taken for another. Sometimes it
// has the URL in it, or what could move a terminal's cursor.
func (x *exchange) text(about string) string {
	text := fmt.Sprintf("about %s in request %d", about, x.number)
	n := x.dice.IntN(6)
	if x.echo {
		n = 0
	}
	switch n {
	case 0:
		text += " to " + x.r.URL.String() + " and " + x.r.URL.Query().Get("usersig")
	case 1:
		text += " signed " + x.r.URL.Query().Get("usersig")
	case 2:
		text += " \x1b[31m\nnext"
	}
	return text
}

// shown is how a text of the server may be shown: no signature, no control characters.
func (s *server) shown(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sig := range s.sigs {
		text = strings.ReplaceAll(text, url.QueryEscape(sig), "[secret]")
		text = strings.ReplaceAll(text, sig, "[secret]")
	}
	return strings.NewReplacer("\x1b", `\x1b`, "\n", `\n`).Replace(text)
}
