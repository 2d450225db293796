// Package sweep carries out one run of delete from its locks to its summary: it holds together what input reads, batch
// sends and reports writes, and owns the order in which that happens.
//
// Call [New] and [Sweep.Prepare], which refuses everything that can be refused before anything is sent, then [Sweep.Run],
// and always [Sweep.Close]. [Rewrite] makes the report of a run that died.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"friendsweep/batch"
	"friendsweep/batch/chat"
	"friendsweep/input"
	"friendsweep/reports"
)

// Sandbox is the endpoint of a run against the embedded emulator, as journal and summary name it.
const Sandbox = "sandbox"

// Options are a run. They have been checked for range, but for what depends on files.
type Options struct {
	Pairs      string // a file, or - for Stdin
	Stdin      io.Reader
	FromColumn string
	ToColumn   string
	MaxInvalid batch.Failures // refuse so many invalid records
	MaxRows    *int64         // refuse more records; nil is no limit

	Endpoint   string // as [chat.ParseEndpoint] returns it, or [Sandbox]
	AppID      int
	Identifier string
	Key, Sig   chat.Secret // one of the two; for the sandbox neither
	DeleteType chat.DeleteType
	Timeout    time.Duration // of one request
	Batch      batch.Options
	Proxy      func(*http.Request) (*url.URL, error)

	Report, Failures, HTML, Metrics, Lock string // files; all but the report may be empty
	Secrets                               []string
	Resume, RetryFailed, Overwrite        bool
	IgnoreNotFriend                       bool

	// Ask shows the plan and returns nil if it may be carried out; through is the number of rows that earlier runs have
	// dealt with. nil: nobody need be asked.
	Ask func(plan *reports.Plan, through int64) error

	Note    string // the user's own words
	Allowed string // where Ask is nil: why nobody need be asked

	Flags    map[string]string // for the journal and the next command, by name; no secrets
	Defaults map[string]string // of flags that the next command need not name
	Command  []string          // the command line, for the page
	Version  string
	Started  time.Time
	TempDir  string
	Log      *slog.Logger
	Progress *reports.Progress
}

// Refusal says why nothing was sent: wrong usage, or something too dangerous to do.
type Refusal struct{ Err error }

// Error is the reason, with what to try on a second line.
func (r Refusal) Error() string { return r.Err.Error() }

// Unwrap is the reason.
func (r Refusal) Unwrap() error { return r.Err }

func refuse(format string, args ...any) error { return Refusal{fmt.Errorf(format, args...)} }

// Sweep is one run. It is for one goroutine.
type Sweep struct {
	Options
	lock    io.Closer // of --lock
	journal *reports.Journal
	head    *reports.Head // of the journal that was found
	in      *input.Input
	job     reports.Job
	history *reports.History // of the runs before, when they are resumed
	signer  *chat.Signer
	runner  batch.Runner
	reads   bool    // the journal is read and nothing more
	names   []named // every file that somebody named
	safe    bool    // each output was tried, and none is to be written over another

	// How the run ended.
	err     error // why it stopped before its end
	fates   *reports.Fates
	tally   reports.Tally
	samples []reports.SampleGroup

	unwritten bool                                  // the report could not be written
	print     reports.Fingerprint                   // of the report
	failed    struct{ page, metrics, journal bool } // could not be written
}

// New is a run that has not begun. It must be closed.
func New(opts Options) *Sweep { return &Sweep{Options: opts} }

// Prepare does all that precedes the first request: files, locks, input, question. The error is a [Refusal], an
// [*input.Error], [reports.ErrHeld], the context's cause, or the disk's.
func (s *Sweep) Prepare(ctx context.Context) error {
	if err := s.checkPaths(); err != nil {
		return err
	}
	if err := s.takeLock(); err != nil {
		return err
	}
	if err := s.checkFiles(); err != nil {
		return err
	}
	if err := s.takeJournal(); err != nil {
		return err
	}
	if err := s.nothingInTheWay(ctx); err != nil {
		return err
	}
	if err := s.read(ctx); err != nil {
		return err
	}
	if s.MaxRows != nil && s.in.Rows > *s.MaxRows {
		return refuse("%s has %d records, --max-rows allows %d: nothing was sent", s.Pairs, s.in.Rows, *s.MaxRows)
	}
	if err := CheckInvalid(s.in, s.Pairs, s.MaxInvalid); err != nil {
		return err
	}
	if err := s.remember(ctx); err != nil {
		return err
	}
	if s.Ask == nil {
		return nil
	}
	through := int64(0)
	if s.history != nil {
		through = s.history.FinalCount
	}
	asked := time.Now()
	if err := s.Ask(s.plan(), through); err != nil {
		return err
	}
	// The time that the question stood is not the run's.
	stood := time.Since(asked)
	s.Started = s.Started.Add(stood)
	if !s.Batch.Deadline.IsZero() {
		s.Batch.Deadline = s.Batch.Deadline.Add(stood)
	}
	run := s.thisRun()
	s.Allowed = "yes, typed at a terminal by " + run.User + " on " + run.Host
	return nil
}

// CheckInvalid refuses an input with so many invalid records: it is probably not what the user takes it for. The error is
// an [*input.Error].
func CheckInvalid(in *input.Input, pairs string, most batch.Failures) error {
	if !most.ReachedBy(in.Invalid, in.Rows) {
		return nil
	}
	e := &input.Error{File: pairs,
		Reason: fmt.Sprintf("%d of %d records are invalid, --max-invalid is %s: nothing was sent", in.Invalid, in.Rows, most),
		Hint:   "Are these the right columns? Name them with --from-column and --to-column, or permit more with --max-invalid."}
	if len(in.FirstInvalids) > 0 {
		first := in.FirstInvalids[0]
		e.Hint = fmt.Sprintf("Line %d: %s. %s", first.Line, first.Reason, e.Hint)
	}
	return e
}

func (s *Sweep) read(ctx context.Context) (err error) {
	s.in, err = Read(ctx, &s.Options)
	if err != nil {
		return err
	}
	s.job = reports.Job{
		InputSHA256: s.in.SHA256, InputBytes: s.in.Bytes, Rows: s.in.Rows, LastLine: s.in.LastLine,
		FromColumn: s.in.FromColumn, ToColumn: s.in.ToColumn, Endpoint: s.Endpoint, AppID: s.AppID,
		DeleteType: string(s.DeleteType), Invalid: s.in.Invalid, Duplicates: s.in.Duplicates, Mirrors: s.in.Mirrors,
	}
	return nil
}

func (s *Sweep) plan() *reports.Plan {
	p := NewPlan(s.in, s.Batch.ChunkSize, s.Batch.Rate)
	p.Endpoint, p.SDKAppID, p.Identifier, p.Report = s.Endpoint, s.AppID, s.Identifier, s.Report
	p.DeleteType, p.Asking = string(s.DeleteType), true
	return p
}

// Run begins the job in the journal, sends, and reports. The summary is nil when there is nothing to sum up: before the
// first request. code is the process's exit code where summary is not nil; err is then only to be shown.
func (s *Sweep) Run(ctx context.Context) (summary *reports.Summary, code int, err error) {
	client, stop, err := s.connect()
	if err != nil {
		return nil, 0, Refusal{err}
	}
	defer stop()
	if ctx.Err() != nil {
		return nil, 0, context.Cause(ctx)
	}
	if err := s.begin(); err != nil {
		return nil, 0, err
	}
	s.setRunner(client)
	stopMetrics := s.keepMetrics()
	s.Progress.Start(reports.Sending, s.snapshot)
	s.err = s.runner.Run(ctx, s.in.Groups(), s.in.MirrorGroups())
	s.Progress.Stop()
	stopMetrics()
	if s.nothingHappened() {
		return nil, 0, s.err
	}
	summary, code, err = s.finish(context.WithoutCancel(ctx))
	if err == nil {
		return summary, code, s.err
	}
	return summary, code, errors.Join(s.err, err)
}

// Close gives up what the run holds. A run that has sent nothing leaves no journal.
func (s *Sweep) Close() {
	if s.fates != nil {
		s.fates.Close()
	}
	if s.journal != nil {
		s.journal.Discard()
	}
	if s.in != nil {
		s.in.Close()
	}
	if s.lock != nil {
		s.lock.Close()
	}
}
