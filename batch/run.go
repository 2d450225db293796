// Package batch carries out one run of a job from its locks to its summary: it holds together what input reads, batch
// sends and reports writes, and owns the order in which that happens.
//
// Call [New] and [Run.Prepare], which refuses everything that can be refused before anything is sent, then [Run.Execute],
// and always [Run.Close]. [Rewrite] makes the report of a run that died.
package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"friendsweep/batch/chat"
	"friendsweep/batch/send"
	"friendsweep/input"
	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/terminal"
)

// Sandbox is the endpoint of a run against the embedded emulator, as journal and summary name it.
const Sandbox = "sandbox"

// Options are a run. They have been checked for range, but for what depends on files.
type Options struct {
	Pairs      string // a file, or - for Stdin
	Stdin      io.Reader
	Typed      bool // somebody types Stdin at the terminal that shows progress: a bar would stand in what is typed
	FromColumn string
	ToColumn   string
	// Regroup asks from the side that needs fewer requests; CountRegrouped only counts those, for the plan. Both are for a
	// call that settles a pair for both sides.
	Regroup, CountRegrouped bool
	MaxInvalid              send.Failures // refuse so many invalid records
	MaxRows                 *int64        // refuse more records; nil is no limit

	Endpoint   string // as [chat.ParseEndpoint] returns it, or [Sandbox]
	AppID      int
	Identifier string
	Key, Sig   chat.Secret // one of the two; for the sandbox neither
	API        chat.Call   // what is asked: see [Options.SetCall]
	DeleteType chat.DeleteType
	Timeout    time.Duration // of one request
	Batch      send.Options  // with the call and the answers that are successes
	Proxy      func(*http.Request) (*url.URL, error)

	Report, Failures, HTML, Metrics, Lock string // files; all but the report may be empty
	SecretFiles                           []string
	Resume, RetryFailed, Overwrite        bool

	// AlsoSuccess is further answers that are successes, of a run whose report is made later.
	AlsoSuccess []string

	// Ask shows the plan, of what is open, and returns nil if it may be carried out; through is the number of rows that
	// earlier runs have dealt with. asked is false where there is nothing to ask about. nil: nobody need be asked.
	Ask func(plan *reports.Plan, through int64) (asked bool, err error)

	// Remark is what the command has to say of a run's answers; nil for nothing.
	Remark func(*reports.Summary) string

	Note    string // the user's own words
	Allowed string // where Ask is nil: why nobody need be asked

	Flags    entry.Flags                 // for the journal and the next command; no secrets
	Defaults map[string]reports.Defaults // by command: what the next one need not name
	Command  []string                    // the command line, for the page
	Version  string
	Started  time.Time
	TempDir  string
	Log      *slog.Logger
	Progress *terminal.Progress

	// What package proof puts between a run and the world; nil for the world itself.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	Disk func(journal.Disk) journal.Disk // of the journal, see [journal.Journal.Through]
}

// SetCall sets the call of the API that the run makes, and the answers that are successes, by their words.
func (o *Options) SetCall(c chat.Call, success []string) {
	o.API, o.Batch.Call = c, Calls.Named(c.Name)
	o.Batch.Good = o.Batch.Call.Set(success)
}

// Refusal says why nothing was sent: wrong usage, or something too dangerous to do.
type Refusal struct{ Err error }

// Error is the reason, with what to try on a second line.
func (r Refusal) Error() string { return r.Err.Error() }

// Unwrap is the reason.
func (r Refusal) Unwrap() error { return r.Err }

func refuse(format string, args ...any) error { return Refusal{fmt.Errorf(format, args...)} }

// Run is one run. It is for one goroutine.
type Run struct {
	Options
	lock    io.Closer // of --lock
	journal *journal.Journal
	head    *entry.Head // of the journal that was found
	in      *input.Input
	job     entry.Job
	history *journal.History // of the runs before, when they are resumed
	began   time.Time        // the job, by its journal's first line: the same for every run of it
	signer  *chat.Signer
	runner  send.Runner
	reads   bool    // the journal is read and nothing more
	names   []named // every file that somebody named
	safe    bool    // each output was tried, and none is to be written over another

	// How the run ended.
	err     error // why it stopped before its end
	fates   *fates.Fates
	written reports.Written // the report; where there is none, what the journal alone knows

	unwritten error                                 // why the report could not be written
	failed    struct{ page, metrics, journal bool } // could not be written
}

// New is a run that has not begun. It must be closed.
func New(opts Options) *Run { return &Run{Options: opts} }

// Prepare does all that precedes the first request: files, locks, input, question. The error is a [Refusal], an
// [*input.Error], [journal.ErrHeld], the context's or its cause, or the disk's.
func (r *Run) Prepare(ctx context.Context) error {
	if err := r.checkPaths(); err != nil {
		return err
	}
	if err := r.takeLock(); err != nil {
		return err
	}
	if err := r.checkFiles(); err != nil {
		return err
	}
	if err := r.takeJournal(); err != nil {
		return err
	}
	if err := r.nothingInTheWay(ctx); err != nil {
		return err
	}
	if err := r.read(ctx); err != nil {
		return err
	}
	if r.MaxRows != nil && r.in.Rows > *r.MaxRows {
		return refuse("%s has %d records, --max-rows allows %d: nothing was sent", r.Pairs, r.in.Rows, *r.MaxRows)
	}
	if err := CheckInvalid(r.in, r.Pairs, r.MaxInvalid); err != nil {
		return err
	}
	if err := r.remember(ctx); err != nil {
		return err
	}
	return r.ask(ctx)
}

// ask shows what is to be sent to the one who must say yes, where somebody is to be asked.
func (r *Run) ask(ctx context.Context) error {
	if r.Ask == nil {
		return nil
	}
	through := int64(0)
	if r.history != nil {
		through = r.history.FinalCount
	}
	plan := r.plan()
	if err := r.limitToOpen(ctx, plan); err != nil {
		return err
	}
	began := time.Now()
	asked, err := r.Ask(plan, through)
	if err != nil {
		return err
	}
	// The time that the question stood is not the run's.
	stood := time.Since(began)
	r.Started = r.Started.Add(stood)
	if !r.Batch.Deadline.IsZero() {
		r.Batch.Deadline = r.Batch.Deadline.Add(stood)
	}
	r.Allowed = "there was nothing to send, so nobody was asked"
	if run := r.thisRun(); asked {
		r.Allowed = "yes, typed at a terminal by " + run.User + " on " + run.Host
	}
	return nil
}

// CheckInvalid refuses an input with so many invalid records: it is probably not what the user takes it for. The error is
// an [*input.Error].
func CheckInvalid(in *input.Input, pairs string, most send.Failures) error {
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

func (r *Run) read(ctx context.Context) (err error) {
	r.in, err = Read(ctx, &r.Options)
	if err != nil {
		return err
	}
	r.job = entry.Job{
		Call:        r.Batch.Call.Name,
		InputSHA256: r.in.SHA256, InputBytes: r.in.Bytes, Rows: r.in.Rows, LastLine: r.in.LastLine,
		FromColumn: r.in.FromColumn, ToColumn: r.in.ToColumn, Endpoint: r.Endpoint, AppID: r.AppID,
		DeleteType: string(r.DeleteType), Invalid: r.in.Invalid, Duplicates: r.in.Duplicates, Mirrors: r.in.Mirrors,
	}
	return nil
}

func (r *Run) plan() *reports.Plan {
	p := NewPlan(r.in, r.Batch)
	p.Endpoint, p.SDKAppID, p.Identifier, p.Report = r.Endpoint, r.AppID, r.Identifier, r.Report
	p.DeleteType, p.Asking = string(r.DeleteType), true
	return p
}

// LogFields are what a log says of a run that is prepared and about to begin, as [log/slog] takes them.
func (r *Run) LogFields() []any {
	fields := []any{"input", r.in.Path, "rows", r.in.Rows, "pairs", r.in.Pairs}
	if r.history != nil {
		fields = append(fields, "through_before", r.history.FinalCount)
	}
	if r.Note != "" {
		fields = append(fields, "note", r.Note)
	}
	run := r.thisRun()
	return append(fields, "allowed", r.Allowed, "by", run.User+" on "+run.Host, "endpoint", r.Endpoint, "sdkappid", r.AppID, "report", absolute(r.Report), "journal", absolute(r.journal.Path()))
}

// Execute begins the job in the journal, sends, and reports. The summary is nil when there is nothing to sum up: before the
// first request. code is the process's exit code where summary is not nil; err is then only to be shown.
func (r *Run) Execute(ctx context.Context) (summary *reports.Summary, code int, err error) {
	client, stop, err := r.connect()
	if err != nil {
		return nil, 0, Refusal{err}
	}
	defer stop()
	if ctx.Err() != nil {
		return nil, 0, context.Cause(ctx)
	}
	if err := r.begin(); err != nil {
		return nil, 0, err
	}
	r.setRunner(client)
	stopMetrics := r.keepMetrics()
	r.Progress.Start(terminal.Sending, r.snapshot)
	r.err = r.runner.Run(ctx, r.pairs())
	r.Progress.Stop()
	stopMetrics()
	if r.nothingHappened() {
		return nil, 0, r.err
	}
	summary, code, err = r.finish(context.WithoutCancel(ctx))
	if err == nil {
		return summary, code, r.err
	}
	return summary, code, errors.Join(r.err, err)
}

// Close gives up what the run holds. A run that has sent nothing leaves no journal.
func (r *Run) Close() {
	if r.fates != nil {
		r.fates.Close()
	}
	if r.journal != nil {
		r.journal.Discard()
	}
	if r.in != nil {
		r.in.Close()
	}
	if r.lock != nil {
		r.lock.Close()
	}
}
