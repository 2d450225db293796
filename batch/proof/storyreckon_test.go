package proof

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"
)

// reckon makes the record of the job anew, from what the server saw and what the journal announces: which answers are on
// record, and which requests were announced and never arrived.
func (p *player) reckon(o *aftermath) (j *journalLines, wrong []string) {
	text, _ := os.ReadFile(p.path("report.csv.journal"))
	j = parseJournal(text)
	first := p.runs + 1
	if len(j.runs) > 0 {
		first, _ = strconv.Atoi(j.runs[0])
		p.both = j.deleteType == string(storyFlags{both: true}.deleteType())
	}
	p.server.record = map[string][]*request{}
	arrived := map[sender][]*request{}
	for i, q := range p.server.all {
		q.number, q.unheard = 1000*(i+1), false // the thousand leaves room for those that never arrived
		if q.run >= first {
			arrived[sender{q.run, q.from}] = append(arrived[sender{q.run, q.from}], q)
		}
	}
	unsent, announced := 0, map[int64]*request{}
	for _, of := range sendersOf(j) {
		all, failed := p.align(j, of, arrived[of], announced)
		delete(arrived, of)
		p.server.record[of.account] = append(p.server.record[of.account], all...)
		wrong = append(wrong, failed...)
		for _, q := range all {
			if of.run == p.runs && q.phantom && !q.unheard && q.said[0].means == retry {
				unsent++
			}
		}
	}
	j.order(announced)
	for of := range arrived {
		wrong = append(wrong, fmt.Sprintf("requests of %q in run %d are not on record", of.account, of.run))
	}
	if most := o.failedDials + p.closedBehind(); unsent > most {
		wrong = append(wrong, fmt.Sprintf("%d requests are on record as never sent, and %d connections failed to open or were closed in time", unsent, most))
	}
	return j, wrong
}

// order puts each request that never arrived behind those whose answers were on record when it was announced.
func (j *journalLines) order(announced map[int64]*request) {
	last, answered := 0, 0
	for _, send := range j.sends {
		for ; answered < send.answered; answered++ {
			if q := announced[j.answers[answered]]; q != nil {
				last = max(last, q.number/1000)
			}
		}
		if q := announced[send.id]; q != nil && q.phantom {
			q.number = max(q.number, 1000*last+int(send.id%1000))
		}
	}
}

// closedBehind is how many connections of the present run were closed after a good answer: the next request may find that out
// before any of its bytes has left.
func (p *player) closedBehind() (n int) {
	for _, q := range p.server.all {
		if q.run == p.runs && q.broken == "answered, then closed" {
			n++
		}
	}
	return n
}

// sender is an account in a run.
type sender struct {
	run     int
	account string
}

// sendersOf are those that the journal has, in the order of the runs.
func sendersOf(j *journalLines) (all []sender) {
	for _, send := range j.sends {
		run, _ := strconv.Atoi(send.run)
		if of := (sender{run, send.account}); !slices.Contains(all, of) {
			all = append(all, of)
		}
	}
	return all
}

// align matches what was announced of an account in a run with what arrived, by time and rows: time stands still between
// the line in the journal and the arrival. It notes what was announced by its number in the journal.
func (p *player) align(j *journalLines, of sender, arrived []*request, announced map[int64]*request) (all []*request, wrong []string) {
	for _, send := range j.sends {
		if send.account != of.account || send.run != strconv.Itoa(of.run) || j.withdrawn[send.id] {
			continue
		}
		to := p.table.to(of.account, send.lines)
		if len(arrived) > 0 && arrived[0].at.UTC().Truncate(time.Millisecond).Equal(send.at) && slices.Equal(sorted(arrived[0].to), sorted(to)) {
			arrived[0].unheard = !j.answered[send.id]
			announced[send.id] = arrived[0]
			all, arrived = append(all, arrived[0]), arrived[1:]
			continue
		}
		q, problem := p.neverArrived(j, of, send, to)
		if len(all) > 0 { // at the same moment
			q.number = max(q.number, all[len(all)-1].number+1)
		}
		announced[send.id] = q
		all = append(all, q)
		if problem != "" {
			wrong = append(wrong, problem)
		}
	}
	for _, q := range arrived {
		wrong = append(wrong, fmt.Sprintf("request %d of run %d for %q of %q is not on record", q.number, q.run, q.to, q.from))
	}
	return all, wrong
}

// neverArrived is a request that was announced and did not reach the server. It met a dial that failed, or a connection that
// was closed just then, or its sender died first.
func (p *player) neverArrived(j *journalLines, of sender, send sendLine, to []string) (q *request, wrong string) {
	w := word{means: lost}
	for _, r := range j.results[send.id] {
		if r.Code != nil {
			wrong = fmt.Sprintf("request %d has code %d for an answer on record, and never arrived", send.id, *r.Code)
		}
		if !r.Lost && p.call().loses {
			w = word{means: retry}
		}
	}
	if !p.call().loses && j.answered[send.id] {
		w = word{means: retry}
	}
	before := 0
	for _, r := range p.server.all {
		if r.run < of.run || r.run == of.run && r.at.Before(send.at) {
			before++
		}
	}
	q = &request{run: of.run, number: 1000*before + int(send.id%1000), at: send.at, from: of.account, to: to,
		said: slices.Repeat([]word{w}, len(to)), done: make([]bool, len(to)), phantom: true, unheard: !j.answered[send.id]}
	return q, wrong
}
