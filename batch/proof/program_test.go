package proof

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"friendsweep/batch/sandbox"
)

var kills = flag.Int("kills", 40, "how often the program is killed, for each call")

// binary is the program, built once for all tests; anybody may run it.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(withProgram(m))
}

func withProgram(m *testing.M) int {
	dir, err := os.MkdirTemp("", "proof")
	if err == nil {
		defer os.RemoveAll(dir)
		err = os.Chmod(dir, 0o755)
	}
	binary = filepath.Join(dir, "friendsweep")
	if err == nil {
		build := exec.Command("go", "build", "-o", binary, "friendsweep")
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is released
		build.Stderr = os.Stderr
		err = build.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "building the program:", err)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// site is a place where the program runs: input, report and temporary folder, and the server it sends to.
type site struct {
	t        testing.TB
	dir, tmp string // of input and report; of TMPDIR
	program  string // what is run
	input    string
	table    *table
	server   *server
	endpoint string
	flags    []string  // besides those that every run needs
	user     uint32    // who runs it, if not 0
	wrap     []string  // a command to run it by, like prlimit
	stdin    io.Reader // nil: the input is the file
	ignore   bool      // more outcomes are successes, by the flag that the call has for it
}

func newSite(t testing.TB, table *table) *site { return newSiteOf(t, deletion, table) }

// newSiteOf is a site for a call. A check is one with --expect any: what the API answers is a success.
func newSiteOf(t testing.TB, c *call, table *table) *site {
	base := t.TempDir()
	s := &site{t: t, dir: filepath.Join(base, "job"), tmp: filepath.Join(base, "tmp"), program: binary, table: table, server: newServer(), ignore: c == checking}
	s.server.call = c // before it serves: a request that comes from another process is nothing that the race detector knows of
	for _, dir := range []string{s.dir, s.tmp} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	s.input = s.path("pairs.csv")
	if err := os.WriteFile(s.input, []byte(table.csv), 0o644); err != nil {
		t.Fatal(err)
	}
	s.endpoint = s.server.serve(t)
	return s
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// deletes are the arguments of a run that resumes what is there and does not wait long for anything.
func (s *site) deletes(more ...string) []string {
	args := []string{s.server.call.name, "--endpoint", s.endpoint, "--sdkappid", fmt.Sprint(sandbox.DefaultAppID), "--resume",
		"--report", s.path("report.csv"), "--rate", "2000", "--backoff-initial", "100us", "--backoff-max", "1ms",
		"--max-failures", "100%", "--progress", "none"}
	if s.server.call == deletion {
		args = append(args, "--yes")
	}
	if s.ignore {
		args = append(args, s.server.call.flag...)
	}
	if s.stdin != nil {
		return append(append(append(args, s.flags...), more...), "-")
	}
	return append(append(append(args, s.flags...), more...), s.input)
}

// result is what a process left behind besides files.
type result struct {
	code           int            // as a shell gives it: 128 and the signal for a process that was killed by one
	signal         syscall.Signal // that killed it, or 0
	stdout, stderr string
}

// process is the program while it runs.
type process struct {
	*exec.Cmd
	site           *site
	stdout, stderr bytes.Buffer
	started        chan struct{}
	cancel         func() bool // calls off what was arranged; may be nil
}

// prepare makes a process that is yet to be started.
func (s *site) prepare(args ...string) *process {
	s.t.Helper()
	all := append(append([]string{}, s.wrap...), append([]string{s.program}, args...)...)
	p := &process{Cmd: exec.Command(all[0], all[1:]...), site: s, started: make(chan struct{})}
	p.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/", "TMPDIR=" + s.tmp, "FRIENDSWEEP_SECRET_KEY=" + sandbox.DefaultKey}
	p.Dir = s.dir
	p.Stdin, p.Stdout, p.Stderr = s.stdin, &p.stdout, &p.stderr
	if s.user != 0 {
		p.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: s.user, Gid: s.user, NoSetGroups: true}}
	}
	return p
}

// start starts the program. wait must follow.
func (p *process) start() {
	p.site.t.Helper()
	p.site.server.fence()
	if err := p.Start(); err != nil {
		p.site.t.Fatal(err)
	}
	close(p.started)
}

// wait returns how the program ended. Whatever it left behind must not hold a secret.
func (p *process) wait() result {
	p.site.t.Helper()
	err := p.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.site.t.Fatal(err)
	}
	r := result{code: p.ProcessState.ExitCode(), stdout: p.stdout.String(), stderr: p.stderr.String()}
	if status := p.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		r.signal, r.code = status.Signal(), 128+int(status.Signal())
	}
	p.site.noSecrets(r)
	return r
}

func (s *site) run(args ...string) result {
	s.t.Helper()
	p := s.prepare(args...)
	p.start()
	return p.wait()
}

// oracle is what the server's record says about the job. The fates of a run that was killed cannot be foretold by it: which
// answers were heard is known to the journal alone.
func (s *site) oracle() *oracle {
	return &oracle{regroup: slices.Contains(s.flags, "--regroup"), call: s.server.call, rows: s.table.rows, record: s.server.record, maxAttempts: 8}
}

// report is the report as it stands.
func (s *site) report() []reported {
	s.t.Helper()
	report, err := readReport(s.path("report.csv"))
	if err != nil {
		s.t.Fatal(err)
	}
	return report
}

// noSecrets searches all that can be read of the run for the key and for every UserSig that the server has seen.
func (s *site) noSecrets(r result) {
	s.t.Helper()
	s.searched("standard output", r.stdout)
	s.searched("standard error", r.stderr)
	for _, dir := range []string{s.dir, s.tmp} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return nil // gone, or not ours to read
			}
			s.searched(path, path)
			if text, err := os.ReadFile(path); err == nil {
				s.searched(path, string(text))
			}
			return nil
		})
		if err != nil {
			s.t.Error(err)
		}
	}
}

func (s *site) searched(where, text string) {
	s.t.Helper()
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	secrets := []string{sandbox.DefaultKey}
	for sig := range s.server.sigs {
		secrets = append(secrets, sig, url.QueryEscape(sig), url.PathEscape(sig))
	}
	for _, secret := range secrets {
		for i := 0; i+piece <= len(secret); i += piece / 2 {
			if at := strings.Index(text, secret[i:i+piece]); at >= 0 {
				s.t.Errorf("%s holds a part of a secret: …%.300q", where, text[max(0, at-100):])
				return
			}
		}
	}
}

// piece is how many bytes of a secret are looked for: texts are cut, and half a signature is half too much.
const piece = 16

// leftovers are the files in TMPDIR, and those beside the report but for the ones that are named.
func (s *site) leftovers(but ...string) (names []string) {
	s.t.Helper()
	known := map[string]bool{"pairs.csv": true}
	for _, name := range but {
		known[name] = true
	}
	for _, dir := range []string{s.dir, s.tmp} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range entries {
			if dir == s.tmp || !known[e.Name()] {
				names = append(names, filepath.Join(filepath.Base(dir), e.Name()))
			}
		}
	}
	return names
}

// want checks exit code and what standard error says.
func (r result) want(t testing.TB, code int, words ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("got exit code %d (signal %v), want %d\nstderr: %.2000s", r.code, r.signal, code, r.stderr)
	}
	for _, word := range words {
		if !strings.Contains(r.stderr, word) {
			t.Errorf("got on standard error\n%s\nwant %q in it", r.stderr, word)
		}
	}
}
