package send

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"friendsweep/batch/chat"
	"friendsweep/input"
	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/journal/outcome"
)

// sweep lists (friend, leaver): n friends of one account that leaves, who is asked for all of them at once.
func sweep(t *testing.T, n int, serve server) *fixture {
	t.Helper()
	csv := ""
	for i := range n {
		csv += fmt.Sprintf("friend %d,leaver\n", i)
	}
	f := newFixtureOf(t, csv, input.Options{Both: true, Regroup: true}, serve)
	f.API = chat.Delete(chat.Both)
	f.Mirrored = outcome.NewBits(f.in.LastLine)
	if f.in.Turned != int64(n) {
		t.Fatalf("got %d pairs turned, want %d: the test does not test", f.in.Turned, n)
	}
	return f
}

// fromLeaver is what a server says to the one request from the other side; as written it says asWritten.
func fromLeaver(other, asWritten func(to []string) reply) server {
	return func(_ int, account string, to []string) reply {
		if account == "leaver" {
			return other(to)
		}
		return asWritten(to)
	}
}

func allOK(to []string) reply { return items(to, nil) }

// TestRegrouping is section 5 of the contract: only code 0 is final from the other side, and whatever else it says, the row is
// sent once more as it was written, and that answer counts.
func TestRegrouping(t *testing.T) {
	const friends = 5
	code := func(n int) func(to []string) reply {
		return func(to []string) reply { return items(to, func(string) int { return n }) }
	}
	then := func(first, later func(to []string) reply) func(to []string) reply {
		n := 0
		return func(to []string) reply {
			if n++; n == 1 {
				return first(to)
			}
			return later(to)
		}
	}
	whole := func(n int) func(to []string) reply { return func([]string) reply { return refusal(n) } }
	for name, tc := range map[string]struct {
		other, asWritten func(to []string) reply
		fromLeaver, all  int // requests
		outcome          outcome.Outcome
		code             int
		info             string
		presumed         bool
	}{
		"deleted from the other side": {allOK, allOK, 1, 1, isDeleted, 0, "deleted from the other side", false},
		"not a friend there":          {code(31704), allOK, 1, 1 + friends, isDeleted, 0, "", false},
		"not a friend anywhere":       {code(31704), notFriends, 1, 1 + friends, isNotFriend, 31704, "", false},
		"the account is refused":      {whole(30003), allOK, 1, 1 + friends, isDeleted, 0, "", false},
		"refused with 31704":          {whole(31704), notFriends, 1, 1 + friends, isNotFriend, 31704, "", false},
		"each is refused":             {code(30003), code(30003), 1, 1 + friends, outcome.Refused, 30003, "", false},
		"refused for good":            {code(30002), allOK, 1, 1 + friends, isDeleted, 0, "", false},
		"busy there to the end":       {code(30006), allOK, 8, 8 + friends, isDeleted, 0, "", false},
		"lost there once, then gone":  {then(code(30007), notFriends), notFriends, 2, 2 + friends, isDeleted, 31704, journaltest.Call.Presumed.Info, true},
		"lost there, then gone":       {code(30007), notFriends, 8, 8 + friends, isDeleted, 31704, journaltest.Call.Presumed.Info, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := sweep(t, friends, fromLeaver(tc.other, tc.asWritten))
				f.Signer = chat.NewSigner(1400000000, "administrator", "key")
				if err := f.run(t.Context()); err != nil {
					t.Fatal(err)
				}
				there := 0
				for i, q := range f.requests {
					if q.account == "leaver" {
						there++
					}
					if q.account != "leaver" && i < tc.fromLeaver {
						t.Errorf("request %d is of %s: as written comes after everything else", i, q.account)
					}
				}
				if there != tc.fromLeaver || len(f.requests) != tc.all {
					t.Errorf("got %d requests, %d of them from the other side; want %d and %d", len(f.requests), there, tc.all, tc.fromLeaver)
				}
				for line, row := range f.rows {
					if row.Outcome != tc.outcome || row.Code.Number != tc.code || row.Presumed != tc.presumed || tc.info != "" && row.Info != tc.info {
						t.Errorf("line %d: got %s, code %d, %q, presumed %v; want %s, %d, %q, %v",
							line, word(row.Outcome), row.Code.Number, row.Info, row.Presumed, word(tc.outcome), tc.code, tc.info, tc.presumed)
					}
				}
				if len(f.rows) != friends {
					t.Errorf("got %d rows, want %d", len(f.rows), friends)
				}
			})
		})
	}
}

// TestRegroupingMixed: in one request stand rows that are turned and rows that are not. A refusal as a whole is searched for
// the row to blame among those that are asked for as written, and says nothing final about the others.
func TestRegroupingMixed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		csv := "hub,bad\nhub,b\nhub,c\nx,hub\ny,hub\n"
		f := newFixtureOf(t, csv, input.Options{Both: true, Regroup: true}, func(_ int, account string, to []string) reply {
			for _, id := range to {
				if id == "bad" {
					return refusal(30003)
				}
			}
			return allOK(to)
		})
		f.API = chat.Delete(chat.Both)
		f.Mirrored = outcome.NewBits(f.in.LastLine)
		if f.in.Turned != 2 {
			t.Fatalf("got %d pairs turned, want 2: the test does not test", f.in.Turned)
		}
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for line := int64(2); line <= 6; line++ {
			want := isDeleted
			if line == 2 {
				want = outcome.Refused
			}
			if got := f.rows[line].Outcome; got != want {
				t.Errorf("line %d: got %s, want %s", line, word(got), word(want))
			}
		}
		last := f.requests[len(f.requests)-2:]
		for _, q := range last {
			if q.account != "x" && q.account != "y" || len(q.to) != 1 || q.to[0] != "hub" {
				t.Errorf("got last requests %v, want those of x and y as they are written", last)
			}
		}
	})
}

// TestRegroupingUnderALimit: what was taken is finished, as it is written too, and nothing else is sent.
func TestRegroupingUnderALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sweep(t, 5, fromLeaver(notFriends, allOK))
		f.Limit = 2
		var stop *Stop
		if err := f.run(t.Context()); !errors.As(err, &stop) || !stop.Asked {
			t.Errorf("got %v, want the stop that was asked for", err)
		}
		sent := map[string]bool{}
		for _, q := range f.requests {
			for _, to := range q.to {
				sent[min(q.account, to)] = true
			}
		}
		if got := f.outcomes()[isDeleted]; len(sent) != 2 || got != 2 || len(f.requests) != 3 {
			t.Errorf("got %d pairs sent in %d requests, %d deleted; want 2 in 3, both deleted", len(sent), len(f.requests), got)
		}
	})
}

// TestRegroupingStopped: a run that is stopped sends nothing as written, and leaves its rows open.
func TestRegroupingStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sweep(t, 5, fromLeaver(func([]string) reply { return refusal(70003) }, allOK))
		var stop *Stop
		if err := f.run(t.Context()); !errors.As(err, &stop) || stop.Asked {
			t.Errorf("got %v, want a stop", err)
		}
		if len(f.requests) != 1 || f.outcomes()[isDeleted] != 0 {
			t.Errorf("got %d requests and %d deleted, want 1 and none", len(f.requests), f.outcomes()[isDeleted])
		}
	})
}

// TestRegroupingStoppedByAnItem: one item of an answer ends the run, and what the others say from the other side is held to the
// same rule as ever.
func TestRegroupingStoppedByAnItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sweep(t, 3, fromLeaver(func(to []string) reply {
			return items(to, func(id string) int { return map[string]int{"friend 0": 30004, "friend 1": 30003}[id] })
		}, allOK))
		var stop *Stop
		if err := f.run(t.Context()); !errors.As(err, &stop) || stop.Asked {
			t.Errorf("got %v, want a stop", err)
		}
		for line, want := range map[int64]outcome.Outcome{2: outcome.Open, 3: outcome.Open, 4: isDeleted} {
			if got := f.rows[line]; got.Outcome != want || want == isDeleted && got.Info != f.API.OtherSide {
				t.Errorf("line %d: got %s, %q; want %s", line, word(got.Outcome), got.Info, word(want))
			}
		}
	})
}
