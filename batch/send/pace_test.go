package send

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func TestHowManyLeaveAtOnce(t *testing.T) {
	for _, tc := range []struct {
		rate float64
		want int
	}{{1, 1}, {99, 1}, {100, 2}, {200, 2}, {1000, 2}, {2000, 4}} {
		synctest.Test(t, func(t *testing.T) {
			p, start, got := newPace(tc.rate, 0), time.Now(), 0
			for p.wait(t.Context(), 1); time.Now().Equal(start); p.wait(t.Context(), 1) {
				got++
			}
			if got != tc.want {
				t.Errorf("at %v a second: got %d requests at once, want %d", tc.rate, got, tc.want)
			}
		})
	}
}

// The next request waits for the time that the rows of the last one take, no longer.
func TestTheTimeOfRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, start := newPace(0, 50), time.Now()
		for i := range 5 {
			p.wait(t.Context(), 10)
			if got, want := time.Since(start).Round(time.Millisecond), time.Duration(i)*200*time.Millisecond; got != want {
				t.Errorf("request %d left after %s, want %s", i, got, want)
			}
		}
	})
}

func isPace(got, want float64) bool { return math.Abs(got-want) < 0.001 }

// Requests that left before a cut, or right after it, do not cut once more.
func TestWhatCutsThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const full = 200 * headroom
		p, before := newPace(200, 0), time.Now()
		for _, step := range []struct {
			name  string
			after time.Duration
			early bool // the request left before the first cut
			want  float64
		}{
			{"the first answer", time.Second, false, full / 2},
			{"an answer to an older request", time.Second, true, full / 2},
			{"an answer to a newer request", 0, false, full / 4},
			{"another at once", cutAtMostEvery - 1, false, full / 4},
			{"another later", 1, false, full / 8},
		} {
			time.Sleep(step.after)
			left := time.Now()
			if step.early {
				left = before
			}
			if !p.throttled(left, false) {
				t.Errorf("%s: gave up", step.name)
			}
			if got := p.slowed(); !isPace(got, step.want) {
				t.Errorf("%s: got %v a second, want %v", step.name, got, step.want)
			}
		}
		for range 20 {
			time.Sleep(cutAtMostEvery)
			p.throttled(time.Now(), false)
		}
		if got := p.slowed(); got != slowest {
			t.Errorf("got %v a second after many cuts, want %v", got, slowest)
		}
	})
}

// A pace that is below the slowest anyway is not raised by a cut.
func TestASlowPaceIsNotCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(0.5, 0)
		if p.throttled(time.Now(), false); p.slowed() != 0 || p.now != p.full {
			t.Errorf("got %v a second, want the %v that were asked for", p.now, p.full)
		}
	})
}

// For each second without "too frequent" the pace climbs by a twentieth of the full one; a pause without answers is worth one
// second.
func TestTheClimb(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const full = 200 * headroom
		p := newPace(200, 0)
		p.throttled(time.Now(), false)
		for _, step := range []struct {
			after time.Duration
			want  float64
		}{{time.Second, 0.55 * full}, {500 * time.Millisecond, 0.575 * full}, {time.Minute, 0.625 * full}, {0, 0.625 * full}} {
			time.Sleep(step.after)
			if p.answered(); !isPace(p.slowed(), step.want) {
				t.Errorf("got %v a second %s after the last answer, want %v", p.slowed(), step.after, step.want)
			}
		}
	})
}

// Without a limit a cut halves what was sent in this second or the one before, at least the documented limit.
func TestACutWithoutALimit(t *testing.T) {
	for _, tc := range []struct {
		name string
		sent []int // in each second; after the last one comes "too frequent"
		want float64
	}{
		{"few", []int{50}, documented / 2},
		{"in this second", []int{1000}, 500},
		{"in the second before", []int{1000, 10}, 500},
		{"earlier", []int{1000, 10, 10}, documented / 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPace(0, 0)
				for i, n := range tc.sent {
					if i > 0 {
						time.Sleep(time.Second)
					}
					for range n {
						p.wait(t.Context(), 1)
					}
				}
				if p.throttled(time.Now(), false); !isPace(p.slowed(), tc.want) {
					t.Errorf("got %v a second, want %v", p.slowed(), tc.want)
				}
			})
		})
	}
}

// Without a limit the pace climbs by a twentieth of itself a second, until it is more than twice what is sent: then it holds
// nothing up any more, and is gone.
func TestTheClimbWithoutALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(0, 0)
		for range 1000 {
			p.wait(t.Context(), 1)
		}
		p.throttled(time.Now(), false)
		time.Sleep(time.Second)
		if p.answered(); !isPace(p.slowed(), 525) {
			t.Errorf("got %v a second, want 525", p.slowed())
		}
		time.Sleep(500 * time.Millisecond)
		if p.answered(); !isPace(p.slowed(), 525*1.025) {
			t.Errorf("got %v a second half a second later, want %v", p.slowed(), 525*1.025)
		}
		for range 2 { // two seconds in which little is sent: 200 a second would be twice the least that counts
			time.Sleep(time.Second)
			p.wait(t.Context(), 1)
		}
		if p.answered(); p.slowed() != 0 {
			t.Errorf("got %v a second, want none, because hardly anything is sent", p.slowed())
		}
	})
}

func TestWhenThePaceGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(200, 0)
		for _, step := range []struct {
			name   string
			answer bool // another answer comes first
			after  time.Duration
			want   bool
		}{
			{"the first", false, 0, true},
			{"just before the end", false, giveUpAfter - 1, true},
			{"after another answer", true, giveUpAfter, true},
			{"just before the end again", false, giveUpAfter - 1, true},
			{"at the end", false, 1, false},
		} {
			time.Sleep(step.after)
			if step.answer {
				p.answered()
			}
			if got := p.throttled(time.Now(), false); got != step.want {
				t.Errorf("%s: got %v, want %v", step.name, got, step.want)
			}
		}
	})
}

func TestThePaceAmongTheFigures(t *testing.T) {
	var s Stats
	if got := s.Pace(); got != 0 {
		t.Errorf("got %v before the run, want 0", got)
	}
	s.pace.Store(newPace(200, 0))
	if got := s.Pace(); got != 0 {
		t.Errorf("got %v at full pace, want 0", got)
	}
	s.pace.Load().throttled(time.Now(), false)
	if got := s.Pace(); !isPace(got, 100*headroom) {
		t.Errorf("got %v after a cut, want %v", got, 100*headroom)
	}
}
