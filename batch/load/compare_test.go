package load

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

var compareTable = newTable("shape", "program", "rows", "requests", "rows/s", "CPU s per million rows", "CPU s per 100,000 requests", "peak memory")

// TestCompare does the same work three times: with the program; with a loop over net/http and encoding/json that makes
// one request after the other, keeps no journal and writes no report, as people have it today; and with a sender that
// has the bodies ready before its clock starts and only sends them over as many connections as the program has: no
// program that uses net/http can do with less.
func TestCompare(t *testing.T) {
	j := usual(t, *shapeFlag, size(small))
	j.rate, j.orders = 0, orders{Kind: "bare"}
	compared("friendsweep", j.measure(t))
	compared("loop", j.other(t, "loop"))
	compared("floor", j.other(t, "floor"))
}

func compared(name string, r run) {
	compareTable.line(*shapeFlag, name, count(r.rows), count(r.requests), count(int64(r.rowsPerSecond())),
		fmt.Sprintf("%.2f", r.cpuPer(1e6)), fmt.Sprintf("%.2f", r.cpu.Seconds()/float64(r.requests)*1e5), mebibytes(r.rss))
}

// effort is what another program says about itself.
type effort struct {
	Rows, Requests, Memory int64
	Wall, CPU              time.Duration
}

// other does the job with the test binary in a role.
func (j job) other(t *testing.T, role string) run {
	t.Helper()
	server, err := startServer(t.Context(), j.orders)
	if err != nil {
		t.Fatal(err)
	}
	c, err := startRole(t.Context(), role, server.url+" "+j.input)
	if err != nil {
		t.Fatal(err)
	}
	var e effort
	err = json.NewDecoder(c.out).Decode(&e)
	saw, failed := server.end()
	if err := errors.Join(err, c.cmd.Wait(), failed); err != nil {
		t.Fatal(err)
	}
	if saw.Rows != e.Rows || uint64(e.Rows) != size(small) {
		t.Errorf("%s sent %d rows, the server confirmed %d, want %d", role, e.Rows, saw.Rows, size(small))
	}
	return run{rows: e.Rows, requests: e.Requests, wall: e.Wall, cpu: e.CPU, rss: e.Memory, seen: saw}
}

// report prints the effort since the moment given.
func (e effort) report(started time.Time, cpu time.Duration) error {
	now, memory := usage()
	e.Wall, e.CPU, e.Memory = time.Since(started), now-cpu, memory
	return json.NewEncoder(os.Stdout).Encode(e)
}

// usage is the CPU time of this process and its memory at its most.
func usage() (cpu time.Duration, memory int64) {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), int64(u.Maxrss) << 10
}

// deletion is the request's body as the vendor's page shows it.
type deletion struct {
	From string   `json:"From_Account"`
	To   []string `json:"To_Account"`
	Type string   `json:"DeleteType"`
}

// address is the URL with the query that the API wants.
func address(url string) string {
	return url + "/v4/sns/friend_delete?sdkappid=1400000000&identifier=administrator&usersig=" + strings.Repeat("x", 180) + "&random=1&contenttype=json"
}

// loop is the loop by hand.
func loop(spec string) error {
	url, input, _ := strings.Cut(spec, " ")
	started := time.Now()
	accounts, err := friends(input)
	if err != nil {
		return err
	}
	var e effort
	for from, all := range accounts {
		for to := range slices.Chunk(all, perAccount) {
			if err := deleteByHand(address(url), deletion{from, to, "Delete_Type_Single"}); err != nil {
				return err
			}
			e.Requests++
			e.Rows += int64(len(to))
		}
	}
	return e.report(started, 0)
}

func deleteByHand(url string, d deletion) error {
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	resp, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		ErrorCode  int
		ErrorInfo  string
		ResultItem []struct {
			To   string `json:"To_Account"`
			Code int    `json:"ResultCode"`
			Info string `json:"ResultInfo"`
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.ErrorCode != 0 || len(answer.ResultItem) != len(d.To) {
		return fmt.Errorf("%s: code %d, %s", d.From, answer.ErrorCode, answer.ErrorInfo)
	}
	for _, item := range answer.ResultItem {
		if item.Code != 0 {
			return fmt.Errorf("%s, %s: code %d, %s", d.From, item.To, item.Code, item.Info)
		}
	}
	return nil
}

// friends reads the whole input into memory.
func friends(input string) (map[string][]string, error) {
	f, err := os.Open(input)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	all := map[string][]string{}
	for {
		rec, err := r.Read()
		if err == io.EOF {
			delete(all, "from_account")
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all[rec[0]] = append(all[rec[0]], rec[1])
	}
}

// floor is the sender of bodies that are there already.
func floor(spec string) error {
	url, input, _ := strings.Cut(spec, " ")
	accounts, err := friends(input)
	if err != nil {
		return err
	}
	var e effort
	var bodies [][]byte
	for from, all := range accounts {
		for to := range slices.Chunk(all, perAccount) {
			body, err := json.Marshal(deletion{from, to, "Delete_Type_Single"})
			if err != nil {
				return err
			}
			bodies = append(bodies, body)
			e.Rows += int64(len(to))
		}
	}
	e.Requests = int64(len(bodies))
	accounts = nil // nothing but the bodies is to be there for the collector
	started := time.Now()
	cpu, _ := usage()
	if err := sendAll(address(url), bodies); err != nil {
		return err
	}
	return e.report(started, cpu)
}

func sendAll(url string, bodies [][]byte) error {
	const connections = 64 // the default of --workers
	client := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxIdleConns: connections, DisableCompression: true}}
	all, ctx := errgroup.WithContext(context.Background())
	share := (len(bodies) + connections - 1) / connections
	for part := range slices.Chunk(bodies, max(1, share)) {
		all.Go(func() error {
			for _, body := range part {
				if err := send(ctx, &client, url, body); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return all.Wait()
}

func send(ctx context.Context, client *http.Client, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header["Content-Type"] = []string{"application/json"}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	err = cmp.Or(err, resp.Body.Close())
	if resp.StatusCode != http.StatusOK {
		err = errors.New("HTTP status " + strconv.Itoa(resp.StatusCode))
	}
	return err
}
