package cli

import "io"

// completionCommand is `friendsweep completion`.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
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
