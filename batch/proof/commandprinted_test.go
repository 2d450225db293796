package proof

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"friendsweep/batch/sandbox"
)

// printedCommand is one that continues a job, as it is printed: at the end of a line, or as an object's resume_command.
var printedCommand = regexp.MustCompile(`(?m)(?:^|  )(friendsweep (?:delete|check) --resume .*)$`)

// printed are the commands that an ended line has printed for somebody to paste.
func (e endedLine) printed() (commands []string) {
	var object struct {
		Command string `json:"resume_command"`
		Hint    string
	}
	text := e.stdout
	if json.Unmarshal([]byte(e.stdout), &object) == nil {
		text = object.Hint
	}
	if object.Command != "" {
		commands = append(commands, object.Command)
	}
	for _, found := range printedCommand.FindAllStringSubmatch(text+"\n"+e.stderr, -1) {
		commands = append(commands, found[1])
	}
	return commands
}

// judgePrinted: whatever command is printed, a shell makes of it one that goes on with the same job in the same way, wherever
// it is pasted with the same variables.
func (m *model) judgePrinted(e endedLine) (wrong []string) {
	of := m.begun(e.code)
	for _, command := range e.printed() {
		words, err := exec.Command("bash", "-c", `friendsweep() { printf '%s\0' "$@"; }; `+command).Output()
		if err != nil {
			return append(wrong, fmt.Sprintf("bash does not read the printed command %q: %v", command, err))
		}
		if of == nil {
			continue // a job that was there before the world
		}
		m.l.hall.seen.note("continued", e.code)
		l := pasted(strings.Split(strings.TrimSuffix(string(words), "\x00"), "\x00"), m.l)
		for _, differs := range m.w.unlike(l, of) {
			wrong = append(wrong, fmt.Sprintf("the printed command is not %s: %s\n%s", of, differs, command))
		}
	}
	return wrong
}

// begun is the command line whose run is the last of the job that a command line is about; nil where nobody knows. A run that
// has begun is remembered.
func (m *model) begun(code int) *line {
	journal := ""
	switch m.l.command {
	case "delete", "check":
		journal = m.outputs[1].name
		if code == 0 || code == 1 || code == 4 {
			m.w.runs[journal] = m.l
		}
	case "report":
		journal = m.outputs[1].name
	case "status":
		journal = m.w.placeOf(m.l.argument + ".journal").name
	}
	return m.w.runs[journal]
}

// pasted is the command line that these words are where the variables are those of another line.
func pasted(words []string, in *line) *line {
	l := &line{command: words[0], argument: words[len(words)-1], typed: map[string]string{}, env: maps.Clone(in.env), hall: in.hall}
	for _, word := range words[1 : len(words)-1] {
		name, value, hasValue := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		if !hasValue {
			value = "true"
		}
		l.typed[name] = value
	}
	return l
}

// defaults of flags that have one; any other is off, or not given.
var defaults = map[string]string{"chunk-size": "1000", "max-invalid": "50%", "rate": "200", "expect": "gone", "identifier": "administrator",
	"delete-type": "single", "row-rate": "0", "workers": "64", "timeout": "15s", "max-attempts": "8", "backoff-initial": "500ms", "backoff-max": "30s",
	"max-failures": "50%"}

// unlike are the ways in which a command that goes on with a run is another than the run's own.
func (w *world) unlike(l, run *line) (ways []string) {
	say := func(what, got, want string) { ways = append(ways, fmt.Sprintf("%s: got %q, want %q", what, got, want)) }
	if l.command != run.command {
		say("command", l.command, run.command)
	}
	want := run.argument
	if want != "-" {
		want = w.whole(want)
	}
	if l.argument != want && !(l.argument == "-" && (strings.HasPrefix(want, "/dev/") || strings.HasPrefix(want, "/proc/"))) {
		say("PAIRS", l.argument, want)
	}
	report := cmp.Or(run.value("report"), beside(run.argument, reportKinds[run.command]))
	if got, want := w.whole(l.value("report")), w.whole(report); got != want {
		say("report", got, want)
	}
	if l.on("overwrite") || l.typed["limit"] != "" {
		say("overwrite or limit", l.value("overwrite")+l.typed["limit"], "")
	}
	if !l.on("resume") {
		say("resume", "", "true")
	}
	for _, flag := range keepsOn {
		if got, want := w.meant(l, flag), w.meant(run, flag); got != want && l.has(flag) {
			say(flag, got, want)
		}
	}
	return ways
}

// keepsOn are the flags that a run has in common with one that goes on with it. (A --max-rows of the environment stays.)
var keepsOn = []string{"sandbox", "yes", "json", "quiet", "ignore-not-friend", "regroup", "failures", "html", "metrics-file", "lock",
	"secret-key-file", "usersig-file", "chunk-size", "max-invalid", "note", "expect", "from-column", "rate", "endpoint", "sdkappid",
	"delete-type", "row-rate", "workers", "timeout", "max-attempts", "backoff-initial", "backoff-max", "max-failures"}

// meant is what a flag means, however it is spelled.
func (w *world) meant(l *line, flag string) string {
	value := cmp.Or(l.value(flag), defaults[flag])
	switch n, err := strconv.ParseFloat(value, 64); {
	case flag == "endpoint" || flag == "sdkappid":
		if l.on("sandbox") {
			return ""
		}
		return cmp.Or(l.typed[flag], l.target()[flag])
	case slices.Contains(switches, flag):
		return map[bool]string{true: "true"}[l.on(flag)]
	case slices.ContainsFunc(fileFlags, func(f fileFlag) bool { return f.flag == flag }):
		return w.whole(value)
	case err == nil:
		return fmt.Sprint(n)
	}
	if d, err := time.ParseDuration(value); err == nil {
		return d.String()
	}
	return value
}

// target are endpoint and app of a line that is not for the sandbox, as [line.args] adds them.
func (l *line) target() map[string]string {
	return map[string]string{"endpoint": l.hall.endpoint, "sdkappid": fmt.Sprint(sandbox.DefaultAppID)}
}

// whole is a path from the root. (A minus is a file's name, but for PAIRS.)
func (w *world) whole(path string) string {
	switch {
	case path == "":
		return ""
	case filepath.IsAbs(path):
		return filepath.Clean(path)
	}
	return filepath.Join(w.dir, path)
}
