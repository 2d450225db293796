package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"friendsweep/batch/sandbox"
)

var (
	rateFlag    = flag.Float64("rate", 0, "the program's --rate")
	workersFlag = flag.Int("workers", 64, "the program's --workers")
	moreFlag    = flag.String("more", "", "further flags of the program, separated by blanks")
	binaryFlag  = flag.String("binary", "", "measure this program instead of a new build, to compare or to profile")
)

// roleVariable makes the test binary one of roles instead of a test.
const roleVariable = "FRIENDSWEEP_LOAD_ROLE"

// roles are the other processes of a measurement.
var roles = map[string]func(spec string) error{"server": serve, "loop": loop, "floor": floor}

func TestMain(m *testing.M) {
	if role, spec, ok := strings.Cut(os.Getenv(roleVariable), " "); ok {
		if err := roles[role](spec); err != nil {
			fmt.Fprintln(os.Stderr, role+":", err)
			os.Exit(1)
		}
		return
	}
	dir, err := os.MkdirTemp("", "friendsweep-load-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built = sync.OnceValues(func() (string, error) { return build(dir) })
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// built is the program's path.
var built func() (string, error)

// build makes the program as its users do: without the race detector, whatever the test was built with.
func build(dir string) (string, error) {
	if *binaryFlag != "" {
		return filepath.Abs(*binaryFlag)
	}
	path := filepath.Join(dir, "friendsweep")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, "friendsweep").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return path, nil
}

// child is a process with pipes.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startRole starts the test binary in a role.
func startRole(ctx context.Context, role, spec string) (child, error) {
	self, err := os.Executable()
	if err != nil {
		return child{}, err
	}
	c := child{cmd: exec.CommandContext(ctx, self)}
	// The race detector would wait a second for reports before each of them ends.
	c.cmd.Env = append(os.Environ(), roleVariable+"="+role+" "+spec, "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	c.cmd.Stderr = os.Stderr
	in, errIn := c.cmd.StdinPipe()
	out, errOut := c.cmd.StdoutPipe()
	c.in, c.out = in, bufio.NewReader(out)
	return c, errors.Join(errIn, errOut, c.cmd.Start())
}

// run is what one run of the program took.
type run struct {
	rows, requests, journal int64
	wall, cpu               time.Duration
	rss                     int64 // bytes, at its most; or what this process had when it started the program, if that was more
	accounts                int64
	before, sending, after  time.Duration // until the first request; until the last answer; until the end
	seen                    seen
	address                 string // of the server
}

func (r run) cpuPer(rows float64) float64 { return r.cpu.Seconds() / float64(r.rows) * rows }

func (r run) rowsPerSecond() float64 { return float64(r.rows) / r.wall.Seconds() }

// job is one run to be measured.
type job struct {
	input, report string
	rate          float64
	more          []string // flags
	orders
}

// usual is the job that the flags ask for.
func usual(t *testing.T, shape string, rows uint64) job {
	input := generated(t, shape, rows)
	return job{input: input, report: filepath.Join(filepath.Dir(input), "report.csv"), rate: *rateFlag, more: strings.Fields(*moreFlag),
		orders: orders{Kind: *serverFlag, Latency: *latencyFlag}}
}

// program is the program's command with a clean environment.
func program(ctx context.Context, args ...string) (*exec.Cmd, error) {
	path, err := built()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "FRIENDSWEEP_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "FRIENDSWEEP_SECRET_KEY="+sandbox.DefaultKey)
	cmd.Stdout, cmd.Stderr = new(bytes.Buffer), new(bytes.Buffer)
	return cmd, nil
}

// command is the program that does the job with the server at url.
func (j job) command(ctx context.Context, url string) (*exec.Cmd, error) {
	args := []string{"delete", "--endpoint", url, "--sdkappid", strconv.Itoa(sandbox.DefaultAppID), "--yes", "--quiet", "--json",
		"--rate", fmt.Sprint(j.rate), "--workers", strconv.Itoa(*workersFlag), "--report", j.report}
	return program(ctx, append(append(args, j.more...), j.input)...)
}

// measure does the job and makes sure that it is done: every row a success that the server knows of.
func (j job) measure(t *testing.T) run {
	t.Helper()
	server, err := startServer(t.Context(), j.orders)
	if err != nil {
		t.Fatal(err)
	}
	cmd, err := j.command(t.Context(), server.url)
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	r, failed := spent(cmd)
	r.seen, err = server.end()
	if err := errors.Join(failed, err); err != nil {
		t.Fatalf("%v\n%s%s", err, cmd.Stdout, cmd.Stderr)
	}
	r.before, r.sending = r.seen.First.Sub(started), r.seen.Last.Sub(r.seen.First)
	r.after = r.wall - r.before - r.sending
	var sum struct{ Rows, Success, Accounts, Requests int64 }
	if err := json.Unmarshal(cmd.Stdout.(*bytes.Buffer).Bytes(), &sum); err != nil {
		t.Fatal(err)
	}
	r.rows, r.requests, r.accounts = sum.Rows, sum.Requests, sum.Accounts
	if sum.Success != sum.Rows || r.seen.Requests != r.requests {
		t.Fatalf("got %+v and the server saw %+v: want every row a success, and as many requests", sum, r.seen)
	}
	if info, err := os.Stat(j.report + ".journal"); err == nil {
		r.journal = info.Size()
	}
	return r
}

// spent runs a process and returns what the kernel says about it. Its peak of memory is one at least of the process that
// starts it, because Linux takes over the mark when a new program is loaded: it may say too much, never too little.
func spent(cmd *exec.Cmd) (run, error) {
	started := time.Now()
	if err := cmd.Run(); err != nil {
		return run{}, err
	}
	state := cmd.ProcessState
	usage := state.SysUsage().(*syscall.Rusage)
	return run{wall: time.Since(started), cpu: state.UserTime() + state.SystemTime(), rss: int64(usage.Maxrss) << 10}, nil
}
