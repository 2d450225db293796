package cli

import (
	"fmt"
	"math"
	"time"

	"friendsweep/batch"
	"friendsweep/batch/chat"
)

// targetFlags say where to send and as whom.
type targetFlags struct {
	Region        string `group:"where" placeholder:"NAME" help:"API host of the app's data centre: ${regions}. There is no default: the wrong region fails in confusing ways."`
	Endpoint      string `group:"where" placeholder:"URL" help:"Instead of a region: a proxy or a test server. https only, except that a loopback host may be http."`
	Sandbox       bool   `group:"where" help:"Use the embedded emulator: no account, no network, nothing real deleted."`
	SDKAppID      int    `name:"sdkappid" group:"where" placeholder:"N" help:"The app."`
	Identifier    string `group:"where" default:"administrator" placeholder:"ID" help:"The app admin account."`
	SecretKeyFile string `predictor:"file" group:"where" placeholder:"FILE" help:"File with the app's secret key, or set FRIENDSWEEP_SECRET_KEY. UserSigs are made from it and renewed."`
	UsersigFile   string `predictor:"file" group:"where" placeholder:"FILE" help:"File with a ready-made UserSig, or set FRIENDSWEEP_USERSIG, for people who must not hold the key."`
}

// pairFlags say what to delete.
type pairFlags struct {
	DeleteType string `group:"what" enum:"single,both" default:"single" placeholder:"single|both" help:"single: From no longer has To. both: neither has the other."`
	FromColumn string `group:"what" placeholder:"NAME" help:"Header name of the From_Account column; else from_account or from."`
	ToColumn   string `group:"what" placeholder:"NAME" help:"Header name of the To_Account column; else to_account or to."`
	ChunkSize  int    `group:"what" default:"1000" placeholder:"N" help:"Pairs per request, 1 to 1000."`
	MaxRows    *int64 `group:"what" placeholder:"N" help:"Refuse an input of more records."`
}

type speedFlags struct {
	Rate           float64        `group:"speed" default:"200" placeholder:"N" help:"Requests per second for the whole run, retries included; 0 is no limit."`
	Workers        int            `group:"speed" default:"64" placeholder:"N" help:"Requests in flight; 64 keep up 200 a second at 300 ms an answer."`
	Timeout        time.Duration  `group:"speed" default:"15s" placeholder:"D" help:"One request; the server's own limit is 3s."`
	MaxAttempts    int            `group:"speed" default:"8" placeholder:"N" help:"Retryable failures of one row in one run before it is given up."`
	BackoffInitial time.Duration  `group:"speed" default:"500ms" placeholder:"D" help:"First delay before a retry; it doubles, with jitter."`
	BackoffMax     time.Duration  `group:"speed" default:"30s" placeholder:"D" help:"Longest delay before a retry."`
	MaxFailures    batch.Failures `group:"speed" default:"50%" placeholder:"N|P%" help:"Stop when so many rows are refused or given up; a percentage counts from 1000 rows of 10 accounts on, and 100% never stops."`
	Limit          *int64         `group:"what" placeholder:"N" help:"A canary: send at most N pairs in this run, of accounts in no particular order, then stop."`
	MaxDuration    *time.Duration `group:"speed" placeholder:"D" help:"A time box: stop after this time."`
}

type fileFlags struct {
	Report      string `predictor:"file" group:"files" placeholder:"FILE" help:"The report; pairs.csv has pairs.report.csv beside it. The journal is FILE.journal."`
	Failures    string `predictor:"file" group:"files" placeholder:"FILE" help:"Also write the failed lines alone: a valid input for the next run."`
	Resume      bool   `group:"files" help:"Continue the run that this report belongs to; with nothing to continue it is a fresh run."`
	RetryFailed bool   `group:"files" help:"With --resume: also send the refused rows again."`
	Overwrite   bool   `group:"files" help:"Start anew although a report or journal of this name is there; these are moved aside."`
	Lock        string `predictor:"file" group:"files" placeholder:"FILE" help:"Also hold this lock for the whole run, for scheduled runs whose reports have a new name each time."`
	HTML        string `predictor:"file" name:"html" group:"files" placeholder:"FILE" help:"The run as one self-contained page."`
	MetricsFile string `predictor:"file" group:"files" placeholder:"FILE" help:"The run's figures for a Prometheus textfile collector."`
}

type outputFlags struct {
	JSON bool `name:"json" group:"output" help:"The closing summary on standard output as JSON."`
	logFlags
}

type logFlags struct {
	Progress  string `group:"output" enum:"auto,bar,plain,none" default:"auto" placeholder:"MODE" help:"auto, bar, plain or none: a bar on a terminal, elsewhere a line every 10s."`
	LogFormat string `group:"output" enum:"text,json" default:"text" placeholder:"text|json" help:"text or json: the log on standard error."`
	Quiet     bool   `group:"output" help:"Only warnings and errors on standard error."`
}

func (f *pairFlags) deleteType() chat.DeleteType {
	if f.DeleteType == "both" {
		return chat.Both
	}
	return chat.Single
}

func (f *pairFlags) check() error {
	switch {
	case f.ChunkSize < 1 || f.ChunkSize > chat.MaxRows:
		return fmt.Errorf("--chunk-size %d is out of range: 1 to %d", f.ChunkSize, chat.MaxRows)
	case f.FromColumn != "" && f.FromColumn == f.ToColumn:
		return fmt.Errorf("--from-column and --to-column are both %q", f.FromColumn)
	case f.MaxRows != nil && *f.MaxRows < 0:
		return fmt.Errorf("--max-rows %d is negative", *f.MaxRows)
	}
	return nil
}

func checkRate(rate float64) error {
	if !(rate >= 0) || math.IsInf(rate, 1) {
		return fmt.Errorf("--rate %v is out of range: 0 or more requests per second", rate)
	}
	return nil
}

func (f *speedFlags) check() error {
	switch {
	case f.Workers < 1 || f.Workers > maxWorkers:
		return fmt.Errorf("--workers %d is out of range: 1 to %d", f.Workers, maxWorkers)
	case f.Timeout <= 0:
		return fmt.Errorf("--timeout %s must be more than 0", f.Timeout)
	case f.MaxAttempts < 1:
		return fmt.Errorf("--max-attempts %d must be 1 or more", f.MaxAttempts)
	case f.BackoffInitial <= 0 || f.BackoffMax < f.BackoffInitial:
		return fmt.Errorf("--backoff-initial %s and --backoff-max %s: the first must be more than 0, the second not less than it", f.BackoffInitial, f.BackoffMax)
	case f.Limit != nil && *f.Limit < 1:
		return fmt.Errorf("--limit %d must be 1 or more", *f.Limit)
	case f.MaxDuration != nil && *f.MaxDuration <= 0:
		return fmt.Errorf("--max-duration %s must be more than 0", *f.MaxDuration)
	}
	return checkRate(f.Rate)
}

// maxWorkers is far beyond what 200 requests a second can need, and below what a process may open files.
const maxWorkers = 4096

func (f *speedFlags) batch(started time.Time) batch.Options {
	o := batch.Options{Workers: f.Workers, Rate: f.Rate, MaxAttempts: f.MaxAttempts, BackoffInitial: f.BackoffInitial,
		BackoffMax: f.BackoffMax, MaxFailures: f.MaxFailures}
	if f.Limit != nil {
		o.Limit = *f.Limit
	}
	if f.MaxDuration != nil {
		o.Deadline = started.Add(*f.MaxDuration)
	}
	return o
}
