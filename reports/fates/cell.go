package fates

import (
	"friendsweep/reports/journal"
)

// cell is what is known of one row while its bucket is in memory: 48 bytes, because there are 2^18 of them.
type cell struct {
	at       int64 // Unix milliseconds of the last answer, or of the last request where none came
	of       int64 // of a repeat: the line of the first; of a duplicate: where the result stands
	code     int64
	attempts uint32
	text     int32 // 0 is none, n the nth common text, -n the nth own text of the bucket
	outcome  journal.Outcome
	first    journal.Outcome // of a duplicate
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

// apply is what a deed does to a row. The last word counts, but for rows the API has said deleted or not_friend about:
// what happened to a friendship cannot be undone by a later answer. A refused row may be sent again.
func (c *cell) apply(d *journal.Deed, text int32) {
	c.flags |= touched
	if d.Carried {
		c.attempts++
	}
	if c.outcome == journal.Deleted || c.outcome == journal.NotFriend {
		return
	}
	if d.Carried {
		c.at = d.At
	}
	c.flags |= boolFlag(d.Lost, lost)
	c.outcome, c.code, c.text = d.Outcome, d.Code, text
	c.set(hasCode, d.HasCode)
	// A journal may claim a presumption only for a row that lost an answer. Without one the truth is what was answered.
	if d.Presumed && !c.has(lost) {
		c.outcome = journal.NotFriend
	}
	c.set(presumed, d.Presumed && c.outcome == journal.Deleted)
}

func boolFlag(on bool, flag uint8) uint8 {
	if on {
		return flag
	}
	return 0
}

// ends is the outcome at the end of the job's last run.
func (c *cell) ends() journal.Outcome {
	switch {
	case c.outcome != journal.Open:
		return c.outcome
	case c.attempts > 0 && c.has(lost):
		return journal.Unknown
	}
	return journal.NotSent
}

// standing is what a repeat needs to know of the row it repeats.
type standing struct {
	of       int64 // the line where the result stands
	outcome  journal.Outcome
	mirrored bool // seen from there, the friendship has its sides the other way round
	hasCode  bool
	code     int64
}

// stands is the standing of the row at line, for a repeat that is a mirror of it, or is not. The row itself may be a
// duplicate: then the result stands where its own does.
func (c *cell) stands(line int64, mirror bool) standing {
	s := standing{of: line, outcome: c.ends(), mirrored: mirror, hasCode: c.has(hasCode), code: c.code}
	if c.outcome == journal.Duplicate {
		s.of, s.outcome, s.mirrored = c.of, c.first, mirror != c.has(mirrored)
	}
	return s
}

// repeats makes the row a duplicate of a first with this standing, unless it has a result of its own. A mirror is a
// duplicate only of what was deleted, and then even where it was refused itself: nothing is left to be sent again. From the
// other side the API may say something else.
func (c *cell) repeats(s standing, mirror bool) {
	c.flags |= touched
	c.flags &^= waiting
	settled := c.outcome == journal.Deleted || c.outcome == journal.NotFriend || c.outcome == journal.Refused && !mirror
	if settled || mirror && s.outcome != journal.Deleted {
		return
	}
	*c = cell{outcome: journal.Duplicate, first: s.outcome, of: s.of, code: s.code, flags: touched}
	c.set(mirrored, s.mirrored)
	c.set(hasCode, s.hasCode)
}
