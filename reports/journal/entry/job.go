package entry

import (
	"fmt"
	"time"

	"friendsweep/reports/journal/outcome"
)

// Job is what a journal is about. Two runs belong to the same job if [Job.Differences] finds none.
type Job struct {
	Call        string `json:"call"`         // its name
	InputSHA256 string `json:"input_sha256"` // hex, of the raw bytes
	InputBytes  int64  `json:"input_bytes"`
	Rows        int64  `json:"rows"`      // records of the input
	LastLine    int64  `json:"last_line"` // where the last record starts, or a later line
	FromColumn  string `json:"from_column"`
	ToColumn    string `json:"to_column"`
	Endpoint    string `json:"endpoint"` // https://host, or the word sandbox
	AppID       int    `json:"sdkappid"`
	DeleteType  string `json:"delete_type"` // as the API spells it
	Invalid     int64  `json:"invalid"`     // rows that can never be sent
	Duplicates  int64  `json:"duplicates"`  // rows that repeat an earlier one, mirrors among them
	Mirrors     int64  `json:"mirrors"`     // those duplicates that see the friendship from the other side
}

// Sandbox reports whether nothing real was deleted.
func (j Job) Sandbox() bool { return j.Endpoint == "sandbox" }

// mostLines is more lines than an input can have in practice; it bounds what a damaged first line can make us reserve.
const mostLines = 1 << 34

// sane reports whether the counts can be those of an input.
func (j Job) sane() bool {
	least := min(j.Rows, j.Invalid, j.Duplicates, j.Mirrors)
	return least >= 0 && j.Mirrors <= j.Duplicates && j.Invalid <= j.Rows-j.Duplicates && j.Rows <= j.LastLine && j.LastLine <= mostLines
}

// Differences says in an operator's words why other is not the same job, and is empty if it is. The receiver is the job
// of now, other the one in the journal. Counts are not compared: they follow from what is.
func (j Job) Differences(other Job) []string {
	var all []string
	differ := func(what string, now, then any) {
		if now != then {
			all = append(all, fmt.Sprintf("%s: %v, was %v", what, now, then))
		}
	}
	if j.InputSHA256 != other.InputSHA256 || j.InputBytes != other.InputBytes {
		all = append(all, fmt.Sprintf("input: other bytes (%d bytes with sha256 %s, was %d bytes with sha256 %s)",
			j.InputBytes, short(j.InputSHA256), other.InputBytes, short(other.InputSHA256)))
	}
	differ("call", j.Call, other.Call)
	differ("from column", j.FromColumn, other.FromColumn)
	differ("to column", j.ToColumn, other.ToColumn)
	differ("endpoint", j.Endpoint, other.Endpoint)
	differ("sdkappid", j.AppID, other.AppID)
	differ("delete type", j.DeleteType, other.DeleteType)
	return all
}

// Same is Differences and the counts as well: nil only where a line number means the same row to both.
func (j Job) Same(other Job) error {
	if all := j.Differences(other); len(all) > 0 {
		return fmt.Errorf("the journal belongs to another job: %s", all[0])
	}
	if j != other {
		return fmt.Errorf("the same input was read differently: %d rows, %d invalid, %d duplicates, %d mirrors up to line %d; "+
			"the journal has %d, %d, %d, %d and %d\nuse the version of friendsweep that began the job",
			j.Rows, j.Invalid, j.Duplicates, j.Mirrors, j.LastLine,
			other.Rows, other.Invalid, other.Duplicates, other.Mirrors, other.LastLine)
	}
	return nil
}

func short(hash string) string {
	if len(hash) <= 12 {
		return hash
	}
	return hash[:12] + "…"
}

// Run is who works on a job and how: for people and for `status`, never compared.
type Run struct {
	Version    string   `json:"-"`          // of the program
	Input      Text     `json:"input"`      // absolute path, or - for standard input
	Flags      Flags    `json:"flags"`      // every flag but secrets
	Identifier Text     `json:"identifier"` // the app admin account
	Failures   Text     `json:"failures"`   // the files that the run writes beside its report; empty for none
	Page       Text     `json:"page"`
	Success    []string `json:"success"`           // the answers that are successes, by their words
	Note       string   `json:"note,omitempty"`    // the user's own words
	Allowed    string   `json:"allowed,omitempty"` // who answered the question, or why nobody was asked
	Host       string   `json:"host"`
	User       string   `json:"user"`
	PID        int      `json:"pid"`
}

// Head is the first line of a journal.
type Head struct {
	Version string // of the program that began the job; recorded, not compared
	At      time.Time
	Call    *outcome.Call
	Job     Job
	Run     Run // the first run
}
