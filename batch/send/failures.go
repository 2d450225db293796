package send

import (
	"fmt"
	"strconv"
	"strings"
)

// Failures is the number of refused and given up rows at which a run stops: a count, or a percentage of the rows
// decided in this run. The zero value never stops.
type Failures struct {
	Count   int64 // rows, at least 1; 0 for a percentage
	Percent int   // 1 to 100; 100 never stops
}

// A percentage says little about few rows or a single account, so it counts from here on.
const (
	percentRows     = 1000
	percentAccounts = 10
)

// UnmarshalText reads 500 or 5%.
func (f *Failures) UnmarshalText(text []byte) error {
	word, percent := strings.CutSuffix(string(text), "%")
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil || n < 1 || percent && n > 100 {
		return fmt.Errorf("%q is neither a number of rows (1 or more) nor a percentage (1%% to 100%%)", text)
	}
	*f = Failures{Count: n}
	if percent {
		*f = Failures{Percent: int(n)}
	}
	return nil
}

// String is what UnmarshalText reads.
func (f Failures) String() string {
	if f.Count > 0 {
		return strconv.FormatInt(f.Count, 10)
	}
	return strconv.Itoa(f.Percent) + "%"
}

// ReachedBy tells whether bad of all rows are too many. A percentage counts from 1000 rows on.
func (f Failures) ReachedBy(bad, all int64) bool { return f.reached(bad, all, percentAccounts) }

// reached tells whether failed of decided rows, which belong to so many accounts, are too many.
func (f Failures) reached(failed, decided, accounts int64) bool {
	if f.Count > 0 {
		return failed >= f.Count
	}
	if f.Percent == 0 || f.Percent == 100 || decided < percentRows || accounts < percentAccounts {
		return false
	}
	return failed*100 >= decided*int64(f.Percent)
}
