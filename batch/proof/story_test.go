package proof

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"friendsweep/batch"
	"friendsweep/batch/chat"
	"friendsweep/batch/sandbox"
	"friendsweep/input"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

// step is a line of a journal and what the server did about it.
type step struct {
	kind    string // send, answer, withdraw, decide, end, resume
	id      int64
	account string
	lines   []int64
	done    []int64 // send: the rows that the server deletes
	said    map[int64]word
	results []outcome.Result
}

// story is a job of two runs with every kind of line and of result.
func (c *call) story() []step {
	if c == checking {
		return checkStory()
	}
	say := func(means meaning, code int) word {
		return word{means: means, coded: true, code: code, info: fmt.Sprint("info ", code), outcome: "deleted"}
	}
	result := func(o outcome.Outcome, code int, lines ...int64) outcome.Result {
		return outcome.Result{Rows: outcome.RowsAt(lines...), Outcome: o, Code: outcome.Code{Number: code, Given: true}, Info: fmt.Sprint("info ", code)}
	}
	nothing := map[int64]word{5: {means: lost}, 7: {means: lost}}
	presumed := result(isDeleted, 31704, 5)
	presumed.Presumed = true
	return []step{
		{kind: "send", id: 1, account: "ann", lines: []int64{2, 3, 4}, done: []int64{2},
			said: map[int64]word{2: say(done, 0), 3: say(retry, 30006), 4: say(notFriend, 31704)}},
		{kind: "send", id: 2, account: "bob", lines: []int64{5, 7}, done: []int64{5}, said: nothing},
		{kind: "answer", id: 2, results: []outcome.Result{{Outcome: outcome.Open, Lost: true, Info: "no answer within 15s"}}},
		{kind: "send", id: 3, account: "missing-c", lines: []int64{8, 9}, said: map[int64]word{8: say(split, 30003), 9: say(split, 30003)}},
		{kind: "answer", id: 1, results: []outcome.Result{
			result(isDeleted, 0, 2), result(outcome.Open, 30006, 3), result(isNotFriend, 31704, 4)}},
		{kind: "answer", id: 3, results: []outcome.Result{result(outcome.Open, 30003)}},
		{kind: "decide", id: 3, account: "missing-c", results: []outcome.Result{result(outcome.Refused, 30003, 8, 9)}},
		{kind: "send", id: 4, account: "ann", lines: []int64{3}, said: map[int64]word{3: {means: lost}}},
		{kind: "withdraw", id: 4},
		{kind: "send", id: 5, account: "bob", lines: []int64{5, 7}, done: []int64{7},
			said: map[int64]word{5: say(notFriend, 31704), 7: say(done, 0)}},
		{kind: "answer", id: 5, results: []outcome.Result{presumed, result(isDeleted, 0, 7)}},
		{kind: "end"},
		{kind: "resume"},
		{kind: "send", id: 6, account: "dan", lines: []int64{10}, said: map[int64]word{10: say(refuse, 30003)}},
		{kind: "send", id: 7, account: "ann", lines: []int64{3}, done: []int64{3}, said: map[int64]word{3: say(done, 0)}},
		{kind: "answer", id: 6, results: []outcome.Result{result(outcome.Refused, 30003)}},
		{kind: "answer", id: 7, results: []outcome.Result{result(isDeleted, 0)}},
		{kind: "end"},
	}
}

// checkStory is the same for a check, to which a lost answer is one that did not come.
func checkStory() []step {
	say := func(outcome string) word { return word{means: done, coded: true, info: "info 0", outcome: outcome} }
	code := func(means meaning, code int) word {
		return word{means: means, coded: true, code: code, info: fmt.Sprint("info ", code)}
	}
	result := func(o outcome.Outcome, code int, lines ...int64) outcome.Result {
		return outcome.Result{Rows: outcome.RowsAt(lines...), Outcome: o, Code: outcome.Code{Number: code, Given: true}, Info: fmt.Sprint("info ", code)}
	}
	friends, strangers := outcome.Answered, outcome.Answered+3
	return []step{
		{kind: "send", id: 1, account: "ann", lines: []int64{2, 3, 4},
			said: map[int64]word{2: say("friends"), 3: code(retry, 30006), 4: say("strangers")}},
		{kind: "send", id: 2, account: "bob", lines: []int64{5, 7}, said: map[int64]word{5: {means: lost}, 7: {means: lost}}},
		{kind: "answer", id: 2, results: []outcome.Result{{Outcome: outcome.Open, Info: "no answer within 15s"}}},
		{kind: "send", id: 3, account: "missing-c", lines: []int64{8, 9}, said: map[int64]word{8: code(split, 30003), 9: code(split, 30003)}},
		{kind: "answer", id: 1, results: []outcome.Result{
			result(friends, 0, 2), result(outcome.Open, 30006, 3), result(strangers, 0, 4)}},
		{kind: "answer", id: 3, results: []outcome.Result{result(outcome.Open, 30003)}},
		{kind: "decide", id: 3, account: "missing-c", results: []outcome.Result{result(outcome.Refused, 30003, 8, 9)}},
		{kind: "send", id: 4, account: "ann", lines: []int64{3}, said: map[int64]word{3: {means: lost}}},
		{kind: "withdraw", id: 4},
		{kind: "send", id: 5, account: "bob", lines: []int64{5, 7}, said: map[int64]word{5: say("friends"), 7: say("friends")}},
		{kind: "answer", id: 5, results: []outcome.Result{result(friends, 0)}},
		{kind: "end"},
		{kind: "resume"},
		{kind: "send", id: 6, account: "dan", lines: []int64{10}, said: map[int64]word{10: code(refuse, 30003)}},
		{kind: "send", id: 7, account: "ann", lines: []int64{3}, said: map[int64]word{3: say("friends")}},
		{kind: "answer", id: 6, results: []outcome.Result{result(outcome.Refused, 30003)}},
		{kind: "answer", id: 7, results: []outcome.Result{result(friends, 0)}},
		{kind: "end"},
	}
}

func storyTable() *table {
	b := newTableBuilder(false)
	for _, pair := range []string{"ann x", "ann y", "ann not-friend-z", "bob x", "bob bob", "bob y", "missing-c x", "missing-c y", "dan missing-x", "ann x"} {
		from, to, _ := strings.Cut(pair, " ")
		b.add(from, to, "")
	}
	return b.table()
}

// tell writes the story's journal.
func (tr *trial) tell(ctx context.Context, steps []step) ([]byte, error) {
	in, err := input.Read(ctx, input.Options{Path: tr.path("pairs.csv"), ChunkSize: 10, TempDir: tr.dir})
	if err != nil {
		return nil, err
	}
	defer in.Close()
	j, err := journal.Lock(tr.path("report.csv"), batch.Calls)
	if err != nil {
		return nil, err
	}
	if err := j.Start(tr.job(in), entry.Run{Version: "proof", PID: 1}); err != nil {
		return nil, err
	}
	for _, s := range steps {
		if j, err = tr.write(ctx, j, s); err != nil {
			return nil, fmt.Errorf("%s %d: %w", s.kind, s.id, err)
		}
	}
	if err := j.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(tr.path("report.csv.journal"))
}

func (tr *trial) write(ctx context.Context, j *journal.Journal, s step) (_ *journal.Journal, err error) {
	switch s.kind {
	case "send":
		_, err = j.Before(s.account, s.lines)
	case "answer":
		err = j.After(s.id, time.Millisecond, s.results)
	case "withdraw":
		err = j.Withdraw(s.id)
	case "decide":
		err = j.Decide(s.account, s.results)
	case "end":
		err = j.End("130", "interrupted")
	case "resume":
		j.Close()
		if j, err = journal.Lock(tr.path("report.csv"), batch.Calls); err != nil {
			return nil, err
		}
		if _, err = j.Replay(ctx, false); err == nil {
			err = j.Resume(entry.Run{Version: "proof", PID: 2})
		}
	}
	return j, err
}

// reenact gives the server the part of the story that a journal tells. What a request did whose answer the journal does not
// have hangs on applied.
func (tr *trial) reenact(steps []step, j *journalLines, applied bool) error {
	sent := map[int64]bool{}
	for _, send := range j.sends {
		sent[send.id] = true
	}
	tr.runs = 1
	for _, s := range steps {
		if s.kind == "resume" {
			tr.runs = 2
		}
		if s.kind != "send" || !sent[s.id] || j.withdrawn[s.id] {
			continue
		}
		tr.server.run = tr.runs
		q := tr.server.enter(s.account, tr.table.to(s.account, s.lines))
		q.unheard = !j.answered[s.id]
		q.condemned = s.account == "missing-c"
		for i, line := range s.lines {
			q.said[i] = s.said[line]
			if slices.Contains(s.done, line) && (j.answered[s.id] || applied) {
				q.done[i] = true
				if err := tr.server.remove(s.account, q.to[i]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// remove deletes one friendship behind the back of everybody.
func (s *server) remove(from, to string) error {
	sig, _, err := chat.NewSigner(sandbox.DefaultAppID, sandbox.DefaultIdentifier, sandbox.DefaultKey).Signature()
	if err != nil {
		return err
	}
	query := url.Values{"sdkappid": {strconv.Itoa(sandbox.DefaultAppID)}, "identifier": {sandbox.DefaultIdentifier},
		"usersig": {sig.Reveal()}, "random": {"1"}, "contenttype": {"json"}}
	a := s.ask("/v4/sns/friend_delete?"+query.Encode(), body{From: from, To: []string{to}, DeleteType: string(chat.Single)})
	if a.ErrorCode != 0 || len(a.Items) != 1 || a.Items[0].Code != 0 {
		return fmt.Errorf("removing %s → %s: %+v", from, to, a)
	}
	return nil
}
