// Package sandbox emulates the calls of the Tencent Cloud Chat REST API that friendsweep makes, friend_delete and
// friend_check, so that the program can be tried and tested without an account, without a network and without deleting
// anything real.
//
// Use first: [New] with the zero [Options], then [Listen] on "127.0.0.1:0" and [Server.Serve]. A [Server] is also an
// [http.Handler], for tests that bring a server or a listener of their own.
//
// It is meant to be stricter than the real service wherever that would forgive a mistake of ours: URL, UserSig and body are
// checked (request.go), calls over the limit and overlapping deletions for one account are refused (pace.go). Everybody is
// everybody's friend until deleted (friends.go), but for IDs whose first letters give them a meaning, like test card
// numbers (special.go). What differs by call stands in a file for each (delete.go, check.go). Where the vendor documents
// nothing, the comments say that the behaviour is a guess.
package sandbox

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-faster/jx"
)

// What the emulator takes for its app where the [Options] name none. DefaultKey is the key that the vendor publishes in the
// samples of its UserSig libraries: it protects nothing.
const (
	DefaultAppID      = 1400000000
	DefaultIdentifier = "administrator"
	DefaultKey        = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"
)

// Options say how a [Server] behaves. The zero value is an app of the Default constants, without limit and delay.
type Options struct {
	AppID      int    // the app's SDKAppID; 0 is DefaultAppID
	Identifier string // the app's admin account; "" is DefaultIdentifier
	Key        string // the secret key that UserSigs are checked with; "" is DefaultKey

	// Limit is how many calls of each kind are let through per second; 0 or less is no limit. No second has more of them
	// than Limit; if Limit is no whole number, than Limit rounded up, and not more than Limit on average. The documented
	// limit of a real call is 200 (https://www.tencentcloud.com/document/product/1047/34905 and /34907); that deletions and
	// checks are counted apart is a guess.
	Limit float64

	// Latency is how long a call that was let through waits for its answer, after it was carried out. A call whose client
	// goes away stops waiting: what it deleted stays deleted. Refusals by check, limit or overlap come at once.
	Latency time.Duration

	// Observe, if set, is told of every call when its fate is decided, before it is answered: in order for the deletions of
	// one account, else from many goroutines at a time. It must not block.
	Observe func(Call)
}

// Call is one call as the emulator understood it. From and To are empty where the body could not be read that far.
type Call struct {
	Command string    // friend_delete or friend_check; empty for another path
	At      time.Time // when it was let through the limit, or refused
	From    string    // From_Account
	To      []string  // To_Account, in the order of the request
	UserSig string    // as it came in the URL
	Code    int       // the ErrorCode of the answer; 0 also where the answer is withheld for a lost-answer- ID
}

// kind is one kind of call.
type kind struct {
	command      string         // the last part of its path
	option       string         // the field of a request beside the accounts
	single, both string         // and its two values
	list         string         // the field of an answer that has the items
	texts        map[int]string // what ResultInfo and ErrorInfo say of its codes
	failed       string         // the Relation of an item with a code other than 0; empty where items have none
	// writes tells that it changes who is whose friend, so that two of them for one account are a write conflict.
	writes bool
	// carryOut does what is asked for one pair and sets the item's code, or its Relation.
	carryOut func(*friends, *exchange, *item)
}

// kinds are all that are answered.
var kinds = [...]*kind{&deletion, &checking}

// service is a kind of call with what a Server keeps for it.
type service struct {
	*kind
	pace *pace
	met  meetings
}

// Stats counts what a [Server] has seen since it was made.
type Stats struct {
	Requests  int64 // all of them, those refused included
	Throttled int64 // refused with 60007
	Overlaps  int64 // refused with 30008 because the account's last deletion was not answered yet
	Pairs     int64 // pairs that were given an item code, even if the connection was closed on it
}

// Server is the emulator. It is made by [New] and safe for concurrent use. What was deleted is kept in memory, about 50
// bytes a pair, and gone with the Server.
type Server struct {
	opts      Options
	verified  verified
	services  map[string]*service // by path
	busy      accounts
	friends   *friends
	exchanges sync.Pool

	requests, throttled, overlaps, pairs atomic.Int64
}

// New makes an emulator in which nobody has been deleted yet.
func New(opts Options) *Server {
	if opts.AppID == 0 {
		opts.AppID = DefaultAppID
	}
	if opts.Identifier == "" {
		opts.Identifier = DefaultIdentifier
	}
	if opts.Key == "" {
		opts.Key = DefaultKey
	}
	s := &Server{
		opts:      opts,
		services:  map[string]*service{},
		friends:   newFriends(),
		exchanges: sync.Pool{New: func() any { return &exchange{} }},
	}
	for _, k := range kinds {
		s.services["/v4/sns/"+k.command] = &service{kind: k, pace: newPace(opts.Limit)}
	}
	return s
}

// Deleted reports whether from no longer has to as a friend because a call of this Server removed it. Deleting with
// Delete_Type_Both removes both directions.
func (s *Server) Deleted(from, to string) bool {
	return s.friends.gone(s.friends.ident([]byte(from)), s.friends.ident([]byte(to)))
}

// Stats returns the counts so far. While calls are in flight the four are not of one instant.
func (s *Server) Stats() Stats {
	return Stats{
		Requests:  s.requests.Load(),
		Throttled: s.throttled.Load(),
		Overlaps:  s.overlaps.Load(),
		Pairs:     s.pairs.Load(),
	}
}

// exchange is the memory of one request and its answer; it is reused, because at full speed nothing else allocates much.
type exchange struct {
	service *service // nil: of another path
	body    []byte
	decoder jx.Decoder
	text    []byte // the IDs of the request, unescaped; from and items point into it
	userSig string
	from    []byte
	account ident
	items   []item
	seen    map[ident]struct{}
	both    bool

	at       time.Time
	admitted bool // past the limit, and no conflict
	lost     bool // carried out, and to be left without an answer

	answer jx.Writer
}

// item is one element of To_Account and what became of it.
type item struct {
	to       []byte
	id       ident
	code     int
	relation string // empty where items have none
}

// ServeHTTP answers one call. Like the real service it answers every mistake of the caller with HTTP status 200 and a code in
// the body.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	x := s.exchanges.Get().(*exchange)
	defer s.exchanges.Put(x)
	x.reset()
	code := s.check(w, r, x)
	if code == 0 {
		code = s.admit(x)
	}
	if code == 0 {
		code = s.carryOut(x)
	}
	s.observe(x, code)
	if x.admitted {
		wait(r.Context(), s.opts.Latency)
	}
	if x.admitted && x.service.writes {
		// Before the answer: a client that has it may send the account's next chunk at once, and must not be told of an overlap.
		s.busy.release(x.account)
	}
	if x.lost {
		hangUp(w)
		return
	}
	x.write(w, code)
}

func (x *exchange) reset() {
	clear(x.seen)
	*x = exchange{
		body: x.body[:0], text: x.text[:0], items: x.items[:0], seen: x.seen, answer: x.answer,
		at: time.Now(),
	}
	if x.seen == nil {
		x.seen = make(map[ident]struct{})
	}
}

// admit lets a well-formed call through the limit and marks the account of a deletion as busy. The limit comes first: a call
// refused for it must not be seen as overlapping with anything. A check overlaps with nothing: 30008 is not among its codes.
func (s *Server) admit(x *exchange) (code int) {
	var ok bool
	if x.at, ok = x.service.pace.admit(); !ok {
		s.throttled.Add(1)
		return codeTooFrequent
	}
	if x.admitted = !x.service.writes || s.busy.hold(x.account); !x.admitted {
		s.overlaps.Add(1)
		return codeConflict
	}
	return 0
}

// carryOut gives every pair of the request its item code, and does what is asked for those that have none by their IDs.
func (s *Server) carryOut(x *exchange) (code int) {
	if code := x.service.met.accountCode(x); code != 0 {
		return code
	}
	for i := range x.items {
		it := &x.items[i]
		code, lost := x.service.met.pairCode(x, it)
		x.lost = x.lost || lost
		if code != 0 {
			it.code, it.relation = code, x.service.failed
			continue
		}
		x.service.carryOut(s.friends, x, it)
	}
	s.pairs.Add(int64(len(x.items)))
	return 0
}

func (s *Server) observe(x *exchange, code int) {
	if s.opts.Observe == nil {
		return
	}
	to := make([]string, len(x.items))
	for i, it := range x.items {
		to[i] = string(it.to)
	}
	call := Call{At: x.at, From: string(x.from), To: to, UserSig: x.userSig, Code: code}
	if x.service != nil {
		call.Command = x.service.command
	}
	s.opts.Observe(call)
}

func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// hangUp closes the connection without a byte of answer. Where the connection is not to be had (a recorder, HTTP/2), the
// empty answer that net/http then sends is as good as lost: nothing can be read in it.
func hangUp(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		conn.Close()
	}
}

func (x *exchange) write(w http.ResponseWriter, code int) {
	x.encode(code)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(x.answer.Buf)))
	w.Write(x.answer.Buf) // an error means that the client is gone: nobody is left to tell
}
