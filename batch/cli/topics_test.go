package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTopicsAreInTheREADME: what help says about a thing is what the README says, word for word.
func TestTopicsAreInTheREADME(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, heading := range map[string]string{"exit-codes": "Exit codes", "report": "Report", "journal": "Journal"} {
		text, err := topics.ReadFile("help/" + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(readme), "\n### "+heading+"\n\n```text\n"+string(text)+"```\n") {
			t.Errorf("the section %s of README.md does not begin with batch/cli/help/%s.txt: change both", heading, name)
		}
	}
	files, err := topics.ReadDir("help")
	if err != nil || len(files) != 3 {
		t.Errorf("got %d topics %v, want the three above", len(files), err)
	}
}

// TestFlagsAreInTheREADME: every flag of delete stands in the README's table, and no other does.
func TestFlagsAreInTheREADME(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n### Flags of delete\n")
	section, _, _ = strings.Cut(section, "\n### ")
	told := map[string]bool{}
	for _, name := range flagName.FindAllString(section, -1) {
		told[name] = true
	}
	there := map[string]bool{}
	_, help, _ := strings.Cut(call(t.Context(), "delete", "--help").stdout, "What most runs need:")
	for line := range strings.Lines(help) {
		if strings.HasPrefix(strings.TrimLeft(line, " "), "-") {
			there[flagName.FindString(line)] = true
		}
	}
	if diff := cmp.Diff(told, there); diff != "" {
		t.Errorf("README.md (-), help (+)\n%s", diff)
	}
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
