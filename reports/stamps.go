package reports

import (
	"time"

	"friendsweep/reports/terminal"
)

// stampCache formats times of a millisecond. The rows of one answer share their time, but lie far apart in a shuffled
// input: it remembers the last few thousand.
type stampCache struct {
	slots [4096]struct {
		ms   int64
		text string
	}
}

func (s *stampCache) text(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	ms := at.UnixMilli()
	slot := &s.slots[ms&int64(len(s.slots)-1)]
	if slot.ms != ms {
		slot.ms, slot.text = ms, terminal.Stamp(at)
	}
	return slot.text
}
