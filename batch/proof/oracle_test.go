package proof

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// row is a record of the input, as its author knows it.
type row struct {
	line     int64
	from, to string
	invalid  bool
	first    int64 // of a repeat: the line of the first record of this pair
	mirrorOf int64 // the line of the first record that deletes the same friendship from the other side
}

// fate is a line of the report, as far as it can be foretold.
type fate struct {
	outcome  string
	code     string // "" is none
	info     string // the API's words; with "*" ours, which are not foretold
	attempts int
	lost     bool // an answer was lost
	of       int64
	other    *fate // as true, because it hangs on which worker came first
}

// oracle says from the server's record what the report has to say.
type oracle struct {
	call        *call
	rows        []row
	record      map[string][]*request
	maxAttempts int
	attemptsIn  map[int]int // the same by run, where that differs
	regroup     bool
	good        []string // the outcomes that are successes, where no flag of the call says it
	unsure      bool     // answers that are not on record may have been heard when the report was made
	byLine      map[int64]fate
}

// most is how many failures of a row the run takes before it gives the row up.
func (o *oracle) most(run int) int { return cmp.Or(o.attemptsIn[run], o.maxAttempts) }

// fates foretells every line of the report. The rows are in the order of their lines.
func (o *oracle) fates() []fate {
	o.byLine = map[int64]fate{}
	all := make([]fate, len(o.rows))
	for i, r := range o.rows {
		switch {
		case r.invalid:
			all[i] = fate{outcome: "invalid", info: "*"}
		case r.first > 0:
			all[i] = o.repeat(r.first)
		default:
			all[i] = o.mirror(r, o.own(r))
		}
		o.byLine[r.line] = all[i]
	}
	return all
}

// mirror is the fate of a row with this one of its own: if its friendship was deleted from the other side, and it was
// neither deleted nor no friend itself, it is a duplicate.
func (o *oracle) mirror(r row, own fate) fate {
	first := o.byLine[r.mirrorOf]
	if r.mirrorOf == 0 || first.outcome != "deleted" || own.outcome == "deleted" || own.outcome == "not_friend" {
		return own
	}
	return fate{outcome: "duplicate", code: first.code, of: r.mirrorOf, other: own.other,
		info: fmt.Sprintf("same friendship as line %d, deleted from both sides", r.mirrorOf)}
}

// repeat is the fate of a row that repeats a pair: what became of the first, and where that stands.
func (o *oracle) repeat(first int64) fate {
	f := o.byLine[first]
	if f.of > 0 {
		return fate{outcome: "duplicate", code: f.code, of: f.of, info: f.info}
	}
	return fate{outcome: "duplicate", code: f.code, of: first, info: fmt.Sprintf("same pair as line %d", first)}
}

func (o *oracle) final(outcome string) bool {
	return outcome == "refused" || slices.Contains(o.call.also, outcome)
}

// own is the fate of a row by the requests that carried it.
func (o *oracle) own(r row) fate {
	f := fate{outcome: "not_sent", info: "*"}
	run, fails := 0, 0
	for _, q := range o.carried(r) {
		if q.from != r.from {
			o.hearTurned(&f, q, q.said[q.place(r.from)])
			continue
		}
		n, i := slices.Index(o.record[r.from], q), q.place(r.to)
		if q.run != run {
			run, fails = q.run, 0
		}
		w := q.said[i]
		if q.unheard { // and nobody could give the row up
			w, fails = word{means: lost}, -1
		}
		if w.means == retry || w.means == lost || w.means == retryStop {
			fails++
		}
		f.attempts++
		o.hear(&f, w, len(q.to), fails >= o.most(q.run))
		if f.outcome == "open" && w.means == split && !w.saysNotFriend() && (q.condemned || o.condemned(r.from, n)) {
			f.other = f.as("refused")
			f.other.info = "*"
		}
	}
	switch {
	case f.outcome == "open" && f.lost:
		f.outcome = "unknown"
	case f.outcome == "open":
		f.outcome = "not_sent"
	}
	return f
}

// carried are the requests that carried the row, in the order of their arrival: those from its own side, and with --regroup
// those from the other. (No table of such a job has rows that see each other from the other side.)
func (o *oracle) carried(r row) (all []*request) {
	sides := [][2]string{{r.from, r.to}}
	if o.regroup {
		sides = append(sides, [2]string{r.to, r.from})
	}
	for _, side := range sides {
		for _, q := range o.record[side[0]] {
			if q.place(side[1]) >= 0 {
				all = append(all, q)
			}
		}
	}
	slices.SortFunc(all, func(a, b *request) int { return a.number - b.number })
	return all
}

// hearTurned takes an answer from the other side: only code 0 is final, and what was lost there may have been carried out.
func (o *oracle) hearTurned(f *fate, q *request, w word) {
	if q.unheard {
		w = word{means: lost}
	}
	f.attempts++
	f.code, f.info, f.other, f.outcome = "", "*", nil, "open"
	if w.coded {
		f.code, f.info = strconv.Itoa(w.code), w.info
	}
	f.lost = f.lost || w.means == lost
	if w.means == done {
		f.outcome, f.info = "deleted", "deleted from the other side"
	}
}

// saysNotFriend tells of a refusal that leads to a true fate for every row, so that it is searched to the end.
func (w word) saysNotFriend() bool {
	return w.code == 31704 || w.code == 30001 && strings.Contains(w.info, "Not_Friend")
}

// as is the same fate with another outcome.
func (f fate) as(outcome string) *fate {
	f.outcome, f.other = outcome, nil
	return &f
}

// hear takes one answer about a row, in a request of so many. A failure may be the last one that its run takes.
func (o *oracle) hear(f *fate, w word, rows int, last bool) {
	f.code, f.info, f.other, f.outcome = "", "*", nil, "open"
	if w.coded {
		f.code, f.info = strconv.Itoa(w.code), w.info
	}
	switch w.means {
	case done:
		f.outcome = w.outcome
	case notFriend:
		f.outcome = "not_friend"
		if f.lost && w.code == 31704 {
			f.outcome, f.info = "deleted", "31704 after a lost answer: presumed deleted; it may never have been a friend"
		}
	case refuse:
		f.outcome = "refused"
	case split:
		if rows == 1 {
			f.outcome = "refused"
		}
	case unproven:
		if rows == 1 {
			f.other = f.as("refused")
		}
	case retry, lost:
		f.lost = f.lost || w.means == lost && o.call.loses
		if last {
			if !w.coded { // nobody may have been answered: then the run stops instead
				f.other = f.as("not_sent")
				if f.lost {
					f.other = f.as("unknown")
				}
				f.other.info = "*"
			}
			f.outcome = "gave_up"
		}
	}
}

// condemned reports whether the account's requests of the nth's run permit to refuse rows that were not tried alone: 64 of
// them were refused as a whole before one was accepted, for something else than that there is no such friend, which says
// nothing of the account. Those after the nth count, too: the row waits while others are tried.
func (o *oracle) condemned(account string, n int) bool {
	all := o.record[account]
	refused := 0
	for _, q := range all {
		if q.run != all[n].run {
			continue
		}
		if q.coded && slices.ContainsFunc(q.said, func(w word) bool { return w.means != lost }) { // else it may not be taken for an answer
			return false
		}
		if slices.ContainsFunc(q.said, func(w word) bool { return w.means == split && !w.saysNotFriend() || w.means == unproven }) {
			refused++
		}
		if refused >= 64 {
			return true
		}
	}
	return false
}

// status is that of an outcome. A duplicate has its first's.
func (o *oracle) status(f fate, ignoreNotFriend bool) string {
	outcome := f.outcome
	if f.of > 0 {
		outcome = o.byLine[f.of].outcome
	}
	good := o.good
	if good == nil {
		good = o.call.success(ignoreNotFriend)
	}
	if slices.Contains(good, outcome) {
		return "success"
	}
	return "failure"
}

// compare holds a report against what the record foretells, and returns what differs.
func (o *oracle) compare(report []reported, ignoreNotFriend bool, shown func(string) string) (wrong []string) {
	fates := o.fates()
	if len(report) != len(fates) {
		return []string{fmt.Sprintf("%d lines in the report, want %d", len(report), len(fates))}
	}
	for i, f := range fates {
		got, r := report[i], o.rows[i]
		if f.other != nil && got.outcome == f.other.outcome {
			f = *f.other
			o.byLine[r.line] = f
		}
		if first := o.byLine[f.of]; f.of > 0 && f.outcome == "duplicate" {
			f.code = first.code
		}
		if f.info != "*" {
			f.info = shown(f.info)
		} else if got.info != "" {
			f.info = got.info
		}
		at := ""
		if f.attempts > 0 {
			at = got.finishedAt
		}
		want := reported{r.line, r.from, r.to, o.status(f, ignoreNotFriend), f.outcome, f.code, f.info, f.attempts, at}
		if want != got || f.attempts > 0 && at == "" {
			wrong = append(wrong, fmt.Sprintf("line %d: got %+v\nwant %+v\nby %s", r.line, got, want, o.story(r)))
		}
	}
	return wrong
}

// story is the record of a row, for the message of a test that fails.
func (o *oracle) story(r row) string {
	var b strings.Builder
	for _, q := range o.carried(r) {
		i := q.place(r.to)
		if q.from != r.from {
			i = q.place(r.from)
		}
		fmt.Fprintf(&b, "\n  run %d request %d of %s (%d rows, %s): said %.70q done %v unheard %v phantom %v",
			q.run, q.number, q.from, len(q.to), q.broken, fmt.Sprint(q.said[i]), q.done[i], q.unheard, q.phantom)
	}
	return b.String()
}

// again finds rows that were sent although an answer that is final stood in the journal. retried are the runs that send
// the refused rows again.
func (o *oracle) again(retried map[int]bool) (wrong []string) {
	for _, r := range o.rows {
		said := meaning(0)
		for _, q := range o.carried(r) {
			if said == done || said == notFriend || said == refuse && !retried[q.run] {
				wrong = append(wrong, fmt.Sprintf("%s → %s is sent again in request %d after a final answer", r.from, r.to, q.number)+o.story(r))
			}
			said = o.lastWord(r, q)
		}
	}
	return wrong
}

// lastWord is what a row is after the request: from the other side only done is final.
func (o *oracle) lastWord(r row, q *request) meaning {
	if q.unheard {
		return lost
	}
	if q.from != r.from {
		if q.said[q.place(r.from)].means == done {
			return done
		}
		return retry
	}
	w := q.said[q.place(r.to)]
	if w.means == split && len(q.to) == 1 {
		return refuse
	}
	return w.means
}

// idle finds rows that a run should have sent before it ended by itself: those without a final answer, and the refused ones
// if these are to be tried again.
func (o *oracle) idle(run int, retryFailed bool) (wrong []string) {
	for i, f := range o.fates() {
		r := o.rows[i]
		over := r.invalid || r.first > 0 || f.outcome == "duplicate" || f.other != nil || o.final(f.outcome)
		if over && (f.outcome != "refused" || !retryFailed) {
			continue
		}
		if !slices.ContainsFunc(o.carried(r), func(q *request) bool { return q.run == run }) {
			wrong = append(wrong, fmt.Sprintf("line %d, which is %s by%s", r.line, f.outcome, o.story(r)))
		}
		if f.outcome == "not_sent" || f.outcome == "unknown" {
			wrong = append(wrong, fmt.Sprintf("line %d, left as %s by%s", r.line, f.outcome, o.story(r)))
		}
	}
	return wrong
}

// early finds mirrors that were sent although the row that they wait for was deleted.
func (o *oracle) early() (wrong []string) {
	for _, r := range o.rows {
		if r.mirrorOf == 0 || r.first > 0 {
			continue
		}
		first := o.rows[slices.IndexFunc(o.rows, func(f row) bool { return f.line == r.mirrorOf })]
		for _, q := range o.record[r.from] {
			before := oracle{call: o.call, record: map[string][]*request{first.from: nil}, maxAttempts: o.maxAttempts, attemptsIn: o.attemptsIn}
			for _, p := range o.record[first.from] {
				if p.number < q.number {
					before.record[first.from] = append(before.record[first.from], p)
				}
			}
			if q.place(r.to) >= 0 && before.own(first).outcome == "deleted" {
				wrong = append(wrong, fmt.Sprintf("line %d is sent in request %d, although line %d is deleted", r.line, q.number, first.line))
			}
		}
	}
	return wrong
}

// truth holds the report against what was done, whatever was answered.
func (o *oracle) truth(report []reported) (wrong []string) {
	for i, r := range o.rows {
		if r.invalid || r.first > 0 || i >= len(report) {
			continue
		}
		did, mayHave := false, false
		for _, q := range o.carried(r) {
			n := q.place(r.to)
			if q.from != r.from {
				n = q.place(r.from)
			}
			did = did || q.done[n]
			mayHave = mayHave || q.unheard || q.said[n].means == lost
		}
		got := report[i]
		if o.call == checking {
			if slices.Contains(o.call.also, got.outcome) && !o.heard(r, got.outcome) {
				wrong = append(wrong, fmt.Sprintf("line %d is reported as %s, which no answer said", r.line, got.outcome)+o.story(r))
			}
			continue
		}
		switch {
		case got.outcome == "deleted" && got.code == "0" && !did:
			wrong = append(wrong, fmt.Sprintf("line %d is reported as deleted, and was not", r.line)+o.story(r))
		case got.outcome == "deleted" && got.code != "0" && !mayHave:
			wrong = append(wrong, fmt.Sprintf("line %d is presumed deleted, and no answer was lost", r.line)+o.story(r))
		case did && got.outcome == "not_friend" && got.code == "30001" && mayHave: // nothing but 31704 permits to presume
		case did && (got.outcome == "not_friend" || got.outcome == "not_sent" || got.outcome == "invalid"):
			wrong = append(wrong, fmt.Sprintf("line %d is reported as %s, and was deleted", r.line, got.outcome)+o.story(r))
		case did && !mayHave && got.outcome != "deleted":
			wrong = append(wrong, fmt.Sprintf("line %d is reported as %s, was deleted, and the answer was heard", r.line, got.outcome)+o.story(r))
		}
	}
	return wrong
}

// heard reports whether an answer to a check said this about the row and was heard.
func (o *oracle) heard(r row, outcome string) bool {
	return slices.ContainsFunc(o.record[r.from], func(q *request) bool {
		i := q.place(r.to)
		return i >= 0 && (o.unsure || !q.unheard) && q.said[i].means == done && q.said[i].outcome == outcome
	})
}
