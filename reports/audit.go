package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"friendsweep/reports/terminal"
)

// Audit is what an audit found. The JSON names are a promise to scripts.
type Audit struct {
	Checks   []Check `json:"checks"`
	ExitCode int     `json:"exit_code"`
	Report   string  `json:"report"`
}

// Check is one thing that an audit looked at.
type Check struct {
	What   string `json:"what"` // journal, input or report
	Holds  bool   `json:"holds"`
	Detail string `json:"detail"` // the figure that was checked, or what does not hold and in which line
}

// Holds reports whether everything does.
func (a *Audit) Holds() bool {
	return !slices.ContainsFunc(a.Checks, func(c Check) bool { return !c.Holds })
}

// WriteJSON writes it as one JSON object.
func (a *Audit) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(a)
}

// WriteText writes a line for each check.
func (a *Audit) WriteText(w io.Writer) error {
	for _, check := range a.Checks {
		holds := "holds"
		if !check.Holds {
			holds = "DOES NOT HOLD"
		}
		if _, err := fmt.Fprintf(w, "%-7s  %s: %s\n", check.What, holds, terminal.Printable(check.Detail)); err != nil {
			return err
		}
	}
	return nil
}
