package proof

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// journalLines is what a journal says about its requests, read with nothing of the program's own.
type journalLines struct {
	sends               []sendLine // in order
	answered, withdrawn map[int64]bool
	pid                 int // of the last run
}

// sendLine is a request that is about to be sent.
type sendLine struct {
	id      int64
	pid     int // of the run
	account string
	lines   []int64
}

func journalOf(path string) (*journalLines, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1] // what follows is a torn tail
	j := &journalLines{answered: map[int64]bool{}, withdrawn: map[int64]bool{}}
	for line := range bytes.Lines(text) {
		var l struct {
			Send, Answer, Withdraw int64
			Account, Lines         string
			Run                    struct{ PID int }
		}
		if json.Unmarshal(line, &l) != nil {
			continue // so is this, or else nobody would resume from it
		}
		switch {
		case l.Run.PID > 0:
			j.pid = l.Run.PID
		case l.Send > 0:
			j.sends = append(j.sends, sendLine{l.Send, j.pid, l.Account, linesOf(l.Lines)})
		}
		j.answered[l.Answer], j.withdrawn[l.Withdraw] = true, true
	}
	return j, nil
}

// linesOf reads "2,5-7".
func linesOf(text string) (lines []int64) {
	for _, part := range strings.Split(text, ",") {
		from, to, ranged := strings.Cut(part, "-")
		lo, _ := strconv.ParseInt(from, 10, 64)
		hi := lo
		if ranged {
			hi, _ = strconv.ParseInt(to, 10, 64)
		}
		for ; lo <= hi; lo++ {
			lines = append(lines, lo)
		}
	}
	return lines
}

// reconcile holds the requests that reached the server in a run against those that its journal announces, and notes which
// answers the journal does not have. A request that was announced and did not arrive was as good as sent. It is to be
// called after every run.
func (s *server) reconcile(j *journalLines, table *table, run, pid int) (wrong []string) {
	announced := map[string][]sendLine{}
	for _, send := range j.sends {
		if send.pid == pid && !j.withdrawn[send.id] {
			announced[send.account] = append(announced[send.account], send)
		}
	}
	arrived := map[string][]*request{}
	for _, q := range s.all {
		if q.run == run {
			arrived[q.from] = append(arrived[q.from], q)
		}
	}
	for account, requests := range arrived {
		for i, q := range requests {
			if i >= len(announced[account]) {
				wrong = append(wrong, fmt.Sprintf("request %d of run %d is not on record", q.number, run))
				continue
			}
			send := announced[account][i]
			q.unheard = !j.answered[send.id]
			if got := table.to(account, send.lines); !slices.Equal(sorted(got), sorted(q.to)) {
				wrong = append(wrong, fmt.Sprintf("request %d of run %d carries %q, on record are %q", q.number, run, q.to, got))
			}
		}
	}
	for account, sends := range announced {
		for i := len(arrived[account]); i < len(sends); i++ {
			if j.answered[sends[i].id] {
				wrong = append(wrong, fmt.Sprintf("request %d has an answer on record, and never arrived", sends[i].id))
			}
			s.ghost(account, table.to(account, sends[i].lines), word{means: lost}).unheard = true
		}
	}
	return wrong
}

func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }
