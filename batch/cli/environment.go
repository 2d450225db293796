package cli

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Flags are also read from variables of this prefix; secrets from nothing but these variables and files.
const (
	envPrefix    = "FRIENDSWEEP"
	secretKeyEnv = envPrefix + "_SECRET_KEY"
	userSigEnv   = envPrefix + "_USERSIG"
)

// variable is the name of the variable that sets a flag.
func variable(flag string) string {
	return envPrefix + "_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// asked finds the value of a flag before the flags are parsed, or when they cannot be.
func asked(args []string, flag string) string {
	value := os.Getenv(variable(flag))
	for i, arg := range args {
		name, text, hasText := strings.Cut(arg, "=")
		switch {
		case arg == "--":
			return value
		case name == "--"+flag && hasText:
			value = text
		case name == "--"+flag && i+1 < len(args):
			value = args[i+1]
		}
	}
	return value
}

// switched is [asked] for a switch.
func switched(args []string, flag string) bool {
	if slices.Contains(args, "--"+flag) {
		return true
	}
	return slices.Contains([]string{"true", "1", "yes"}, strings.ToLower(asked(args, flag)))
}

// variables are the variables of the environment that have set a flag of the command, by the flag's name. A flag of the
// command line wins over its variable.
func variables(chosen *kong.Context) map[string]string {
	typed := map[string]bool{}
	for _, step := range chosen.Path {
		if step.Flag != nil {
			typed[step.Flag.Name] = true
		}
	}
	found := map[string]string{}
	for _, flag := range chosen.Flags() {
		for _, env := range flag.Envs {
			if os.Getenv(env) != "" && !typed[flag.Name] {
				found[flag.Name] = env
			}
		}
	}
	return found
}

var flagName = regexp.MustCompile(`--[a-z]+(?:-[a-z]+)*`)

// blame puts a variable's name where a message blames the flag that this variable has set: nobody looks for a flag that
// nobody typed.
func (a *app) blame(message string) string {
	return flagName.ReplaceAllStringFunc(message, func(name string) string {
		if env, ok := a.variables[name[2:]]; ok {
			return env
		}
		return name
	})
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

// completing tells whether a shell asks for what could follow, instead of carrying out anything.
func completing() bool { return os.Getenv("COMP_LINE") != "" }

// tempDir is where temporary files go. One that is not there is refused by the name that its user knows it by.
func tempDir() (string, error) {
	dir := os.TempDir()
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		err = cause(err)
	case !info.IsDir():
		err = errors.New("not a folder")
	default:
		return dir, nil
	}
	return "", fmt.Errorf("temporary files cannot be put into %s: %w\nset TMPDIR to a folder that is there", dir, err)
}

// terminalKind is what the environment says about the terminal: dumb, for example.
func terminalKind() string { return os.Getenv("TERM") }

// colorless is the wish for no colours: https://no-color.org.
func colorless() bool { return os.Getenv("NO_COLOR") != "" || terminalKind() == "dumb" }
