package sandbox

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever the calls do, no second holds more calls than the limit, and none is refused that the limit has room for.
func TestPaceHoldsInEverySecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Float64Range(0.1, 30).Draw(t, "limit")
		if rapid.Bool().Draw(t, "whole") {
			limit = math.Ceil(limit)
		}
		p, now := newPace(limit), time.Unix(0, 0)
		var passed []time.Time
		for _, gap := range rapid.SliceOfN(rapid.IntRange(0, 300), 1, 300).Draw(t, "gaps in ms") {
			now = now.Add(time.Duration(gap) * time.Millisecond)
			if !p.pass(now) {
				if got := within(passed, now, p.window); got < p.most {
					t.Fatalf("got a refusal with %d calls in the last %v, want it let through", got, p.window)
				}
				continue
			}
			passed = append(passed, now)
			if got := within(passed, now, time.Second); float64(got) > math.Ceil(limit) {
				t.Fatalf("got %d calls in a second, want at most %v", got, limit)
			}
			span := now.Sub(passed[0])
			if most := limit*span.Seconds() + float64(p.most) + 1e-6; float64(len(passed)) > most {
				t.Fatalf("got %d calls in %v, want at most %v", len(passed), span, most)
			}
		}
	})
}

// within counts the times in the span before at, at that long ago excluded.
func within(times []time.Time, at time.Time, span time.Duration) (n int) {
	for _, t := range times {
		if at.Sub(t) < span {
			n++
		}
	}
	return n
}

func TestPaceOfHeadroom(t *testing.T) {
	for _, tt := range []struct {
		limit  float64
		most   int
		window time.Duration
	}{
		{0, 0, 0},
		{-1, 0, 0},
		{math.NaN(), 0, 0},
		{math.Inf(1), 0, 0},
		{200, 200, time.Second},
		{1.1 * 200, 220, time.Second},
		{0.5, 1, 2 * time.Second},
		{2.5, 3, 1200 * time.Millisecond},
	} {
		p := newPace(tt.limit)
		if p.most != tt.most || p.window != tt.window {
			t.Errorf("%v: got %d in %v, want %d in %v", tt.limit, p.most, p.window, tt.most, tt.window)
		}
	}
}

func TestPairsAreOrdered(t *testing.T) {
	f := newFriends()
	a, b := f.ident([]byte("a")), f.ident([]byte("b"))
	if pairOf(a, b) == pairOf(b, a) {
		t.Error("got one ident for both directions, want two")
	}
	if f.shard(a, b) != f.shard(b, a) {
		t.Error("got two shards for one friendship, want one")
	}
}

// An ID that is nothing but a beginning has its meaning, too, and a busy one gives in for good.
func TestSpecials(t *testing.T) {
	for id, want := range map[string]int{"missing-": codeNoAccount, "missing-x": codeNoAccount, "missing": 0, "xmissing-": 0, "busy-30008-": codeConflict, "": 0} {
		if got := specialCode([]byte(id)); got != want {
			t.Errorf("%q: got %d, want %d", id, got, want)
		}
	}
	var m meetings
	for i, want := range []uint8{0, 1, 2, 2, 2} {
		if got := m.next(ident{1}); got != want {
			t.Errorf("met for time %d: got %d times before, want %d", i+1, got, want)
		}
	}
	if got := m.next(ident{2}); got != 0 {
		t.Errorf("another: got %d times before, want 0", got)
	}
}
