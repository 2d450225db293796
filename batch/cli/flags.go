package cli

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"friendsweep/batch"
	"friendsweep/batch/chat"
	"friendsweep/batch/send"
)

// jobFlags are those of every command that carries out a job: that calls the API for each pair of an input, with a journal
// and a report.
type jobFlags struct {
	Pairs string `arg:"" name:"PAIRS" question:"which file? give - for standard input" predictor:"file" help:"CSV of (from, to) pairs, plain, gzip or zstd; - for standard input."`
	targetFlags
	pairFlags
	speedFlags
	fileFlags
	outputFlags
}

// pairFlags say what to read and how to put it into requests.
type pairFlags struct {
	DeleteType string        `group:"first" enum:"single,both" default:"single" placeholder:"single|both" help:"single: From no longer has To. both: neither has the other."`
	FromColumn string        `group:"what" placeholder:"NAME" help:"Header name of the From_Account column; else from_account or from."`
	ToColumn   string        `group:"what" placeholder:"NAME" help:"Header name of the To_Account column; else to_account or to."`
	ChunkSize  int           `group:"what" default:"1000" placeholder:"N" help:"Pairs per request, 1 to 1000."`
	MaxRows    *int64        `group:"what" placeholder:"N" help:"Refuse an input of more records."`
	MaxInvalid send.Failures `group:"what" default:"50%" placeholder:"N|P%" help:"Refuse an input with so many invalid rows: probably these are the wrong columns. A percentage counts from 1000 records on; 100% never refuses."`
}

// regroupFlag is of the commands that delete, or tell what a deletion would do.
type regroupFlag struct {
	Regroup bool `group:"what" help:"With --delete-type both: ask from the side that needs fewer requests."`
}

// check refuses what --regroup cannot do: one side alone can only be asked for as it is written.
func (f *regroupFlag) check(pairs *pairFlags) error {
	if f.Regroup && pairs.deleteType() != chat.Both {
		return errors.New("--regroup is for --delete-type both: one side can only be asked for as it is written")
	}
	return nil
}

// speedFlags say how fast and how stubborn a job is, and how far it goes.
type speedFlags struct {
	Rate           float64        `group:"speed" default:"200" placeholder:"N" help:"Requests per second for the whole run, retries included; 0 is no limit."`
	RowRate        float64        `group:"speed" default:"0" placeholder:"N" help:"Rows per second, retries included; 0 is no limit. Every deletion fires the app's webhook."`
	Workers        int            `group:"speed" default:"64" placeholder:"N" help:"Requests in flight; 64 keep up 200 a second at 300 ms an answer."`
	Timeout        time.Duration  `group:"speed" default:"15s" placeholder:"D" help:"One request; the server's own limit is 3s."`
	MaxAttempts    int            `group:"speed" default:"8" placeholder:"N" help:"Retryable failures of one row in one run before it is given up."`
	BackoffInitial time.Duration  `group:"speed" default:"500ms" placeholder:"D" help:"First delay before a retry; it doubles, with jitter."`
	BackoffMax     time.Duration  `group:"speed" default:"30s" placeholder:"D" help:"Longest delay before a retry."`
	MaxFailures    send.Failures  `group:"speed" default:"50%" placeholder:"N|P%" help:"Stop when so many rows are refused or given up; a percentage counts from 1000 rows of 10 accounts on, and 100% never stops."`
	Limit          *int64         `group:"first" placeholder:"N" help:"A canary: send at most N pairs in this run, of accounts in no particular order, then stop."`
	MaxDuration    *time.Duration `group:"speed" placeholder:"D" help:"A time box: stop after this time."`
}

// fileFlags name the files of a job and say what becomes of those of an earlier run.
type fileFlags struct {
	Report      string `predictor:"file" group:"files" placeholder:"FILE" help:"The report; pairs.csv has pairs.report.csv beside it. The journal is FILE.journal."`
	Failures    string `predictor:"file" group:"files" placeholder:"FILE" help:"Also write the failed lines alone: a valid input for the next run."`
	Resume      bool   `group:"first" help:"Continue the run that this report belongs to; with nothing to continue it is a fresh run."`
	Overwrite   bool   `group:"files" help:"Start anew although a report or journal of this name is there; these are moved aside."`
	Lock        string `predictor:"file" group:"files" placeholder:"FILE" help:"Also hold this lock for the whole run, for scheduled runs whose reports have a new name each time."`
	Note        string `group:"files" placeholder:"TEXT" help:"Words of your own, a ticket's number say, kept in journal, summary and page."`
	HTML        string `predictor:"file" name:"html" group:"files" placeholder:"FILE" help:"The run as one self-contained page."`
	MetricsFile string `predictor:"file" group:"files" placeholder:"FILE" help:"The run's figures for a Prometheus textfile collector."`
}

// outputFlags are those of commands whose result may be JSON.
type outputFlags struct {
	JSON bool `name:"json" group:"output" help:"The result on standard output as JSON."`
	logFlags
}

// logFlags are those of commands that show progress and write a log.
type logFlags struct {
	Progress  string `group:"output" enum:"auto,bar,plain,none" default:"auto" placeholder:"MODE" help:"auto, bar, plain or none: a bar on a terminal, elsewhere a line every 10s."`
	LogFormat string `group:"output" enum:"text,json" default:"text" placeholder:"text|json" help:"text or json: the log on standard error."`
	Quiet     bool   `group:"output" help:"Only warnings and errors on standard error."`
}

// check refuses values out of range and flags at odds, and completes what follows from others.
func (f *jobFlags) check() error {
	if err := cmp.Or(f.pairFlags.check(), f.speedFlags.check(), f.targetFlags.check(), f.fileFlags.check()); err != nil {
		return err
	}
	if f.Report == "" && f.Pairs == "-" {
		return errors.New("standard input has no name that a report could be named after\ngive --report")
	}
	f.SDKAppID = f.app()
	return f.enoughDescriptors()
}

func (f *pairFlags) check() error {
	switch {
	case f.ChunkSize < 1 || f.ChunkSize > chat.Delete(f.deleteType()).MaxItems:
		return fmt.Errorf("--chunk-size %d is out of range: 1 to %d", f.ChunkSize, chat.Delete(f.deleteType()).MaxItems)
	case f.FromColumn != "" && f.FromColumn == f.ToColumn:
		return fmt.Errorf("--from-column and --to-column are both %q", f.FromColumn)
	case f.MaxRows != nil && *f.MaxRows < 0:
		return fmt.Errorf("--max-rows %d is negative", *f.MaxRows)
	}
	return nil
}

func (f *pairFlags) deleteType() chat.DeleteType {
	if f.DeleteType == "both" {
		return chat.Both
	}
	return chat.Single
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
	return cmp.Or(checkRate("--rate", f.Rate), checkRate("--row-rate", f.RowRate))
}

// slowest is the least that a pace may be, in a second, if it is not 0: what is slower never ends in anybody's lifetime.
const slowest = 0.001

func checkRate(flag string, rate float64) error {
	if rate == 0 || rate >= slowest && !math.IsInf(rate, 1) {
		return nil
	}
	return fmt.Errorf("%s %v is out of range: at least %v a second, or 0 for no limit", flag, rate, slowest)
}

// maxWorkers is far beyond what 200 requests a second can need.
const maxWorkers = 4096

// otherFiles is how many files and connections a run may have open beside those of its requests: the 256 files that a large
// input is spread over, and a good many for everything else.
const otherFiles = 256 + 64

// enoughDescriptors refuses more workers than the process may have connections. (The limit is the hard one: Go has raised
// the soft one to it.)
func (f *jobFlags) enoughDescriptors() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil // then the system's own message will have to do
	}
	each := uint64(1)
	if f.Sandbox {
		each = 2 // both ends of a connection are ours
	}
	if need := uint64(f.Workers)*each + otherFiles; need > limit.Cur {
		return fmt.Errorf("--workers %d needs some %d open files, and this process may have %d\nraise the limit (ulimit -n) or lower --workers", f.Workers, need, limit.Cur)
	}
	return nil
}

func (f *fileFlags) check() error {
	switch {
	case f.Resume && f.Overwrite:
		return errors.New("--resume and --overwrite exclude each other: continue that run, or begin anew?")
	case len(f.Note) > maxNote:
		return fmt.Errorf("--note has %d bytes, %d are the most", len(f.Note), maxNote)
	case !utf8.ValidString(f.Note) || strings.ContainsFunc(f.Note, unicode.IsControl):
		return errors.New("--note is not one line of text: it has a line break, a control character or bytes that are no UTF-8")
	}
	return nil
}

// maxNote bounds --note, which stands in every line of figures that somebody reads.
const maxNote = 1000

// options are the run that the flags ask for. The caller has checked them.
func (f *jobFlags) options(a *app) (batch.Options, error) {
	key, sig, err := f.secrets(a.ctx)
	if err != nil {
		return batch.Options{}, err
	}
	temp, err := tempDir()
	if err != nil {
		return batch.Options{}, err
	}
	o := batch.Options{
		Pairs: f.Pairs, Stdin: a.stdin, Typed: a.typed(f.Pairs), FromColumn: f.FromColumn, ToColumn: f.ToColumn, MaxRows: f.MaxRows,
		Endpoint: f.endpoint(), AppID: f.SDKAppID, Identifier: f.Identifier, Key: key, Sig: sig,
		DeleteType: f.deleteType(), Timeout: f.Timeout, Batch: f.batch(a.started), Proxy: http.ProxyFromEnvironment,
		Report: f.Report, Failures: f.Failures, HTML: f.HTML, Metrics: f.MetricsFile, Lock: f.Lock,
		Resume: f.Resume, Overwrite: f.Overwrite, MaxInvalid: f.MaxInvalid, Note: f.Note,
		Flags: a.flags, Defaults: a.defaults(), Command: append([]string{"friendsweep"}, a.args...),
		Version: a.version, Started: a.started, TempDir: temp, Log: a.log, Progress: a.progress,
	}
	for _, file := range []string{f.SecretKeyFile, f.UsersigFile} {
		if file != "" {
			o.SecretFiles = append(o.SecretFiles, file)
		}
	}
	return o, nil
}

// batch is what the pool is told. started is when the time of --max-duration begins.
func (f *jobFlags) batch(started time.Time) send.Options {
	o := send.Options{ChunkSize: f.ChunkSize, Workers: f.Workers, Rate: f.Rate, RowRate: f.RowRate, MaxAttempts: f.MaxAttempts,
		BackoffInitial: f.BackoffInitial, BackoffMax: f.BackoffMax, MaxFailures: f.MaxFailures}
	if f.Limit != nil {
		o.Limit = *f.Limit
	}
	if f.MaxDuration != nil {
		o.Deadline = started.Add(*f.MaxDuration)
	}
	return o
}
