package batch

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"friendsweep/batch/chat"
	"friendsweep/batch/sandbox"
	"friendsweep/batch/send"
	"friendsweep/input"
	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/terminal"
)

// serve is an app of its own, which is no sandbox for the run, and returns its endpoint.
func serve(t *testing.T) string {
	t.Helper()
	listener, err := sandbox.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- sandbox.New(sandbox.Options{}).Serve(ctx, listener) }() // ended and waited for below
	t.Cleanup(func() { stop(); <-served })
	return "http://" + listener.Addr().String()
}

// options are a deletion of the pairs at the endpoint, in a folder of its own.
func options(t *testing.T, endpoint, pairs string) Options {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "pairs.csv")
	if err := os.WriteFile(path, []byte("from,to\n"+pairs), 0o600); err != nil {
		t.Fatal(err)
	}
	o := Options{
		Pairs: path, Report: filepath.Join(dir, "pairs.report.csv"), Endpoint: endpoint, AppID: sandbox.DefaultAppID,
		Identifier: sandbox.DefaultIdentifier, Key: sandbox.DefaultKey, DeleteType: chat.Single, Timeout: 15 * time.Second,
		MaxInvalid: send.Failures{Percent: 50}, TempDir: dir, Started: time.Now(), Version: "v1.2.3 abc", Allowed: "a test",
		Flags: entry.Flags{"chunk-size": entry.Text("2"), "retry-failed": false},
		Log:   slog.New(slog.DiscardHandler), Progress: terminal.NewProgress(io.Discard, terminal.Options{}),
		Batch: send.Options{ChunkSize: 2, Workers: 2, MaxAttempts: 3, BackoffInitial: time.Millisecond, BackoffMax: time.Millisecond,
			MaxFailures: send.Failures{Percent: 100}},
	}
	o.SetCall(chat.Delete(chat.Single), []string{"deleted"})
	return o
}

// carryOut is a whole run.
func carryOut(t *testing.T, o Options) (*reports.Summary, int, error) {
	t.Helper()
	r := New(o)
	defer r.Close()
	if err := r.Prepare(t.Context()); err != nil {
		return nil, 0, err
	}
	return r.Execute(t.Context())
}

// outcomesIn are the outcomes in a report, in its order.
func outcomesIn(t *testing.T, path string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		all = append(all, strings.Split(line, ",")[4])
	}
	return all
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// fewPairs have one row of most fates, over three accounts.
const fewPairs = "a,b\na,c\na,not-friend-d\na,missing-e\nx,y\nx,y\nx,\nz,a\n"

var fatesOfFew = []string{"deleted", "deleted", "not_friend", "refused", "deleted", "duplicate", "invalid", "deleted"}

func TestAWholeRun(t *testing.T) {
	for _, endpoint := range []string{Sandbox, serve(t)} {
		o := options(t, endpoint, fewPairs)
		dir := filepath.Dir(o.Report)
		o.Failures, o.HTML, o.Metrics = filepath.Join(dir, "f.csv"), filepath.Join(dir, "p.html"), filepath.Join(dir, "job.prom")
		o.Note, o.Remark = "ticket 7", func(*reports.Summary) string { return "remarkable" }
		sum, code, err := carryOut(t, o)
		if err != nil || code != exitRowsFailed {
			t.Fatalf("got exit code %d and %v, want 1", code, err)
		}
		if got := outcomesIn(t, o.Report); !slices.Equal(got, fatesOfFew) {
			t.Errorf("got the outcomes %v, want %v", got, fatesOfFew)
		}
		if got := outcomesIn(t, o.Failures); !slices.Equal(got, []string{"not_friend", "refused", "invalid"}) {
			t.Errorf("got the failures %v", got)
		}
		if sum.Rows != 8 || sum.Success != 5 || sum.Failure != 3 || sum.Accounts != 3 || sum.Requests != 4 || sum.Runs != 1 || !sum.Finished ||
			sum.ExitCode != 1 || sum.StopReason != "" || sum.ResumeCommand != "" || !strings.Contains(sum.RetryCommand, "--retry-failed") ||
			sum.RowsPerSecond < 1 || sum.Note != "ticket 7" || sum.Remark != "remarkable" || sum.Endpoint != endpoint || sum.ReportCommand != "" ||
			sum.Allowed != "a test" || sum.JobStartedAt == "" || sum.Report != o.Report || sum.Journal != o.Report+".journal" {
			t.Errorf("got the summary %+v", sum)
		}
		print, err := reports.FingerprintFile("report", o.Report)
		if err != nil || sum.ReportSHA256 != print.SHA256 {
			t.Errorf("got the fingerprint %s, want %s, %v", sum.ReportSHA256, print.SHA256, err)
		}
		for path, words := range map[string][]string{
			o.HTML:    {"ticket 7", print.SHA256, sum.JournalHead, "pairs.csv"},
			o.Metrics: {`name="job"`, "exit_code"},
		} {
			text, err := os.ReadFile(path)
			for _, word := range words {
				if err != nil || !strings.Contains(string(text), word) {
					t.Errorf("%s: got no %q in it, %v", path, word, err)
				}
			}
		}
		info, err := fates.Status(t.Context(), o.Report, o.TempDir, Calls)
		if err != nil || !info.Ended || info.Head.Job.Rows != 8 {
			t.Errorf("got %+v, %v, want a journal that has ended, of 8 rows", info, err)
		}
		checks, err := Audit(t.Context(), Options{Report: o.Report, TempDir: o.TempDir, Log: o.Log, Progress: o.Progress})
		if err != nil || len(checks) != 3 || slices.ContainsFunc(checks, func(c reports.Check) bool { return !c.Holds }) {
			t.Errorf("got the audit %+v, %v, want that everything holds", checks, err)
		}
	}
}

// A job in several runs: what is open is sent, nothing else, and the files of earlier runs go.
func TestAJobOfSeveralRuns(t *testing.T) {
	o := options(t, serve(t), fewPairs)
	o.Batch.Limit, o.Batch.Workers, o.HTML = 2, 1, filepath.Join(filepath.Dir(o.Report), "p.html")
	var stop *send.Stop
	sum, code, err := carryOut(t, o)
	if code != exitStopped || !errors.As(err, &stop) || !stop.Asked {
		t.Fatalf("got exit code %d and %v, want the stop that was asked for", code, err)
	}
	if sum.Finished || sum.Outcomes["not_sent"] != 4 || !strings.Contains(sum.ResumeCommand, "--resume") || sum.StopReason == "" {
		t.Errorf("got the summary %+v, want 4 rows not sent and how to go on", sum)
	}
	if _, _, err := carryOut(t, o); !isRefusal(err, "not finished", "--resume") {
		t.Errorf("again: got %v, want a refusal that says how to go on", err)
	}

	other := o
	other.Resume, other.DeleteType = true, chat.Both
	other.SetCall(chat.Delete(chat.Both), []string{"deleted"})
	if _, _, err := carryOut(t, other); !isRefusal(err, "another job", "delete") {
		t.Errorf("with another delete type: got %v, want a refusal", err)
	}

	o.Resume, o.Batch.Limit, o.HTML = true, 0, ""
	r := New(o)
	if err := r.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	fields := r.LogFields()
	if i := slices.Index(fields, any("through_before")); i < 0 || fields[i+1] != any(int64(2)) {
		t.Errorf("got the fields %v, want 2 rows through before", fields)
	}
	if got := r.NextCommand(false); !strings.Contains(got, "--resume") || strings.Contains(got, "--retry-failed") {
		t.Errorf("got the next command %q", got)
	}
	sum, code, err = r.Execute(t.Context())
	r.Close()
	if err != nil || code != exitRowsFailed || sum.Runs != 2 || sum.Success != 5 || sum.Requests > 3 {
		t.Errorf("got exit code %d, %v and %+v, want 1 after 2 runs", code, err, sum)
	}
	if got := outcomesIn(t, o.Report); !slices.Equal(got, fatesOfFew) {
		t.Errorf("got the outcomes %v, want %v", got, fatesOfFew)
	}
	if isThere(filepath.Join(filepath.Dir(o.Report), "p.html")) {
		t.Error("the first run's page is there, and no longer true")
	}

	o.Resume = false
	if _, _, err := carryOut(t, o); !isRefusal(err, "is finished", "--overwrite") {
		t.Errorf("after the end: got %v, want a refusal", err)
	}
	o.Resume, o.RetryFailed = true, true
	if sum, code, err = carryOut(t, o); err != nil || code != exitRowsFailed || sum.Requests != 1 || sum.Runs != 3 {
		t.Errorf("the refused again: got exit code %d, %v and %+v, want one request", code, err, sum)
	}
	o.Resume, o.RetryFailed, o.Overwrite = false, false, true
	if sum, code, err = carryOut(t, o); err != nil || code != exitRowsFailed || sum.Runs != 1 || sum.Outcomes["not_friend"] != 5 {
		t.Errorf("anew: got exit code %d, %v and %+v, want nobody to be a friend any more", code, err, sum)
	}
	for _, path := range []string{o.Report + ".1", o.Report + ".journal.1"} {
		if !isThere(path) {
			t.Errorf("%s is not there: what was in the way is moved aside", path)
		}
	}
}

func isRefusal(err error, words ...string) bool {
	var refusal Refusal
	return errors.As(err, &refusal) && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(err.Error(), w) })
}

// What a run is refused for before anything is sent leaves nothing behind, and says why.
func TestWhatIsRefused(t *testing.T) {
	endpoint := serve(t)
	most := int64(2)
	for name, tc := range map[string]struct {
		edit func(t *testing.T, o *Options)
		want func(error) bool
	}{
		"too many rows": {func(_ *testing.T, o *Options) { o.MaxRows = &most }, func(err error) bool { return isRefusal(err, "3 records", "allows 2") }},
		"too many invalid ones": {func(_ *testing.T, o *Options) { o.MaxInvalid = send.Failures{Count: 1} }, func(err error) bool {
			var e *input.Error
			return errors.As(err, &e) && strings.Contains(e.Reason, "1 of 3 records are invalid") && strings.HasPrefix(e.Hint, "Line 4: ")
		}},
		"no input": {func(_ *testing.T, o *Options) { o.Pairs += ".none" }, func(err error) bool {
			var e *input.Error
			return errors.As(err, &e) && e.Reason == syscall.ENOENT.Error()
		}},
		"no folder for the page": {func(_ *testing.T, o *Options) { o.HTML = filepath.Join(o.TempDir, "none", "p.html") },
			func(err error) bool { return isRefusal(err, "--html") }},
		"the answer no": {func(_ *testing.T, o *Options) {
			o.Ask = func(*reports.Plan, int64) (bool, error) { return true, refuse("the answer is no") }
		}, func(err error) bool { return isRefusal(err, "the answer is no") }},
		"an endpoint that is none": {func(_ *testing.T, o *Options) { o.Endpoint = "http://elsewhere.test" }, func(err error) bool { return isRefusal(err, "loopback") }},
		"a report without a journal": {func(t *testing.T, o *Options) {
			if err := os.WriteFile(o.Report, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, func(err error) bool { return isRefusal(err, "without a journal", "--overwrite") }},
		"a lock that is held": {func(t *testing.T, o *Options) {
			o.Lock = filepath.Join(t.TempDir(), "lock")
			held, err := journal.LockFile(o.Lock, "a test")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { held.Close() })
		}, func(err error) bool { return errors.Is(err, journal.ErrHeld) }},
		"a report in the input's place": {func(_ *testing.T, o *Options) { o.Report = o.Pairs }, func(err error) bool { return isRefusal(err, "--report and the input") }},
		"a report that nobody named": {func(t *testing.T, o *Options) {
			if err := os.Mkdir(o.Report, 0o700); err != nil {
				t.Fatal(err)
			}
		}, func(err error) bool { return isRefusal(err, "the report: ", "unless --report names another place") }},
		"a report that nobody named, of no input": {func(_ *testing.T, o *Options) {
			o.Pairs, o.Report = filepath.Join(o.TempDir, "none", "p.csv"), filepath.Join(o.TempDir, "none", "p.report.csv")
		}, func(err error) bool {
			var e *input.Error
			return errors.As(err, &e) && e.Reason == syscall.ENOENT.Error()
		}},
		"a report somewhere else": {func(_ *testing.T, o *Options) { o.Report = filepath.Join(o.TempDir, "none", "r.csv") },
			func(err error) bool { return isRefusal(err, "--report: ") }},
		"a lock in no folder": {func(_ *testing.T, o *Options) { o.Lock = filepath.Join(o.TempDir, "none", "lock") },
			func(err error) bool { return isRefusal(err, "--lock") }},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, endpoint, "a,b\na,c\na,\n")
			tc.edit(t, &o)
			if _, _, err := carryOut(t, o); !tc.want(err) {
				t.Errorf("got %v", err)
			}
			if isThere(o.Report + ".journal") {
				t.Error("a journal is there")
			}
			if text, err := os.ReadFile(o.Report); err == nil && len(text) > 0 && o.Report != o.Pairs {
				t.Errorf("got the report %q, want none", text)
			}
		})
	}
	o := options(t, endpoint, "a,b\na,c\n")
	o.MaxRows, o.MaxInvalid = &most, send.Failures{Count: 1}
	if _, code, err := carryOut(t, o); err != nil || code != exitDone {
		t.Errorf("as many rows as are allowed: got exit code %d, %v, want 0", code, err)
	}
}

// Two runs cannot be at work on one job, whatever their flags.
func TestARunAtWork(t *testing.T) {
	o := options(t, serve(t), "a,b\n")
	held, err := journal.Lock(o.Report, Calls)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	for range 2 {
		if _, _, err := carryOut(t, o); !errors.Is(err, journal.ErrHeld) || isThere(o.Report) {
			t.Errorf("got %v, want that the job is at work", err)
		}
		o.Overwrite = true
	}
}

// Who is asked sees what is still open, and the time of the question is not the run's.
func TestTheQuestion(t *testing.T) {
	o := options(t, serve(t), "a,b\na,c\na,d\nx,y\n")
	o.Batch.Limit, o.Batch.Workers = 2, 1
	if _, code, err := carryOut(t, o); code != exitStopped || err == nil {
		t.Fatalf("got exit code %d, %v, want 4", code, err)
	}
	o.Resume, o.Batch.Limit, o.Batch.Rate = true, 0, 2
	o.Batch.Deadline = time.Now().Add(time.Minute)
	asked := 0
	o.Ask = func(plan *reports.Plan, through int64) (bool, error) {
		asked++
		if plan.Rows != 4 || plan.Pairs != 2 || plan.Accounts < 1 || plan.Requests != plan.Accounts || plan.Asked != plan.Requests || through != 2 ||
			plan.MinSeconds != float64(plan.Requests)/2 || !plan.Asking || plan.Report != o.Report || plan.RequestsRegrouped != nil {
			t.Errorf("got the plan %+v, %d rows through before; want the 2 that are open", plan, through)
		}
		return true, nil
	}
	r := New(o)
	defer r.Close()
	if err := r.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if asked != 1 || !strings.HasPrefix(r.Allowed, "yes, typed at a terminal by ") {
		t.Errorf("asked %d times, allowed by %q", asked, r.Allowed)
	}
	if fields := r.LogFields(); slices.Contains(fields, any("note")) {
		t.Errorf("got the fields %v, want no note", fields)
	}
	if later := r.Started.Sub(o.Started); later <= 0 || r.Batch.Deadline.Sub(o.Batch.Deadline) != later {
		t.Errorf("got a start %s later and an end %s later, want both moved by the time of the question", later, r.Batch.Deadline.Sub(o.Batch.Deadline))
	}
	o = options(t, o.Endpoint, "a,\n")
	o.MaxInvalid = send.Failures{Percent: 100}
	o.Ask = func(plan *reports.Plan, through int64) (bool, error) { return false, nil }
	r = New(o)
	defer r.Close()
	if err := r.Prepare(t.Context()); err != nil || r.Allowed != "there was nothing to send, so nobody was asked" || !r.Batch.Deadline.IsZero() {
		t.Errorf("nothing to send: got %v, allowed by %q until %s", err, r.Allowed, r.Batch.Deadline)
	}
}

// An account that is through, and a mirror whose first is still open, are no part of what is open.
func TestThePlanOfWhatIsOpen(t *testing.T) {
	for _, tc := range []struct {
		pairs                    string
		limit                    int64
		open, accounts, requests int64
	}{
		{"a,b\na,c\nx,y\n", 2, 1, 1, 1},
		{"a,b\nb,a\nc,not-friend-d\nnot-friend-d,c\ne,f\nf,e\n", 2, 2, 2, 2},
	} {
		o := options(t, serve(t), tc.pairs)
		o.DeleteType = chat.Both
		o.SetCall(chat.Delete(chat.Both), []string{"deleted"})
		o.Batch.Limit, o.Batch.Workers = tc.limit, 1
		if _, code, err := carryOut(t, o); code != exitStopped || err == nil {
			t.Fatalf("got exit code %d, %v, want 4", code, err)
		}
		o.Resume = true
		o.Ask = func(plan *reports.Plan, through int64) (bool, error) {
			if plan.Pairs != tc.open || plan.Accounts != tc.accounts || plan.Requests != tc.requests {
				t.Errorf("%q: got %d pairs of %d accounts in %d requests, want %d of %d in %d", tc.pairs, plan.Pairs, plan.Accounts, plan.Requests, tc.open, tc.accounts, tc.requests)
			}
			return true, nil
		}
		r := New(o)
		if err := r.Prepare(t.Context()); err != nil {
			t.Error(err)
		}
		r.Close()
	}
}

// A mirror is among what is open only if the other side's answer has not settled it.
func TestThePlanOfMirrors(t *testing.T) {
	o := options(t, serve(t), "a,b\nb,a\nc,not-friend-d\nnot-friend-d,c\ne,f\nf,e\n")
	o.DeleteType = chat.Both
	o.SetCall(chat.Delete(chat.Both), []string{"deleted"})
	o.Batch.Limit, o.Batch.Workers = 3, 1
	_, code, err := carryOut(t, o)
	o.Resume, o.Batch.Limit = true, 0
	o.Ask = func(plan *reports.Plan, through int64) (bool, error) {
		if plan.Pairs != 1 || plan.Requests != 1 || through != 3 {
			t.Errorf("got %d pairs in %d requests, %d through before; want the one mirror that is open, in 1, and 3", plan.Pairs, plan.Requests, through)
		}
		return true, nil
	}
	if code != exitStopped || err == nil {
		t.Fatalf("got exit code %d, %v, want 4", code, err)
	}
	sum, code, err := carryOut(t, o)
	if err != nil || code != exitRowsFailed || sum.Requests != 1 || sum.Outcomes["duplicate"] != 2 {
		t.Errorf("got exit code %d, %v, %+v, want one request", code, err, sum)
	}
}

// signal is the cause of a context that a signal ended.
type signal struct{}

func (signal) Error() string { return "interrupted" }
func (signal) Signal() int   { return 2 }

// A run that is interrupted before its first request leaves nothing; one that goes on with a job has its report.
func TestInterruptedBeforeTheFirstRequest(t *testing.T) {
	o := options(t, serve(t), "a,b\nx,y\n")
	for _, resumed := range []bool{false, true} {
		if resumed {
			first := o
			first.Batch.Limit, first.Batch.Workers = 1, 1
			if _, code, _ := carryOut(t, first); code != exitStopped {
				t.Fatalf("got exit code %d, want 4", code)
			}
		}
		again := o
		again.Resume = resumed
		ctx, interrupt := context.WithCancelCause(t.Context())
		again.Disk = func(d journal.Disk) journal.Disk { return d }
		r := New(again)
		if err := r.Prepare(ctx); err != nil {
			t.Fatal(err)
		}
		client, stop, err := r.connect()
		if err != nil {
			t.Fatal(err)
		}
		if err := r.begin(); err != nil {
			t.Fatal(err)
		}
		r.setRunner(client)
		interrupt(signal{})
		r.err = r.runner.Run(ctx, r.pairs())
		if got := r.nothingHappened(); got == resumed || isThere(o.Report+".journal") != resumed {
			t.Errorf("resumed %v: got that nothing happened: %v, a journal: %v", resumed, got, isThere(o.Report+".journal"))
		}
		stop()
		r.Close()
	}
}

// A run shows of earlier ones what is through, and of itself what is decided.
func TestSnapshot(t *testing.T) {
	o := options(t, Sandbox, "a,b\n")
	r := New(o)
	defer r.Close()
	if err := r.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.runner.Stats.Decided.Store(3)
	r.runner.Stats.Failed.Store(2)
	r.runner.Stats.Unwanted.Store(1)
	if got := r.snapshot(); got.Rows != 3 || got.Failures != 3 || got.Total != 3 {
		t.Errorf("got %+v, want 3 rows that failed of 3", got)
	}
	r.history = &journal.History{FinalCount: 4}
	if got := r.snapshot(); got.Rows != 7 || got.Total != 7 {
		t.Errorf("got %+v, want 7 rows with those of earlier runs", got)
	}
}

// The sandbox does not slow down a run that keeps its own pace.
func TestTheSandboxKeepsUp(t *testing.T) {
	o := options(t, Sandbox, "a,b\nc,d\ne,f\ng,h\n")
	o.Batch.Rate = 100
	if sum, code, err := carryOut(t, o); err != nil || code != exitDone || sum.ThrottledRequests != 0 || sum.Requests != 4 || sum.RetryCommand != "" {
		t.Errorf("got exit code %d, %v, %+v; want 4 requests and none throttled", code, err, sum)
	}
}

func TestWhoami(t *testing.T) {
	name, host := whoami()
	u, err := user.Current()
	here, _ := os.Hostname()
	if err != nil || name != u.Username || host != here {
		t.Errorf("got %s on %s, want %+v on %s, %v", name, host, u, here, err)
	}
}

// What would no longer be true is gone, but a link and what it leads to stay.
func TestRemove(t *testing.T) {
	dir := t.TempDir()
	file, link, to, folder := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "to"), filepath.Join(dir, "folder")
	if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), os.WriteFile(to, []byte("x"), 0o600), os.Symlink(to, link), os.MkdirAll(filepath.Join(folder, "full"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := remove(file, link, filepath.Join(dir, "none"), ""); err != nil || isThere(file) {
		t.Errorf("got %v and the file there: %v", err, isThere(file))
	}
	if text, err := os.ReadFile(link); err != nil || len(text) > 0 {
		t.Errorf("got %q, %v behind the link, want nothing", text, err)
	}
	if err := remove(folder); err == nil || !strings.HasPrefix(err.Error(), "removing what an earlier run wrote: ") || !isThere(folder) {
		t.Errorf("got %v, want that the folder cannot be removed", err)
	}
}

// A slow run says why it is slow.
func TestWhyARunIsSlow(t *testing.T) {
	r := New(Options{Batch: send.Options{Rate: 0.5}})
	if got := r.slow(); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
	r.runner.Stats.InPace.Add(1)
	if got := r.slow(); got != "pace 0.5/s" {
		t.Errorf("got %q, want the pace", got)
	}
	r.Batch.Rate = 0
	if got := r.slow(); got != "" {
		t.Errorf("without a limit: got %q, want nothing", got)
	}
	r.runner.Stats.InBackoff.Add(2)
	if got := r.slow(); got != "2 accounts back off" {
		t.Errorf("got %q, want the accounts", got)
	}
}

// The files of a sandbox run may be replaced, because nothing real is in them; those of any other may not, whoever comes.
func TestFilesOfASandboxRun(t *testing.T) {
	o := options(t, Sandbox, "a,b\n")
	var log strings.Builder
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	defer func() {
		if replaced, moved := strings.Count(log.String(), "replacing the files of an earlier sandbox run"), strings.Count(log.String(), "moved aside"); replaced != 2 || moved != 5 {
			t.Errorf("got %d files replaced and %d moved aside, want 2 and 5:\n%s", replaced, moved, &log)
		}
	}()
	for _, name := range []string{"first", "again"} {
		if _, code, err := carryOut(t, o); err != nil || code != exitDone {
			t.Fatalf("%s: got exit code %d and %v, want 0", name, code, err)
		}
	}
	if isThere(o.Report+".1") || isThere(o.Report+".journal.1") {
		t.Error("the files of a sandbox run were moved aside, want them replaced")
	}
	real := o
	real.Endpoint = serve(t)
	if _, code, err := carryOut(t, real); err != nil || code != exitDone {
		t.Errorf("a real run after it: got exit code %d and %v, want 0", code, err)
	}
	if isThere(o.Report + ".1") {
		t.Error("the files of a sandbox run were moved aside by a real one, want them replaced")
	}
	if _, _, err := carryOut(t, o); !isRefusal(err, "is finished") {
		t.Errorf("a sandbox run after the real one: got %v, want a refusal", err)
	}
	o.Overwrite = true
	if _, code, err := carryOut(t, o); err != nil || code != exitDone || !isThere(o.Report+".1") || !isThere(o.Report+".journal.1") {
		t.Errorf("with --overwrite: got exit code %d and %v, want 0 and the real files aside", code, err)
	}
	if _, code, err := carryOut(t, o); err != nil || code != exitDone || !isThere(o.Report+".2") {
		t.Errorf("with --overwrite over a sandbox run: got exit code %d and %v, want 0 and its files aside", code, err)
	}
	if err := os.Remove(o.Report + ".journal"); err != nil {
		t.Fatal(err)
	}
	if _, code, err := carryOut(t, o); err != nil || code != exitDone || !isThere(o.Report+".3") {
		t.Errorf("with --overwrite over a report alone: got exit code %d and %v, want 0 and it aside", code, err)
	}
}

// A run that goes on removes the page of the run before, but not what somebody else has put there since, nor a file that it is
// told to write itself.
func TestThePageOfTheRunBefore(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(t *testing.T, page string)
		stays  bool
	}{
		"as it was":    {func(*testing.T, string) {}, false},
		"a folder now": {func(t *testing.T, page string) { replaced(t, page, os.Mkdir(page+".new", 0o700)) }, true},
		"another file": {func(t *testing.T, page string) { replaced(t, page, os.WriteFile(page+".new", nil, 0o600)) }, true},
		"gone":         {func(t *testing.T, page string) { os.Remove(page) }, false},
	} {
		o := options(t, serve(t), "a,b\nx,y\n")
		page := filepath.Join(filepath.Dir(o.Report), "p.html")
		o.HTML, o.Batch.Limit, o.Batch.Workers = page, 1, 1
		if _, code, _ := carryOut(t, o); code != exitStopped || !isThere(page) {
			t.Fatalf("%s: got exit code %d, want 4 and a page", name, code)
		}
		tc.change(t, page)
		o.HTML, o.Batch.Limit, o.Resume = "", 0, true
		if _, code, err := carryOut(t, o); err != nil || code != exitDone {
			t.Errorf("%s: got exit code %d and %v, want 0", name, code, err)
		}
		if isThere(page) != tc.stays {
			t.Errorf("%s: the page is there: %v, want %v", name, isThere(page), tc.stays)
		}
	}
}

// replaced puts what lies beside the page in its place, an hour after the run's last word.
func replaced(t *testing.T, page string, made error) {
	t.Helper()
	ended := time.Now().Add(-time.Hour)
	journal := filepath.Join(filepath.Dir(page), "pairs.report.csv.journal")
	if err := errors.Join(made, os.Remove(page), os.Rename(page+".new", page), os.Chtimes(journal, ended, ended)); err != nil {
		t.Fatal(err)
	}
}

// Where several codes hold it is 4, then the signal's, then 1.
func TestExitCodeOfARun(t *testing.T) {
	broken := errors.New("no room")
	for _, tc := range []struct {
		ended, unwritten error
		failure          int64
		want             int
	}{
		{nil, nil, 0, exitDone}, {nil, nil, 3, exitRowsFailed}, {signal{}, nil, 3, 130}, {broken, nil, 3, exitStopped},
		{signal{}, broken, 3, exitStopped}, {nil, broken, 0, exitStopped},
	} {
		r := New(Options{})
		r.err = tc.ended
		r.written.Tally.Failure = tc.failure
		if got := r.exitCode(tc.unwritten); got != tc.want {
			t.Errorf("ended by %v, report %v, %d failures: got %d, want %d", tc.ended, tc.unwritten, tc.failure, got, tc.want)
		}
	}
}
