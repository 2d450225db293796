package reports

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// ShellQuote joins args to one command line that bash, zsh and ksh read back as exactly these arguments. Nothing in it
// disturbs the terminal it is shown on: what [Printable] would escape becomes octal escapes inside $'…'.
func ShellQuote(args ...string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = quoteArg(arg)
	}
	return strings.Join(quoted, " ")
}

func quoteArg(arg string) string {
	if strings.IndexFunc(arg, unshowable) >= 0 {
		return quoteEscaped(arg)
	}
	// Only the value is quoted, because people look for the flag's name.
	if name, value, ok := strings.Cut(arg, "="); ok && strings.HasPrefix(name, "--") && plain(name) {
		return name + "=" + quotePlain(value)
	}
	return quotePlain(arg)
}

func quotePlain(arg string) string {
	// A leading ~ or = is expanded by some shell.
	if plain(arg) && arg != "" && !strings.ContainsRune("~=", rune(arg[0])) {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

func plain(arg string) bool {
	return strings.IndexFunc(arg, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune("_@%+=:,./-~", r)
	}) < 0
}

func quoteEscaped(arg string) string {
	var b strings.Builder
	b.WriteString("$'")
	for i := 0; i < len(arg); {
		r, size := utf8.DecodeRuneInString(arg[i:])
		switch {
		case unshowable(r):
			for _, c := range []byte(arg[i : i+size]) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String() + "'"
}

// Next is a command that somebody may paste.
type Next struct {
	Input  string            // PAIRS: absolute, or - for standard input
	Report string            // absolute
	Flags  map[string]string // the flags of the run that is continued, without dashes; "true" for a switch
	Retry  bool              // also send the refused rows again
}

// Resume is the command that continues the run: its own flags and --resume. It never adds --yes. Where Input is - the
// same bytes must be given on standard input again, which the command cannot say.
func (n Next) Resume() string {
	args := []string{"friendsweep", "delete", "--resume"}
	if n.Retry {
		args = append(args, "--retry-failed")
	}
	for _, name := range slices.Sorted(maps.Keys(n.Flags)) {
		switch value := n.Flags[name]; {
		case slices.Contains([]string{"resume", "retry-failed", "overwrite", "report"}, name), value == "false":
		case value == "true":
			args = append(args, "--"+name)
		default:
			args = append(args, "--"+name+"="+value)
		}
	}
	return ShellQuote(append(args, "--report="+n.Report, n.Input)...)
}
