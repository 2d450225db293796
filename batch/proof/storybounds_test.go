package proof

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"friendsweep/input"
)

// areCommonest tells whether got are so many of all that count most, or all of fewer, and how much the others count together.
func areCommonest(got, all map[string]int64, most int) (others int64, ok bool) {
	least := int64(0) // that is shown
	if len(got) > 0 {
		least = slices.Min(slices.Collect(maps.Values(got)))
	}
	for name, n := range all {
		if shown, there := got[name]; there {
			ok = shown == n
		} else {
			others, ok = others+n, n <= least
		}
		if !ok {
			return others, false
		}
	}
	return others, len(got) == min(most, len(all))
}

// judgeSlowing holds a run against what it must do about "too frequent" and about signatures that are refused as expired.
func (o *aftermath) judgeSlowing(*journalLines) (wrong []string) {
	if at := o.twiceExpired(); !at.IsZero() {
		wrong = append(wrong, o.sentAfter(at.Add(slack), "a new signature was refused as expired, too")...)
	}
	if at := o.tooLongTooFrequent(); !at.IsZero() {
		wrong = append(wrong, o.sentAfter(at, "ten minutes of nothing but \"too frequent\"")...)
	}
	took, most := o.ended.Sub(o.began), o.mostOfACalmRun()
	if most > 0 && took > most {
		wrong = append(wrong, fmt.Sprintf("the run took %v for %d requests without a limit, want %v at most", took, o.arrivals, most))
	}
	return wrong
}

func (o *aftermath) sentAfter(at time.Time, what string) (wrong []string) {
	for _, q := range o.ofRun() {
		if q.at.After(at) {
			return []string{fmt.Sprintf("request %d left at %v, and at %v there was %s", q.number, q.at, at, what)}
		}
	}
	return nil
}

// ofRun are the requests of the run, in the order of their arrival.
func (o *aftermath) ofRun() (all []*request) {
	for _, q := range o.server.all {
		if q.run == o.runs {
			all = append(all, q)
		}
	}
	return all
}

// only tells whether the answer says nothing but these of its rows.
func (q *request) only(means ...meaning) bool {
	return !slices.ContainsFunc(q.said, func(w word) bool { return !slices.Contains(means, w.means) })
}

// twiceExpired is when a signature was refused as expired that was made because another one had been, or that cannot be made
// anew; zero for never. One that was good for some answer may expire like the first.
func (o *aftermath) twiceExpired() time.Time {
	refused, good := map[string]bool{}, map[string]bool{}
	for _, q := range o.ofRun() {
		good[q.sig] = good[q.sig] || !q.only(throttle, resign)
	}
	for _, q := range o.ofRun() {
		if !q.only(resign) || good[q.sig] {
			continue
		}
		refused[q.sig] = true
		if len(refused) > 1 || o.run.usersig {
			return q.at
		}
	}
	return time.Time{}
}

// tooLongTooFrequent is when for ten minutes, and two more for what was under way, nothing but "too frequent" was answered;
// an expired signature is no sign that the API is free again. Zero for never.
func (o *aftermath) tooLongTooFrequent() time.Time {
	const most = 12 * time.Minute
	var since time.Time
	for _, q := range o.ofRun() {
		switch {
		case !q.only(throttle, resign):
			since = time.Time{}
		case since.IsZero():
			since = q.at
		case q.at.Sub(since) > most:
			return since.Add(most)
		}
	}
	return time.Time{}
}

// mostOfACalmRun is how long a run without a limit may take that had to wait for nothing but the API's "too frequent": each
// of these may halve the pace, and what is halved first is no less than the API's own limit of 200 a second. 0 where nobody
// can tell.
func (o *aftermath) mostOfACalmRun() time.Duration {
	f, halved := o.run.storyFlags, 0
	if f.rate != 0 || f.rowRate != 0 || o.failedDials > 0 || o.code != 0 && o.code != 1 {
		return 0
	}
	for _, q := range o.ofRun() {
		switch {
		case q.only(throttle):
			halved++
		case !q.only(done, notFriend, refuse, split):
			return 0
		}
	}
	if halved > 6 {
		return 0
	}
	return slack + time.Duration(o.arrivals)*time.Second/(200>>halved)
}

// blocks tells whether a folder took the place of the output while the run was at work.
func (o *aftermath) blocks(name string) bool { return o.blocked && o.run.end.name == name }

// judgeChangedInput is about a run whose input was changed while it was at work, and then was as before: there is no report,
// but the journal stays, the summary says no less than it, and a report can be made.
func (p *player) judgeChangedInput(ctx context.Context, o *aftermath, j *journalLines) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if o.code != 4 || !errors.Is(o.err, input.ErrChanged) {
		say("the input was changed: got exit code %d, %v, want 4 and a word about that", o.code, o.err)
	}
	if there := contents(o.dir); there["report.csv"] != nil {
		say("the input was changed, and there is a report")
	}
	wrong = append(wrong, o.judgeSending(j)...)
	if err := o.rewriteReport(ctx); err != nil {
		return append(wrong, fmt.Sprintf("report after the input was as before: %v", err))
	}
	wrong = append(wrong, p.compareReport(o.run)...)
	report, err := readReport(o.path("report.csv"))
	if err != nil {
		return append(wrong, err.Error())
	}
	outcomes := map[string]int64{}
	for _, line := range report {
		outcomes[line.outcome]++
	}
	maps.DeleteFunc(o.summary.Outcomes, func(_ string, n int64) bool { return n == 0 })
	// The journal does not know which record sees which from the other side.
	if mirrors := slices.ContainsFunc(p.rows(), func(r row) bool { return r.mirrorOf > 0 }); !mirrors && !maps.Equal(o.summary.Outcomes, outcomes) {
		say("the summary has %v, the report that was made later %v", o.summary.Outcomes, outcomes)
	}
	return wrong
}
