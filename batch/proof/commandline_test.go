package proof

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"friendsweep/batch/sandbox"
)

var (
	lineCount = flag.Int("lines", 200, "how many worlds random command lines are tried in")
	lineSeed  = flag.Uint64("line", 1, "the seed of the first of them")
)

// patience is how long a command may take that has nothing to wait for.
const patience = 30 * time.Second

// TestCommandLines: whatever the command line, variables and files, a refusal sends and changes nothing, and nothing is ever
// changed but what the contract says. A seed is a world of files and up to three commands in it.
func TestCommandLines(t *testing.T) {
	seen := &sightings{n: map[string]int{}}
	t.Run("seeds", func(t *testing.T) {
		for worker := range uint64(2) {
			t.Run(fmt.Sprint(worker), func(t *testing.T) {
				t.Parallel()
				h := newHall(t, seen)
				for seed := *lineSeed + worker; seed < *lineSeed+uint64(*lineCount); seed += 2 {
					h.try(t, seed)
				}
			})
		}
	})
	t.Logf("commands by exit code and what the model foretold: %v", seen.n)
	for _, want := range []string{"refused 2", "refused 3", "clean 0", "clean 1", "open 0", "open 2", "continued 4"} {
		if *lineCount >= 200 && seen.n[want] == 0 {
			t.Errorf("got no command that is %s in %d worlds, want some", want, *lineCount)
		}
	}
}

// sightings count commands by what was foretold and how they ended.
type sightings struct {
	mu sync.Mutex
	n  map[string]int
}

func (s *sightings) note(foretold string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n[fmt.Sprintf("%s %d", foretold, code)]++
}

// hall is what worlds have in common that are tried one after the other: a server, and what earlier jobs left behind.
type hall struct {
	endpoint string
	asked    atomic.Int64 // requests
	jobs     []finishedJob
	seen     *sightings
}

func newHall(t *testing.T, seen *sightings) *hall {
	h := &hall{seen: seen}
	box := sandbox.New(sandbox.Options{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.asked.Add(1)
		box.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	h.endpoint = web.URL
	h.jobs = []finishedJob{
		h.finished(t, "a run that is finished", 0, h.target()...),
		h.finished(t, "a run that stopped", 4, append(h.target(), "--limit", "1")...),
		h.finished(t, "a sandbox run that is finished", 0, "--sandbox"),
		h.finished(t, "a sandbox run that stopped", 4, "--sandbox", "--limit", "1"),
	}
	torn := h.jobs[1]
	torn.what, torn.journal = "a run that died", torn.journal[:len(torn.journal)-20]
	h.jobs = append(h.jobs, torn)
	return h
}

// target are the flags of a run that sends to the server.
func (h *hall) target() []string {
	return []string{"--endpoint", h.endpoint, "--sdkappid", fmt.Sprint(sandbox.DefaultAppID)}
}

func (h *hall) finished(t *testing.T, what string, code int, args ...string) finishedJob {
	t.Helper()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("pairs.csv"), []byte(somePairs), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, append(append([]string{"delete", "--yes"}, args...), at("pairs.csv"))...)
	cmd.Env = []string{"FRIENDSWEEP_SECRET_KEY=" + sandbox.DefaultKey}
	if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != code {
		t.Fatalf("%s: got %v, want exit code %d\n%s", what, cmd.ProcessState, code, out)
	}
	report, err := os.ReadFile(at("pairs.report.csv"))
	journal, err2 := os.ReadFile(at("pairs.report.csv.journal"))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return finishedJob{what, report, journal}
}

// try makes the world of a seed and tries its command lines.
func (h *hall) try(t *testing.T, seed uint64) {
	base, err := os.MkdirTemp("", "line")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(base)
	w, err := newWorld(base, rand.New(rand.NewPCG(seed, 0)), h.jobs)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	var told []string
	var l *line
	for n := range 1 + w.rng.IntN(3) {
		if n > 0 {
			told = append(told, w.meanwhile()...)
		}
		if l = h.nextLine(w, l); w.err != nil {
			t.Fatalf("seed %d: %v", seed, w.err)
		}
		told = append(told, l.String())
		wrong := h.carryOut(w, l)
		if len(wrong) > 0 {
			t.Errorf("seed %d (again: go test ./batch/proof -run TestCommandLines -line=%d -lines=1)\n%s\n%s\n%s",
				seed, seed, w.describe(), strings.Join(told, "\n"), strings.Join(wrong, "\n"))
			return
		}
	}
}

// nextLine is the next command line of a world: often much like the last, to go on with what that began.
func (h *hall) nextLine(w *world, last *line) *line {
	if last == nil || last.command != "delete" && last.command != "check" || w.rng.IntN(3) == 0 {
		return h.newLine(w)
	}
	l := *last
	if report := cmp.Or(l.value("report"), beside(l.argument, reportKinds[l.command])); w.rng.IntN(2) == 0 && report != "" {
		return &line{hall: h, command: "status", argument: report, typed: map[string]string{"json": fmt.Sprint(w.rng.IntN(2) == 0)}, env: map[string]string{}}
	}
	l.typed, l.env = maps.Clone(last.typed), maps.Clone(last.env)
	for _, flag := range []string{"failures", "html", "limit", "metrics-file", "overwrite", "resume"} {
		if w.rng.IntN(2) == 0 {
			delete(l.typed, flag)
			delete(l.env, flag)
		}
	}
	for _, flag := range []string{"failures", "html"} {
		if w.rng.IntN(4) == 0 {
			l.set(w.rng, flag, w.file(flag))
		}
	}
	if former := cmp.Or(last.value("failures"), last.value("html")); former != "" && w.rng.IntN(6) == 0 { // it gets another task
		for _, flag := range []string{"failures", "html"} {
			delete(l.typed, flag)
			delete(l.env, flag)
		}
		l.typed["lock"] = former
	}
	if w.rng.IntN(3) > 0 {
		l.typed["resume"] = "true"
		delete(l.typed, "overwrite")
		delete(l.env, "overwrite")
	}
	l.trim()
	return &l
}

// meanwhile is what somebody does between two commands: something else, older than every run, is put where a run has written.
func (w *world) meanwhile() (done []string) {
	for _, path := range keysOf(w.written) {
		name := strings.TrimPrefix(path, w.dir+"/")
		if w.rng.IntN(2) == 0 && w.there(name) {
			w.must(os.Remove(path))
			w.put(name, []byte("somebody's own, moved to here\n"), 0o644)
			done = append(done, fmt.Sprintf("… something else is moved to %q", name))
		}
	}
	return done
}

// carryOut runs a command line and returns what the contract does not allow.
func (h *hall) carryOut(w *world, l *line) []string {
	before, err := w.look()
	if err != nil {
		return []string{err.Error()}
	}
	m := newModel(w, l, before)
	asked := h.asked.Load()
	e := l.run(w)
	m.sent = h.asked.Load() - asked
	after, err := w.look()
	if err != nil {
		return []string{err.Error()}
	}
	h.seen.note(m.foretold(), e.code)
	for _, o := range m.outputs {
		if f := after[o.name]; f != before[o.name] && (o.what == "failures" || o.what == "html") {
			w.written[o.name] = f.text
		}
	}
	for _, path := range slices.Sorted(maps.Keys(after)) {
		if name, here := strings.CutPrefix(path, w.dir+"/"); here && before[path].mode == 0 {
			w.names = append(w.names, name)
		}
	}
	return m.judge(e, after)
}

// line is a command line: values of flags, as arguments and as variables.
type line struct {
	command    string
	argument   string            // PAIRS or REPORT
	typed, env map[string]string // by the flag's name; a switch is true or false
	hall       *hall
	stdin      string // the path of the file that it is, or empty
}

// value is what holds of a flag: what is typed wins over what the environment says.
func (l *line) value(flag string) string {
	if v, ok := l.typed[flag]; ok {
		return v
	}
	return l.env[flag]
}

func (l *line) on(flag string) bool { return l.value(flag) == "true" }

var switches = []string{"sandbox", "yes", "resume", "overwrite", "retry-failed", "json", "quiet", "ignore-not-friend", "regroup"}

// has reports whether the command has the flag.
func (l *line) has(flag string) bool {
	switch l.command {
	case "delete":
		return flag != "input" && flag != "expect"
	case "check":
		return !slices.Contains([]string{"yes", "retry-failed", "ignore-not-friend", "regroup", "input"}, flag)
	case "plan":
		return slices.Contains([]string{"sandbox", "json", "quiet", "regroup", "secret-key-file", "usersig-file", "endpoint", "region", "sdkappid", "identifier", "chunk-size", "max-rows", "max-invalid",
			"rate", "row-rate", "delete-type"}, flag)
	case "report":
		return slices.Contains([]string{"input", "failures", "html", "ignore-not-friend", "json", "quiet"}, flag)
	case "status":
		return slices.Contains([]string{"input", "json", "line"}, flag)
	}
	return slices.Contains([]string{"input", "json", "quiet"}, flag) // audit
}

type fileFlag struct {
	flag  string
	times int
}

// fileFlags name files. The number says how often of twelve times one is given.
var fileFlags = []fileFlag{{"report", 7}, {"failures", 4}, {"html", 3}, {"metrics-file", 4}, {"lock", 2}, {"secret-key-file", 1}, {"usersig-file", 1}, {"input", 4}}

// newLine makes a command line. Most are nearly right: one that is wrong everywhere is refused for the first thing alone.
func (h *hall) newLine(w *world) *line {
	rng := w.rng
	l := &line{hall: h, typed: map[string]string{}, env: map[string]string{}}
	l.command = oneOf(rng, "delete", "delete", "delete", "delete", "check", "check", "report", "report", "status", "audit", "plan", "plan")
	l.argument = w.argument(l.command)
	for _, f := range fileFlags {
		if rng.IntN(12) < f.times {
			l.set(rng, f.flag, w.file(f.flag))
		}
	}
	l.set(rng, "sandbox", fmt.Sprint(rng.IntN(2) == 0))
	for _, flag := range switches[1:] {
		if l.has(flag) && rng.IntN(8) == 0 {
			l.set(rng, flag, fmt.Sprint(rng.IntN(6) > 0))
		}
	}
	if rng.IntN(8) > 0 {
		l.set(rng, "yes", "true")
	}
	l.odd(rng)
	if rng.IntN(4) == 0 {
		l.set(rng, "limit", oneOf(rng, "1", "2")) // a run that is to be continued
	}
	if l.argument == "-" || rng.IntN(2) == 0 {
		l.stdin = w.spelled(w.names[rng.IntN(len(w.names))])
		if rng.IntN(2) == 0 {
			l.stdin = w.argument("delete")
		}
		if p := w.placeOf(l.stdin); !p.regular || p.err != nil {
			l.stdin = ""
		}
	}
	if rng.IntN(4) == 0 || l.stdin != "" && l.argument == "-" && rng.IntN(2) == 0 {
		l.set(rng, fileFlags[rng.IntN(5)].flag, l.near(w))
	}
	if rng.IntN(6) == 0 {
		l.nearlyRight(w)
	}
	l.trim()
	return l
}

// nearlyRight makes it a deletion in which nothing is odd but one name, that of an output: of standard input's file, or where
// the old report may go.
func (l *line) nearlyRight(w *world) {
	l.command, l.env = "delete", map[string]string{}
	l.typed = map[string]string{"yes": "true", "sandbox": fmt.Sprint(w.rng.IntN(2) == 0)}
	output := oneOf(w.rng, "failures", "failures", "html", "metrics-file", "lock")
	if l.argument == "-" && l.stdin != "" {
		l.typed["report"], l.typed[output] = w.unused(".report"), l.stdin
		return
	}
	l.argument = w.argument(l.command)
	l.typed["report"], l.typed["overwrite"] = w.reportWithJournal(), "true"
	l.typed[output] = l.typed["report"] + oneOf(w.rng, append(madeUp, ".1", ".1", ".journal.1", ".2")...)
}

// madeUp are the ends of names that programs make up for a file that is on its way to its own name.
var madeUp = []string{".partial", ".tmp", "~", ".new"}

// near is a name that has to do with another one of the line: the same file, or what somebody would call a file beside it.
func (l *line) near(w *world) string {
	rng := w.rng
	names := []string{l.argument, l.stdin}
	for _, f := range fileFlags {
		names = append(names, l.value(f.flag))
	}
	if l.argument == "-" && l.stdin != "" && rng.IntN(2) == 0 {
		names = []string{l.stdin}
	}
	report := cmp.Or(l.value("report"), beside(l.argument, "report"))
	if rng.IntN(4) == 0 { // where the old report goes
		report = w.reportWithJournal()
		l.typed["overwrite"], l.typed["resume"], l.typed["report"] = "true", "false", report
		return report + oneOf(rng, ".1", ".1", ".2", ".journal.1")
	}
	names = append(slices.DeleteFunc(names, func(name string) bool { return name == "" || name == "-" }), report, report)
	return oneOf(rng, names...) + oneOf(rng, append(madeUp, "", "", "", "", ".1", ".journal")...)
}

// odd sets a few flags that bear no file's name.
func (l *line) odd(rng *rand.Rand) {
	for _, odd := range oddities {
		if rng.IntN(32) == 0 {
			l.set(rng, odd.flag, oneOf(rng, odd.values...))
			if _, typed := l.typed[odd.flag]; typed && rng.IntN(3) == 0 {
				l.env[odd.flag] = oneOf(rng, odd.values...)
			}
		}
	}
	l.extreme(rng)
}

var oddities = []struct {
	flag   string
	values []string
}{
	{"limit", []string{"1", "1", "2"}}, {"chunk-size", []string{"1", "2", "1000"}}, {"max-rows", []string{"0", "3", "100"}},
	{"line", []string{"2", "3", "1", "99"}}, {"max-invalid", []string{"1", "100%"}}, {"note", []string{"x", "true", "--yes", "a\nb"}},
	{"region", []string{"tokyo", "atlantis"}}, {"expect", []string{"any", "gone", "friends", "x"}}, {"from-column", []string{"from", "from_account", "true"}},
	{"rate", []string{"1e9", "0", "200"}}, {"delete-type", []string{"single", "both", "both", "x"}},
}

// extreme gives numbers as far out as numbers go: now and then to any command, and mostly to a plan, which is nothing but
// numbers.
func (l *line) extreme(rng *rand.Rand) {
	if rng.IntN(4) > 0 && (l.command != "plan" || rng.IntN(3) == 0) {
		return
	}
	known := slices.DeleteFunc(slices.Clone(numbers), func(n number) bool { return !l.has(n.flag) })
	for range min(len(known), 1+rng.IntN(3)) {
		switch n := known[rng.IntN(len(known))]; rng.IntN(4) {
		case 0:
			l.set(rng, n.flag, oneOf(rng, n.wrong...))
		case 1:
			l.set(rng, n.flag, oneOf(rng, n.large...))
		default:
			l.set(rng, n.flag, oneOf(rng, n.small...))
		}
	}
}

// number is a flag that has a number or a time: values that are so small, or so large, that somebody may refuse them or reckon
// wrongly with them, and those that are wrong whatever the command.
type number struct {
	flag                string
	small, large, wrong []string
}

var (
	noCount    = []string{"0", "-1", "x", "1.5", "9223372036854775808", "-9223372036854775808"}
	noRate     = []string{"-1", "-1e-300", "x", "NaN", "1e999"}
	noTime     = []string{"0s", "-1ns", "x", "5", "2562048h", "-2562047h"}
	mostCount  = "9223372036854775807"
	longTimes  = []string{"2562047h", "2562047h47m16s", "876000h"}
	slowRates  = []string{"1e-300", "5e-324", "1e-18", "1e-10", "2e-9"} // with those of seconds and minutes a run would just take long
	quickRates = []string{"1e9", "1e18", "1e300", "1.7e308", "Inf"}
)

// numbers are the flags that have one. (Times that are too short for an answer are none of them: a run with those is a story.)
var numbers = []number{
	{"rate", slowRates, quickRates, noRate}, {"row-rate", slowRates, quickRates, noRate},
	{"limit", []string{"1"}, []string{mostCount}, noCount}, {"chunk-size", []string{"1"}, []string{"1000"}, slices.Concat(noCount, []string{"1001", mostCount})},
	{"max-rows", []string{"0"}, []string{mostCount}, noCount[1:]}, {"max-invalid", []string{"1", "1%"}, []string{mostCount, "100%"}, slices.Concat(noCount, []string{"0%", "101%", "%"})},
	{"max-failures", []string{"1", "1%"}, []string{mostCount, "100%"}, slices.Concat(noCount, []string{"0%", "101%", "%"})},
	{"workers", []string{"1"}, []string{"4096", "1000000", mostCount}, noCount}, {"max-attempts", []string{"1"}, []string{mostCount}, noCount},
	{"timeout", []string{"30s"}, longTimes, noTime}, {"max-duration", []string{"1ns", "30s"}, longTimes, noTime},
	{"backoff-initial", []string{"1ns"}, longTimes, noTime}, {"backoff-max", []string{"1ns"}, longTimes, noTime},
	{"line", []string{"1"}, []string{mostCount}, noCount},
}

// outOfRange are the flags whose values are wrong whatever the command.
func (l *line) outOfRange() (flags []string) {
	for _, n := range numbers {
		if slices.Contains(n.wrong, l.value(n.flag)) {
			flags = append(flags, n.flag)
		}
	}
	return flags
}

// set puts the value on the command line, into the environment, or into both, where the command line's counts.
func (l *line) set(rng *rand.Rand, flag, value string) {
	switch rng.IntN(6) {
	case 0:
		l.env[flag] = value
	case 1:
		l.env[flag] = oneOf(rng, value, "x", "true", "")
		l.typed[flag] = value
	default:
		l.typed[flag] = value
	}
}

// trim takes away what the command does not know, so that not every line is refused for that.
func (l *line) trim() {
	for flag := range l.typed {
		if !l.has(flag) || flag == "line" && l.command != "status" {
			delete(l.typed, flag)
		}
	}
	for flag, value := range l.env {
		if !l.has(flag) || value == "" || flag == "line" && l.command != "status" {
			delete(l.env, flag)
		}
	}
}

// argument is PAIRS or REPORT: mostly one that is there.
func (w *world) argument(command string) string {
	switch {
	case w.rng.IntN(6) == 0:
		return w.anyPath()
	case w.rng.IntN(7) == 0:
		return "-"
	}
	wanted := func(name string) bool { return w.text(name+".journal") != "" }
	if slices.Contains([]string{"delete", "check", "plan"}, command) {
		wanted = func(name string) bool { return strings.HasPrefix(w.text(name), "from") }
	}
	for _, i := range w.rng.Perm(len(w.names)) {
		if wanted(w.names[i]) {
			return w.spelled(w.names[i])
		}
	}
	return w.anyPath()
}

// file is the value of a flag that names a file.
func (w *world) file(flag string) string {
	switch {
	case flag == "secret-key-file" && w.rng.IntN(4) == 0: // people give the secret itself
		return sandbox.DefaultKey
	case flag == "secret-key-file" || flag == "usersig-file" || flag == "input" || w.rng.IntN(5) == 0:
		return w.anyPath()
	case flag == "report" && w.rng.IntN(2) == 0:
		return w.spelled(w.reportWithJournal())
	case w.rng.IntN(20) == 0:
		return ""
	}
	return w.unused("." + flag)
}

// reportWithJournal is a name beside which something has the name of its journal, if there is one.
func (w *world) reportWithJournal() string {
	for _, i := range w.rng.Perm(len(w.names)) {
		switch report, isJournal := strings.CutSuffix(w.names[i], ".journal"); {
		case isJournal:
			return report
		case w.there(w.names[i] + ".journal"):
			return w.names[i]
		}
	}
	return oneOf(w.rng, "r.csv", "pairs.report.csv")
}

func variableOf(flag string) string {
	return "FRIENDSWEEP_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// args are the arguments of the program.
func (l *line) args() []string {
	args := []string{l.command}
	for _, flag := range keysOf(l.typed) {
		switch value := l.typed[flag]; {
		case value == "true" && slices.Contains(switches, flag):
			args = append(args, "--"+flag)
		default:
			args = append(args, "--"+flag+"="+value)
		}
	}
	if !l.on("sandbox") && l.has("endpoint") && l.value("region") == "" {
		args = append(args, l.hall.target()...)
	}
	return append(args, "--", l.argument)
}

func keysOf(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// keyed reports whether the secret key is in the environment: where no file has it.
func (l *line) keyed() bool {
	return l.value("secret-key-file") == "" && l.value("usersig-file") == ""
}

func (l *line) environment(w *world) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=/", "TMPDIR=" + filepath.Join(w.base, "tmp")}
	if l.keyed() {
		env = append(env, "FRIENDSWEEP_SECRET_KEY="+sandbox.DefaultKey)
	}
	return append(env, l.variables()...)
}

func (l *line) String() string {
	stdin := ""
	if l.stdin != "" {
		stdin = fmt.Sprintf(" < %q", l.stdin)
	}
	return fmt.Sprintf("%q friendsweep %q%s", l.variables(), l.args(), stdin)
}

// variables are those that set flags, as a shell would be given them.
func (l *line) variables() (all []string) {
	for _, flag := range keysOf(l.env) {
		all = append(all, variableOf(flag)+"="+l.env[flag])
	}
	return all
}

// fifos are those that the command line tells the program to read. From any other it must not wait for a word.
func (l *line) fifos(w *world) (names []string) {
	for _, name := range w.fifos {
		for _, path := range []string{l.argument, l.value("secret-key-file"), l.value("usersig-file"), l.value("input")} {
			isReport := path == l.argument && slices.Contains([]string{"report", "status", "audit"}, l.command)
			if path != "" && !isReport && !slices.Contains(names, name) && w.placeOf(path).file == w.placeOf(name).file {
				names = append(names, name)
			}
		}
	}
	return names
}

// endedLine is what a command line led to.
type endedLine struct {
	code           int
	timeout        bool
	stdout, stderr string
}

func (l *line) run(w *world) endedLine {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, l.args()...)
	cmd.Env, cmd.Dir = l.environment(w), w.dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if l.stdin != "" {
		path := l.stdin
		if !filepath.IsAbs(path) {
			path = w.path(path)
		}
		if f, err := os.Open(path); err == nil {
			defer f.Close()
			cmd.Stdin = f
		}
	}
	if w.user != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: w.user, Gid: w.user, NoSetGroups: true}}
	}
	defer w.feed(l.fifos(w))()
	err := cmd.Run()
	code := cmd.ProcessState.ExitCode()
	if err != nil && code < 0 {
		fmt.Fprintln(&stderr, err)
	}
	return endedLine{code, ctx.Err() != nil, stdout.String(), stderr.String()}
}

// object is the one JSON object on standard output.
func (e endedLine) object() (map[string]any, error) {
	dec := json.NewDecoder(strings.NewReader(e.stdout))
	var object map[string]any
	if err := dec.Decode(&object); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("something follows the object")
	}
	return object, nil
}
