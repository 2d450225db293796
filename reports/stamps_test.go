package reports

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"friendsweep/reports/terminal"
)

// A time that was remembered in part is written like one that was not.
func TestStampsAreThoseOfTheTerminal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var cache stampCache
		from := rapid.Int64Range(-1<<45, 1<<45).Draw(t, "from")
		for range rapid.IntRange(1, 30).Draw(t, "times") {
			// Steps that come back to a second, to a slot, or to neither.
			from += rapid.SampledFrom([]int64{0, 1, -1, 999, 1000, 4096, 4096 * 1000, -4096 * 1000, 86_400_000}).Draw(t, "step")
			at := time.UnixMilli(from).UTC()
			if got, want := cache.text(at), terminal.Stamp(at); got != want {
				t.Fatalf("%d: got %q, want %q", from, got, want)
			}
		}
	})
	if got := new(stampCache).text(time.Time{}); got != "" {
		t.Errorf("the zero time: got %q, want nothing", got)
	}
	for _, at := range []time.Time{time.UnixMilli(0).UTC(), time.Unix(0, 999_999).UTC()} { // what an empty slot looks like
		if got, want := new(stampCache).text(at), terminal.Stamp(at); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// BenchmarkStamps is a run of ten minutes, whose answers come in no order of the input. CPU time says more than the clock
// on a shared machine.
func BenchmarkStamps(b *testing.B) {
	begin := time.Date(2026, 11, 23, 18, 26, 9, 0, time.UTC)
	at := func(i int) time.Time { return begin.Add(time.Duration(i*7919%600_000) * time.Millisecond) }
	for name, text := range map[string]func(time.Time) string{"cache": new(stampCache).text, "format": terminal.Stamp} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before, i := cpuTime(), 0
			for b.Loop() {
				text(at(i))
				i++
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}
