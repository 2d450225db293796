package proof

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"friendsweep/batch/sandbox"
)

// model is what the contract says of one command line before it is tried: what refuses it, and which files it may change. It
// knows no more of the program than that page.
type model struct {
	w      *world
	l      *line
	before map[string]file
	sent   int64 // requests that came of it

	outputs  []output
	readings []output // input and secrets
	usage    []string // why the exit code must be 2
	unusable []string // why the exit code must be 3
	doubts   []string // why success cannot be promised
}

// output is a file that a command line names, or that follows from one that it names.
type output struct {
	what string
	place
}

func newModel(w *world, l *line, before map[string]file) *model {
	m := &model{w: w, l: l, before: before}
	switch l.command {
	case "delete", "check":
		m.job()
	case "plan":
		m.input(l.argument)
		m.flags()
		m.secretsAreNot()
	case "report":
		m.rewrite()
	}
	return m
}

func (m *model) foretold() string {
	switch {
	case len(m.usage)+len(m.unusable) > 0:
		return "refused"
	case len(m.doubts) > 0 || !m.works():
		return "open"
	}
	return "clean"
}

// works tells a command whose success can be foretold.
func (m *model) works() bool {
	return slices.Contains([]string{"delete", "check", "plan"}, m.l.command)
}

func (m *model) refuse(why string) { m.usage = append(m.usage, why) }
func (m *model) doubt(why string)  { m.doubts = append(m.doubts, why) }

// job foretells a run of delete or check.
func (m *model) job() {
	report := m.l.value("report")
	if report == "" && m.l.argument == "-" {
		m.refuse("no name for the report")
		report = "-.csv"
	}
	if report == "" {
		report = beside(m.l.argument, reportKinds[m.l.command])
	}
	m.names(report)
	for _, flag := range []string{"metrics-file", "lock"} {
		m.output(flag, m.l.value(flag))
	}
	m.secrets()
	m.input(m.l.argument)
	m.collisions()
	m.flags()
	m.inTheWay()
	m.locked()
	for _, o := range m.outputs {
		m.writable(o)
	}
}

func (m *model) names(report string) {
	m.output("report", report)
	m.output("journal", report+".journal")
	m.output("failures", m.l.value("failures"))
	m.output("html", m.l.value("html"))
}

// reportKinds are what a command calls its report where no name is given.
var reportKinds = map[string]string{"delete": "report", "check": "check"}

// beside is the report's name where none is given.
func beside(pairs, kind string) string {
	return regexp.MustCompile(`(\.csv)?(\.zst)?(\.gz)?$`).ReplaceAllString(pairs, "") + "." + kind + ".csv"
}

func (m *model) output(what, path string) {
	if path = m.redirected(path); path != "" {
		m.outputs = append(m.outputs, output{what, m.w.placeOf(path)})
	}
}

// redirected is the path, or that of the file behind standard input's own name.
func (m *model) redirected(path string) string {
	if path == "/dev/fd/0" || path == "/dev/stdin" {
		return cmp.Or(m.l.stdin, path)
	}
	return path
}

func (m *model) reading(what, path string) place {
	p := m.w.placeOf(m.redirected(path))
	m.readings = append(m.readings, output{what, p})
	return p
}

// input looks at the input's text.
func (m *model) input(path string) {
	if path == "-" {
		path = m.l.stdin
	}
	if path == "" {
		m.unusable = append(m.unusable, "standard input is empty")
		return
	}
	switch p := m.reading("input", path); {
	case m.isFIFO(p):
		m.doubt("the input is a FIFO")
	case !m.readable(p):
		m.unusable = append(m.unusable, "the input cannot be read")
	default:
		m.columns(m.textOf(p))
	}
}

func (m *model) isFIFO(p place) bool {
	return m.fileOf(p).mode&fs.ModeNamedPipe != 0
}

// fileOf is what the world had at p; nothing for what lies elsewhere.
func (m *model) fileOf(p place) file {
	if !p.there {
		return file{}
	}
	for _, f := range m.before {
		if strings.HasSuffix(p.file, fmt.Sprint(" ", f.inode)) {
			return f
		}
	}
	return file{}
}

func (m *model) textOf(p place) string { return m.fileOf(p).text }

func (m *model) readable(p place) bool {
	f := m.fileOf(p)
	return p.err == nil && p.there && p.regular && (m.w.user == 0 || f.owner == m.w.user && f.mode&0o400 != 0 || f.owner != m.w.user && f.mode&0o004 != 0)
}

// columns looks for the two columns of an input.
func (m *model) columns(text string) {
	header, _, _ := strings.Cut(text, "\n")
	fields := strings.Split(header, ",")
	has := func(name string) bool { return slices.Contains(fields, name) }
	if !(has("from") && has("to")) && !(has("from_account") && has("to_account")) {
		m.unusable = append(m.unusable, "the input lacks a column")
		return
	}
	if m.l.value("from-column") != "" || has("line") {
		m.doubt("other columns")
	}
}

// secrets looks at where the secret comes from.
func (m *model) secrets() {
	key, sig := m.l.value("secret-key-file"), m.l.value("usersig-file")
	if key != "" && sig != "" && !m.l.on("sandbox") {
		m.refuse("both secrets")
	}
	for what, path := range map[string]string{"key": key, "usersig": sig} {
		if path == "" {
			continue
		}
		switch p := m.reading(what, path); {
		case !p.there:
			m.refuse("the secret's file is not there")
		case !m.readable(p) && !m.isFIFO(p) && !m.l.on("sandbox") && p.regular:
			m.refuse("the secret cannot be read")
		case m.textOf(p) == "" && p.regular && !m.l.on("sandbox"):
			m.refuse("the secret is empty")
		case !m.l.on("sandbox"):
			m.doubt("it may be the wrong secret")
		}
	}
}

// secretsAreNot: a plan needs none.
func (m *model) secretsAreNot() {
	if m.l.value("secret-key-file")+m.l.value("usersig-file") != "" {
		m.doubt("a plan with a secret")
	}
}

// collisions are outputs that are one file with another output, the input or a secret.
func (m *model) collisions() {
	for i, o := range m.outputs {
		for _, other := range slices.Concat(m.outputs[:i], m.readings) {
			if o.file == other.file || o.name == other.name {
				m.refuse(o.what + " is " + other.what)
			}
		}
	}
}

func (m *model) writable(o output) {
	length := len(filepath.Base(o.name))
	switch {
	case o.what == "lock" && o.there && o.regular:
		m.doubt("the lock is there")
	case !m.w.writable(o.place):
		m.refuse(o.what + " cannot be written")
	case length > 240:
		m.doubt(o.what + " has a long name")
	}
}

// flags are those at odds or out of range.
func (m *model) flags() {
	l := m.l
	for why, is := range map[string]bool{
		"--resume with --overwrite":       l.on("resume") && l.on("overwrite"),
		"--retry-failed without --resume": l.on("retry-failed") && !l.on("resume"),
		"--regroup with single":           l.on("regroup") && l.value("delete-type") != "both",
		"two places":                      l.on("sandbox") && l.value("region") != "",
		"region":                          l.value("region") == "atlantis",
		"out of range":                    len(l.outOfRange()) > 0,
		"delete type":                     l.value("delete-type") == "x",
		"expect":                          l.value("expect") == "x",
		"note":                            strings.Contains(l.value("note"), "\n"),
		"nobody to ask":                   l.command == "delete" && !l.on("sandbox") && !l.on("yes"),
	} {
		if is {
			m.refuse(why)
		}
	}
	for _, odd := range oddities {
		if l.value(odd.flag) != "" {
			m.doubt("--" + odd.flag)
		}
	}
	for _, n := range numbers {
		if l.value(n.flag) != "" {
			m.doubt("--" + n.flag)
		}
	}
	m.badVariables()
}

// badVariables: a variable that the command line overrules need not be right.
func (m *model) badVariables() {
	for flag := range m.l.env {
		if _, typed := m.l.typed[flag]; typed {
			m.doubt("a variable that is overruled")
		}
	}
}

// inTheWay are a report or journal of an earlier run.
func (m *model) inTheWay() {
	report, journal := m.outputs[0], m.outputs[1]
	if m.entry(report).mode != 0 || m.entry(journal).mode != 0 {
		m.doubt("a report or journal is there")
	}
	if m.l.on("resume") || m.l.on("overwrite") || m.isSandboxJob(journal) {
		return
	}
	if _, ok := m.firstLine(journal); ok || m.entry(report).mode != 0 {
		m.refuse("a report or journal is in the way")
	}
}

// entry is what the world had by this very name.
func (m *model) entry(o output) file { return m.before[o.name] }

// firstLine is that of a journal.
func (m *model) firstLine(journal output) (head map[string]any, ok bool) {
	text, _, whole := strings.Cut(m.textOf(journal.place), "\n")
	err := json.NewDecoder(bytes.NewReader([]byte(text))).Decode(&head)
	return head, whole && err == nil && strings.Contains(text, `"h":"`)
}

func (m *model) isSandboxJob(journal output) bool {
	head, ok := m.firstLine(journal)
	return ok && strings.Contains(fmt.Sprint(head), "endpoint:sandbox")
}

// rewrite foretells `report`.
func (m *model) rewrite() {
	report := m.l.argument
	name, number, isJournal := strings.Cut(report, ".journal")
	if isJournal && !m.w.placeOf(report+".journal").there {
		report = name + number
	}
	m.names(report)
	if m.locked() {
		return
	}
	if m.l.value("input") != "" && m.l.value("input") != "-" {
		m.reading("input", m.l.value("input"))
	}
	for what, path := range m.recorded(m.outputs[1]) {
		m.reading(what, path)
	}
	m.collisions()
	for _, o := range m.outputs {
		m.writable(o)
	}
}

// locked tells of a journal that whoever runs the program may not write: that is met in the attempt, and is exit code 4 as in
// a run that is at work.
func (m *model) locked() bool {
	journal := m.outputs[1]
	is := journal.there && journal.regular && m.w.user != 0 && m.fileOf(journal.place).owner != m.w.user
	if is {
		m.doubt("the journal is somebody else's")
	}
	return is
}

// recorded are the input and the secrets' files of the run that a journal is of: its last one that says something of them.
func (m *model) recorded(journal output) map[string]string {
	files := map[string]string{}
	for text := range strings.Lines(m.textOf(journal.place)) {
		var l struct {
			Input string
			Flags map[string]any
		}
		if json.Unmarshal([]byte(text), &l) != nil || l.Flags == nil {
			continue
		}
		clear(files)
		if l.Input != "" && m.l.value("input") == "" {
			files["input"] = l.Input
		}
		for _, flag := range []string{"secret-key-file", "usersig-file"} {
			if path, ok := l.Flags[flag].(string); ok {
				files[flag] = path
			}
		}
	}
	return files
}

// codes are the exit codes that a command may have.
var codes = map[string][]int{
	"delete": {0, 1, 2, 3, 4, 5}, "check": {0, 1, 2, 3, 4, 5}, "plan": {0, 2, 3}, "status": {0, 2}, "report": {0, 2, 3, 4, 5}, "audit": {0, 1, 2},
}

// judge returns what is wrong with how a command line ended.
func (m *model) judge(e endedLine, after map[string]file) (wrong []string) {
	wrong = append(m.judgeCode(e), m.judgeObject(e)...)
	wrong = append(wrong, m.judgePrinted(e)...)
	wrong = append(wrong, m.judgeSecret(e, after)...)
	if said := e.code == 0 || e.code == 1 || e.code == 4; said && noNumber.MatchString(e.stdout) {
		wrong = append(wrong, fmt.Sprintf("%q is no number that anything can take", noNumber.FindString(e.stdout)))
	}
	if m.sent > 0 && (e.code == 2 || e.code == 3 || m.l.on("sandbox") || !m.l.has("endpoint") || m.l.command == "plan") {
		wrong = append(wrong, fmt.Sprintf("got %d requests, want none", m.sent))
	}
	wrong = append(wrong, m.judgeFiles(e.code, after)...)
	if len(wrong) > 0 {
		wrong = append(wrong, fmt.Sprintf("exit code %d; foretold: usage %q, unusable %q, doubts %q\n%.500s\n%.1500s", e.code, m.usage, m.unusable, m.doubts, e.stdout, e.stderr))
	}
	return wrong
}

// noNumber is a negative time or count, as text and as JSON, and what is no number at all.
var noNumber = regexp.MustCompile(`\s-\d+(\.\d+)?(ms|s|m|h|d| [a-z])|"\w+": ?-\d|\b(NaN|[-+]Inf)\b|-922337203685477580[78]\b`)

// judgeSecret: the key stands in no text and in no file but those that had it before.
func (m *model) judgeSecret(e endedLine, after map[string]file) (wrong []string) {
	had := func(text string) bool { return strings.Contains(text, sandbox.DefaultKey) }
	// A file of keys that is given as the input is one of pairs to the program, and its header is quoted.
	asInput := slices.ContainsFunc(m.readings, func(r output) bool { return r.what == "input" && had(m.textOf(r.place)) })
	if had(e.stdout+e.stderr) && !asInput {
		wrong = append(wrong, "the secret key is printed")
	}
	for path, f := range after {
		if had(f.text) && !slices.ContainsFunc(slices.Collect(maps.Values(m.before)), func(was file) bool { return was.text == f.text }) {
			wrong = append(wrong, fmt.Sprintf("the secret key is in %q", path))
		}
	}
	return wrong
}

func (m *model) judgeCode(e endedLine) []string {
	want := codes[m.l.command]
	if slices.Contains(m.doubts, "the journal is somebody else's") && e.code == 4 {
		return nil
	}
	switch {
	case e.timeout:
		return []string{"it did not end"}
	case len(m.usage) > 0 && (len(m.unusable) > 0 || m.mayBeUnusable()):
		want = []int{2, 3}
	case len(m.usage) > 0:
		want = []int{2}
	case len(m.unusable) > 0:
		want = []int{3}
		if len(m.doubts) > 0 {
			want = []int{2, 3}
		}
	case m.foretold() == "clean":
		want = []int{0, 1}
	}
	if !slices.Contains(want, e.code) {
		return []string{fmt.Sprintf("got exit code %d, want one of %v", e.code, want)}
	}
	return nil
}

// mayBeUnusable tells of an input whose columns or rows nobody has looked at here.
func (m *model) mayBeUnusable() bool {
	return slices.Contains(m.doubts, "other columns") || slices.Contains(m.doubts, "the input is a FIFO") || m.l.value("max-invalid") != ""
}

// judgeObject: with --json standard output has one object, whatever happens.
func (m *model) judgeObject(e endedLine) []string {
	if !m.l.on("json") || m.l.command == "status" && e.code == 0 || m.l.command == "plan" && e.code == 0 || m.l.command == "report" && e.code == 0 {
		return nil
	}
	object, err := e.object()
	if err != nil {
		return []string{"standard output is not one object: " + err.Error()}
	}
	if object["exit_code"] != float64(e.code) {
		return []string{fmt.Sprintf("got exit_code %v in the object, want %d", object["exit_code"], e.code)}
	}
	return nil
}

// judgeFiles compares what there is with what there was.
func (m *model) judgeFiles(code int, after map[string]file) (wrong []string) {
	for path := range m.before {
		if after[path] != m.before[path] {
			wrong = append(wrong, m.judgeChange(code, path, after)...)
		}
	}
	for path, f := range after {
		if _, was := m.before[path]; !was && !m.mayAppear(code, path, f) {
			wrong = append(wrong, fmt.Sprintf("%q appeared: %v %.60q", path, f.mode, f.text))
		}
	}
	for _, o := range m.outputs {
		if ran := code == 0 || code == 1 || code == 4; o.what == "lock" && ran && after[o.name].mode == 0 {
			wrong = append(wrong, fmt.Sprintf("the lock %q is gone", o.name))
		}
	}
	return append(wrong, m.judgeKept(code, after)...)
}

// changing are the outputs that a command with this exit code may change.
func (m *model) changing(code int) (all []output) {
	refused := code == 2 || code == 3 || code == 5
	for _, o := range m.outputs {
		if !refused || o.what == "metrics-file" || o.what == "lock" {
			all = append(all, o)
		}
	}
	return all
}

// judgeChange looks at a file that is not what it was.
func (m *model) judgeChange(code int, path string, after map[string]file) []string {
	was, is := m.before[path], after[path]
	for _, r := range m.readings {
		if r.there && strings.HasSuffix(r.file, fmt.Sprint(" ", was.inode)) {
			return []string{fmt.Sprintf("the %s at %q was changed: got %v %.60q", r.what, path, is.mode, is.text)}
		}
	}
	if !was.mode.IsRegular() && was.mode&fs.ModeSymlink == 0 {
		return []string{fmt.Sprintf("got %v in place of %q, want %v", is.mode, path, was.mode)}
	}
	for _, o := range m.changing(code) {
		if m.mayChange(o, path, was) {
			return nil
		}
	}
	if m.removedByResume(path, is) {
		return nil
	}
	return []string{fmt.Sprintf("%q was changed: got %v %.60q, want %v %.60q", path, is.mode, is.text, was.mode, was.text)}
}

func (m *model) mayChange(o output, path string, was file) bool {
	inPlace := o.what == "journal" || o.what == "lock" // these are written where they are, so under all their names
	isIt := o.there && strings.HasSuffix(o.file, fmt.Sprint(" ", was.inode))
	moved := o.what == "report" || o.what == "journal"
	switch {
	case was.mode&fs.ModeSymlink != 0:
		return path == o.name && moved && m.l.on("overwrite")
	case path == o.name, isIt && inPlace, isIt && o.link:
		return true
	}
	return false
}

// removedByResume: --resume takes away what earlier runs of the job wrote and would no longer be true.
func (m *model) removedByResume(path string, is file) bool {
	return m.l.on("resume") && is.mode == 0 && m.w.written[path] == m.before[path].text && m.before[path].text != ""
}

var asideName = regexp.MustCompile(`(?s)^(.*)\.[0-9]+$`)

// mayAppear tells whether a file may be there that was not: an output, or what was moved aside.
func (m *model) mayAppear(code int, path string, f file) bool {
	for _, o := range m.changing(code) {
		if path == o.name && f.mode.IsRegular() && f.mode.Perm() == 0o600 || path == o.name && o.what == "metrics-file" && f.mode.IsRegular() {
			return true
		}
		aside := asideName.FindStringSubmatch(path)
		if aside != nil && aside[1] == o.name && (o.what == "report" || o.what == "journal") && f.text == m.before[o.name].text {
			return true
		}
	}
	return false
}

// judgeKept: a report and a journal of an earlier run are kept, under whatever name.
func (m *model) judgeKept(code int, after map[string]file) (wrong []string) {
	if m.l.command != "delete" && m.l.command != "check" {
		return nil
	}
	for _, o := range m.outputs[:2] {
		was := m.entry(o)
		head, isJob := m.firstLine(m.outputs[1])
		switch {
		case was.text == "", o.what == "journal" && !isJob, m.isSandboxJob(m.outputs[1]) && !m.l.on("overwrite"):
		case m.l.on("resume") && o.what == "report" && isJob:
		case m.l.on("resume") && o.what == "journal":
			whole := was.text[:strings.LastIndex(was.text, "\n")+1]
			if !strings.HasPrefix(after[o.name].text, whole) && was.mode.IsRegular() {
				wrong = append(wrong, fmt.Sprintf("the journal has lost lines of the job %v", head["input_sha256"]))
			}
		default:
			if !slices.ContainsFunc(slices.Collect(maps.Values(after)), func(f file) bool { return f.text == was.text }) {
				wrong = append(wrong, fmt.Sprintf("the %s of an earlier run is lost: %q", o.what, o.name))
			}
		}
	}
	return wrong
}
