package cli

import (
	"strings"

	"github.com/alecthomas/kong"
)

const description = `Delete friendships in bulk from a Tencent Cloud Chat app: nothing lost, nothing false.

Try it, with nothing to set up and nothing real deleted:

  friendsweep delete --sandbox testdata/pairs.csv

Exit codes: 0 every row a success, 1 some rows failed, 2 wrong usage or refused for safety, 3 unusable input, 4 stopped before the end, 5 another run holds the job, 128+N ended by signal N. After 4 and after a signal the run can be resumed.`

// describe is the help of a flag with its default and its variable.
func describe(value *kong.Value) string {
	more := []string{}
	if value.HasDefault && value.Default != "" && !value.IsBool() {
		more = append(more, "default "+value.Default)
	}
	if value.Flag != nil {
		for _, env := range value.Flag.Envs {
			more = append(more, "$"+env)
		}
	}
	if len(more) == 0 {
		return value.Help
	}
	return value.Help + " [" + strings.Join(more, ", ") + "]"
}

var groups = []kong.Group{
	{Key: "where", Title: "Where and as whom:"},
	{Key: "what", Title: "What:"},
	{Key: "speed", Title: "How fast, how stubborn:"},
	{Key: "files", Title: "Files:"},
	{Key: "output", Title: "Output:"},
}
