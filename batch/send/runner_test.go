package send

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"friendsweep/batch/chat"
	"friendsweep/input"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/outcome"
)

func TestRequestsAreTheSumOfChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, pairs("alice", 2500)+pairs("bob", 1000)+pairs("carol", 1), false, ok)
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(f.requests) != 3+1+1 {
			t.Errorf("got %d requests, want 5", len(f.requests))
		}
		if got := f.outcomes(); got[isDeleted] != 3501 {
			t.Errorf("got %v, want 3501 deleted", got)
		}
	})
}

func TestOnlyOpenItemsAreSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		codes := []int{30006, 30007, 30008}
		f := newFixture(t, pairs("alice", 10), false, func(n int, _ string, to []string) reply {
			if n < len(codes) {
				return items(to, func(id string) int {
					if id == "f3" || id == "f7" {
						return codes[n]
					}
					return 0
				})
			}
			if n < 2*len(codes) {
				return refusal(codes[n-3])
			}
			return items(to, nil)
		})
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, r := range f.requests[1:] {
			if want := []string{"f3", "f7"}; !slices.Equal(r.to, want) {
				t.Errorf("request %d: got %v, want %v", i+1, r.to, want)
			}
		}
		if got := f.rows[5].sent; got != 7 {
			t.Errorf("got %d attempts for f3, want 7", got)
		}
		if sent, again := f.Stats.Requests.Load(), f.Stats.Retried.Load(); sent != 7 || again != 6 {
			t.Errorf("got %d requests, %d of them again, want 7 and 6", sent, again)
		}
		if got := f.rows[2].sent; got != 1 {
			t.Errorf("got %d attempts for f0, want 1", got)
		}
	})
}

func TestLostAnswers(t *testing.T) {
	for _, tc := range []struct {
		name  string
		first reply
		dials int // that fail before the first request
		want  outcome.Outcome
	}{
		{"reset", reply{breaks: true}, 0, isDeleted},
		{"5xx", reply{status: 502}, 0, isDeleted},
		{"unreadable", reply{body: "<html>"}, 0, isDeleted},
		{"missing item", refusal(0), 0, isDeleted},
		{"30007", refusal(30007), 0, isDeleted},
		{"60008", refusal(60008), 0, isDeleted},
		{"60013", refusal(60013), 0, isDeleted},
		{"60014", refusal(60014), 0, isDeleted},
		{"item 30007", items([]string{"f0"}, func(string) int { return 30007 }), 0, isDeleted},
		{"dial", notFriends([]string{"f0"}), 1, isNotFriend},
		{"30006", refusal(30006), 0, isNotFriend},
		{"30008", refusal(30008), 0, isNotFriend},
		{"60007", refusal(60007), 0, isNotFriend},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, pairs("alice", 1), false, func(n int, _ string, to []string) reply {
					if n == 0 {
						return tc.first
					}
					return notFriends(to)
				})
				f.dials = tc.dials
				if err := f.run(t.Context()); err != nil {
					t.Fatal(err)
				}
				row := f.rows[2]
				if row.Outcome != tc.want || row.Code.Number != 31704 || row.Presumed != (tc.want == isDeleted) {
					t.Errorf("got %s, code %d, presumed %v; want %s, 31704", word(row.Outcome), row.Code.Number, row.Presumed, word(tc.want))
				}
			})
		})
	}
}

func TestOnly31704IsPresumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, pairs("alice", 1), false, func(n int, _ string, to []string) reply {
			if n == 0 {
				return reply{breaks: true}
			}
			return itemsSaying("Err_SNS_FriendDelete_Not_Friend", to, func(string) int { return 30001 })
		})
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if row := f.rows[2]; row.Outcome != isNotFriend || row.Presumed {
			t.Errorf("got %s, presumed %v; want not_friend", word(row.Outcome), row.Presumed)
		}
	})
}

func TestALostAnswerOfAnEarlierRunCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, pairs("alice", 2), false, func(_ int, _ string, to []string) reply {
			return notFriends(to)
		})
		f.History = &journal.History{Final: bits(3), Lost: bits(3, 3)}
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := []outcome.Outcome{f.rows[2].Outcome, f.rows[3].Outcome}; !slices.Equal(got, []outcome.Outcome{isNotFriend, isDeleted}) {
			t.Errorf("got %v, want [not_friend deleted]", got)
		}
	})
}

// What earlier runs have settled is passed over, in the middle of an account too.
func TestSettledRowsAreNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, pairs("alice", 5), false, ok)
		f.History = &journal.History{Final: bits(6, 2, 4), Lost: bits(6)}
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(f.requests) != 1 || !slices.Equal(f.requests[0].to, []string{"f1", "f3", "f4"}) {
			t.Errorf("got %v, want one request for f1, f3 and f4", f.requests)
		}
	})
}

func TestSplitting(t *testing.T) {
	bad := func(ids ...string) server {
		return func(_ int, _ string, to []string) reply {
			if slices.ContainsFunc(to, func(id string) bool { return slices.Contains(ids, id) }) {
				return refusal(30003)
			}
			return items(to, nil)
		}
	}
	var manyEarly []string
	for i := range 40 {
		manyEarly = append(manyEarly, fmt.Sprintf("f%d", 12*i))
	}
	// Of an account that is refused as a whole, as many requests look for the row to blame as may, and none more: but for its
	// first request, each chunk has one.
	for _, tc := range []struct {
		name    string
		serve   server
		rows    int
		most    int // requests
		least   int
		refused int
		untried bool // some are refused without a request of their own
	}{
		{"three bad rows among 1000", bad("f17", "f500", "f999"), 1000, 120, 1, 3, false},
		{"the first forty", bad("f0", "f1", "f2", "f39"), 1000, 120, 1, 4, false},
		{"forty bad rows in the first half", bad(manyEarly...), 1000, 1000, searchLimit + 1, 40, false},
		{"the account itself", func(int, string, []string) reply { return refusal(30003) }, 1000, searchLimit, searchLimit, 1000, true},
		{"an account of three chunks", func(int, string, []string) reply { return refusal(30003) }, 3000, searchLimit + 2, searchLimit + 2, 3000, true},
		{"one row", bad("f0"), 1, 1, 1, 1, false},
		{"a busy account", func(n int, account string, to []string) reply {
			if n < 2*searchLimit { // says nothing about its rows, so it is no search
				return refusal(30006)
			}
			return bad("f0")(n, account, to)
		}, 4, 2*searchLimit + 5, 2*searchLimit + 5, 1, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, pairs("alice", tc.rows), false, tc.serve)
				f.MaxAttempts = 1 // splitting does not use attempts up
				if tc.name == "a busy account" {
					f.MaxAttempts = 1000
				}
				if err := f.run(t.Context()); err != nil {
					t.Fatal(err)
				}
				if n := len(f.requests); n < tc.least || n > tc.most {
					t.Errorf("got %d requests, want %d to %d", n, tc.least, tc.most)
				}
				if got := f.outcomes(); got[outcome.Refused] != tc.refused || got[isDeleted] != tc.rows-tc.refused {
					t.Errorf("got %v, want %d refused of %d", got, tc.refused, tc.rows)
				}
				untried := false
				for _, row := range f.rows {
					untried = untried || strings.Contains(row.Info, "not tried alone")
				}
				if untried != tc.untried {
					t.Errorf("got rows that were not tried alone: %v, want %v", untried, tc.untried)
				}
			})
		})
	}
}

// Rows that were refused without a request of their own are failures like any other, and are on record or end the run.
func TestRefusedUntried(t *testing.T) {
	broken := errors.New("no room")
	for name, tc := range map[string]struct {
		max  Failures
		put  error // what the journal says
		want func(error) bool
	}{
		"too many of them": {Failures{Count: 900}, nil, func(err error) bool {
			var stop *Stop
			return errors.As(err, &stop) && strings.Contains(stop.Reason, "--max-failures is 900")
		}},
		"a journal that fails": {Failures{Percent: 100}, broken, func(err error) bool { return err == broken }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, pairs("alice", 1000)+pairs("bob", 1000), false, func(int, string, []string) reply { return refusal(30003) })
				f.Workers, f.MaxFailures, f.Journal = 1, tc.max, undecided{f.journal, tc.put}
				if err := f.run(t.Context()); !tc.want(err) {
					t.Errorf("got %v", err)
				}
				if len(f.requests) != searchLimit {
					t.Errorf("got %d requests, want those %d of the first account", len(f.requests), searchLimit)
				}
			})
		})
	}
}

// undecided is a journal that does not take rows without a request, if err is not nil.
type undecided struct {
	*journal.Journal
	err error
}

func (j undecided) Decide(account string, results []outcome.Result) error {
	if j.err != nil {
		return j.err
	}
	return j.Journal.Decide(account, results)
}

// 60004 is the credentials' fault as long as nothing has succeeded; after that it is a row's, which is searched for.
func TestACodeThatOnlyASuccessExplains(t *testing.T) {
	for _, tc := range []struct {
		name  string
		first reply
		stops bool
	}{
		{"after a success", items([]string{"f0", "f1"}, nil), false},
		{"after rows that failed in an accepted request", items([]string{"f0", "f1"}, func(string) int { return 30003 }), false},
		{"after a refusal", refusal(30006), true},
		{"after a lost answer", reply{breaks: true}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, pairs("alice", 6), false, func(n int, _ string, to []string) reply {
					switch {
					case n == 0:
						return tc.first
					case tc.stops || slices.Contains(to, "f4"):
						return refusal(60004)
					}
					return items(to, nil)
				})
				f.Workers, f.ChunkSize = 1, 2
				var stop *Stop
				if err := f.run(t.Context()); errors.As(err, &stop) != tc.stops || tc.stops && !strings.Contains(stop.Reason, "60004") {
					t.Fatalf("got %v, want a stop: %v", err, tc.stops)
				}
				if tc.stops {
					if len(f.requests) != 2 || len(f.outcomes()) != 1 || f.rows[2].Outcome != outcome.Open {
						t.Errorf("got %d requests, %v; want 2, and no row decided", len(f.requests), f.outcomes())
					}
					return
				}
				if got := f.rows[6]; got.Outcome != outcome.Refused || got.Code.Number != 60004 || f.rows[7].Outcome != isDeleted {
					t.Errorf("got %s, code %d for f4 and %s for f5; want refused, 60004, and deleted", word(got.Outcome), got.Code.Number, word(f.rows[7].Outcome))
				}
			})
		})
	}
}

// The code of a request is heard although every item has an answer of its own.
func TestACodeBesideItems(t *testing.T) {
	for _, tc := range []struct {
		name             string
		code, before     int // before: requests that succeed
		stops, throttled bool
	}{
		{"stops the run", 70009, 0, true, false},
		{"slows the run down", 60007, 0, false, true},
		{"stops before a success", 60004, 0, true, false},
		{"says nothing after one", 60004, 1, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, single(5), false, func(n int, _ string, to []string) reply {
					r := items(to, nil)
					if n == tc.before {
						r.body = strings.Replace(r.body, `"ErrorCode":0`, fmt.Sprintf(`"ErrorCode":%d`, tc.code), 1)
					}
					return r
				})
				f.Workers = 1
				var stop *Stop
				if err := f.run(t.Context()); errors.As(err, &stop) != tc.stops || tc.stops && !strings.Contains(stop.Reason, fmt.Sprint(tc.code)) {
					t.Errorf("got %v, want a stop: %v", err, tc.stops)
				}
				want := 5
				if tc.stops {
					want = 1
				}
				if got := f.outcomes()[isDeleted]; got != want || len(f.requests) != want {
					t.Errorf("got %d deleted by %d requests, want %d", got, len(f.requests), want)
				}
				if got := f.Stats.Throttled.Load() == 1; got != tc.throttled {
					t.Errorf("got %d answers that slow down, want one: %v", f.Stats.Throttled.Load(), tc.throttled)
				}
			})
		})
	}
}

func TestFiguresOfOutcomes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		codes := map[string]int{"f0": 0, "f1": 31704, "f2": 31704, "f3": 30003, "f4": 30006, "f5": 30003, "f6": 30003}
		f := newFixture(t, pairs("alice", 7), false, func(_ int, _ string, to []string) reply {
			return items(to, func(id string) int { return codes[id] })
		})
		f.MaxAttempts = 1
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string][2]int64{
			"decided": {f.Stats.Decided.Load(), 7}, "failed": {f.Stats.Failed.Load(), 4}, "unwanted": {f.Stats.Unwanted.Load(), 2},
			"in backoff": {f.Stats.InBackoff.Load(), 0}, "in pace": {f.Stats.InPace.Load(), 0},
		} {
			if got[0] != got[1] {
				t.Errorf("%s: got %d, want %d", name, got[0], got[1])
			}
		}
	})
}

// A row that was given up counts as much as one that was refused.
func TestGivenUpRowsAreFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, pairs("a", 2)+pairs("b", 2), false, func(_ int, _ string, to []string) reply {
			return items(to, func(id string) int { return map[string]int{"f0": 30006, "f1": 30003}[id] })
		})
		f.Workers, f.MaxAttempts, f.MaxFailures = 1, 1, Failures{Count: 2}
		var stop *Stop
		if err := f.run(t.Context()); !errors.As(err, &stop) || !strings.HasPrefix(stop.Reason, "2 of 2 rows") {
			t.Errorf("got %v, want a stop for 2 of 2 rows", err)
		}
		if len(f.requests) != 1 {
			t.Errorf("got %d requests, want 1", len(f.requests))
		}
	})
}

func TestGivingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, pairs("alice", 3), false, func(_ int, _ string, to []string) reply {
			return items(to, func(id string) int {
				if id == "f1" {
					return 30006
				}
				return 0
			})
		})
		f.MaxAttempts = 3
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if row := f.rows[3]; row.Outcome != outcome.GaveUp || row.Code.Number != 30006 || row.sent != 3 {
			t.Errorf("got %s, code %d, %d attempts; want gave_up, 30006, 3", word(row.Outcome), row.Code.Number, row.sent)
		}
	})
}

func TestStopCodesEndTheRun(t *testing.T) {
	for _, code := range []int{30002, 30004, 60006, 60020, 70003, 70009, 70016, 70020, 70050, 70403, 80005, 70999, 60004} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, single(500), false, func(int, string, []string) reply { return refusal(code) })
				f.Rate = 100
				err := f.run(t.Context())
				var stop *Stop
				if !errors.As(err, &stop) || !strings.Contains(stop.Reason, fmt.Sprint(code)) || stop.Hint == "" {
					t.Fatalf("got %v, want a stop that names %d and says what to check", err, code)
				}
				if len(f.requests) > f.Workers {
					t.Errorf("got %d requests, want at most the %d in flight", len(f.requests), f.Workers)
				}
				for line, row := range f.rows {
					if row.sent > 0 && (row.Outcome != outcome.Open || row.Lost) {
						t.Errorf("line %d: got %s, lost %v; want open, not lost", line, word(row.Outcome), row.Lost)
					}
				}
			})
		})
	}
}

func TestUndocumented60xxxIsRetriedThenStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, pairs("alice", 1), false, func(int, string, []string) reply { return refusal(60999) })
		var stop *Stop
		if err := f.run(t.Context()); !errors.As(err, &stop) {
			t.Fatalf("got %v, want a stop", err)
		}
		if len(f.requests) != f.MaxAttempts {
			t.Errorf("got %d requests, want %d", len(f.requests), f.MaxAttempts)
		}
	})
}

func TestAnExpiredSignatureIsRenewedOnce(t *testing.T) {
	for _, tc := range []struct {
		name   string
		renews bool
		codes  []int // of the first answers; then everything is deleted
		stops  bool
	}{
		{"renewed", true, []int{70001}, false},
		{"expired again", true, []int{70001, 70001}, true},
		{"fixed", false, []int{70001}, true},
		{"too frequent in between proves nothing", true, []int{70001, 60007, 70001}, true},
		{"expired a day later", true, []int{70001, 30006, 70001}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, pairs("alice", 1), false, func(n int, _ string, to []string) reply {
					if n < len(tc.codes) {
						return refusal(tc.codes[n])
					}
					return items(to, nil)
				})
				if !tc.renews {
					f.Signer = chat.FixedSigner("signature")
				}
				f.MaxAttempts = 2 // they do not count, but for 30006
				if err := f.run(t.Context()); (err != nil) != tc.stops {
					t.Errorf("got %v, want a stop: %v", err, tc.stops)
				}
			})
		})
	}
}

func TestAnOutageGivesNoRowUp(t *testing.T) {
	for _, tc := range []struct {
		name  string
		serve server // nil: nobody listens
		stops bool
	}{
		{"nobody listens", nil, true},
		{"a page instead of answers", func(int, string, []string) reply { return reply{body: "<html>"} }, true},
		{"it goes away in the middle", func(n int, _ string, to []string) reply {
			if n < 10 {
				return items(to, nil)
			}
			return reply{leaves: true}
		}, true},
		{"one account fails alone", func(_ int, account string, to []string) reply {
			if account == "a3" {
				return reply{breaks: true}
			}
			return items(to, nil)
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, single(500), false, tc.serve)
				f.Rate, f.MaxAttempts, f.down = 20, 4, tc.serve == nil
				err := f.run(t.Context())
				var stop *Stop
				if errors.As(err, &stop) != tc.stops {
					t.Fatalf("got %v, want a stop: %v", err, tc.stops)
				}
				if tc.stops && (!strings.Contains(stop.Reason, "connection refused") && !strings.Contains(stop.Reason, "HTML") || f.outcomes()[outcome.GaveUp] > 0) {
					t.Errorf("got %q and %v, want the cause, and no row given up", stop.Reason, f.outcomes())
				}
				if !tc.stops && f.outcomes()[outcome.GaveUp] != 1 {
					t.Errorf("got %v, want one row given up", f.outcomes())
				}
			})
		})
	}
}

// A row that waits for the pace was certainly not sent: nothing about it may be in the journal.
func TestTheJournalComesAfterThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, single(100), false, ok)
		f.Rate, f.Workers = 2, 64
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		f.run(ctx)
		if sent := len(f.requests); f.announced > sent {
			t.Errorf("got %d lines about requests, want those of the %d that left", f.announced, sent)
		}
	})
}

// 31704 for a whole request is split until every row has its own answer, however many requests that takes.
func TestNotFriendForAWholeRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, pairs("alice", 300), false, func(int, string, []string) reply { return refusal(31704) })
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := f.outcomes(); got[isNotFriend] != 300 {
			t.Errorf("got %v, want 300 not_friend", got)
		}
	})
}

func TestRowRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, pairs("alice", 300)+pairs("bob", 300)+single(50), false, ok)
		f.RowRate, f.ChunkSize = 50, 100
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		rows := 0
		for _, r := range f.requests {
			if most := int(r.at.Seconds()*f.RowRate) + 1; rows > most {
				t.Errorf("%d rows left before %s, want at most %d", rows, r.at, most)
			}
			rows += len(r.to)
		}
	})
}

// One early "too frequent" must not leave a run without a limit at the slowest pace.
func TestAnEarlyTooFrequentWithoutALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, single(400), false, func(n int, _ string, to []string) reply {
			if n == 0 {
				return refusal(60007)
			}
			return items(to, nil)
		})
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(f.start); took > 8*time.Second {
			t.Errorf("took %s, want the 4 s that half of the documented limit allows", took)
		}
	})
}

func TestTooFrequentSlowsTheWholeRunDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var accepted []time.Time
		f := newFixture(t, single(2000), false, func(_ int, _ string, to []string) reply {
			mu.Lock()
			defer mu.Unlock()
			now := time.Now()
			for len(accepted) > 0 && now.Sub(accepted[0]) >= time.Second {
				accepted = accepted[1:]
			}
			if len(accepted) >= 50 {
				return refusal(60007)
			}
			accepted = append(accepted, now)
			return items(to, nil)
		})
		f.Workers, f.Rate, f.MaxAttempts = 16, 200, 1
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		rejected := int(f.Stats.Throttled.Load())
		if rejected == 0 || rejected*3 >= len(f.requests) {
			t.Errorf("got %d of %d requests rejected, want some, but fewer than a third", rejected, len(f.requests))
		}
		if got := f.outcomes(); got[isDeleted] != 2000 {
			t.Errorf("got %v, want all deleted", got)
		}
		if took := time.Since(f.start); took > 80*time.Second {
			t.Errorf("took %s, want about the 40 s that 50 a second allow", took)
		}
	})
}

func TestThePaceRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(200, 0)
		p.throttled(time.Now(), false)
		if got := p.slowed(); got == 0 || got > 100 {
			t.Fatalf("got %v after a cut, want at most half", got)
		}
		for range 15 {
			time.Sleep(time.Second)
			p.answered()
		}
		if got := p.slowed(); got != 0 {
			t.Errorf("got %v after 15 seconds, want the full pace", got)
		}
	})
}

func TestTenMinutesOfTooFrequentStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, single(50), false, func(int, string, []string) reply { return refusal(31707) })
		f.Rate = 200
		var stop *Stop
		if err := f.run(t.Context()); !errors.As(err, &stop) || !strings.Contains(stop.Reason, "too frequent") {
			t.Fatalf("got %v, want a stop", err)
		}
		if took := time.Since(f.start); took < giveUpAfter || took > giveUpAfter+time.Minute {
			t.Errorf("took %s, want %s", took, giveUpAfter)
		}
	})
}

// TestAnExpiredSignatureIsNoAnswerInBetween: nor does it begin the ten minutes anew.
func TestAnExpiredSignatureIsNoAnswerInBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expired := false
		begin := time.Now()
		f := newFixture(t, single(5), false, func(int, string, []string) reply {
			if !expired && time.Since(begin) > giveUpAfter/2 {
				expired = true
				return refusal(70001)
			}
			return refusal(60007)
		})
		f.Rate, f.Workers = 200, 1
		var stop *Stop
		if err := f.run(t.Context()); !errors.As(err, &stop) || !strings.Contains(stop.Reason, "too frequent") {
			t.Fatalf("got %v, want a stop", err)
		}
		if took := time.Since(f.start); !expired || took > giveUpAfter+time.Minute {
			t.Errorf("took %s (expired: %v), want %s", took, expired, giveUpAfter)
		}
	})
}

func TestTenMinutesWithSomeAnswersDoNotStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(200, 0)
		for range 100 {
			time.Sleep(time.Minute)
			if !p.throttled(time.Now(), true) {
				t.Fatal("gave up although rows were answered")
			}
		}
	})
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, single(6000), false, func(_ int, _ string, to []string) reply {
			time.Sleep(300 * time.Millisecond)
			return items(to, nil)
		})
		f.Workers, f.Rate = 64, 200
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range f.requests {
			if j := i + 200; j < len(f.requests) && f.requests[j].at-f.requests[i].at < time.Second {
				t.Fatalf("more than 200 requests in the second after %s", f.requests[i].at)
			}
		}
		if share := 6000 / time.Since(f.start).Seconds() / 200; share < 0.98 {
			t.Errorf("reached %.3f of the pace, want 0.98", share)
		}
		if f.most > 64 {
			t.Errorf("got %d requests in flight, want at most 64", f.most)
		}
	})
}

func TestBackoffDoesNotHoldOthersUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, single(40), false, func(n int, account string, to []string) reply {
			if len(account) < 3 && n < 30 { // a0 to a9
				return refusal(30006)
			}
			return items(to, nil)
		})
		f.Workers, f.BackoffInitial, f.BackoffMax = 4, time.Minute, time.Minute
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		done := 0
		for _, r := range f.requests {
			if r.at < 10*time.Second {
				done++
			}
		}
		if done < 20 {
			t.Errorf("got %d requests before the first retry, want the others to go on", done)
		}
	})
}

func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, pairs("alice", 2500)+pairs("bob", 10), false, ok)
		f.Limit = 1700
		var stop *Stop
		if err := f.run(t.Context()); !errors.As(err, &stop) {
			t.Fatalf("got %v, want a stop", err)
		}
		if got := f.outcomes()[isDeleted]; got != 1700 {
			t.Errorf("got %d deleted, want 1700", got)
		}
	})
}

func TestALimitOfEverythingIsNoStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, pairs("alice", 10), false, ok)
		f.Limit = 10
		if err := f.run(t.Context()); err != nil {
			t.Errorf("got %v, want nil", err)
		}
	})
}

func TestTimeBox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, single(100), false, func(_ int, _ string, to []string) reply {
			time.Sleep(time.Second)
			return items(to, nil)
		})
		f.Workers, f.Deadline = 1, time.Now().Add(10500*time.Millisecond)
		var stop *Stop
		if err := f.run(t.Context()); !errors.As(err, &stop) {
			t.Fatalf("got %v, want a stop", err)
		}
		if got := f.outcomes(); got[isDeleted] != 11 {
			t.Errorf("got %v, want the 11 that were begun", got)
		}
	})
}

func TestMaxFailures(t *testing.T) {
	for _, tc := range []struct {
		name  string
		limit Failures
		csv   string
		want  bool
	}{
		{"a count", Failures{Count: 20}, single(5000), true},
		{"a percentage", Failures{Percent: 50}, single(5000), true},
		{"a percentage not reached", Failures{Percent: 51}, single(5000), false},
		{"a percentage of few rows", Failures{Percent: 1}, single(999), false},
		{"a percentage of few accounts", Failures{Percent: 1}, pairs("a1", 2000), false},
		{"100% never stops", Failures{Percent: 100}, single(2000), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, tc.csv, false, func(n int, _ string, to []string) reply {
					return items(to, func(string) int {
						if n%2 == 0 || tc.limit.Percent == 100 {
							return 30003
						}
						return 0
					})
				})
				f.Workers = 1
				f.MaxFailures = tc.limit
				var stop *Stop
				if err := f.run(t.Context()); errors.As(err, &stop) != tc.want {
					t.Errorf("got %v after %d requests, want a stop: %v", err, len(f.requests), tc.want)
				}
			})
		})
	}
}

func TestMirrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "a,b\nb,a\nc,d\nd,c\n", true, func(_ int, account string, to []string) reply {
			return items(to, func(string) int {
				if account == "c" {
					return 31704
				}
				return 0
			})
		})
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if f.rows[3] != nil {
			t.Errorf("the mirror of a deleted pair was sent: %v", f.rows[3])
		}
		if f.rows[5] == nil || f.rows[5].Outcome != isDeleted {
			t.Errorf("the mirror of a pair that was not deleted: got %v, want deleted", f.rows[5])
		}
		if last := f.requests[len(f.requests)-1]; last.account != "d" {
			t.Errorf("got %s last, want the mirror after everything else", last.account)
		}
	})
}

func TestInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("ctrl-C")
		f := newFixture(t, single(100), false, func(n int, _ string, to []string) reply {
			time.Sleep(time.Second)
			return items(to, nil)
		})
		f.Rate = 2
		time.AfterFunc(5*time.Second, func() { cancel(why) })
		if err := f.run(ctx); !errors.Is(err, why) {
			t.Fatalf("got %v, want %v", err, why)
		}
		if f.unanswered > 0 {
			t.Errorf("got requests with %d rows that are neither answered nor withdrawn, want none", f.unanswered)
		}
		for line, row := range f.rows {
			if row.sent > 0 && row.Outcome != isDeleted {
				t.Errorf("line %d was sent and is %s: requests in flight must finish", line, word(row.Outcome))
			}
		}
	})
}

func TestASignalAfterTheLastAnswerChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFixture(t, pairs("alice", 5), false, func(_ int, _ string, to []string) reply {
			cancel()
			return items(to, nil)
		})
		if err := f.run(ctx); err != nil {
			t.Errorf("got %v, want nil: nothing is left", err)
		}
	})
}

func TestAJournalThatFailsStopsTheRun(t *testing.T) {
	for _, where := range []string{"before the first request", "before the first answer"} {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var f *fixture
				f = newFixture(t, single(100), false, func(n int, _ string, to []string) reply {
					f.journal.Close()
					return items(to, nil)
				})
				f.Workers = 2
				most := f.Workers
				if where == "before the first request" {
					f.journal.Close()
					most = 0
				}
				if err := f.run(t.Context()); !errors.Is(err, os.ErrClosed) {
					t.Fatalf("got %v, want %v", err, os.ErrClosed)
				}
				if len(f.requests) > most {
					t.Errorf("got %d requests, want at most %d", len(f.requests), most)
				}
			})
		})
	}
}

func TestAnInputThatFailsStopsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("unreadable")
		f := newFixture(t, single(1), false, ok)
		var none iter.Seq2[input.Group, error] = func(yield func(input.Group, error) bool) { yield(input.Group{}, broken) }
		if err := f.runWith(t.Context(), none); !errors.Is(err, broken) {
			t.Errorf("got %v, want %v", err, broken)
		}
	})
}

func TestFailuresText(t *testing.T) {
	for _, tc := range []struct {
		text string
		want Failures
		bad  bool
	}{
		{"1", Failures{Count: 1}, false}, {"500", Failures{Count: 500}, false}, {"50%", Failures{Percent: 50}, false},
		{"100%", Failures{Percent: 100}, false}, {"0", Failures{}, true}, {"0%", Failures{}, true}, {"101%", Failures{}, true},
		{"-1", Failures{}, true}, {"", Failures{}, true}, {"%", Failures{}, true}, {"1.5%", Failures{}, true}, {"x", Failures{}, true},
	} {
		var got Failures
		if err := got.UnmarshalText([]byte(tc.text)); got != tc.want || (err != nil) != tc.bad {
			t.Errorf("%q: got %v, %v; want %v", tc.text, got, err, tc.want)
		}
		if !tc.bad && got.String() != tc.text {
			t.Errorf("%q: got %q back", tc.text, got.String())
		}
	}
}

func TestFailuresReached(t *testing.T) {
	for _, tc := range []struct {
		limit                     Failures
		failed, decided, accounts int64
		want                      bool
	}{
		{Failures{Count: 20}, 19, 20, 1, false},
		{Failures{Count: 20}, 20, 20, 1, true},
		{Failures{Percent: 50}, 500, 1000, 10, true},
		{Failures{Percent: 50}, 499, 1000, 10, false},
		{Failures{Percent: 50}, 999, 999, 10, false},
		{Failures{Percent: 50}, 1000, 1000, 9, false},
		{Failures{Percent: 100}, 1000, 1000, 10, false},
		{Failures{}, 1000, 1000, 10, false},
	} {
		if got := tc.limit.reached(tc.failed, tc.decided, tc.accounts); got != tc.want {
			t.Errorf("%s: %d of %d of %d accounts: got %v, want %v", tc.limit, tc.failed, tc.decided, tc.accounts, got, tc.want)
		}
		if got := tc.limit.ReachedBy(tc.failed, tc.decided); tc.accounts >= 10 && got != tc.want {
			t.Errorf("%s: %d of %d: got %v, want %v", tc.limit, tc.failed, tc.decided, got, tc.want)
		}
	}
}

func TestStopText(t *testing.T) {
	if got := (&Stop{Reason: "it is late"}).Error(); got != "it is late" {
		t.Errorf("got %q, want the reason alone", got)
	}
	if got := (&Stop{Reason: "it is late", Hint: "go home"}).Error(); got != "it is late\ngo home" {
		t.Errorf("got %q, want the hint on a second line", got)
	}
}
