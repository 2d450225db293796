package fates

import (
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/outcome"
)

// cell is what is known of one row while its bucket is in memory: 40 bytes, because 2^14 of them should fit into
// a processor's cache.
type cell struct {
	at       int64 // Unix milliseconds of the last answer, or of the last request where none came
	of       int64 // of a repeat: the line of the first; of a duplicate: where the result stands
	code     int64
	attempts uint32
	text     int32 // 0 is none, n the nth common text, -n the nth own text of the bucket
	outcome  outcome.Outcome
	first    outcome.Outcome // of a duplicate
	flags    uint8
}

const (
	touched  = 1 << iota // the journal or a repeat speaks of the row
	hasCode              // code is one
	lost                 // an answer was lost, in any run
	presumed             // the outcome is
	waiting              // a repeat whose first is in the same bucket, not looked at yet
	mirror               // of a repeat: the same friendship from the other side
	mirrored             // of a duplicate: where the result stands, the friendship is seen from the other side
)

func (c *cell) has(flag uint8) bool { return c.flags&flag != 0 }

func (c *cell) set(flag uint8, on bool) {
	c.flags &^= flag
	if on {
		c.flags |= flag
	}
}

// state is what the journal's rule looks at.
func (c *cell) state() outcome.State {
	return outcome.State{Outcome: c.outcome, Code: outcome.Code{Number: int(c.code), Given: c.has(hasCode)},
		Lost: c.has(lost), Presumed: c.has(presumed)}
}

// apply is what a change does to a row: [outcome.Call.After], and what the report wants to know besides.
func (c *cell) apply(call *outcome.Call, d *journal.Change, text int32) {
	c.flags |= touched
	if d.Carried {
		c.attempts++
	}
	if c.outcome.IsAnswer() {
		return
	}
	if d.Carried {
		c.at = d.At
	}
	now := call.After(c.state(), &d.Result)
	c.outcome, c.code, c.text = now.Outcome, int64(now.Code.Number), text
	c.set(hasCode, now.Code.Given)
	c.set(lost, now.Lost)
	c.set(presumed, now.Presumed)
}

func boolFlag(on bool, flag uint8) uint8 {
	if on {
		return flag
	}
	return 0
}

// ends is the outcome at the end of the job's last run.
func (c *cell) ends() outcome.Outcome { return c.state().AtEnd(c.attempts > 0) }

// forwarded is what a repeat needs to know of the row it repeats.
type forwarded struct {
	of       int64 // the line where the result stands
	outcome  outcome.Outcome
	mirrored bool // seen from there, the friendship has its sides the other way round
	code     outcome.Code
}

// forwarded is what a repeat of the row at line needs to know, which is a mirror of it or is not. The row may be a duplicate
// itself: then its result stands where that of its own first does.
func (c *cell) forwarded(line int64, mirror bool) forwarded {
	s := forwarded{of: line, outcome: c.ends(), mirrored: mirror, code: c.state().Code}
	if c.outcome == outcome.Duplicate {
		s.of, s.outcome, s.mirrored = c.of, c.first, mirror != c.has(mirrored)
	}
	return s
}

// repeats makes the row a duplicate of this first, unless it has a result of its own. A mirror is a duplicate only of a row
// whose answer settles it, and then even where it was refused itself: nothing is left to be sent again. From the other side
// the API may say something else.
func (c *cell) repeats(call *outcome.Call, s forwarded, mirror bool) {
	c.flags |= touched
	c.flags &^= waiting
	own := c.outcome.IsAnswer() || c.outcome == outcome.Refused && !mirror
	if own || mirror && !call.Settles(s.outcome) {
		return
	}
	*c = cell{outcome: outcome.Duplicate, first: s.outcome, of: s.of, code: int64(s.code.Number), flags: touched}
	c.set(mirrored, s.mirrored)
	c.set(hasCode, s.code.Given)
}
