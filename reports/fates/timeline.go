package fates

import (
	"math/bits"
	"time"
)

// Timeline is when rows got their outcome and requests their answer: bucket i begins at Start + i*Width.
type Timeline struct {
	Start    time.Time
	Width    time.Duration // of one bucket
	Rows     []int64       // rows decided per bucket
	Requests []int64       // requests answered per bucket; as many as Rows
}

// Latency is how long requests took, from the first byte to the last. All zero where no request was answered.
type Latency struct {
	P50, P90, P99, Max time.Duration
}

// timelineBuckets is how fine a timeline is at most: as many as a page can show.
const timelineBuckets = 240

// timelineBuilder counts answers by time in buckets that grow with the run. It owns the counts.
type timelineBuilder struct {
	start, width   int64 // Unix milliseconds, milliseconds
	rows, requests [timelineBuckets]int64
	used           int
}

// add counts an answer. Clocks may go back: what lies before the first answer is counted with it.
func (t *timelineBuilder) add(at, rows int64) {
	if t.used == 0 {
		t.start, t.width, t.used = at/1000*1000, 1000, 1
	}
	i := max(0, at-t.start) / t.width
	for ; i >= timelineBuckets; i /= 2 {
		t.double()
	}
	t.rows[i] += rows
	t.requests[i]++
	t.used = max(t.used, int(i)+1)
}

// double makes every bucket twice as wide.
func (t *timelineBuilder) double() {
	for i := range timelineBuckets / 2 {
		t.rows[i] = t.rows[2*i] + t.rows[2*i+1]
		t.requests[i] = t.requests[2*i] + t.requests[2*i+1]
	}
	clear(t.rows[timelineBuckets/2:])
	clear(t.requests[timelineBuckets/2:])
	t.width *= 2
	t.used = (t.used + 1) / 2
}

func (t *timelineBuilder) timeline() Timeline {
	if t.used == 0 {
		return Timeline{}
	}
	return Timeline{
		Start:    time.UnixMilli(t.start).UTC(),
		Width:    time.Duration(t.width) * time.Millisecond,
		Rows:     append([]int64(nil), t.rows[:t.used]...),
		Requests: append([]int64(nil), t.requests[:t.used]...),
	}
}

// latencyBuilder counts durations in classes that are never wider than a 64th of the duration, and one millisecond
// wide below 128 ms. It owns the counts.
type latencyBuilder struct {
	n      int64
	max    int64
	counts [64 * 34]int64
}

const finest = 64 // classes between one power of two and the next

func (l *latencyBuilder) add(ms int64) {
	ms = min(max(ms, 0), 1<<38)
	l.n++
	l.max = max(l.max, ms)
	l.counts[latencyClass(ms)]++
}

func latencyClass(ms int64) int {
	if ms < 2*finest {
		return int(ms)
	}
	shift := bits.Len64(uint64(ms)) - 7
	return shift*finest + int(ms>>shift)
}

// latencyOf is the longest duration of the class.
func latencyOf(class int) int64 {
	if class < 2*finest {
		return int64(class)
	}
	shift := class/finest - 1
	return (int64(class-shift*finest)+1)<<shift - 1
}

// quantile is the shortest duration that share of all, 0 to 1, did not exceed.
func (l *latencyBuilder) quantile(share float64) time.Duration {
	need := max(1, int64(share*float64(l.n)+0.999999))
	seen := int64(0)
	for class, n := range l.counts {
		if seen += n; seen >= need {
			return time.Duration(min(latencyOf(class), l.max)) * time.Millisecond
		}
	}
	return 0
}

func (l *latencyBuilder) latency() Latency {
	if l.n == 0 {
		return Latency{}
	}
	return Latency{
		P50: l.quantile(0.5), P90: l.quantile(0.9), P99: l.quantile(0.99),
		Max: time.Duration(l.max) * time.Millisecond,
	}
}
