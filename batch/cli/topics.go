package cli

import (
	"embed"
	"slices"
)

// The topics of help beside the commands. The exit codes are a section of the README, too, word for word, which a test
// compares.
//
//go:embed help/*.txt
var topics embed.FS

// help prints the help of a command, that of a topic, both where both have the name, or without a name that of the whole.
func (a *app) help(words []string) error {
	var about []byte
	if len(words) == 1 {
		about, _ = topics.ReadFile("help/" + words[0] + ".txt") // without a file it is no topic
	}
	if about == nil || words[0] == "report" {
		if _, err := a.parse(append(slices.Clone(words), "--help"), a.stdout); err != nil || about == nil {
			return err
		}
		about = append([]byte("\nThe columns of the report, and what its outcomes mean:\n\n"), about...)
	}
	_, err := a.stdout.Write(about)
	return err
}
