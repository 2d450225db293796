package proof

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// journalLines is what a journal says about its requests, read with nothing of the program's own.
type journalLines struct {
	sends               []sendLine // in order
	answered, withdrawn map[int64]bool
	answers             []int64                // the numbers of the answered, in the order of their answers
	pid                 int                    // of the last run
	results             map[int64][]resultLine // of the answers
	runs                []string               // the versions of the runs that have begun
	deleteType          string                 // of the job; empty where none has begun
	decided             []failedLine
	end, head           string // the last run's exit code, if it has ended, and the h of the last line
}

// journalLine is a line with all that it may have.
type journalLine struct {
	Send, Answer, Withdraw int64
	Account, Lines         string
	Run                    struct{ PID int }
	Friendsweep, Resume    *string
	Job                    struct {
		DeleteType string `json:"delete_type"`
	}
	At      time.Time
	End     string
	Results []resultLine
	H       string
}

// failed is how many rows the line refuses or gives up; sent are the rows of the requests so far.
func (l *journalLine) failed(sent map[int64]int64) (n int64) {
	for _, r := range l.Results {
		if r.Outcome != "refused" && r.Outcome != "gave_up" {
			continue
		}
		if r.Lines == "" {
			return sent[l.Answer]
		}
		n += int64(len(linesOf(r.Lines)))
	}
	return n
}

// failedLine is a line that refuses rows or gives them up.
type failedLine struct {
	run    string
	at     time.Time
	failed int64
}

// resultLine is what an answer says of some rows.
type resultLine struct {
	Outcome string
	Lost    bool
	Code    *int
	Lines   string
}

// sendLine is a request that is about to be sent.
type sendLine struct {
	id      int64
	pid     int    // of the run
	run     string // its version
	at      time.Time
	account string
	lines   []int64

	answered int // how many answers are on record before it
}

func journalOf(path string) (*journalLines, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseJournal(text), nil
}

// parseJournal reads the lines up to a torn tail.
func parseJournal(text []byte) *journalLines {
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	j := &journalLines{answered: map[int64]bool{}, withdrawn: map[int64]bool{}, results: map[int64][]resultLine{}}
	sent := map[int64]int64{}
	for line := range bytes.Lines(text) {
		var l journalLine
		if json.Unmarshal(line, &l) != nil {
			continue // so is this, or else nobody would resume from it
		}
		j.head, j.end = l.H, l.End
		for _, version := range []*string{l.Friendsweep, l.Resume} {
			if version != nil {
				j.runs = append(j.runs, *version)
			}
		}
		switch {
		case l.Run.PID > 0:
			j.pid, j.deleteType = l.Run.PID, cmp.Or(j.deleteType, l.Job.DeleteType)
		case l.Send > 0:
			j.sends = append(j.sends, sendLine{l.Send, j.pid, j.runs[len(j.runs)-1], l.At, l.Account, linesOf(l.Lines), len(j.answers)})
			sent[l.Send] = int64(len(linesOf(l.Lines)))
		}
		if l.Answer > 0 {
			j.answers = append(j.answers, l.Answer)
		}
		j.answered[l.Answer], j.withdrawn[l.Withdraw] = true, true
		j.results[l.Answer] = l.Results
		if failed := l.failed(sent); failed > 0 {
			j.decided = append(j.decided, failedLine{j.runs[len(j.runs)-1], l.At, failed})
		}
	}
	return j
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
