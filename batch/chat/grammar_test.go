package chat

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var (
	talks     = flag.Int("talks", 600, "how many servers that are none TestServerThatIsNone meets")
	talksSeed = flag.Uint64("talks.seed", 0, "the one seed of TestServerThatIsNone that is tried, if not 0")
)

// TestServerThatIsNone talks to servers that keep to HTTP more or less, made from a seed by a small grammar of answers and
// of their abuses. Whatever one sends: the request ends in time and was sent once, no secret is in what is told of it, and
// nothing is concluded about a row that the body of the answer to this very request does not say. What the body is, and what
// it says, a reader of the test's own decides.
func TestServerThatIsNone(t *testing.T) {
	defer log.SetOutput(log.Writer())
	log.SetOutput(io.Discard) // net/http has something to say of bytes behind an answer
	counts := map[string]int{}
	if *talksSeed != 0 {
		talkFrom(t, *talksSeed, counts)
		return
	}
	for first, n := rand.Uint64(), 0; n < *talks && !t.Failed(); n++ {
		talkFrom(t, first+uint64(n), counts)
	}
	t.Logf("answers: %v", counts)
	if counts["clean and believed"] == 0 || counts["abused and believed"] == 0 || counts["lost answer"] == 0 {
		t.Errorf("got answers %v, want some of each kind: the test does not test", counts)
	}
}

// talkFrom makes three requests of a client to the server of the seed. Where connections are kept alive they meet on one.
func talkFrom(t *testing.T, seed uint64, counts map[string]int) {
	synctest.Test(t, func(t *testing.T) {
		s := &oddServer{dice: rand.New(&lockedSource{pcg: rand.NewPCG(seed, 0x7a1c)})}
		c := piped(t, s.talk)
		var distrusted net.Conn // what comes over it may be the answer to an earlier request
		for n := range 3 {
			s.to = nil
			for i := range 1 + s.dice.IntN(3) {
				s.to = append(s.to, fmt.Sprintf("%d-%d", n, i))
			}
			s.reply = new(oddReply)
			start, requests := time.Now(), s.requests.Load()
			got := c.Do(t.Context(), "from", s.to)
			took := time.Since(start)
			synctest.Wait()
			wrong := s.judge(c, &got, counts)
			if s.reply.conn != nil && s.reply.conn == distrusted {
				wrong = append(wrong, "it went over a connection whose last answer was not understood")
			}
			if got.Kind != Envelope && s.reply.conn != nil {
				distrusted = s.reply.conn
			}
			if took > 15*time.Second {
				wrong = append(wrong, fmt.Sprintf("it took %s, want 15s at most", took))
			}
			if sent := s.requests.Load() - requests; sent > 1 {
				wrong = append(wrong, fmt.Sprintf("it was sent %d times, want once", sent))
			}
			stream, _ := s.reply.soFar()
			for _, w := range wrong {
				t.Errorf("seed %#x, request %d: %s\nanswer %+v to %q of\n%.3000q (-talks.seed %#x)", seed, n, w, got, s.to, stream, seed)
			}
		}
	})
}

// oddServer is a server as its dice will have it. The test reads what it has sent when nothing moves any more.
type oddServer struct {
	dice     *rand.Rand
	to       []string // of the request
	sig      string
	reply    *oddReply // to it; an earlier one may still be on its way over another connection
	requests atomic.Int64
}

// oddReply is what a connection has sent since a request was read.
type oddReply struct {
	mu     sync.Mutex // the rest of it may be sent while the test looks at it
	sent   bytes.Buffer
	clean  bool // by the book
	conn   net.Conn
	closed bool // the connection
}

func (r *oddReply) add(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent.WriteString(text)
}

func (r *oddReply) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

func (r *oddReply) soFar() (stream []byte, closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.sent.Bytes()), r.closed
}

// lockedSource is for the goroutines of several connections.
type lockedSource struct {
	mu  sync.Mutex
	pcg *rand.PCG
}

func (l *lockedSource) Uint64() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pcg.Uint64()
}

func (s *oddServer) one(n int) bool { return s.dice.IntN(n) == 0 }

func (s *oddServer) pick(of ...string) string { return of[s.dice.IntN(len(of))] }

// talk answers one request after the other, until the answer has the connection closed, or the client does.
func (s *oddServer) talk(conn net.Conn) {
	in := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		io.Copy(io.Discard, r.Body)
		s.requests.Add(1)
		s.sig = r.URL.Query().Get("usersig")
		said := &oddReply{conn: conn}
		s.reply = said
		text, end := s.answer(r.URL.String(), said)
		if !s.say(conn, text, said) || end {
			said.close()
			return
		}
	}
}

// say sends the text in pieces, now and then with a rest.
func (s *oddServer) say(conn net.Conn, text string, said *oddReply) bool {
	for len(text) > 0 {
		n := 1 + s.dice.IntN(len(text))
		if s.one(12) {
			pass(time.Duration(s.dice.IntN(8000)) * time.Millisecond)
		}
		said.add(text[:n])
		if _, err := io.WriteString(conn, text[:n]); err != nil {
			return false
		}
		text = text[n:]
	}
	return true
}

// answer is all that the server sends for a request, and whether it closes the connection then.
func (s *oddServer) answer(url string, said *oddReply) (text string, closes bool) {
	body := s.body(url)
	if said.clean = s.one(5); said.clean {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body), s.one(4)
	}
	var b strings.Builder
	for s.one(6) && b.Len() < 2000 {
		b.WriteString(s.pick("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", "HTTP/1.1 102 Processing\r\nContent-Length: 5\r\n\r\n",
			"HTTP/1.1 199 x\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", "\r\n"))
	}
	b.WriteString(s.statusLine())
	headers, framed, ends := s.framed(body)
	b.WriteString(s.headers(url) + headers + s.headers(url) + s.pick("\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r\r\n", ""))
	b.WriteString(framed)
	text = b.String()
	if s.one(6) {
		text = text[:s.dice.IntN(len(text)+1)]
		ends = ends || s.one(2)
	}
	if s.one(5) { // bytes behind the answer: rubbish, or another answer
		text += s.pick("x", "\r\n", " ", "HTTP/1.1 408 Request Timeout\r\n\r\n", text, strings.Repeat("\x00", 5000),
			fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	}
	return text, ends || s.one(5)
}

// body is a text that says something true or false about the rows of this request, of another one, or of none.
func (s *oddServer) body(url string) string {
	var items []string
	about := s.to
	if s.one(6) {
		about = []string{"0-0", "0-1", s.to[0], "else"}[s.dice.IntN(3):]
	}
	for _, to := range about {
		for n := 0; n == 0 || s.one(8); n++ {
			code := s.pick("0", "0", "0", "0", "31704", "30003", "30006", `"0"`, "null", "0.0", "0e0", "-0", "00", "1", "18446744073709551616")
			items = append(items, fmt.Sprintf(`{"To_Account":%q,"ResultCode":%s,"ResultInfo":%q}`, to, code, s.pick("", "Err "+url)))
		}
	}
	fails := s.pick("", "", "", "", fmt.Sprintf(`"Fail_Account":[%q],`, s.to[0]))
	text := fmt.Sprintf(`{"ResultItem":[%s],%s"ActionStatus":%q,"ErrorCode":%s,"ErrorInfo":%q}`, strings.Join(items, ","), fails,
		s.pick("OK", "FAIL"), s.pick("0", "0", "0", "0", "30006", "60008", "null", `"0"`), s.pick("", url))
	if s.one(10) {
		text = text[:s.dice.IntN(len(text))]
	}
	return s.pick("", "", "", "", "\n ") + text + s.pick("", "", "", "\n", "{}", "\x00")
}

func (s *oddServer) statusLine() string {
	if !s.one(5) {
		return "HTTP/1.1 200 OK\r\n"
	}
	return s.pick("HTTP/1.0 200 OK", "HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/2.0 200 OK", "HTTP/1.1 0200 OK", "HTTP/1.1 +200 OK", "HTTP/1.1 2 OK", "HTTP/1.1 200\tOK",
		"ICY 200 OK", "HTTP/1.1 20O OK", "http/1.1 200 OK", "HTTP/1.1 -200 OK", "HTTP/1.1  200 OK", "HTTP/1.10 200 OK", "HTTP/1.1 200 O\x00K", "HTTP/0.9 200 OK", "HTTP/3 200 OK", "",
		"HTTP/1.1 "+strconv.Itoa(100+s.dice.IntN(500))+" x", "HTTP/1.1 200 "+strings.Repeat("x", 70_000)) + s.pick("\r\n", "\r\n", "\n", "\r", "")
}

// headers are some that say nothing of the body's length, and others that are none.
func (s *oddServer) headers(url string) (text string) {
	for s.one(5) {
		text += s.pick("Date: now", "X: "+url, "Connection: close", "Connection: keep-alive", "Content-Encoding: gzip", "Trailer: X", "Content-Type: text/html",
			"no colon", " folded: x", ": nameless", "X : y", "X: \x00", "X\x00: y", "Content-Range: bytes 0-1/2", "Location: http://127.0.0.1:1/", "Keep-Alive: timeout=0",
			strings.Repeat("X: y\r\n", 200)+"X: y", "X: "+strings.Repeat("y", 70_000)) + s.pick("\r\n", "\r\n", "\r\n", "\n", "\r")
	}
	return text
}

// framed is the body with the headers that say where it ends, truly or not; ends tells that the connection's end does.
func (s *oddServer) framed(body string) (headers, text string, ends bool) {
	n := len(body)
	switch s.dice.IntN(8) {
	case 0, 1:
		return fmt.Sprintf("Content-Length: %d\r\n", n), body, false
	case 2:
		n += s.dice.IntN(9) - 4
		return fmt.Sprintf("Content-Length: %d\r\n", n), body, s.one(2)
	case 3:
		return s.pick("Content-Length: +%d\r\n", "Content-Length: -%d\r\n", "Content-Length: 0x%x\r\n", "Content-Length: %d, %[1]d\r\n", "Content-Length: %d\r\nContent-Length: %[1]d\r\n",
			"Content-Length: 3\r\nContent-Length: %d\r\n", "Content-Length: %d9999999999\r\n", "Content-Length: %d.0\r\n", "Content-Length:\r\nX: %d\r\n", "Content-Length: \t%d \r\n"), body, s.one(2)
	case 4:
		return "", body, true
	}
	headers = s.pick("Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\n", "transfer-encoding: CHUNKED\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 7\r\n",
		"Transfer-Encoding: identity\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding : chunked\r\n")
	return headers, s.chunked(body), s.one(3)
}

// chunked is the body in chunks. One time in three a chunk is broken.
func (s *oddServer) chunked(body string) string {
	var b strings.Builder
	breaks := s.one(2)
	for len(body) > 0 {
		n := 1 + s.dice.IntN(len(body))
		size, behind := fmt.Sprintf(s.pick("%x", "%x", "%X", "000%x"), n)+s.pick("", "", "", ";x=y", " "), "\r\n"
		if breaks && s.one(3) {
			size = s.pick(fmt.Sprintf("%x", n+1), fmt.Sprintf("%x", max(1, n-1)), fmt.Sprintf("0x%x", n), fmt.Sprintf("-%x", n), "ffffffffffffffff", "10000000000000000", "", "g", "0",
				fmt.Sprintf("%x;%s", n, strings.Repeat("y", 5000)), fmt.Sprintf("%x", n))
			behind = s.pick("\r\n", "\n", "", "x\r\n")
		}
		b.WriteString(size + s.pick("\r\n", "\r\n", "\r\n", "\n") + body[:n] + behind)
		body = body[n:]
	}
	return b.String() + s.pick("0\r\n\r\n", "0\r\n\r\n", "0\r\n\r\n", "0\r\n\r\n", "0\r\nX: y\r\n\r\n", "0\r\nno colon\r\n\r\n", "0\r\nContent-Length: 3\r\n\r\n", "0\r\n", "", "00000\r\n\r\n", "0\n\n",
		"0\r\n"+strings.Repeat("X: y\r\n", 3000)+"\r\n")
}

// judge holds what the client concludes against what the bytes say.
func (s *oddServer) judge(c *Client, got *Answer, counts map[string]int) (wrong []string) {
	said := s.said()
	believed := 0
	for i, to := range s.to {
		r := c.call.Row(got, i)
		if r.Verdict == Final || r.Verdict == Refuse && got.Kind == Envelope && got.Items[i].State == Answered {
			code, ok := said[to]
			if believed++; !ok || code != r.Code.Number {
				wrong = append(wrong, fmt.Sprintf("%s is taken for %v with code %d, the answer says %v", to, r.Verdict, r.Code.Number, said))
			}
		}
	}
	texts := got.Info
	for _, item := range got.Items {
		texts += item.Info
	}
	if len(s.sig) > 0 && strings.Contains(texts, s.sig[:20]) || strings.ContainsAny(texts, "\x00\x1b\r\n") {
		wrong = append(wrong, "its texts hold a secret or control characters")
	}
	if s.reply.clean && len(said) > 0 && believed == 0 && said[s.to[0]] == 0 {
		if _, ok := said[s.to[0]]; ok {
			wrong = append(wrong, "it was by the book, and is not believed")
		}
	}
	how := map[bool]string{true: "clean", false: "abused"}[s.reply.clean]
	if believed > 0 {
		counts[how+" and believed"]++
	} else {
		counts[got.Kind.String()]++
	}
	return wrong
}

// said is the code for every row about which the answer says one, by a reader of HTTP that takes what it may take: nothing
// where the body is not known to be whole.
func (s *oddServer) said() map[string]int {
	body, ok := bodyOf(s.reply.soFar())
	var a struct {
		ErrorCode  json.RawMessage
		ResultItem []struct {
			To   string          `json:"To_Account"`
			Code json.RawMessage `json:"ResultCode"`
		}
		Failed []string `json:"Fail_Account"`
	}
	if !ok || json.Unmarshal(body, &a) != nil {
		return nil
	}
	if _, err := strconv.Atoi(string(a.ErrorCode)); err != nil {
		return nil
	}
	said, bad, foreign := map[string]int{}, map[string]bool{}, false
	var codeless []string
	asked := map[string]bool{}
	for _, to := range s.to {
		asked[to] = true
	}
	for _, item := range a.ResultItem {
		foreign = foreign || !asked[item.To]
		before, twice := said[item.To]
		code, err := strconv.Atoi(string(item.Code))
		switch {
		case err != nil:
			codeless = append(codeless, item.To)
		case twice && before != code:
			bad[item.To] = true
		default:
			said[item.To] = code
		}
	}
	for _, to := range a.Failed {
		bad[to] = bad[to] || said[to] == 0
	}
	for _, to := range codeless {
		if code, ok := said[to]; ok && code == 0 {
			bad[to] = true
		}
	}
	for to, is := range bad {
		if is {
			delete(said, to)
		}
	}
	for _, to := range s.to {
		if _, ok := said[to]; foreign && !ok && !bad[to] {
			return nil
		}
	}
	return said
}

// bodyOf is the body of the first answer in the stream that is not 1xx, if it is a whole one with status 200.
func bodyOf(stream []byte, closed bool) ([]byte, bool) {
	for {
		head, rest, ok := cutHead(stream)
		if !ok {
			return nil, false
		}
		status := strings.Fields(head[0])
		switch {
		case len(status) < 2 || !strings.HasPrefix(status[0], "HTTP/"):
			return nil, false
		case len(status[1]) == 3 && status[1][0] == '1' && status[1] != "101":
			stream = rest
			continue
		case status[1] != "200":
			return nil, false
		}
		return framedBody(status[0], head[1:], rest, closed)
	}
}

// cutHead cuts off the lines up to the first empty one.
func cutHead(stream []byte) (lines []string, rest []byte, ok bool) {
	for {
		line, after, found := bytes.Cut(stream, []byte("\n"))
		if !found {
			return nil, nil, false
		}
		text := strings.TrimSuffix(string(line), "\r")
		stream = after
		if text == "" {
			return lines, stream, len(lines) > 0
		}
		lines = append(lines, text)
	}
}

func framedBody(version string, headers []string, rest []byte, closed bool) ([]byte, bool) {
	length, chunked := "", false
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		switch strings.ToLower(name) {
		case "content-length":
			if length != "" && length != value {
				return nil, false
			}
			length = value
		case "transfer-encoding":
			chunked = chunked || strings.EqualFold(value, "chunked") && version != "HTTP/1.0" && version != "HTTP/0.9"
		}
	}
	switch {
	case chunked:
		return dechunk(rest)
	case length == "":
		return rest, closed
	}
	n, err := strconv.ParseUint(length, 10, 62)
	if err != nil || uint64(len(rest)) < n {
		return nil, false
	}
	return rest[:n], true
}

func dechunk(rest []byte) (body []byte, ok bool) {
	for {
		line, after, found := bytes.Cut(rest, []byte("\n"))
		size, _, _ := strings.Cut(strings.TrimSuffix(string(line), "\r"), ";")
		n, err := strconv.ParseUint(strings.TrimRight(size, " \t"), 16, 62)
		if !found || err != nil || uint64(len(after)) < n {
			return nil, false
		}
		if n == 0 {
			return body, bytes.HasPrefix(after, []byte("\r\n")) || bytes.HasPrefix(after, []byte("\n")) || bytes.Contains(after, []byte("\n\r\n")) || bytes.Contains(after, []byte("\n\n"))
		}
		body, after = append(body, after[:n]...), after[n:]
		next, ok := bytes.CutPrefix(bytes.TrimPrefix(after, []byte("\r")), []byte("\n"))
		if !ok {
			return nil, false
		}
		rest = next
	}
}
