package send

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"friendsweep/batch/chat"
	"friendsweep/reports/journal"
)

// What is in flight when a stop ends the run gets its answer, and that is on record. Nothing else leaves any more: often,
// because a request that does would be a matter of chance.
func TestRequestsInFlightFinish(t *testing.T) {
	for range 30 {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, single(100), false, func(n int, _ string, to []string) reply {
				if n == 3 {
					return refusal(70009)
				}
				time.Sleep(time.Second)
				return items(to, nil)
			})
			var stop *Stop
			if err := f.run(t.Context()); !errors.As(err, &stop) || !strings.Contains(stop.Reason, "70009") {
				t.Fatalf("got %v, want a stop for 70009", err)
			}
			if got := f.outcomes()[isDeleted]; got != 3 || len(f.requests) != 4 || f.unanswered != 0 {
				t.Errorf("got %d deleted of %d requests and %d rows without an answer, want 3 of 4 and none", got, len(f.requests), f.unanswered)
			}
			if got := f.Stats.Decided.Load(); got != 3 {
				t.Errorf("got %d rows decided, want 3", got)
			}
		})
	}
}

func TestWhatEndsTheRun(t *testing.T) {
	signal := errors.New("ctrl-C")
	isStop := func(word string) func(error) bool {
		return func(err error) bool {
			var stop *Stop
			return errors.As(err, &stop) && strings.Contains(stop.Reason, word)
		}
	}
	for _, tc := range []struct {
		name string
		// serve answers the requests of two accounts, which arrive at the same moment.
		serve func(f *fixture, interrupt func(error), account string) reply
		want  func(error) bool
	}{
		{"a fault after a stop", func(f *fixture, _ func(error), account string) reply {
			if account == "a0" {
				return refusal(70009)
			}
			time.Sleep(time.Second)
			f.journal.Close()
			return refusal(30003)
		}, func(err error) bool { return errors.Is(err, os.ErrClosed) }},
		{"a stop after a signal", func(_ *fixture, interrupt func(error), _ string) reply {
			interrupt(signal)
			time.Sleep(time.Second)
			return refusal(70009)
		}, isStop("70009")},
		{"a stop after another", func(_ *fixture, _ func(error), account string) reply {
			if account == "a0" {
				return refusal(70009)
			}
			time.Sleep(time.Second)
			return refusal(70020)
		}, isStop("70009")},
		{"a stop after the time box", func(*fixture, func(error), string) reply {
			time.Sleep(time.Minute)
			return refusal(70009)
		}, isStop("--max-duration")},
		{"the time box after a stop", func(_ *fixture, _ func(error), account string) reply {
			if account == "a0" {
				return refusal(70009)
			}
			time.Sleep(time.Minute)
			return refusal(30003)
		}, isStop("70009")},
		{"a signal", func(_ *fixture, interrupt func(error), _ string) reply {
			interrupt(signal)
			return refusal(30006)
		}, func(err error) bool { return err == signal }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, interrupt := context.WithCancelCause(t.Context())
				var f *fixture
				f = newFixture(t, single(10), false, func(_ int, account string, _ []string) reply {
					time.Sleep(time.Millisecond) // until both are there
					return tc.serve(f, interrupt, account)
				})
				f.Workers, f.timeout, f.Deadline = 2, 2*time.Minute, time.Now().Add(30*time.Second)
				if err := f.run(ctx); !tc.want(err) {
					t.Errorf("got %v", err)
				}
				if len(f.requests) != 2 {
					t.Errorf("got %d requests, want the 2 in flight", len(f.requests))
				}
			})
		})
	}
}

// A stop after the last answer changes nothing, and one before the mirrors is a stop.
func TestAStopAndWhatIsLeft(t *testing.T) {
	for _, tc := range []struct {
		name, csv string
		settled   []int64 // lines, by earlier runs
		stops     bool
	}{
		{"nothing", "a,b\n", nil, false},
		{"another pair", "a,b\na,c\n", nil, true},
		{"another account", "a,b\nc,d\n", nil, true},
		{"another account that is settled", "a,b\nc,d\n", []int64{3}, false},
		{"another account that is settled in part", "a,b\nc,d\nc,e\n", []int64{3}, true},
		{"a mirror", "a,b\nb,a\n", nil, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, tc.csv, true, func(int, string, []string) reply { return refusal(30003) })
				f.Workers, f.ChunkSize, f.MaxFailures = 1, 1, Failures{Count: 1}
				f.History = &journal.History{Final: bits(f.in.LastLine, tc.settled...), Lost: bits(f.in.LastLine)}
				var stop *Stop
				if err := f.run(t.Context()); errors.As(err, &stop) != tc.stops || (err != nil) != tc.stops || tc.stops && stop.Asked {
					t.Errorf("got %v, want a stop: %v", err, tc.stops)
				}
				if len(f.requests) != 1 {
					t.Errorf("got %d requests, want 1", len(f.requests))
				}
			})
		})
	}
}

// Accounts that back off hand their places to others, but only so many that memory stays bounded.
func TestAccountsInBackoffAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, single(100), false, func(n int, _ string, to []string) reply {
			if n < 100 {
				return refusal(30006)
			}
			return items(to, nil)
		})
		f.Workers, f.MaxAttempts, f.BackoffInitial, f.BackoffMax = 3, 100, time.Minute, time.Minute
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		begun := 0
		for _, r := range f.requests {
			if r.at < 10*time.Second {
				begun++
			}
		}
		if begun != 4*f.Workers {
			t.Errorf("got %d accounts begun before the first retry, want %d", begun, 4*f.Workers)
		}
		if got := f.outcomes()[isDeleted]; got != 100 || f.most > f.Workers {
			t.Errorf("got %d deleted with %d requests in flight, want 100 with at most %d", got, f.most, f.Workers)
		}
	})
}

// Where all accounts back off, the one place goes round: none waits for another that waits for it.
func TestOnePlaceGoesRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[string]int{}
		f := newFixture(t, single(30), false, func(_ int, account string, to []string) reply {
			if seen[account]++; seen[account] < 4 {
				return refusal(30008)
			}
			return items(to, nil)
		})
		f.Workers = 1
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := f.outcomes()[isDeleted]; got != 30 || len(f.requests) != 4*30 {
			t.Errorf("got %d deleted by %d requests, want 30 by %d", got, len(f.requests), 4*30)
		}
	})
}

// An interrupt does not wait for the end of a backoff, nor for a place after it.
func TestInterruptInBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancelCause(t.Context())
		why := errors.New("ctrl-C")
		f := newFixture(t, single(100), false, func(int, string, []string) reply { return refusal(30006) })
		f.Workers, f.BackoffInitial, f.BackoffMax = 2, time.Hour, time.Hour
		time.AfterFunc(time.Minute, func() { interrupt(why) })
		if err := f.run(ctx); err != why {
			t.Errorf("got %v, want %v", err, why)
		}
		if took := time.Since(f.start); took != time.Minute {
			t.Errorf("took %s, want 1m0s", took)
		}
		if got := f.Stats.InBackoff.Load(); got != 0 {
			t.Errorf("got %d accounts in backoff after the run, want 0", got)
		}
	})
}

// An account that ends the run keeps its place, for which another may wait after its backoff.
func TestAStopWhileAnotherWaitsForItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, single(2), false, func(n int, _ string, to []string) reply {
			if n == 0 {
				return refusal(30006)
			}
			time.Sleep(10 * time.Second)
			return refusal(70009)
		})
		f.Workers, f.BackoffInitial, f.BackoffMax = 1, time.Second, time.Second
		var stop *Stop
		if err := f.run(t.Context()); !errors.As(err, &stop) || len(f.requests) != 2 {
			t.Errorf("got %v after %d requests, want a stop after 2", err, len(f.requests))
		}
	})
}

func TestIsOut(t *testing.T) {
	for _, tc := range []struct {
		name                  string
		sent, answered, since int64 // numbers of requests
		row                   failures
		want                  bool
	}{
		{"no answer in this run", 8, 0, 1, failures{count: 8}, true},
		{"an answer of the API", 8, 0, 1, failures{count: 8, answered: true}, false},
		{"others were answered since", 20, 9, 5, failures{count: 8}, false},
		{"others were sent since, and not answered", 13, 5, 5, failures{count: 8}, true},
		{"nothing but the row itself was sent since", 12, 5, 5, failures{count: 8}, false},
	} {
		seen := &api{answered: tc.answered}
		seen.sent.Store(tc.sent)
		tc.row.since = tc.since
		if got := seen.isOut(&tc.row); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}

// One answer of the API among a row's failures is enough to give the row up.
func TestAnAnswerAmongFailures(t *testing.T) {
	for _, tc := range []struct {
		kinds []chat.Kind
		want  bool
	}{
		{[]chat.Kind{chat.LostFault, chat.DialFault, chat.HTTP5xx}, true},
		{[]chat.Kind{chat.Envelope, chat.LostFault, chat.LostFault}, false},
		{[]chat.Kind{chat.LostFault, chat.Envelope, chat.LostFault}, false},
		{[]chat.Kind{chat.LostFault, chat.LostFault, chat.Envelope}, false},
	} {
		var seen api
		var row failures
		for _, kind := range tc.kinds {
			seen.sent.Add(1)
			row.add(&seen, kind)
		}
		if got := seen.isOut(&row); got != tc.want || row.count != 3 || row.since != 1 {
			t.Errorf("%v: got an outage: %v, %d failures since request %d; want %v, 3 since 1", tc.kinds, got, row.count, row.since, tc.want)
		}
	}
}

// interrupting is a journal during whose first sync the run is interrupted.
type interrupting struct {
	*journal.Journal
	interrupt func()
}

func (j interrupting) Before(account string, lines []int64) (int64, error) {
	defer j.interrupt()
	return j.Journal.Before(account, lines)
}

func TestARequestThatDidNotLeaveIsWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		f := newFixture(t, single(10), false, ok)
		f.Workers, f.Journal = 1, interrupting{f.journal, interrupt}
		if err := f.run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
		if len(f.requests) != 0 || f.announced != 1 || f.unanswered != 0 || len(f.rows) != 0 {
			t.Errorf("got %d requests, %d announced, %d rows unanswered, %d carried; want 0, 1, 0, 0",
				len(f.requests), f.announced, f.unanswered, len(f.rows))
		}
	})
}
