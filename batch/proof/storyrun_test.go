package proof

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"friendsweep/batch"
	"friendsweep/batch/chat"
	"friendsweep/batch/sandbox"
	"friendsweep/batch/send"
	"friendsweep/input"
	"friendsweep/reports"
	"friendsweep/reports/journal"
	"friendsweep/reports/terminal"
)

// player makes the runs of a story, from their locks to their summaries, and keeps what the judge must know.
type player struct {
	*trial // its folder holds input, report and whatever else a run writes
	story  story
	counts *storyCounts
	tmp    string
	begun  map[int]storyRun // the runs by their number, which their journal lines have as their version
	synced int64            // bytes of the journal that no power cut takes

	now *happening // the run that is being made
}

// happening is what goes on around a run while it is made.
type happening struct {
	*player
	run    storyRun
	cancel context.CancelCauseFunc

	mu                               sync.Mutex
	arrivals, answers, writes, syncs int
	files                            int // that the journal has written to
	crowd                            int // the most requests at the same time
	dead                             bool
	gone                             bool              // it is over: nothing happens to it any more
	left                             map[string][]byte // the folder as the death left it
	signalled, failed                time.Time         // when the signal came, when the disk failed; zero for never
	lostPart                         bool              // a power cut took bytes of the journal
	blocked                          bool              // a folder was made in the place of an output
	changed                          bool              // the input was changed

	// Under the server's lock.
	began   time.Time
	planned int  // requests whose fault is decided
	expired bool // one of them was refused for its signature
}

// weather is what the next request meets where the run has a weather; empty where it has none. Called with the server's mu held.
func (h *happening) weather() string {
	weather := h.run.weather
	if changes, ok := changing[weather]; ok {
		h.planned++
		weather = changes(h.planned, time.Since(h.began), h.expired)
		h.expired = h.expired || weather == "code 70001"
	}
	if weather == "nobody" {
		return ""
	}
	return weather
}

// aftermath is what a run came to.
type aftermath struct {
	*happening
	before      map[string][]byte // the folder
	ended       time.Time
	summary     *reports.Summary // nil where nothing was sent
	code        int
	err         error
	failedDials int
}

// signalled is the cause of a run's end by a signal, as the command line has it.
type signalled int

func (s signalled) Error() string { return "interrupted by signal " + strconv.Itoa(int(s)) }
func (s signalled) Signal() int   { return int(s) }

func newPlayer(dir string, s story, counts *storyCounts) (*player, error) {
	p := &player{story: s, counts: counts, tmp: filepath.Join(dir, "tmp"), begun: map[int]storyRun{}}
	p.trial = &trial{dir: filepath.Join(dir, "job"), table: s.table, server: newServer(), dials: s.dials, retry: map[int]bool{}}
	p.server.call = s.call
	p.server.plan = func(account string, n int) fault {
		f := s.plan(account, n)
		if weather := p.now.weather(); weather != "" {
			f.kind = kindOf(weather)
		}
		return f
	}
	err := errors.Join(os.Mkdir(p.dir, 0o700), os.Mkdir(p.tmp, 0o700))
	return p, errors.Join(err, os.WriteFile(p.path("pairs.csv"), s.bytes, 0o600))
}

// make makes one run.
func (p *player) make(ctx context.Context, run storyRun) *aftermath {
	p.runs++
	if text, _ := os.ReadFile(p.path("report.csv.journal")); !run.resume || len(parseJournal(text).runs) == 0 {
		run.wrong = "" // there is no job that it could be another one than
	}
	p.begun[p.runs] = run
	p.server.run, p.server.severed = p.runs, false
	p.retry[p.runs] = run.retryFailed
	if run.wrong == "input" {
		os.WriteFile(p.path("pairs.csv"), []byte(p.table.csv+"x,y,z\n"), 0o600)
		defer os.WriteFile(p.path("pairs.csv"), p.story.bytes, 0o600)
	}
	h := &happening{player: p, run: run, began: time.Now()}
	p.now = h
	ctx, h.cancel = context.WithCancelCause(ctx)
	defer h.cancel(nil)
	o := &aftermath{happening: h, before: contents(p.dir)}
	p.server.arrived, p.server.answering = h.arrived, h.answering
	dials := p.beginDials(run)
	h.carryOut(ctx, o)
	o.failedDials = dials()
	if h.over() {
		o.err = errors.Join(o.err, h.bury())
	}
	if h.blocked {
		o.err = errors.Join(o.err, os.Remove(h.path(run.end.name)))
	}
	if h.changed {
		o.err = errors.Join(o.err, os.WriteFile(p.path("pairs.csv"), p.story.bytes, 0o600))
	}
	return o
}

// beginDials decides which connections of the run open, and returns how to count those that did not, once it has ended.
func (p *player) beginDials(run storyRun) (failed func() int) {
	before := p.dials
	if run.weather == "nobody" {
		p.dials = slices.Repeat([]bool{true}, 20_000)
	}
	all := p.dials
	return func() (n int) {
		for _, fails := range all[:len(all)-len(p.dials)] {
			if fails {
				n++
			}
		}
		if run.weather == "nobody" {
			p.dials = before
		}
		return n
	}
}

// carryOut is the run itself, with a server at the other end.
func (h *happening) carryOut(ctx context.Context, o *aftermath) {
	pipes := newPipes()
	web := &http.Server{Handler: h.server}
	served := make(chan struct{})
	go func() { defer close(served); web.Serve(pipes) }()
	defer func() { h.server.handlers.Wait(); web.Close(); <-served }()
	if h.run.end.at == "start" {
		h.happen()
	}
	if h.run.end.at == "time" {
		defer time.AfterFunc(h.run.end.after, h.happen).Stop()
	}
	r := batch.New(h.options(pipes))
	defer r.Close()
	if o.err = r.Prepare(ctx); o.err == nil {
		o.summary, o.code, o.err = r.Execute(ctx)
	}
	o.ended = time.Now() // some requests are still at the server, which takes its time
	if errors.Is(o.err, context.Canceled) && ctx.Err() != nil {
		o.err = context.Cause(ctx) // as the command line does
	}
	if o.summary == nil {
		o.code = codeOf(o.err)
	}
}

// codeOf is the exit code of a run that has sent nothing.
func codeOf(err error) int {
	var signal signalled
	var unusable *input.Error
	switch {
	case errors.As(err, &signal):
		return 128 + int(signal)
	case errors.As(err, new(batch.Refusal)), errors.As(err, new(*journal.Damage)):
		return 2
	case errors.Is(err, journal.ErrHeld):
		return 5
	case errors.As(err, &unusable) && !errors.Is(err, input.ErrChanged):
		return 3
	}
	return 4
}

// options are what the command line would make of the flags.
func (h *happening) options(pipes *pipes) batch.Options {
	f := h.run.storyFlags
	o := batch.Options{
		Pairs: h.path("pairs.csv"), Regroup: f.regroup, MaxInvalid: most(f.maxInvalid), Endpoint: "http://127.0.0.1",
		AppID: sandbox.DefaultAppID, Identifier: sandbox.DefaultIdentifier, DeleteType: f.deleteType(), Timeout: f.timeout,
		Batch: send.Options{ChunkSize: f.chunk, Workers: f.workers, Rate: f.rate, RowRate: f.rowRate, MaxAttempts: f.maxAttempts,
			BackoffInitial: f.backoffInitial, BackoffMax: f.backoffMax, MaxFailures: most(f.maxFailures), Limit: f.limit},
		Report: h.path("report.csv"), Resume: f.resume, RetryFailed: f.retryFailed, Overwrite: f.overwrite,
		Version: strconv.Itoa(h.runs), Started: time.Now(), TempDir: h.tmp, Log: slog.New(slog.DiscardHandler),
		Progress: terminal.NewProgress(io.Discard, terminal.Options{}), Dial: h.dial(pipes), Disk: h.disk,
	}
	if f.maxRows > 0 {
		o.MaxRows = &f.maxRows
	}
	if f.maxDuration > 0 {
		o.Batch.Deadline = o.Started.Add(f.maxDuration)
	}
	if h.run.wrong == "endpoint" {
		o.Endpoint = "http://127.0.0.2"
	}
	h.nameFiles(&o)
	h.credentials(&o)
	api := chat.Delete(f.deleteType())
	if h.call() == checking {
		api = chat.Check()
	}
	o.SetCall(api, f.success(h.call()))
	return o
}

func (f storyFlags) deleteType() chat.DeleteType {
	if f.both {
		return chat.Both
	}
	return chat.Single
}

// nameFiles names the files that the flags ask for.
func (h *happening) nameFiles(o *batch.Options) {
	for _, file := range []struct {
		asked bool
		to    *string
		name  string
	}{
		{h.run.failures, &o.Failures, "failures.csv"}, {h.run.html, &o.HTML, "page.html"}, {h.run.metrics, &o.Metrics, "job.prom"},
		{h.run.lock, &o.Lock, "lock"}, {h.run.note, &o.Note, ""},
	} {
		if file.asked {
			*file.to = h.path(file.name)
		}
	}
	if h.run.note {
		o.Note = "ticket 7"
	}
}

func (h *happening) credentials(o *batch.Options) {
	o.Key = sandbox.DefaultKey
	if !h.run.usersig {
		return
	}
	sig, _, err := chat.NewSigner(sandbox.DefaultAppID, sandbox.DefaultIdentifier, sandbox.DefaultKey).Signature()
	if err == nil {
		o.Key, o.Sig = "", sig
	}
}

// arrived and answering are the server's hooks.
func (h *happening) arrived(q *request) {
	h.server.mu.Lock()
	flying := len(h.server.flying)
	h.server.mu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.arrivals++
	h.crowd = max(h.crowd, flying)
	h.reached("arrival", h.arrivals)
}

func (h *happening) answering(*request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers++
	h.reached("answer", h.answers)
}

// happen is the end from outside, at a time.
func (h *happening) happen() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reached(h.run.end.at, h.run.end.n)
}

// reached lets the end from outside happen, if this is its moment. Called with mu held, like die.
func (h *happening) reached(at string, n int) bool {
	end := h.run.end
	if end.at != at || end.n != n || h.dead || h.gone {
		return false
	}
	switch end.kind {
	case "signal":
		h.signalled = time.Now()
		h.cancel(signalled(end.signal))
	case "kill":
		h.die()
	case "disk":
		h.failed = time.Now()
	case "folder":
		h.block(end.name)
	case "input":
		h.changed = true
		os.WriteFile(h.path("pairs.csv"), append(slices.Clone(h.story.bytes), "x,y,z\n"...), 0o600)
	}
	return true
}

// block makes a folder in the place of an output that was asked for.
func (h *happening) block(name string) {
	asked := map[string]bool{"failures.csv": h.run.failures, "page.html": h.run.html, "job.prom": h.run.metrics}
	if !asked[name] {
		return
	}
	os.Remove(h.path(name)) // that of an earlier run, which goes anyway
	h.blocked = os.Mkdir(h.path(name), 0o700) == nil
}

// die is what SIGKILL does: nothing is sent or written any more, and the folder stays as it is. The run does not know it; what
// it does from here on is undone.
func (h *happening) die() {
	h.dead = true
	h.server.mu.Lock()
	h.server.severed = true
	h.server.mu.Unlock()
	h.left = atOneMoment(h.dir)
	h.cancel(errDead)
}

// over ends the time in which something may happen to the run, and reports whether it was killed. A death that has begun is
// over when it returns.
func (h *happening) over() (killed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gone = true
	return h.dead
}

// bury brings the folder back to what the death left of it. The journal is the file that was written last, as it was then. A
// file on its way is called after its inode: one that has to be made again gets another, and the name of that.
func (h *happening) bury() (err error) {
	const last = "report.csv.journal"
	now := contents(h.dir)
	for name := range now {
		if _, there := h.left[name]; !there {
			err = errors.Join(err, os.Remove(h.path(name)))
		}
	}
	for name, text := range h.left {
		if was, there := now[name]; name != last && !(there && bytes.Equal(was, text)) {
			err = errors.Join(err, os.WriteFile(h.path(name), text, 0o600))
			if strings.HasPrefix(name, ".friendsweep-") && !there {
				err = errors.Join(err, callAfterInode(h.path(name)))
			}
		}
	}
	if text, there := h.left[last]; there {
		err = errors.Join(err, os.WriteFile(h.path(last), text, 0o600))
	}
	return errors.Join(err, h.cutPower())
}

// callAfterInode gives a file the name that the program would have made for it: the number of the inode and something random.
func callAfterInode(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	_, random, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), ".friendsweep-"), "-")
	inode := info.Sys().(*syscall.Stat_t).Ino
	return os.Rename(path, filepath.Join(filepath.Dir(path), fmt.Sprintf(".friendsweep-%d-%s", inode, random)))
}

// cutPower takes away a part of the journal that was never synced.
func (h *happening) cutPower() error {
	size := h.journalSize()
	cut := int64(h.run.end.powerCut * float64(size-min(size, h.synced)))
	if cut == 0 {
		return nil
	}
	h.lostPart = true
	return os.Truncate(h.path("report.csv.journal"), size-cut)
}

func (p *player) journalSize() int64 {
	info, err := os.Stat(p.path("report.csv.journal"))
	if err != nil {
		return 0
	}
	return info.Size()
}

// disk is what the journal writes to. A file that takes another's place is on disk before it has the name.
func (h *happening) disk(real journal.Disk) journal.Disk {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.files++; h.files > 1 && !h.dead {
		h.synced = h.journalSize()
	}
	return journal.Disk{
		Write: func(line []byte) (int, error) { return h.write(real, line) },
		Sync:  func() error { return h.sync(real) },
	}
}

func (h *happening) write(real journal.Disk, line []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dead {
		return 0, errDead
	}
	h.writes++
	if h.run.end.at != "write" || h.run.end.n != h.writes {
		return real.Write(line)
	}
	n, err := real.Write(line[:int(h.run.end.part*float64(len(line)))])
	h.reached("write", h.writes)
	if h.run.end.kind == "kill" {
		return n, errors.Join(err, errDead)
	}
	return n, &os.PathError{Op: "write", Path: h.path("report.csv.journal"), Err: syscall.ENOSPC}
}

func (h *happening) sync(real journal.Disk) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dead {
		return errDead
	}
	h.syncs++
	if !h.reached("sync", h.syncs) {
		h.synced = h.journalSize()
		return real.Sync()
	}
	if h.run.end.kind == "kill" {
		return errDead
	}
	return &os.PathError{Op: "sync", Path: h.path("report.csv.journal"), Err: syscall.EIO}
}

// atOneMoment are the files of a folder in which somebody is at work. Read twice with nothing changed, they are those of the moment
// in between.
func atOneMoment(dir string) map[string][]byte {
	for before := contents(dir); ; {
		now := contents(dir)
		if maps.EqualFunc(before, now, bytes.Equal) {
			return now
		}
		before = now
	}
}

// contents are the files of a folder.
func contents(dir string) map[string][]byte {
	all := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		panic(fmt.Sprint("the folder of a story: ", err))
	}
	for _, e := range entries {
		if text, err := os.ReadFile(filepath.Join(dir, e.Name())); err == nil {
			all[e.Name()] = text
		}
	}
	return all
}
