package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestExitCodesAreInTheREADME: what help says about them is what the README says, word for word.
func TestExitCodesAreInTheREADME(t *testing.T) {
	t.Parallel()
	text, err := topics.ReadFile("help/exit-codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(readme(t), "\n### Exit codes\n\n```text\n"+string(text)+"```\n") {
		t.Error("the section Exit codes of README.md does not begin with batch/cli/help/exit-codes.txt: change both")
	}
}

// TestREADMENamesTopics: the README says of each topic that help has it.
func TestREADMENamesTopics(t *testing.T) {
	t.Parallel()
	files, err := topics.ReadDir("help")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d topics (%v), want some", len(files), err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(file.Name(), ".txt"); !strings.Contains(readme(t), "`help "+name+"`") {
			t.Errorf("README.md does not name `help %s`", name)
		}
	}
}

// TestFlagsOfTheREADME: the README has no table of flags, help has; but every flag that it gives the program is one.
func TestFlagsOfTheREADME(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	for _, command := range []string{"delete", "check", "plan", "status", "report", "audit", "sandbox"} {
		for _, name := range flagName.FindAllString(call(t.Context(), command, "--help").stdout, -1) {
			there[name] = true
		}
	}
	given := 0
	for _, line := range ourCommand.FindAllString(readme(t), -1) {
		for _, name := range flagName.FindAllString(line, -1) {
			given++
			if !there[name] {
				t.Errorf("README.md has the flag %s, which no help has: %s", name, line)
			}
		}
	}
	if given < 20 {
		t.Errorf("got %d flags in README.md, want many more: does the pattern still find its commands?", given)
	}
}

// ourCommand is a command of this program in the README up to its end or to what follows it in the shell.
var ourCommand = regexp.MustCompile(`friendsweep (?:delete|check|plan|status|report|audit|sandbox) (?:[^\n|;)\\` + "`" + `]|\\\n)*`)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestHelpOnTopics: a topic alone, and where a command has its name, both.
func TestHelpOnTopics(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"help exit-codes": {"134", "the program crashed", "--resume"},
		"help journal":    {`{"withdraw":7}`},
		"help report":     {"Usage: friendsweep report", "--failures=FILE", "gave_up", "finished_at"},
	} {
		got := call(t.Context(), strings.Fields(line)...)
		for _, text := range want {
			if !strings.Contains(got.stdout, text) || got.code != exitDone {
				t.Errorf("%s: got exit code %d and\n%s\nwant 0 and %q in it", line, got.code, got.stdout, text)
			}
		}
	}
	if got := call(t.Context(), "report", "--help"); strings.Contains(got.stdout, "gave_up") {
		t.Errorf("report --help is about the command alone, got\n%s", got.stdout)
	}
	if got := call(t.Context(), "help", "nothing"); got.code != exitUsage {
		t.Errorf("help nothing: got exit code %d, want 2", got.code)
	}
}
