package journal

import "fmt"

// Damage says that a journal cannot be trusted, or that a file is none. Nothing was changed.
type Damage struct{ err error }

// Error says what is wrong where, and on a second line what can be done.
func (d *Damage) Error() string { return d.err.Error() }

// Unwrap is what is wrong.
func (d *Damage) Unwrap() error { return d.err }

// damage is an error about a line of a journal that cannot be trusted.
func damage(path string, line int64, why error) error {
	return &Damage{fmt.Errorf("reading %s line %d: %w\n"+
		"nothing was changed. Restore the journal from a copy; or begin anew with --overwrite, which keeps this one aside: "+
		"what was deleted already will then be answered as not_friend", path, line, why)}
}
