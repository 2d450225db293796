package terminal

import (
	"fmt"
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
	if strings.IndexFunc(arg, Unshowable) >= 0 {
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
		case Unshowable(r):
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
