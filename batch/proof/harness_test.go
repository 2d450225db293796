package proof

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"friendsweep/batch"
	"friendsweep/batch/chat"
	"friendsweep/batch/sandbox"
	"friendsweep/batch/send"
	"friendsweep/input"
	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

// settings are those of one run in process.
type settings struct {
	workers, chunk int
	limit          int64
	retryFailed    bool
	interruptAt    int     // the request that arrives while the run is interrupted; 0 for none
	dieAt          int     // the call of the journal from which on the process is as good as dead; 0 for none
	powerCut       float64 // how much of what was not synced such a death takes along, 0 to 1
}

const maxAttempts = 3

// trial is one job in process: its input, its server, its files.
type trial struct {
	dir     string
	table   *table
	both    bool
	ignore  bool
	regroup bool
	server  *server
	dials   []bool // which connections fail to open; those beyond open
	runs    int
	retry   map[int]bool // the runs that sent refused rows again
	tally   fates.Tally
}

func newTrial(dir string, table *table, both bool) (*trial, error) {
	tr := &trial{dir: dir, table: table, both: both, server: newServer(), retry: map[int]bool{}}
	return tr, os.WriteFile(tr.path("pairs.csv"), []byte(table.csv), 0o600)
}

func (tr *trial) path(name string) string { return filepath.Join(tr.dir, name) }

// call is what the job asks for.
func (tr *trial) call() *call { return tr.server.call }

// api is the same as the program has it.
func (tr *trial) api() chat.Call {
	if tr.call() == checking {
		return chat.Check()
	}
	return chat.Delete(tr.deleteType())
}

func (tr *trial) deleteType() chat.DeleteType {
	if tr.both {
		return chat.Both
	}
	return chat.Single
}

// errDead is what the journal says once the process is as good as dead.
var errDead = errors.New("dead")

// errInterrupted is the cause of an interrupt.
var errInterrupted = errors.New("interrupted")

// run makes one run as main does, and returns what it ended with. A run that did not die has written a report.
func (tr *trial) run(ctx context.Context, o settings) (ended, failed error) {
	tr.runs++
	tr.server.run = tr.runs
	tr.retry[tr.runs] = o.retryFailed
	in, err := input.Read(ctx, input.Options{Path: tr.path("pairs.csv"), ChunkSize: o.chunk, Both: tr.both && tr.call() == deletion, Regroup: tr.regroup, TempDir: tr.dir})
	if err != nil {
		return nil, err
	}
	defer in.Close()
	j, err := journal.Lock(tr.path("report.csv"), batch.Calls)
	if err != nil {
		return nil, err
	}
	defer j.Close()
	job := tr.job(in)
	history, err := begin(ctx, j, job, o.retryFailed)
	if err != nil {
		return nil, err
	}
	d := &desk{Journal: j, trial: tr, dieAt: o.dieAt, sent: map[int64]*sending{}}
	d.noteSync()
	ended, failed = tr.send(ctx, o, d, in, history)
	if d.dead {
		j.Close()
		if err := d.cutPower(o.powerCut); err != nil {
			return nil, err
		}
		return ended, failed
	}
	if failed != nil {
		return ended, failed
	}
	if err := j.End("0", ""); err != nil {
		return ended, err
	}
	return ended, tr.report(ctx, j, in, job)
}

func (tr *trial) job(in *input.Input) entry.Job {
	return entry.Job{
		Call:        tr.call().name,
		InputSHA256: in.SHA256, InputBytes: in.Bytes, Rows: in.Rows, LastLine: in.LastLine,
		FromColumn: in.FromColumn, ToColumn: in.ToColumn, Endpoint: "http://127.0.0.1", AppID: sandbox.DefaultAppID,
		DeleteType: string(tr.deleteType()), Invalid: in.Invalid, Duplicates: in.Duplicates, Mirrors: in.Mirrors,
	}
}

// begin starts or resumes the job. The history is nil for a fresh one.
func begin(ctx context.Context, j *journal.Journal, job entry.Job, retryFailed bool) (*journal.History, error) {
	run := entry.Run{Version: "proof", Input: "pairs.csv"}
	head, err := j.Head()
	if err != nil {
		return nil, err
	}
	if head == nil {
		return nil, j.Start(job, run)
	}
	if differences := job.Differences(head.Job); len(differences) > 0 {
		return nil, fmt.Errorf("another job: %v", differences)
	}
	history, err := j.Replay(ctx, retryFailed)
	if err != nil {
		return nil, err
	}
	return history, j.Resume(run)
}

// send is the middle of a run: a client on a pipe to the server, and a runner that knows both it and the desk.
func (tr *trial) send(ctx context.Context, o settings, d *desk, in *input.Input, h *journal.History) (ended, failed error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	arrivals := 0
	tr.server.arrived = func(*request) {
		tr.server.mu.Lock()
		defer tr.server.mu.Unlock()
		if arrivals++; arrivals == o.interruptAt {
			cancel(errInterrupted)
		}
	}
	pipes := newPipes()
	web := &http.Server{Handler: tr.server}
	served := make(chan struct{})
	go func() { defer close(served); web.Serve(pipes) }()
	defer func() { tr.server.handlers.Wait(); web.Close(); <-served }()
	signer := chat.NewSigner(sandbox.DefaultAppID, sandbox.DefaultIdentifier, sandbox.DefaultKey)
	client, err := chat.NewClient(chat.Config{
		Endpoint: "http://127.0.0.1", AppID: sandbox.DefaultAppID, Identifier: sandbox.DefaultIdentifier, Signer: signer,
		Call: tr.api(), Timeout: 15 * time.Second, Workers: o.workers, DialContext: tr.dial(pipes),
		Secrets: []chat.Secret{sandbox.DefaultKey},
	})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	r := tr.runner(o, d, h)
	r.Client, r.Signer, r.API = client, signer, tr.api()
	pairs := send.Pairs{Groups: in.Groups(), Mirrors: in.MirrorGroups(), LastLine: in.LastLine}
	if in.Turned > 0 {
		pairs.Turned = in.TurnedGroups()
	}
	ended = r.Run(ctx, pairs)
	if o.limit > 0 {
		return ended, tr.withinLimit(o.limit)
	}
	return ended, nil
}

func (tr *trial) runner(o settings, d *desk, h *journal.History) *send.Runner {
	r := &send.Runner{
		Options: send.Options{Call: batch.Calls.Named(tr.call().name), ChunkSize: o.chunk, Workers: o.workers, MaxAttempts: maxAttempts, Limit: o.limit, Rate: 200,
			BackoffInitial: 500 * time.Millisecond, BackoffMax: 30 * time.Second, MaxFailures: send.Failures{Percent: 100}},
		Journal: d, History: h, Mirrored: outcome.NewBits(tr.table.last()),
	}
	if h != nil {
		r.Mirrored = h.Mirrored
	}
	return r
}

// withinLimit counts the pairs that the last run sent.
func (tr *trial) withinLimit(limit int64) error {
	sent := map[[2]string]bool{}
	for _, q := range tr.server.all {
		for _, to := range q.to {
			if q.run == tr.runs {
				sent[[2]string{min(q.from, to), max(q.from, to)}] = true
			}
		}
	}
	if n := int64(len(sent)); n > limit {
		return fmt.Errorf("%d pairs sent under a limit of %d", n, limit)
	}
	return nil
}

// good is the answers that are successes.
func (tr *trial) good() outcome.Set {
	return batch.Calls.Named(tr.call().name).Set(tr.call().success(tr.ignore))
}

// report writes the report of the job so far.
func (tr *trial) report(ctx context.Context, j *journal.Journal, in *input.Input, job entry.Job) error {
	joined, err := fates.New(ctx, j, fates.Options{Job: job, Repeats: in.Repeats(), Dir: tr.dir})
	if err != nil {
		return err
	}
	defer joined.Close()
	written, err := reports.Report(ctx, reports.ReportOptions{
		Path: tr.path("report.csv"), Failures: tr.path("failures.csv"), Good: tr.good(), Job: job, Records: in.Records(ctx),
	}, joined)
	tr.tally = written.Tally
	return err
}

// rewrite makes the report of a dead run, as the command report does.
func (tr *trial) rewrite(ctx context.Context) error {
	in, err := input.Read(ctx, input.Options{Path: tr.path("pairs.csv"), ChunkSize: 1000, Both: tr.both && tr.call() == deletion, Regroup: tr.regroup, TempDir: tr.dir})
	if err != nil {
		return err
	}
	defer in.Close()
	j, err := journal.Lock(tr.path("report.csv"), batch.Calls)
	if err != nil {
		return err
	}
	defer j.Close()
	return tr.report(ctx, j, in, tr.job(in))
}

// oracle is what the report is to be held against.
func (tr *trial) oracle() *oracle {
	return &oracle{regroup: tr.regroup, call: tr.call(), rows: tr.table.rows, record: tr.server.record, maxAttempts: maxAttempts}
}

// check holds the report, and the whole of what happened, against the server's record.
func (tr *trial) check() (wrong []string) {
	report, err := readReport(tr.path("report.csv"))
	if err != nil {
		return []string{err.Error()}
	}
	o := tr.oracle()
	wrong = append(wrong, o.compare(report, tr.ignore, tr.server.shown)...)
	wrong = append(wrong, o.truth(report)...)
	wrong = append(wrong, o.again(tr.retry)...)
	wrong = append(wrong, o.early()...)
	wrong = append(wrong, tr.server.problems...)
	t := tr.tally
	if rows := int64(len(tr.table.rows)); t.Rows != rows || t.Success+t.Failure != rows {
		wrong = append(wrong, fmt.Sprintf("%d rows, %d successes, %d failures; want %d rows", t.Rows, t.Success, t.Failure, rows))
	}
	return append(wrong, failuresMatch(report, tr.path("failures.csv"))...)
}

// memory is a folder whose files need no disk, if the system has such a thing.
func memory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "proof")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// table is an input and its author's knowledge of it.
type table struct {
	csv  string
	rows []row // in the order of their lines
}

func (t *table) last() int64 {
	if len(t.rows) == 0 {
		return 1
	}
	return t.rows[len(t.rows)-1].line
}

// to are the accounts that a request of this account for these lines names.
func (t *table) to(account string, lines []int64) (to []string) {
	for _, line := range lines {
		i, ok := slices.BinarySearchFunc(t.rows, line, func(r row, line int64) int { return cmp.Compare(r.line, line) })
		switch {
		case ok && t.rows[i].from == account:
			to = append(to, t.rows[i].to)
		case ok: // asked for from the other side
			to = append(to, t.rows[i].from)
		}
	}
	return to
}
