package send

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"friendsweep/batch/chat"
	"friendsweep/input"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
)

// The answers of delete.
const (
	isDeleted   = journaltest.Deleted
	isNotFriend = journaltest.NotFriend
)

// fixture is a run with the real journal and the real client, whose connections are pipes to a server that is a function.
// The journal tells afterwards what became of the rows.
type fixture struct {
	Runner
	t       *testing.T
	in      *input.Input
	journal *journal.Journal
	serve   server
	start   time.Time
	timeout time.Duration // of a request

	mu       sync.Mutex
	requests []request      // what the server saw
	flying   map[string]int // requests in flight, by account
	most     int            // in flight at the same time
	dials    int            // connections that fail to open before one does
	down     bool           // nobody listens

	// What the journal says when the run has ended.
	rows       map[int64]*rowFate // by line
	announced  int                // requests
	unanswered int64              // rows of requests that were neither answered nor withdrawn
}

type request struct {
	at      time.Duration // since the run began
	account string
	to      []string
}

type rowFate struct {
	outcome.Result
	sent int // requests that carried it
}

// server answers a request; n counts the requests of the run from 0.
type server func(n int, account string, to []string) reply

// reply is what the server does about a request.
type reply struct {
	status int // 0 is 200
	body   string
	breaks bool // the connection, instead of an answer
	leaves bool // the server, for good
}

// newFixture reads the CSV and prepares a run with small, fast options.
func newFixture(t *testing.T, csv string, both bool, serve server) *fixture {
	t.Helper()
	return newFixtureOf(t, csv, input.Options{Both: both}, serve)
}

func newFixtureOf(t *testing.T, csv string, read input.Options, serve server) *fixture {
	t.Helper()
	dir := memory(t)
	path := filepath.Join(dir, "pairs.csv")
	if err := os.WriteFile(path, []byte("from,to\n"+csv), 0o600); err != nil {
		t.Fatal(err)
	}
	read.Path, read.ChunkSize, read.TempDir = path, 1000, dir
	in, err := input.Read(t.Context(), read)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	f := &fixture{t: t, in: in, journal: begunJournal(t, dir, in), serve: serve, start: time.Now(), timeout: 15 * time.Second, flying: map[string]int{}}
	f.Runner = Runner{
		Options: Options{Call: journaltest.Call, Good: journaltest.Good, ChunkSize: 1000, Workers: 4, MaxAttempts: 8,
			BackoffInitial: 500 * time.Millisecond, BackoffMax: 30 * time.Second, MaxFailures: Failures{Percent: 100}},
		API: chat.Delete(chat.Single), Signer: chat.NewSigner(1400000000, "administrator", "key"), Journal: f.journal,
	}
	if in.Mirrors > 0 {
		f.Mirrored = outcome.NewBits(in.LastLine)
	}
	return f
}

// memory is a folder whose files need no disk, if the system has such a thing.
func memory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "send")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// begunJournal is a journal in which a job has begun.
func begunJournal(t testing.TB, dir string, in *input.Input) *journal.Journal {
	t.Helper()
	j, err := journal.Lock(filepath.Join(dir, "report.csv"), journaltest.Calls)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	if err := j.Start(journaltest.Job(in.Rows, in.LastLine), journaltest.Run); err != nil {
		t.Fatal(err)
	}
	return j
}

// run is the whole run, and the reading of its journal.
func (f *fixture) run(ctx context.Context) error {
	f.t.Helper()
	return f.runWith(ctx, f.in.Groups())
}

func (f *fixture) runWith(ctx context.Context, groups iter.Seq2[input.Group, error]) error {
	f.t.Helper()
	pipes := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	web := &http.Server{Handler: f}
	served := make(chan struct{})
	go func() { defer close(served); web.Serve(pipes) }() // ended and waited for below
	client, err := chat.NewClient(chat.Config{
		Endpoint: "http://localhost", AppID: 1400000000, Identifier: "administrator", Signer: f.Signer, Call: f.API,
		Timeout: f.timeout, Workers: f.Workers, DialContext: f.dial(pipes),
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.Client = client
	pairs := Pairs{Groups: groups, Mirrors: f.in.MirrorGroups(), LastLine: f.in.LastLine}
	if f.in.Turned > 0 {
		pairs.Turned = f.in.TurnedGroups()
	}
	ended := f.Run(ctx, pairs)
	client.Close()
	web.Close()
	<-served
	f.readJournal()
	return ended
}

// ServeHTTP puts the request on record and answers it.
func (f *fixture) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Account string   `json:"From_Account"`
		To      []string `json:"To_Account"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		f.t.Errorf("reading a request: %v", err)
	}
	a := f.serve(f.arrive(body.Account, body.To), body.Account, body.To)
	f.mu.Lock()
	f.flying[body.Account]--
	f.down = f.down || a.leaves
	f.mu.Unlock()
	if a.breaks || a.leaves {
		panic(http.ErrAbortHandler)
	}
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	io.WriteString(w, a.body)
}

// arrive returns the number of the request.
func (f *fixture) arrive(account string, to []string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, request{time.Since(f.start), account, to})
	if f.flying[account]++; f.flying[account] > 1 {
		f.t.Errorf("two requests of %s at the same time", account)
	}
	total := 0
	for _, n := range f.flying {
		total += n
	}
	f.most = max(f.most, total)
	return len(f.requests) - 1
}

// dial opens a connection, unless nobody listens.
func (f *fixture) dial(p *pipes) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		f.mu.Lock()
		refused := f.down || f.dials > 0
		f.dials--
		f.mu.Unlock()
		if refused {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		}
		near, far := net.Pipe()
		select {
		case p.conns <- far:
			return near, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// pipes is a listener for connections within the process: time stands still only for those.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// readJournal fills in what the journal says. It makes sure on the way that it can be read, which says among other things
// that every answer speaks of each of its rows once, and that no row was sent again after its last word.
func (f *fixture) readJournal() {
	f.t.Helper()
	view, err := journal.Look(journaltest.Report(f.journal), journaltest.Calls)
	if err != nil {
		f.t.Fatal(err)
	}
	defer view.Close()
	f.rows = map[int64]*rowFate{}
	seen, err := view.Follow(context.Background(), journal.Reader{Apply: f.apply})
	if err != nil {
		f.t.Fatal(err)
	}
	text, err := os.ReadFile(f.journal.Path())
	if err != nil {
		f.t.Fatal(err)
	}
	f.announced, f.unanswered = bytes.Count(text, []byte(`{"send":`)), seen.Out
}

func (f *fixture) apply(rows outcome.Rows, d *journal.Change) error {
	for _, line := range journaltest.Lines(rows) {
		row := f.rows[line]
		if row == nil {
			row = &rowFate{}
			f.rows[line] = row
		}
		if row.Outcome.IsFinal() {
			f.t.Errorf("line %d is sent again after %s", line, word(row.Outcome))
		}
		row.Result = d.Result
		if d.Carried {
			row.sent++
		}
	}
	return nil
}

// outcomes counts the rows of which the journal speaks by outcome.
func (f *fixture) outcomes() map[outcome.Outcome]int {
	n := map[outcome.Outcome]int{}
	for _, row := range f.rows {
		n[row.Outcome]++
	}
	return n
}

func word(o outcome.Outcome) string { return journaltest.Call.Word(o) }

// pairs is CSV of n pairs of the account.
func pairs(account string, n int) string {
	var sb strings.Builder
	for i := range n {
		fmt.Fprintf(&sb, "%s,f%d\n", account, i)
	}
	return sb.String()
}

// single is CSV of n accounts with a pair each.
func single(n int) string {
	var sb strings.Builder
	for i := range n {
		fmt.Fprintf(&sb, "a%d,friend\n", i)
	}
	return sb.String()
}

// items is an accepted answer whose items have the code that is given for each To_Account, 0 by default.
func items(to []string, code func(to string) int) reply { return itemsSaying("", to, code) }

func itemsSaying(info string, to []string, code func(to string) int) reply {
	var sb strings.Builder
	sb.WriteString(`{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ResultItem":[`)
	for i, id := range to {
		if i > 0 {
			sb.WriteByte(',')
		}
		n := 0
		if code != nil {
			n = code(id)
		}
		fmt.Fprintf(&sb, `{"To_Account":%q,"ResultCode":%d,"ResultInfo":%q}`, id, n, info)
	}
	sb.WriteString("]}")
	return reply{body: sb.String()}
}

// notFriends says of every item that it was no friend.
func notFriends(to []string) reply { return items(to, func(string) int { return 31704 }) }

// refusal is an answer without items.
func refusal(code int) reply {
	return reply{body: fmt.Sprintf(`{"ActionStatus":"FAIL","ErrorCode":%d,"ErrorInfo":"no"}`, code)}
}

func ok(_ int, _ string, to []string) reply { return items(to, nil) }

// bits is the set of these lines of an input up to last.
func bits(last int64, lines ...int64) *outcome.Bits {
	b := outcome.NewBits(last)
	for line := range slices.Values(lines) {
		b.Set(line)
	}
	return b
}
