package load

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"friendsweep/batch/sandbox"
)

var (
	latencyFlag = flag.Duration("latency", 0, "how long the server takes for an answer")
	serverFlag  = flag.String("server", "bare", "bare, or sandbox: the API's emulator, which remembers every pair")
)

// orders are what the server process is told on its command line, in the variable that makes a test binary a server.
type orders struct {
	Kind    string
	Address string // to listen on; empty is a free port
	Latency time.Duration
	Halt    int64 // rows after which nothing is answered any more; 0 is never
}

// seen is what the server saw until it ended.
type seen struct {
	Requests, Rows int64
	First          time.Time     // when the first request arrived
	Last           time.Time     // when the last answer was written
	Arriving       time.Duration // from the first arrival to the last
	Peak           int           // most arrivals in any one second
}

// serve is the server process: it prints its address, then "halted" if it comes to that, and at the end of its standard
// input what it has seen.
func serve(spec string) error {
	var o orders
	if err := json.Unmarshal([]byte(spec), &o); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", cmp.Or(o.Address, "127.0.0.1:0"))
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	w := &watch{orders: o}
	if o.Kind == "sandbox" {
		w.emulate(ln)
	} else {
		go w.accept(ln) // ends with the process
	}
	io.Copy(io.Discard, os.Stdin)
	return json.NewEncoder(os.Stdout).Encode(w.result())
}

// watch is what a server knows of its requests.
type watch struct {
	orders

	pairs func() int64 // deleted by the emulator

	mu       sync.Mutex
	taken    int64 // rows of the requests that came
	rows     int64 // of them, confirmed
	halted   bool
	arrivals []time.Duration // since start
	start    time.Time
	last     time.Time
}

func (w *watch) arrived() {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.arrivals) == 0 {
		w.start = now
	}
	w.arrivals = append(w.arrivals, now.Sub(w.start))
}

// answered counts an answer that was written.
func (w *watch) answered(rows int) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rows += int64(rows)
	w.last = now
}

// halts tells whether the server must not confirm so many rows more, and tells the one who started it when that begins.
func (w *watch) halts(rows int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.taken += int64(rows); w.Halt == 0 || w.taken <= w.Halt {
		return false
	}
	if !w.halted {
		w.halted = true
		fmt.Println("halted")
	}
	return true
}

func (w *watch) result() seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := seen{Requests: int64(len(w.arrivals)), Rows: w.rows, First: w.start, Last: w.last, Peak: peak(w.arrivals)}
	if w.pairs != nil {
		s.Rows = w.pairs()
	}
	if len(w.arrivals) > 0 {
		s.Arriving = slices.Max(w.arrivals)
	}
	return s
}

// peak is the largest number of arrivals in any one second.
func peak(arrivals []time.Duration) (most int) {
	slices.Sort(arrivals)
	from := 0
	for to := range arrivals {
		for arrivals[to]-arrivals[from] >= time.Second {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

// emulate serves the sandbox, whose time and memory grow with the pairs.
func (w *watch) emulate(ln net.Listener) {
	emulator := sandbox.New(sandbox.Options{Latency: w.Latency})
	srv := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.arrived()
		emulator.ServeHTTP(rw, r)
		w.answered(0) // the emulator counts them
	})}
	w.pairs = func() int64 { return emulator.Stats().Pairs }
	go srv.Serve(ln) // ends with the process
}

func (w *watch) accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go w.answer(conn) // ends with its connection
	}
}

// answer takes every request for one to delete friends, and confirms each of its rows. It reads so much of HTTP and JSON
// as it must, for a server that took its share of the machine would be measured too: the IDs must need no escapes.
func (w *watch) answer(conn net.Conn) {
	defer conn.Close()
	r, out := bufio.NewReaderSize(conn, 32<<10), bufio.NewWriterSize(conn, 64<<10)
	var request, reply []byte
	for {
		size, err := head(r)
		if err != nil {
			return
		}
		w.arrived()
		request = slices.Grow(request[:0], size)[:size]
		if _, err := io.ReadFull(r, request); err != nil {
			return
		}
		var rows int
		if reply, rows = confirm(reply[:0], request); rows == 0 {
			return
		}
		if w.halts(rows) {
			r.ReadByte() // until the client is gone
			return
		}
		if w.Latency > 0 {
			<-time.After(w.Latency)
		}
		fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(reply))
		out.Write(reply)
		w.answered(rows)
		if out.Flush() != nil {
			return
		}
	}
}

// head reads the lines before a request's body and returns how long that is.
func head(r *bufio.Reader) (size int, err error) {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) == 2 {
			return size, nil
		}
		if text, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if size, err = strconv.Atoi(string(bytes.TrimSpace(text))); err != nil {
				return 0, err
			}
		}
	}
}

// confirm appends the answer that confirms every To_Account of the request.
func confirm(dst, request []byte) (answer []byte, rows int) {
	_, names, _ := bytes.Cut(request, []byte(`"To_Account":[`))
	dst = append(dst, `{"ResultItem":[`...)
	for len(names) > 0 && names[0] == '"' {
		end := bytes.IndexByte(names[1:], '"') + 2
		if end < 2 {
			return dst, 0
		}
		if rows++; rows > 1 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, `{"To_Account":`...), names[:end]...), `,"ResultCode":0,"ResultInfo":""}`...)
		names = bytes.TrimPrefix(names[end:], []byte(","))
	}
	return append(dst, `],"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"0","ErrorDisplay":""}`...), rows
}

// server is a server process.
type server struct {
	child
	url string
}

// startServer starts the server in a process of its own, whose time and memory are not the program's.
func startServer(ctx context.Context, o orders) (*server, error) {
	spec, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	s := &server{}
	if s.child, err = startRole(ctx, "server", string(spec)); err != nil {
		return nil, err
	}
	addr, err := s.out.ReadString('\n')
	if err != nil {
		return nil, errors.Join(err, s.cmd.Wait())
	}
	s.url = "http://" + string(bytes.TrimSpace([]byte(addr)))
	return s, nil
}

// wait returns when the server has come to its halt.
func (s *server) wait() error {
	line, err := s.out.ReadString('\n')
	if err == nil && line != "halted\n" {
		err = fmt.Errorf("the server said %q, want halted", line)
	}
	return err
}

// end ends the server and returns what it saw.
func (s *server) end() (seen, error) {
	var v seen
	s.in.Close()
	err := json.NewDecoder(s.out).Decode(&v)
	return v, errors.Join(err, s.cmd.Wait())
}
