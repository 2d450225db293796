package cli

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// helps are the command lines that print help.
var helps = []string{"--help", "help delete", "help plan", "help status", "report --help", "help audit", "help sandbox", "help completion", "help exit-codes", "help report", "help journal", "help"}

// TestHelpFits80Columns: the whole of it, examples included.
func TestHelpFits80Columns(t *testing.T) {
	t.Parallel()
	for _, line := range helps {
		got := call(t.Context(), strings.Fields(line)...)
		if got.code != exitDone || got.stdout == "" {
			t.Errorf("%s: got %+v, want help", line, got)
		}
		for text := range strings.Lines(got.stdout) {
			if n := utf8.RuneCountInString(strings.TrimRight(text, "\n")); n > 80 {
				t.Errorf("%s: a line of %d columns: %s", line, n, text)
			}
		}
	}
}

// TestHelpBeginsWithWhatMostNeed: the flags that every run needs precede the others.
func TestHelpBeginsWithWhatMostNeed(t *testing.T) {
	t.Parallel()
	help := call(t.Context(), "help", "delete").stdout
	last := 0
	for _, text := range []string{"--region=", "--sdkappid=", "--secret-key-file=", "--sandbox ", "--delete-type=", "--limit=", "--resume ", "-y, --yes", "--endpoint=", "--backoff-max="} {
		at := strings.Index(help[last:], "  "+text)
		if at < 0 {
			t.Fatalf("%s does not follow what it should in\n%s", text, help)
		}
		last += at
	}
}

// TestHelpHasDefaults: a flag's help ends with its default, where it has one that is not said by the flag's absence.
func TestHelpHasDefaults(t *testing.T) {
	got := call(t.Context(), "help", "delete").stdout
	for want, times := range map[string]int{"[1000]": 1, "[50%]": 2, "[200]": 1, "[]": 0, "[false]": 0, "[true]": 0} {
		if n := strings.Count(got, want); n != times {
			t.Errorf("got %s %d times, want %d, in\n%s", want, n, times, got)
		}
	}
}
