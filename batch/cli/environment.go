package cli

import (
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// Flags are also read from variables of this prefix; secrets from nothing but these variables and files.
const (
	envPrefix    = "FRIENDSWEEP"
	secretKeyEnv = envPrefix + "_SECRET_KEY"
	userSigEnv   = envPrefix + "_USERSIG"
)

// asked finds the value of a flag before the flags are parsed.
func asked(args []string, flag string) string {
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, flag+"="); ok {
			return value
		}
		if arg == flag && i+1 < len(args) {
			return args[i+1]
		}
	}
	return os.Getenv("FRIENDSWEEP_LOG_FORMAT")
}

// strangers warns of variables that look like ours and set nothing: a misspelt one must not go unnoticed. Those that
// Kubernetes makes for a service named friendsweep are not meant for us.
func (a *app) strangers(parser *kong.Kong) {
	known := map[string]bool{secretKeyEnv: true, userSigEnv: true}
	for _, command := range parser.Model.Children {
		for _, flag := range command.Flags {
			for _, env := range flag.Envs {
				known[env] = true
			}
		}
	}
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		kubernetes := strings.HasSuffix(name, "_PORT") || strings.Contains(name, "_PORT_") || strings.Contains(name, "_SERVICE_")
		if strings.HasPrefix(name, envPrefix+"_") && !known[name] && !kubernetes {
			a.log.Warn("the variable " + name + " is no flag's: it sets nothing")
		}
	}
}
