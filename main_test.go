package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"
	"golang.org/x/sys/unix"

	"friendsweep/batch/sandbox"
)

// TestMain makes two programs of the test binary that scripts find in their PATH: friendsweep, which is main itself with
// its signals and exit codes, and tty, which runs a command under a pseudo terminal.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "4") // scripts wait more than they compute; -parallel still wins
	testscript.Main(m, map[string]func(){"friendsweep": main, "tty": ttyMain})
}

// TestScripts runs testdata/script/*.txtar: what the contract promises, looked at from outside. The commands that the
// scripts have beside those of testscript are described below, where they are made.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", Setup: setUp, Cmds: scriptCommands, Condition: condition,
		RequireExplicitExec: true, RequireUniqueNames: true,
		Deadline: time.Now().Add(8 * time.Minute), // for all of them, beside other packages, with the race detector
	})
}

// raceOptions: the race detector would let every process wait a second for its end.
const raceOptions = "atexit_sleep_ms=0"

// condition: [root] is true for the superuser, whom permissions do not stop.
func condition(name string) (bool, error) {
	if name == "root" {
		return os.Getuid() == 0, nil
	}
	return false, fs.ErrInvalid
}

// world is what one script has made.
type world struct {
	server *hostile
	procs  map[string]*process
}

type worldKey struct{}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// setUp prepares a script's environment. Whatever a script is about, no secret may be in a file that the program wrote,
// no request may be other than the API wants it, and no temporary file may be left.
func setUp(env *testscript.Env) error {
	w := &world{procs: map[string]*process{}}
	env.Values[worldKey{}] = w
	recipes, err := filepath.Abs("testdata/recipes")
	if err != nil {
		return err
	}
	env.Setenv("RECIPES", recipes)
	env.Setenv("KEY", sandbox.DefaultKey)
	env.Setenv("GORACE", raceOptions)
	given := map[string]bool{}
	if err := eachFile(env.WorkDir, func(path string) { given[path] = true }); err != nil {
		return err
	}
	t := env.T()
	env.Defer(func() {
		for _, p := range w.procs {
			p.end()
		}
		var sigs []string
		if w.server != nil {
			w.server.close()
			sigs = w.server.signatures()
			if faults := w.server.faults(); len(faults) > 0 {
				t.Fatal("the server got requests that the API would not take:\n" + strings.Join(faults, "\n"))
			}
		}
		if found := secretsIn(env.WorkDir, given, sigs); len(found) > 0 {
			t.Fatal("secrets are in: " + strings.Join(found, ", "))
		}
	})
	return nil
}

func eachFile(dir string, do func(path string)) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			do(path)
		}
		return err
	})
}

// secretsIn finds the key and the signatures in the files that were not there from the start; those with a name that
// begins with secret are a script's own.
func secretsIn(dir string, given map[string]bool, sigs []string) (found []string) {
	secrets := []string{sandbox.DefaultKey}
	for _, sig := range sigs {
		secrets = append(secrets, sig, url.QueryEscape(sig))
	}
	_ = eachFile(dir, func(path string) {
		data, err := os.ReadFile(path)
		if err != nil || given[path] || strings.HasPrefix(filepath.Base(path), "secret") {
			return
		}
		for _, s := range secrets {
			if bytes.Contains(data, []byte(s)) {
				found = append(found, filepath.Base(path))
				return
			}
		}
	})
	return found
}

// TestREADME executes the README as a newcomer would: every block marked `sh` runs as a script, and every block marked
// `console` has commands, after "$ ", and what they print, in order and in one fresh copy of the repository with
// friendsweep first in PATH. In a console block, a line of "..." stands for any lines, and "..." in a line for anything.
// A block marked `console needs TOOL` is skipped, by name, where the tool is missing.
func TestREADME(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, repository(t)); err != nil {
		t.Fatal(err)
	}
	executeREADME(t, &readmeShell{t: t, dir: dir, env: append(os.Environ(), "PWD="+dir, "GORACE="+raceOptions, containerStorage(t)),
		without: []string{"package"}}, "")
}

// TestREADMEInstalled executes it as whoever has the package and no Go: in an empty home, with the files that the package
// brings and no others.
func TestREADMEInstalled(t *testing.T) {
	t.Parallel()
	root, home, tools := t.TempDir(), t.TempDir(), t.TempDir()
	installPackage(t, root)
	if err := os.WriteFile(filepath.Join(tools, "go"), []byte("#!/bin/sh\necho there is no Go here >&2\nexit 127\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	executeREADME(t, &readmeShell{t: t, dir: home, without: []string{"go"}, env: append(os.Environ(),
		"HOME="+home, "PWD="+home, "PATH="+tools+":"+os.Getenv("PATH"), "GORACE="+raceOptions)}, root)
}

// installPackage puts what deb and rpm bring under root, but for the completions, which are made for a release.
func installPackage(t *testing.T, root string) {
	t.Helper()
	text, err := os.ReadFile(".goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, contents, _ := strings.Cut(string(text), "\n    contents:\n")
	brought := regexp.MustCompile(`(?m)^ +- \{src: ([^.][^,]*), dst: (/usr/[^,}]*)`).FindAllStringSubmatch(contents, -1)
	if len(brought) < 4 {
		t.Fatalf("got the contents %v, want README, licence, pairs and recipes", brought)
	}
	for _, file := range brought {
		if out, err := exec.Command("sh", "-c", `mkdir -p "$(dirname "$2")" && cp -R "$1" "$2"`, "sh", file[1], root+file[2]).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", file[1], err, out)
		}
	}
}

// freeAddress is one on which nobody listens, and whose port no client is given either.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.N(10000))
		if listener, err := net.Listen("tcp", address); err == nil {
			listener.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// executeREADME runs the blocks one after the other; root is where a package's files are, if not at /.
func executeREADME(t *testing.T, shell *readmeShell, root string) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	// Other tests, and other people, may have the README's port.
	here := strings.NewReplacer("127.0.0.1:8600", freeAddress(t), "/usr/share/friendsweep", root+"/usr/share/friendsweep")
	ran := 0
	for _, block := range blocks(here.Replace(string(text))) {
		switch block.kind {
		case "sh", "console":
			t.Run(strings.TrimSpace(block.heading+" "+block.needs), func(t *testing.T) {
				shell.need(t, block.needs)
				ran += shell.execute(t, block)
				if block.needs == "package" { // it goes to another folder
					shell.dir = filepath.Join(shell.dir, "friendsweep-try")
				}
			})
		case "text":
			if strings.Contains(block.text, "$ ") {
				t.Errorf("README: commands in a block that is not run:\n%s", block.text)
			}
		default:
			t.Errorf("README: got a block of kind %q, want sh, console or text:\n%s", block.kind, block.text)
		}
	}
	t.Logf("%d commands of README.md were run", ran)
}

// containerStorage is the variable that has images built in a folder of the test's own.
func containerStorage(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf("[storage]\ndriver = \"vfs\"\ngraphroot = %q\nrunroot = %q\n", dir+"/graph", dir+"/run")
	if err := os.WriteFile(dir+"/storage.conf", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return "CONTAINERS_STORAGE_CONF=" + dir + "/storage.conf"
}

// TestContainer runs the image that .container/build makes: the program trusts the certificates that were put into it,
// writes temporary files, and is not root.
func TestContainer(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("buildah"); err != nil {
		t.Skip("buildah is not installed")
	}
	if os.Getuid() != 0 {
		t.Skip("buildah runs a container without a runtime for root alone")
	}
	server := newHostile(true)
	defer server.close()
	server.reset(nil, false)
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("server.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	write("pairs.csv", "from,to\na,b\n")
	if err := os.Chmod(dir, 0o777); err != nil { // for the user in the container
		t.Fatal(err)
	}
	shell := readmeShell{t: t, dir: ".", env: append(os.Environ(), containerStorage(t), "SSL_CERT_FILE="+filepath.Join(dir, "server.pem"),
		"DATA="+dir, "SERVER="+server.URL, "FRIENDSWEEP_SECRET_KEY="+sandbox.DefaultKey)}
	shell.run(t, ".container/build localhost/friendsweep:test", nil)
	shell.run(t, `set -e
container=$(buildah from localhost/friendsweep:test)
trap 'buildah rm "$container" > /dev/null' EXIT
buildah run --isolation chroot --env FRIENDSWEEP_SECRET_KEY="$FRIENDSWEEP_SECRET_KEY" -v "$DATA:/data" "$container" -- \
    /friendsweep delete --endpoint "$SERVER" --sdkappid 1400000000 --yes pairs.csv
`, nil)
	info, err := os.Stat(filepath.Join(dir, "pairs.report.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Sys().(*syscall.Stat_t).Uid; got != 65532 {
		t.Errorf("the report is of user %d, want 65532", got)
	}
	if faults := server.faults(); len(faults) > 0 {
		t.Errorf("the server got %v", faults)
	}
}

// repository is what git has of this folder, or would have.
func repository(t *testing.T) fs.FS {
	t.Helper()
	out, err := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return os.DirFS(".") // no git here: then the folder is a copy already
	}
	dir := t.TempDir()
	for _, name := range strings.Fields(string(out)) {
		data, err := os.ReadFile(name)
		if err != nil {
			continue // removed, and not committed yet
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	return os.DirFS(dir)
}

// block is a fenced block of a Markdown text, the heading that it stands under, and the tool that its commands need.
type block struct{ heading, kind, needs, text string }

var (
	fence   = regexp.MustCompile("(?m)^[ \t]*```([^\n]*)\n((?s:.*?))^[ \t]*```[ \t]*$")
	heading = regexp.MustCompile("(?m)^#+ (.*)$")
)

func blocks(text string) (found []block) {
	for _, m := range fence.FindAllStringSubmatchIndex(text, -1) {
		kind, needs, _ := strings.Cut(strings.TrimSpace(text[m[2]:m[3]]), " needs ")
		b := block{kind: kind, needs: needs, text: text[m[4]:m[5]]}
		if above := heading.FindAllStringSubmatch(fence.ReplaceAllString(text[:m[0]], ""), -1); len(above) > 0 {
			b.heading = above[len(above)-1][1]
		}
		found = append(found, b)
	}
	return found
}

type consoleStep struct{ command, output string }

// consoleSteps takes a block apart at the lines that begin with "$ "; a command goes on in the next line after a "\".
func consoleSteps(text string) (steps []consoleStep) {
	open := false
	for line := range strings.Lines(text) {
		command, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case isCommand:
			steps = append(steps, consoleStep{command: command})
		case len(steps) == 0:
			continue
		case open:
			steps[len(steps)-1].command += line
		default:
			steps[len(steps)-1].output += line
		}
		open = (isCommand || open) && strings.HasSuffix(line, "\\\n")
	}
	return steps
}

// readmeShell runs commands one after the other in one folder.
type readmeShell struct {
	t       *testing.T
	dir     string
	env     []string
	without []string // what is missing here in any case
}

// need skips the test where one of the tools is missing.
func (s *readmeShell) need(t *testing.T, tools string) {
	t.Helper()
	for _, tool := range strings.Fields(tools) {
		if slices.Contains(s.without, tool) {
			t.Skipf("there is no %s here", tool)
		}
		if tool == "package" {
			continue
		}
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
		if tool == "podman" { // which may be there, and not be allowed to run anything
			s.needContainers(t, tool)
		}
	}
}

func (s *readmeShell) needContainers(t *testing.T, tool string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool, "run", "--rm", "localhost/friendsweep:1", "--version")
	cmd.Dir, cmd.Env = s.dir, s.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("podman runs no container here: %s", out)
	}
}

// execute runs a block and counts its commands.
func (s *readmeShell) execute(t *testing.T, b block) int {
	t.Helper()
	if b.kind == "sh" {
		s.run(t, b.text, nil)
		return 1
	}
	steps := consoleSteps(b.text)
	for _, step := range steps {
		s.run(t, step.command, &step.output)
	}
	return len(steps)
}

// run executes the commands and compares what they print, both streams, unless want is nil.
func (s *readmeShell) run(t *testing.T, commands string, want *string) {
	t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "sh", "-c", commands)
	cmd.Dir, cmd.Env, cmd.WaitDelay = s.dir, s.env, patience
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.t.Cleanup(func() { // what the README started in the background and a failure left there
		if cmd.Process != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	})
	got, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	if want == nil {
		if err != nil {
			t.Errorf("README: %s\ngot %v, want it to succeed\n%s", commands, err, got)
		}
		return
	}
	if !wildcard(*want).Match(got) {
		t.Errorf("README: $ %sgot, want:\n%s", commands, cmp.Diff(string(got), *want))
	}
}

// wildcard is a text in which "..." stands for anything: alone in a line for any lines.
func wildcard(text string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`\A`)
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "..." {
			b.WriteString(`(?:.*\n)*`)
			continue
		}
		b.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), regexp.QuoteMeta("..."), ".*"))
	}
	b.WriteString(`\z`)
	return regexp.MustCompile(b.String())
}

// TestREADMEParts: what the README's test makes of a text.
func TestREADMEParts(t *testing.T) {
	text := "# a\n```sh\n# one\n```\n\n## b\n```text\nno\n```\n  ```console needs five\n$ two \\\n  three\nout\n...\nend 5ms\n$ four\n  ```\n"
	want := []block{{"a", "sh", "", "# one\n"}, {"b", "text", "", "no\n"},
		{"b", "console", "five", "$ two \\\n  three\nout\n...\nend 5ms\n$ four\n"}}
	got := blocks(text)
	if diff := cmp.Diff(got, want, cmp.AllowUnexported(block{})); diff != "" {
		t.Fatalf("blocks: got (-), want (+)\n%s", diff)
	}
	steps := []consoleStep{{"two \\\n  three\n", "out\n...\nend 5ms\n"}, {"four\n", ""}}
	if diff := cmp.Diff(consoleSteps(got[2].text), steps, cmp.AllowUnexported(consoleStep{})); diff != "" {
		t.Errorf("steps: got (-), want (+)\n%s", diff)
	}
	for text, want := range map[string]bool{"a\nx\ny\nb 7ms, 3\n": true, "a\nb 1, 3\n": true, "a\nb 1, 4\n": false, "a\nx\n": false} {
		if got := wildcard("a\n...\nb ..., 3\n").MatchString(text); got != want {
			t.Errorf("wildcard for %q: got %t, want %t", text, got, want)
		}
	}
}

// The commands of the scripts.

// patience is how long a script waits for what must come.
const patience = 30 * time.Second

// scriptCommands are those of our scripts beside testscript's own. The comment at each says how it is used.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits": cmdExits, "sweep": cmdSweep, "ask": cmdAsk,
	"start": cmdStart, "await": cmdAwait, "await-file": cmdAwaitFile, "signal": cmdSignal, "finish": cmdFinish,
	"serve": cmdServe, "release": cmdRelease, "requests": cmdRequests, "await-requests": cmdAwaitRequests, "seen": cmdSeen,
	"report": cmdReport, "lines": cmdLines, "column": cmdColumn, "stories": cmdStories, "jsoncmp": cmdJSONCmp, "jsonlines": cmdJSONLines,
	"append": cmdAppend, "chop": cmdChop, "line": cmdLine, "write": cmdWrite, "many": cmdMany, "blob": cmdBlob,
	"gzip": cmdCompress, "zstd": cmdCompress, "sha256": cmdSHA256, "mode": cmdMode, "equal": cmdEqual, "paste": cmdPaste, "small-files": cmdSmallFiles, "tidy": cmdTidy,
}

func same(ts *testscript.TestScript, what, got, want string) {
	if got != want {
		ts.Fatalf("%s: got (-), want (+)\n%s", what, cmp.Diff(strings.Split(got, "\n"), strings.Split(want, "\n")))
	}
}

// cmdExits is `exits N PROGRAM ARGS...`: the program ends with exit code N. `stdout` and `stderr` look at its output.
func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	if got := strconv.Itoa(exitOf(ts, err)); got != args[0] {
		ts.Fatalf("%s: got exit code %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// exitOf is a process's exit code; that of one that a signal killed is -1.
func exitOf(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	ts.Fatalf("%v", err)
	return -1
}

// cmdSweep is `sweep N ARGS...`: `friendsweep delete ARGS...` against the server of `serve`, without a pace and with next
// to no backoff, ends with exit code N.
func cmdSweep(ts *testscript.TestScript, neg bool, args []string) {
	cmdExits(ts, neg, append([]string{args[0], "friendsweep"}, sweepArgs(ts, args[1:])...))
}

func sweepArgs(ts *testscript.TestScript, args []string) []string {
	return append([]string{"delete", "--yes"}, quickly(ts, args)...)
}

// cmdAsk is `ask N ARGS...`: the same for `friendsweep check ARGS...`.
func cmdAsk(ts *testscript.TestScript, neg bool, args []string) {
	cmdExits(ts, neg, append([]string{args[0], "friendsweep", "check"}, quickly(ts, args[1:])...))
}

func quickly(ts *testscript.TestScript, args []string) []string {
	return append([]string{"--endpoint", ts.Getenv("SERVER"), "--sdkappid", "1400000000", "--rate", "0",
		"--backoff-initial", "1ms", "--backoff-max", "5ms"}, args...)
}

// process is a program that runs while the script goes on.
type process struct {
	cmd    *exec.Cmd
	ended  chan struct{}
	err    error
	mu     sync.Mutex
	grown  *sync.Cond
	stdout bytes.Buffer
	stderr bytes.Buffer
}

// growing is a stream of a process whose reader may wait for it to grow.
type growing struct {
	p   *process
	buf *bytes.Buffer
}

func (g growing) Write(b []byte) (int, error) {
	g.p.mu.Lock()
	defer g.p.mu.Unlock()
	defer g.p.grown.Broadcast()
	return g.buf.Write(b)
}

// cmdStart is `start [-pipe] NAME PROGRAM ARGS...`; PROGRAM may be sweep. With -pipe its standard input is a pipe that
// stays open and has nothing to read.
func cmdStart(ts *testscript.TestScript, _ bool, args []string) {
	pipe := args[0] == "-pipe"
	if pipe {
		args = args[1:]
	}
	program, rest := args[1], args[2:]
	if program == "sweep" {
		program, rest = "friendsweep", sweepArgs(ts, rest)
	}
	path, err := exec.LookPath(program)
	ts.Check(err)
	p := &process{cmd: exec.Command(path, rest...), ended: make(chan struct{})}
	p.grown = sync.NewCond(&p.mu)
	p.cmd.Dir, p.cmd.Env = ts.MkAbs("."), environment(ts)
	p.cmd.Stdout, p.cmd.Stderr = growing{p, &p.stdout}, growing{p, &p.stderr}
	if pipe {
		_, err := p.cmd.StdinPipe()
		ts.Check(err)
	}
	ts.Check(p.cmd.Start())
	worldOf(ts).procs[args[0]] = p
	go func() { // ends with the process, which the script's end waits for
		p.err = p.cmd.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		close(p.ended)
		p.grown.Broadcast()
	}()
}

// environment is the script's, as far as the program looks at it: testscript does not hand out the whole.
func environment(ts *testscript.TestScript) (env []string) {
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GORACE", "FRIENDSWEEP_SECRET_KEY", "FRIENDSWEEP_USERSIG", "SSL_CERT_FILE", "GOCOVERDIR", "NO_COLOR", "TERM"} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// end kills the process if it still runs.
func (p *process) end() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// cmdAwait is `await NAME PATTERN [VARIABLE]`: wait until one of the process's streams has the pattern, and put what its
// first group matched into the variable.
func cmdAwait(ts *testscript.TestScript, _ bool, args []string) {
	p, pattern := worldOf(ts).procs[args[0]], regexp.MustCompile("(?m)"+args[1])
	deadline := time.Now().Add(patience)
	timer := time.AfterFunc(patience, func() { p.grown.Broadcast() })
	defer timer.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		found := pattern.FindSubmatch(p.stdout.Bytes())
		if found == nil {
			found = pattern.FindSubmatch(p.stderr.Bytes())
		}
		if found != nil {
			if len(args) > 2 {
				ts.Setenv(args[2], string(found[1]))
			}
			return
		}
		select {
		case <-p.ended:
			ts.Fatalf("%s ended without %q\n%s%s", args[0], args[1], &p.stdout, &p.stderr)
		default:
		}
		if !time.Now().Before(deadline) {
			ts.Fatalf("after %s %s has not said %q\n%s%s", patience, args[0], args[1], &p.stdout, &p.stderr)
		}
		p.grown.Wait()
	}
}

// cmdAwaitFile is `await-file FILE`: wait until the file is there.
func cmdAwaitFile(ts *testscript.TestScript, _ bool, args []string) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			ts.Fatalf("after %s %s is not there", patience, args[0])
		}
	}
}

// cmdSignal is `signal NAME INT|TERM|HUP|KILL`.
func cmdSignal(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(worldOf(ts).procs[args[0]].cmd.Process.Signal(unix.SignalNum("SIG" + args[1])))
}

// cmdFinish is `finish NAME N`: the process ends, with exit code N, or -1 if it was killed. Its streams are then in the
// files NAME.out and NAME.err.
func cmdFinish(ts *testscript.TestScript, _ bool, args []string) {
	p := worldOf(ts).procs[args[0]]
	select {
	case <-p.ended:
	case <-time.After(patience):
		ts.Fatalf("after %s %s still runs\n%s%s", patience, args[0], &p.stdout, &p.stderr)
	}
	ts.Logf("[stdout]\n%s[stderr]\n%s", &p.stdout, &p.stderr)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".out"), p.stdout.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".err"), p.stderr.Bytes(), 0o600))
	if got := strconv.Itoa(exitOf(ts, p.err)); got != args[1] {
		ts.Fatalf("%s: got exit code %s, want %s", args[0], got, args[1])
	}
}

var times = regexp.MustCompile(`(?m),\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

// cmdReport is `report GOT WANT`: a report is byte for byte what is wanted, but that each time is TIME.
func cmdReport(ts *testscript.TestScript, _ bool, args []string) {
	same(ts, args[0], times.ReplaceAllString(ts.ReadFile(args[0]), ",TIME"), times.ReplaceAllString(ts.ReadFile(args[1]), ",TIME"))
}

// cmdLines is `lines FILE WORD VARIABLE`: the lines with the word.
func cmdLines(ts *testscript.TestScript, _ bool, args []string) {
	var found strings.Builder
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if strings.Contains(line, args[1]) {
			found.WriteString(line)
		}
	}
	ts.Setenv(args[2], found.String())
}

// cmdColumn is `column FILE LINE NAMES VALUES`: the record of a report about an input line has these values; names and
// values are separated by commas.
func cmdColumn(ts *testscript.TestScript, _ bool, args []string) {
	records, err := csv.NewReader(strings.NewReader(ts.ReadFile(args[0]))).ReadAll()
	ts.Check(err)
	at := slices.IndexFunc(records, func(cells []string) bool { return cells[0] == args[1] })
	if at < 0 {
		ts.Fatalf("%s: no record of line %s", args[0], args[1])
	}
	var got []string
	for name := range strings.SplitSeq(args[2], ",") {
		got = append(got, records[at][slices.Index(records[0], name)])
	}
	same(ts, args[0]+" line "+args[1], strings.Join(got, ","), args[3])
}

// cmdStories is `stories REPORT ARGS...`: `friendsweep status REPORT --line N --json ARGS...` says of every record what the
// report says; of a long report, of some 25 records from its first to its last, since each is a process.
func cmdStories(ts *testscript.TestScript, _ bool, args []string) {
	records, err := csv.NewReader(strings.NewReader(ts.ReadFile(args[0]))).ReadAll()
	ts.Check(err)
	for at := 1; at < len(records); at += 1 + len(records)/25 {
		record := records[at]
		cmdExits(ts, false, append([]string{"0", "friendsweep", "status", args[0], "--json", "--line", record[0]}, args[1:]...))
		var story map[string]any
		d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
		d.UseNumber()
		ts.Check(d.Decode(&story))
		for i, name := range records[0] {
			got := fmt.Sprint(story[name])
			if story[name] == nil {
				got = ""
			}
			same(ts, name+" in the story of line "+record[0], got, record[i])
		}
	}
	if len(records) == 1 {
		ts.Fatalf("%s has no records", args[0])
	}
}

// cmdJSONCmp is `jsoncmp GOT WANT`: one JSON object, with the same members. A wanted "*" is anything, "*x" a text or
// number that the pattern x finds. With `jsoncmp -some` GOT may have more members.
func cmdJSONCmp(ts *testscript.TestScript, _ bool, args []string) {
	some := args[0] == "-some"
	if some {
		args = args[1:]
	}
	var got, want map[string]any
	ts.Check(decodeOne(ts.ReadFile(args[0]), &got))
	ts.Check(decodeOne(ts.ReadFile(args[1]), &want))
	for name, value := range want {
		text, isText := value.(string)
		pattern, isPattern := strings.CutPrefix(text, "*")
		if found, ok := got[name]; isText && isPattern && ok && regexp.MustCompile(pattern).MatchString(fmt.Sprint(found)) {
			want[name] = found
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok && some {
			delete(got, name)
		}
	}
	if diff := cmp.Diff(got, want); diff != "" {
		ts.Fatalf("%s: got (-), want (+)\n%s", args[0], diff)
	}
}

func decodeOne(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is more than one JSON value")
	}
	return nil
}

// cmdJSONLines is `jsonlines FILE`: there are lines, and each is one JSON object.
func cmdJSONLines(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if text == "" {
		ts.Fatalf("%s is empty", args[0])
	}
	for line := range strings.Lines(text) {
		var object map[string]any
		if err := decodeOne(line, &object); err != nil || !strings.HasSuffix(line, "\n") {
			ts.Fatalf("%s: got a line that is no JSON object: %q %v", args[0], line, err)
		}
	}
}

// cmdAppend is `append FILE TEXT`; TEXT is written as in Go.
func cmdAppend(ts *testscript.TestScript, _ bool, args []string) {
	file := ts.MkAbs(args[0])
	data, err := os.ReadFile(file)
	ts.Check(err)
	ts.Check(os.WriteFile(file, append(data, unquoted(ts, args[1])...), 0o600))
}

// cmdWrite is `write FILE TEXT`; TEXT is written as in Go, and so may hold any bytes.
func cmdWrite(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(unquoted(ts, args[1])), 0o600))
}

func unquoted(ts *testscript.TestScript, text string) string {
	plain, err := strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
	ts.Check(err)
	return plain
}

// cmdChop is `chop FILE N`: the last N bytes go.
func cmdChop(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	text := ts.ReadFile(args[0])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text[:len(text)-n]), 0o600))
}

// cmdLine is `line FILE N TEXT`: line N is replaced.
func cmdLine(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	lines := strings.SplitAfter(ts.ReadFile(args[0]), "\n")
	lines[n-1] = unquoted(ts, args[2]) + "\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(lines, "")), 0o600))
}

// cmdMany is `many FILE ROWS ACCOUNTS`: so many different pairs, spread over so many accounts in turn. Those of account
// a1 are a1,t1 and so on.
func cmdMany(ts *testscript.TestScript, _ bool, args []string) {
	rows, err := strconv.Atoi(args[1])
	ts.Check(err)
	accounts, err := strconv.Atoi(args[2])
	ts.Check(err)
	text := bytes.NewBufferString("from,to\n")
	for i := range rows {
		fmt.Fprintf(text, "a%d,t%d\n", i%accounts+1, i/accounts+1)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text.Bytes(), 0o600))
}

// cmdBlob is `blob FILE BEFORE N AFTER`: N bytes "x" between two texts written as in Go.
func cmdBlob(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	text := unquoted(ts, args[1]) + strings.Repeat("x", n) + unquoted(ts, args[3])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// cmdCompress is `gzip FROM TO` and `zstd FROM TO`.
func cmdCompress(ts *testscript.TestScript, neg bool, args []string) {
	var buf bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&buf)
	if strings.HasSuffix(args[1], ".zst") {
		var err error
		w, err = zstd.NewWriter(&buf)
		ts.Check(err)
	}
	_, err := io.WriteString(w, ts.ReadFile(args[0]))
	ts.Check(errors.Join(err, w.Close()))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), buf.Bytes(), 0o600))
}

// cmdSHA256 is `sha256 FILE VARIABLE`.
func cmdSHA256(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[1], fmt.Sprintf("%x", sha256.Sum256([]byte(ts.ReadFile(args[0])))))
}

// cmdMode is `mode FILE 0600`.
func cmdMode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	same(ts, "mode of "+args[0], fmt.Sprintf("%04o", info.Mode().Perm()), args[1])
}

// cmdEqual is `equal GOT WANT`.
func cmdEqual(ts *testscript.TestScript, _ bool, args []string) {
	same(ts, "the texts", args[0], args[1])
}

// cmdPaste is `paste SUMMARY`: the resume_command of a --json summary, as a shell understands it, ends well.
func cmdPaste(ts *testscript.TestScript, _ bool, args []string) {
	var summary struct {
		Command string `json:"resume_command"`
	}
	ts.Check(decodeOne(ts.ReadFile(args[0]), &summary))
	ts.Check(ts.Exec("sh", "-c", summary.Command))
}

// cmdSmallFiles is `small-files KIB PROGRAM ARGS...`: the program, which may write no file larger than that, ends with
// exit code 4. What it says is in out.txt and err.txt.
func cmdSmallFiles(ts *testscript.TestScript, _ bool, args []string) {
	script := `ulimit -f $(($1 * 2)); shift; "$@" 2>err.txt >out.txt`
	err := ts.Exec("sh", append([]string{"-c", script, "sh"}, args...)...)
	if got := exitOf(ts, err); got != 4 {
		ts.Fatalf("got exit code %d, want 4\n%s", got, ts.ReadFile("err.txt"))
	}
}

// cmdTidy is `tidy NAMES...`: the working folder holds these files and no others, and nothing temporary is left. Names
// are in order.
func cmdTidy(ts *testscript.TestScript, _ bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs("."))
	ts.Check(err)
	var names []string
	for _, entry := range entries {
		if name := entry.Name(); name != ".tmp" {
			names = append(names, name)
		}
	}
	same(ts, "the files", strings.Join(names, "\n"), strings.Join(args, "\n"))
	left, err := os.ReadDir(ts.Getenv("TMPDIR"))
	ts.Check(err)
	if len(left) > 0 {
		ts.Fatalf("temporary files are left: %v", left)
	}
}

// ttyMain is the program `tty [-all] [-after TEXT] ANSWER PROGRAM ARGS...`: it runs the program with a pseudo terminal as
// its standard input and error, and with -all its output too, types the answer, in which \n is a new line, ^C an interrupt
// and ^D the end, and without these two a new line, at once or after the program has shown TEXT, and ends with the program's exit code. What
// the program wrote to the terminal goes to standard error.
func ttyMain() {
	flags := flag.NewFlagSet("tty", flag.ExitOnError)
	all, after := flags.Bool("all", false, ""), flags.String("after", "", "")
	must(flags.Parse(os.Args[1:]))
	args := flags.Args()
	master, slave, err := pty.Open()
	must(err)
	must(pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 100}))
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, os.Stdout, slave
	if *all {
		cmd.Stdout = slave
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	must(cmd.Start())
	must(slave.Close())
	readUntil(master, *after)
	typed := strings.NewReplacer(`\n`, "\n", "^D", "\x04", "^C", "\x03").Replace(args[0])
	if !strings.Contains(args[0], "^") {
		typed += "\n"
	}
	_, err = io.WriteString(master, typed)
	must(err)
	_, _ = io.Copy(os.Stderr, master) // ends with an error when the last process has closed the terminal
	_ = cmd.Wait()
	os.Exit(cmd.ProcessState.ExitCode())
}

// readUntil copies what the terminal shows to standard error until the text was among it.
func readUntil(terminal io.Reader, text string) {
	var shown []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(shown, []byte(text)) {
		n, err := terminal.Read(buf)
		if err != nil {
			return
		}
		os.Stderr.Write(buf[:n])
		shown = append(shown, buf[:n]...)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "tty:", err)
		os.Exit(125)
	}
}

// The hostile server of the scripts.

// hostile is an API that answers as its rules say, and everything with success where none fits. It records what it was
// asked, and what of it the real API would not take.
//
// A rule is a line: first which requests it is for, from=ID, to=ID, size=N (pairs), and how often, times=N or always
// (once, if nothing is said); then what to do, several deeds separated by a semicolon:
//
//	code N TEXT       the answer as a whole
//	item ID N TEXT    an item's answer; several for one ID are several items
//	relation ID WORD  what the last item for the ID says of the friendship, in a check; no word, no Relation
//	stranger ID       an item for an ID that was not asked for
//	misplace          the items stand where the other call has them
//	miss ID           no item for this ID
//	fail ID           the ID also stands in Fail_Account
//	tell ID           the ID is refused with a text that has the request's signature in it, and control characters
//	reverse           items in another order than asked for
//	http N TEXT       an HTTP status and a body
//	body TEXT         status 200 and this body
//	big               status 200 and more than anybody reads
//	redirect URL      status 302
//	drop              close the connection without an answer
//	half              close it in the middle of the answer
//	hold              wait for the script's `release`
//	hang              never answer: the client gives up, and may come again
//	delay D           wait so long
//
// The first rule that fits and is not used up is taken.
type hostile struct {
	*httptest.Server
	anySig bool // the signature is not looked at

	mu       sync.Mutex
	grown    *sync.Cond // requests has grown
	rules    []*rule
	requests []call
	sigs     map[string]bool
	wrong    []string
	busy     map[string]bool // accounts with a request in flight
	released chan struct{}
}

// call is a request as it was recorded.
type call struct {
	From       string   `json:"From_Account"`
	To         []string `json:"To_Account"`
	DeleteType string   `json:"DeleteType"`
	CheckType  string   `json:"CheckType"` // of a check, which has no DeleteType
}

func (c call) String() string {
	kind := "Check"
	if !c.isCheck() {
		kind = strings.TrimPrefix(c.DeleteType, "Delete_Type_")
	}
	return c.From + " " + kind + " " + strings.Join(c.To, " ")
}

func (c call) isCheck() bool { return c.CheckType != "" }

// sound reports whether the call is one of the API's, by the end of its path and what it asks for.
func (c call) sound(command string) bool {
	if c.isCheck() {
		return command == "friend_check" && c.CheckType == "CheckResult_Type_Both" && c.DeleteType == ""
	}
	return command == "friend_delete" && (c.DeleteType == "Delete_Type_Single" || c.DeleteType == "Delete_Type_Both")
}

type rule struct {
	from, to string
	size     int
	times    int // left; below 0 is always
	deeds    []deed
}

type deed struct {
	verb string
	args []string
}

// rest is everything from the nth argument on.
func (d deed) rest(n int) string { return strings.Join(d.args[min(n, len(d.args)):], " ") }

func (d deed) number(n int) int {
	value, err := strconv.Atoi(d.args[n])
	if err != nil {
		panic(fmt.Sprintf("serve: %s %v: %v", d.verb, d.args, err))
	}
	return value
}

func parseRules(text string) (rules []*rule) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		r := &rule{times: 1}
		for {
			word, rest, _ := strings.Cut(line, " ")
			if !r.condition(word) {
				break
			}
			line = strings.TrimSpace(rest)
		}
		for text := range strings.SplitSeq(line, ";") {
			if words := strings.Fields(text); len(words) > 0 {
				r.deeds = append(r.deeds, deed{words[0], words[1:]})
			}
		}
		rules = append(rules, r)
	}
	return rules
}

// condition takes a word that says which requests the rule is for.
func (r *rule) condition(word string) bool {
	name, value, _ := strings.Cut(word, "=")
	switch name {
	case "from":
		r.from = value
	case "to":
		r.to = value
	case "size":
		r.size, _ = strconv.Atoi(value)
	case "times":
		r.times, _ = strconv.Atoi(value)
	case "always":
		r.times = -1
	default:
		return false
	}
	return true
}

func (r *rule) fits(c call) bool {
	return r.times != 0 && (r.from == "" || r.from == c.From) && (r.to == "" || slices.Contains(c.To, r.to)) &&
		(r.size == 0 || r.size == len(c.To))
}

// cmdServe is `serve [-tls] [-anysig] RULES`: it starts the hostile server and puts its address into $SERVER, and with
// -tls its certificate into $SERVER_CERT. FRIENDSWEEP_SECRET_KEY is set to the key that it knows. A second serve gives
// the same server new rules and forgets the requests.
func cmdServe(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	anySig := slices.Contains(args, "-anysig")
	if w.server == nil {
		w.server = newHostile(slices.Contains(args, "-tls"))
	}
	h := w.server
	h.reset(parseRules(ts.ReadFile(args[len(args)-1])), anySig)
	if cert := h.Certificate(); cert != nil {
		path := ts.MkAbs("server.pem")
		ts.Check(os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}), 0o600))
		ts.Setenv("SERVER_CERT", path)
	}
	ts.Setenv("SERVER", h.URL)
	ts.Setenv("FRIENDSWEEP_SECRET_KEY", sandbox.DefaultKey)
}

func newHostile(encrypted bool) *hostile {
	h := &hostile{sigs: map[string]bool{}}
	h.grown = sync.NewCond(&h.mu)
	h.Server = httptest.NewUnstartedServer(h)
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	if encrypted {
		h.StartTLS()
	} else {
		h.Start()
	}
	return h
}

func (h *hostile) reset(rules []*rule, anySig bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rules, h.anySig, h.requests = rules, anySig, nil
	h.busy, h.released = map[string]bool{}, make(chan struct{})
}

func (h *hostile) close() {
	h.release()
	h.CloseClientConnections()
	h.Server.Close()
}

// ServeHTTP answers a request.
func (h *hostile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, deeds, released := h.take(r)
	defer h.done(c)
	if r.Method == http.MethodConnect {
		http.Error(w, "no way through", http.StatusForbidden)
		return
	}
	h.answer(w, r, c, deeds, released)
}

// take records a request and finds the rule for it.
func (h *hostile) take(r *http.Request) (c call, deeds []deed, released <-chan struct{}) {
	body, err := io.ReadAll(r.Body)
	if r.Method == http.MethodConnect {
		c.From = "CONNECT " + r.Host
	} else if err == nil {
		err = json.Unmarshal(body, &c)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.Method != http.MethodConnect {
		h.inspect(r, c, body, err)
	}
	h.requests = append(h.requests, c)
	h.grown.Broadcast()
	if h.busy[c.From] {
		h.wrong = append(h.wrong, "two requests at once for "+c.From)
	}
	h.busy[c.From] = true
	for _, rule := range h.rules {
		if rule.fits(c) {
			rule.times--
			deeds = rule.deeds
			break
		}
	}
	return c, deeds, h.released
}

// inspect notes what the API would not take, by its documentation. The caller holds mu.
func (h *hostile) inspect(r *http.Request, c call, body []byte, err error) {
	query := r.URL.Query()
	sig := query.Get("usersig")
	h.sigs[sig] = true
	app, _ := strconv.Atoi(query.Get("sdkappid"))
	_, random := strconv.ParseUint(query.Get("random"), 10, 32)
	ok := map[string]bool{
		"method":  r.Method == http.MethodPost,
		"path":    strings.HasSuffix(path.Dir(r.URL.Path), "/v4/sns"),
		"call":    c.sound(path.Base(r.URL.Path)),
		"query":   slices.Equal(slices.Sorted(maps.Keys(query)), []string{"contenttype", "identifier", "random", "sdkappid", "usersig"}),
		"random":  random == nil,
		"json":    err == nil && query.Get("contenttype") == "json",
		"rows":    len(c.To) >= 1 && len(c.To) <= 1000,
		"twice":   len(slices.Compact(slices.Sorted(slices.Values(c.To)))) == len(c.To),
		"usersig": h.anySig || tencentyun.VerifyUserSig(uint64(app), sandbox.DefaultKey, query.Get("identifier"), sig, time.Now()) == nil,
	}
	for _, what := range slices.Sorted(maps.Keys(ok)) {
		if !ok[what] {
			h.wrong = append(h.wrong, fmt.Sprintf("%s: %s %s %.200s", what, r.Method, r.URL.Path, body))
		}
	}
}

// answer does the deeds in their order; what is left to say at the end is the documented answer.
func (h *hostile) answer(w http.ResponseWriter, r *http.Request, c call, deeds []deed, released <-chan struct{}) {
	a := newAnswer(c)
	a.sig = r.URL.Query().Get("usersig")
	for _, d := range deeds {
		switch d.verb {
		case "hold":
			select {
			case <-released:
			case <-r.Context().Done():
			}
		case "hang":
			h.done(c) // or its next request would seem to be at once with this one
			<-r.Context().Done()
			return
		case "delay":
			pause, err := time.ParseDuration(d.args[0])
			if err != nil {
				panic(err)
			}
			select {
			case <-time.After(pause):
			case <-r.Context().Done():
			}
		case "http":
			h.say(w, c, d.number(0), d.rest(1))
			return
		case "body":
			h.say(w, c, http.StatusOK, d.rest(0))
			return
		case "big":
			h.say(w, c, http.StatusOK, `{"ErrorCode":0,"ErrorInfo":"`+strings.Repeat("x", 9<<20)+`"}`)
			return
		case "redirect":
			w.Header().Set("Location", d.args[0])
			h.say(w, c, http.StatusFound, "")
			return
		case "drop":
			h.done(c)
			panic(http.ErrAbortHandler)
		case "half":
			a.half = true
		default:
			a.change(d)
		}
	}
	text := a.text()
	if a.half {
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		text = text[:len(text)/2]
	}
	h.say(w, c, http.StatusOK, text)
	if a.half {
		panic(http.ErrAbortHandler)
	}
}

// done: the account is free again before its answer is on its way, because the next request may come at once.
func (h *hostile) done(c call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.busy, c.From)
}

func (h *hostile) say(w http.ResponseWriter, c call, status int, text string) {
	h.done(c)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// answer is the body of an answer.
type answer struct {
	Items        []answerItem `json:"ResultItem,omitempty"`
	Checked      []answerItem `json:"InfoItem,omitempty"`
	FailAccount  []string     `json:"Fail_Account,omitempty"`
	ActionStatus string
	ErrorCode    int
	ErrorInfo    string
	ErrorDisplay string

	check bool            // the call is a check: its items stand in Checked, unless they are misplaced
	said  map[string]bool // IDs that a deed has spoken about
	half  bool
	sig   string
}

type answerItem struct {
	ID       string `json:"To_Account"`
	Relation string `json:",omitempty"`
	Code     int    `json:"ResultCode"`
	Info     string `json:"ResultInfo"`
}

func newAnswer(c call) *answer {
	a := &answer{ActionStatus: "OK", ErrorInfo: "0", check: c.isCheck(), said: map[string]bool{}}
	for _, id := range c.To {
		a.Items = append(a.Items, a.item(id, 0, ""))
	}
	return a
}

// item is one as the API has it: in a check, those who have no error are friends, and one that failed says NoRelation.
func (a *answer) item(id string, code int, info string) answerItem {
	i := answerItem{ID: id, Code: code, Info: info}
	switch {
	case a.check && code == 0:
		i.Relation = "CheckResult_Type_BothWay"
	case a.check:
		i.Relation = "CheckResult_Type_NoRelation"
	}
	return i
}

func (a *answer) change(d deed) {
	same := func(i answerItem) bool { return i.ID == d.args[0] }
	switch d.verb {
	case "code":
		a.Items, a.ActionStatus, a.ErrorCode, a.ErrorInfo = nil, "FAIL", d.number(0), d.rest(1)
	case "item":
		item := a.item(d.args[0], d.number(1), d.rest(2))
		if at := slices.IndexFunc(a.Items, same); at >= 0 && !a.said[item.ID] {
			a.Items[at] = item
		} else if at >= 0 {
			a.Items = append(a.Items, item)
		}
		a.said[item.ID] = true
	case "tell":
		text := "bad \x1b[31m\r\nusersig " + a.sig + " " + url.QueryEscape(a.sig) + " " + sandbox.DefaultKey
		a.change(deed{"item", []string{d.args[0], "30003", text}})
	case "relation":
		for i := range slices.Backward(a.Items) {
			if same(a.Items[i]) {
				a.Items[i].Relation = d.rest(1)
				break
			}
		}
	case "stranger":
		a.Items = append(a.Items, a.item(d.args[0], 0, ""))
	case "misplace":
		a.check = !a.check
	case "miss":
		a.Items = slices.DeleteFunc(a.Items, same)
	case "fail":
		a.FailAccount = append(a.FailAccount, d.args[0])
	case "reverse":
		slices.Reverse(a.Items)
	default:
		panic("serve: no such deed: " + d.verb)
	}
}

func (a *answer) text() string {
	if a.check {
		a.Items, a.Checked = nil, a.Items
	}
	text, err := json.Marshal(a)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (h *hostile) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.released:
	default:
		close(h.released)
	}
}

func (h *hostile) faults() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.wrong
}

func (h *hostile) signatures() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(maps.Keys(h.sigs))
}

// cmdRelease is `release`: every request that is held gets its answer, and none is held from now on.
func cmdRelease(ts *testscript.TestScript, _ bool, _ []string) { worldOf(ts).server.release() }

// cmdRequests is `requests N`: so many requests have come since the server was started.
func cmdRequests(ts *testscript.TestScript, _ bool, args []string) {
	h := worldOf(ts).server
	h.mu.Lock()
	defer h.mu.Unlock()
	if got := strconv.Itoa(len(h.requests)); got != args[0] {
		ts.Fatalf("the server got %s requests, want %s: %v", got, args[0], h.requests)
	}
}

// cmdAwaitRequests is `await-requests N`: wait until so many requests have come.
func cmdAwaitRequests(ts *testscript.TestScript, _ bool, args []string) {
	h := worldOf(ts).server
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	timer := time.AfterFunc(patience, func() { h.grown.Broadcast() })
	defer timer.Stop()
	deadline := time.Now().Add(patience)
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.requests) < want {
		if !time.Now().Before(deadline) {
			ts.Fatalf("after %s the server has got %d requests, want %d", patience, len(h.requests), want)
		}
		h.grown.Wait()
	}
}

// cmdSeen is `seen FILE`: the requests, one a line as `FROM Single|Both TO...`, by account and in the order in which
// those of one account came.
func cmdSeen(ts *testscript.TestScript, _ bool, args []string) {
	h := worldOf(ts).server
	h.mu.Lock()
	calls := slices.Clone(h.requests)
	h.mu.Unlock()
	slices.SortStableFunc(calls, func(a, b call) int { return strings.Compare(a.From, b.From) })
	var got strings.Builder
	for _, c := range calls {
		got.WriteString(c.String() + "\n")
	}
	same(ts, "the requests", got.String(), ts.ReadFile(args[0]))
}
