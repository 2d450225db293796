package cli

import (
	"github.com/alecthomas/kong"
)

const description = `Delete friendships in bulk from a Tencent Cloud Chat app, and check them: nothing lost, nothing false.

Try it, with nothing to set up and nothing real deleted:

  printf 'from,to\nann,ben\nann,cem\n' > pairs.csv
  friendsweep delete --sandbox pairs.csv

Exit codes: 0 every row a success, 1 some rows failed, 2 wrong usage or refused for safety, 3 unusable input, 4 stopped before the end, 5 another run holds the job, 128+N ended by signal N. After 4 and after a signal the run can be resumed.

"friendsweep help exit-codes", "help report" and "help journal" tell what these are. The manual, with recipes, is README.md; packages put it into /usr/share/friendsweep.`

// variablesHelp is said once for all flags.
const variablesHelp = `Every flag can also be set by a variable: --chunk-size by FRIENDSWEEP_CHUNK_SIZE. A flag wins.`

// describe is the help of a flag with its default.
func describe(value *kong.Value) string {
	if !value.HasDefault || value.Default == "" || value.IsBool() {
		return value.Help
	}
	return value.Help + " [" + value.Default + "]"
}

var groups = []kong.Group{
	{Key: "first", Title: "What most runs need:"},
	{Key: "where", Title: "Where and as whom:"},
	{Key: "what", Title: "What:"},
	{Key: "speed", Title: "How fast, how stubborn:"},
	{Key: "files", Title: "Files:"},
	{Key: "output", Title: "Output:"},
}
