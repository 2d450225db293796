package cli

import (
	"io"
	"os"
	"slices"
	"strings"

	"github.com/posener/complete"

	"friendsweep/batch/chat"
)

// completionCommand is `friendsweep completion`.
type completionCommand struct {
	Shell string `arg:"" name:"SHELL" question:"which one? bash, zsh or fish" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints what makes the shell ask the program for completions.
func (c *completionCommand) Run(a *app) error {
	_, err := io.WriteString(a.stdout, map[string]string{
		"bash": "# friendsweep completion bash > /etc/bash_completion.d/friendsweep\n" +
			"complete -o default -C friendsweep friendsweep\n",
		"zsh": "# source <(friendsweep completion zsh)\n" +
			"autoload -U +X bashcompinit && bashcompinit\n" +
			"complete -o default -C friendsweep friendsweep\n",
		"fish": "# friendsweep completion fish > ~/.config/fish/completions/friendsweep.fish\n" +
			"function __complete_friendsweep\n" +
			"    set -lx COMP_LINE (commandline -cp)\n" +
			"    test -z (commandline -ct); and set COMP_LINE \"$COMP_LINE \"\n" +
			"    friendsweep\n" +
			"end\n" +
			"complete -c friendsweep -a \"(__complete_friendsweep)\"\n",
	}[c.Shell])
	return err
}

// predictors are what the shell may offer for arguments and values, by the word in their predictor tag.
var predictors = map[string]complete.Predictor{
	"file":   complete.PredictFiles("*"),
	"region": complete.PredictSet(chat.Regions()...),
	"report": complete.PredictFunc(reportFiles),
}

// reportFiles are the reports that are there or have a journal, and folders; any file where there is none.
func reportFiles(args complete.Args) []string {
	found := complete.PredictFiles("*.report.csv").Predict(args)
	for _, name := range complete.PredictFiles("*.journal").Predict(args) {
		found = append(found, strings.TrimSuffix(name, ".journal"))
	}
	slices.Sort(found)
	found = slices.Compact(found)
	isFolder := func(name string) bool {
		info, err := os.Stat(name)
		return err == nil && info.IsDir()
	}
	if !slices.ContainsFunc(found, func(name string) bool { return !isFolder(name) }) {
		return complete.PredictFiles("*").Predict(args)
	}
	return found
}
