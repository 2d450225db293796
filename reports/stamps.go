package reports

import (
	"time"

	"friendsweep/reports/terminal"
)

// stampCache formats times of a millisecond. The rows of one answer share their time, but lie far apart in a shuffled
// input: it remembers the last few thousand. A long run has more milliseconds than that, and fewer seconds: from that of its
// second a time is made in less than half the time that formatting it takes (BenchmarkStamps).
type stampCache struct {
	millis, seconds [4096]struct {
		of   int64
		text string
	}
}

func (s *stampCache) text(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	ms := at.UnixMilli()
	slot := &s.millis[ms&int64(len(s.millis)-1)]
	if slot.of != ms || slot.text == "" {
		slot.of, slot.text = ms, s.fromSecond(at)
	}
	return slot.text
}

// fromSecond puts the milliseconds of at in the place of those in a text of the same second.
func (s *stampCache) fromSecond(at time.Time) string {
	second := at.Unix()
	slot := &s.seconds[second&int64(len(s.seconds)-1)]
	if slot.of != second || slot.text == "" {
		slot.of, slot.text = second, terminal.Stamp(at)
	}
	const digits = len("000Z")
	ms, end := at.Nanosecond()/1e6, len(slot.text)-digits
	text := append(make([]byte, 0, 32), slot.text[:end]...)
	return string(append(text, '0'+byte(ms/100), '0'+byte(ms/10%10), '0'+byte(ms%10), 'Z'))
}
