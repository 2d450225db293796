package reports

import (
	"cmp"
	"slices"
	"time"

	"friendsweep/input"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal/outcome"
)

// Sample is one failed row, shown on the page as an example of its kind.
type Sample struct {
	Line     int64 // where the record starts in the input
	From, To string
	Info     string
	Attempts int
	At       time.Time // zero where nothing was sent
}

// SampleGroup is failed rows of one kind: of one code, or without a code of one outcome.
type SampleGroup struct {
	Outcome outcome.Outcome // where there is no code; else the outcome of the first sample
	Code    outcome.Code
	Rows    int64    // how many rows are of this kind
	Samples []Sample // the first of them, in input order
}

// failureKind is what the page groups failed rows by: the code, or the outcome of those without one.
type failureKind struct {
	outcome outcome.Outcome // Open for rows with a code
	code    outcome.Code
}

const (
	samplesPerKind = 100
	mostKinds      = 200 // the API has some sixty codes; one that invents more must not fill the memory
)

func (r *renderer) sample(rec *input.Record, fate *fates.Fate) {
	key := failureKind{code: fate.Code}
	if !fate.Code.Given {
		key = failureKind{outcome: fate.Outcome}
	}
	group := r.kinds[key]
	if group == nil {
		if len(r.kinds) == mostKinds {
			return
		}
		group = &SampleGroup{Outcome: fate.Outcome, Code: fate.Code}
		r.kinds[key] = group
	}
	group.Rows++
	if len(group.Samples) < samplesPerKind {
		group.Samples = append(group.Samples, Sample{
			Line: rec.Line, From: rec.From, To: rec.To, Info: fate.Info, Attempts: int(fate.Attempts), At: fate.At,
		})
	}
}

func (r *renderer) groups() []SampleGroup {
	all := make([]SampleGroup, 0, len(r.kinds))
	for _, group := range r.kinds {
		all = append(all, *group)
	}
	slices.SortFunc(all, func(a, b SampleGroup) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Code.Number, b.Code.Number), cmp.Compare(a.Outcome, b.Outcome))
	})
	return all
}
