package proof

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"friendsweep/batch"
	"friendsweep/reports"
	"friendsweep/reports/terminal"
)

// judge says what is wrong with what a run has left behind, by the contract and the server's record.
func (p *player) judge(ctx context.Context, o *aftermath) (wrong []string) {
	wrong = append(wrong, p.server.problems...)
	j, failed := p.reckon(o)
	wrong = append(wrong, failed...)
	switch {
	case o.dead:
		p.counts.end("killed at " + o.run.end.at)
		return append(wrong, p.judgeDead(ctx, o, j)...)
	case o.summary == nil:
		p.counts.end(fmt.Sprintf("nothing sent, exit code %d", o.code))
		return append(wrong, o.judgeNothing()...)
	}
	p.counts.end(fmt.Sprintf("exit code %d", o.code))
	p.counts.flags(p.call(), o.run.storyFlags)
	if o.changed {
		return append(wrong, p.judgeChangedInput(ctx, o, j)...)
	}
	for _, judge := range []func(*journalLines) []string{o.judgeReport, o.judgeCode, o.judgeSending, o.judgeSlowing, o.judgeSummary, o.judgeFiles} {
		wrong = append(wrong, judge(j)...)
	}
	if differs := p.storyDiffers(ctx, o.run.line); differs != "" {
		wrong = append(wrong, differs)
	}
	wrong = append(wrong, o.judgeLater(ctx)...)
	if o.failed.IsZero() || len(wrong) > 0 {
		return wrong
	}
	return append(wrong, p.judgePowerCut(o)...)
}

// judgePowerCut is after a run whose disk failed: what it could not sync may be gone. The report was true when it was made,
// and is true of what was done.
func (p *player) judgePowerCut(o *aftermath) (wrong []string) {
	if err := o.cutPower(); err != nil {
		return []string{err.Error()}
	}
	_, wrong = p.reckon(o)
	return append(wrong, p.truthOfReport()...)
}

// judgeDead looks at the folder of a run that was killed: a report in it is true, and another one can be made.
func (p *player) judgeDead(ctx context.Context, o *aftermath, j *journalLines) []string {
	wrong := o.leftovers()
	if !o.hasReportOfReplaced(j) {
		wrong = append(wrong, p.truthOfReport()...)
	}
	if !o.run.reports {
		return wrong
	}
	err := o.rewriteReport(ctx)
	if len(j.runs) == 0 {
		if !errors.As(err, new(batch.Refusal)) {
			wrong = append(wrong, fmt.Sprintf("report without a job: got %v, want a refusal", err))
		}
		return wrong
	}
	if err != nil {
		return append(wrong, fmt.Sprintf("report after a kill: %v", err))
	}
	return append(wrong, p.compareReport(p.lastOf(j))...)
}

// hasReportOfReplaced reports whether the run died while it made room for its own job: the journal of the earlier one had its
// new name already, and the report not yet. That report was judged when it was made.
func (o *aftermath) hasReportOfReplaced(j *journalLines) bool {
	report, err := os.ReadFile(o.path("report.csv"))
	return o.run.overwrite && len(j.runs) == 0 && err == nil && bytes.Equal(report, o.before["report.csv"])
}

// lastOf is the run that the journal knows as the last.
func (p *player) lastOf(j *journalLines) storyRun {
	n, _ := strconv.Atoi(j.runs[len(j.runs)-1])
	return p.begun[n]
}

// rewriteReport is the command `report`.
func (o *aftermath) rewriteReport(ctx context.Context) error {
	_, err := batch.Rewrite(ctx, o.later())
	return err
}

// later are the options of a command that looks at the run when it is over.
func (o *aftermath) later() batch.Options {
	return batch.Options{Report: o.path("report.csv"), TempDir: o.tmp, Log: slog.New(slog.DiscardHandler),
		Progress: terminal.NewProgress(io.Discard, terminal.Options{})}
}

// truthOfReport holds a report that is there against what was done. It may know answers that a power cut took from the
// journal later.
func (p *player) truthOfReport() []string {
	report, err := readReport(p.path("report.csv"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return []string{err.Error()}
	}
	o := p.oracleOf(nil)
	o.unsure = true
	return o.truth(report)
}

// oracleOf is what a report is to be held against whose successes are these.
func (p *player) oracleOf(good []string) *oracle {
	o := p.oracle()
	o.good, o.attemptsIn, o.rows, o.regroup = good, map[int]int{}, p.rows(), p.story.regroup
	for n, run := range p.begun {
		o.attemptsIn[n] = run.maxAttempts
	}
	return o
}

// rows are those of the input as the job sees them: in a deletion from one side, and in a check, no row is another's mirror.
func (p *player) rows() []row {
	rows := slices.Clone(p.table.rows)
	for i := range rows {
		if !p.both || p.call() == checking {
			rows[i].mirrorOf = 0
		}
	}
	return rows
}

// compareReport holds the report against the record, as the run counts successes.
func (p *player) compareReport(run storyRun) []string {
	report, err := readReport(p.path("report.csv"))
	if err != nil {
		return []string{err.Error()}
	}
	o := p.oracleOf(run.success(p.call()))
	wrong := o.compare(report, false, p.server.shown)
	wrong = append(wrong, o.truth(report)...)
	wrong = append(wrong, o.again(p.retry)...)
	return append(wrong, o.early()...)
}

// judgeNothing is about a run that has sent nothing.
func (o *aftermath) judgeNothing() (wrong []string) {
	want := o.refusal()
	switch {
	case !o.signalled.IsZero() && o.code == 128+o.run.end.signal: // before the first request
	case !o.failed.IsZero() && o.code == 4 && want == 0:
	case want == 0 || o.code != want:
		wrong = append(wrong, fmt.Sprintf("got exit code %d and nothing sent (%v), want %d", o.code, o.err, want))
	}
	if o.arrivals > 0 {
		wrong = append(wrong, fmt.Sprintf("got %d requests of a run that says it sent nothing", o.arrivals))
	}
	if o.run.overwrite && want == 0 || !o.failed.IsZero() {
		return append(wrong, o.leftovers()...)
	}
	mayDiffer := []string{"lock", "pairs.csv"}
	if len(parseJournal(o.before["report.csv.journal"]).runs) == 0 {
		mayDiffer = append(mayDiffer, "report.csv.journal") // without a whole first line it counts as absent
	}
	if o.run.metrics && !o.signalled.IsZero() {
		mayDiffer = append(mayDiffer, "job.prom") // the run had begun, and had yet to send something
	}
	if differ := differences(o.before, contents(o.dir), mayDiffer...); len(differ) > 0 {
		wrong = append(wrong, fmt.Sprintf("nothing was sent, but changed were %q", differ))
	}
	return wrong
}

// differences are the names of files that are not what they were.
func differences(before, after map[string][]byte, but ...string) (names []string) {
	all := maps.Clone(before)
	maps.Copy(all, after)
	for name := range all {
		was, there := before[name]
		is, still := after[name]
		if !slices.Contains(but, name) && (there != still || !bytes.Equal(was, is)) {
			names = append(names, name)
		}
	}
	return names
}

// refusal is the exit code that the run is refused with, or 0.
func (o *aftermath) refusal() int {
	_, reportThere := o.before["report.csv"]
	journal, invalid := parseJournal(o.before["report.csv.journal"]), int64(0)
	jobThere := len(journal.runs) > 0
	for _, r := range o.table.rows {
		if r.invalid {
			invalid++
		}
	}
	rows, f := int64(len(o.table.rows)), o.run.storyFlags
	if o.run.wrong == "input" {
		rows++
	}
	otherJob := o.run.wrong != "" || jobThere && journal.deleteType != string(f.deleteType())
	switch {
	case !f.resume && !f.overwrite && (reportThere || jobThere), f.maxRows > 0 && rows > f.maxRows:
		return 2
	case f.maxInvalid > 0 && invalid >= f.maxInvalid:
		return 3
	case f.resume && jobThere && otherJob:
		return 2
	}
	return 0
}

// judgeReport holds report and failures against the record.
func (o *aftermath) judgeReport(*journalLines) []string {
	wrong := o.compareReport(o.run)
	report, err := readReport(o.path("report.csv"))
	if err != nil {
		return append(wrong, err.Error())
	}
	for _, line := range report {
		o.counts.row(line)
	}
	if o.run.failures && !o.blocks("failures.csv") {
		wrong = append(wrong, failuresMatch(report, o.path("failures.csv"))...)
	}
	return wrong
}

// judgeCode holds the exit code against what happened.
func (o *aftermath) judgeCode(j *journalLines) (wrong []string) {
	say := func(format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf(format, args...)+fmt.Sprintf(": got exit code %d, %v", o.code, o.err))
	}
	if want := o.refusal(); want != 0 {
		say("a run that was to be refused with %d", want)
	}
	s := o.summary
	done := o.code == 0 || o.code == 1
	switch {
	case o.code == 128+o.run.end.signal && o.run.end.kind == "signal" && !o.signalled.IsZero():
	case !o.failed.IsZero() && o.code != 4:
		say("the disk failed")
	case o.blocked && o.code != 4:
		say("%s could not be written", o.run.end.name)
	case o.code == 4 && o.failed.IsZero() && !o.mayStop():
		say("no reason to stop")
	case o.code != 4 && !done:
		say("no such end")
	case o.code == 0 && s.Failure > 0, o.code == 1 && s.Failure == 0:
		say("%d failures", s.Failure)
	}
	if s.ExitCode != o.code || s.Finished != done || (s.StopReason == "") != done {
		say("the summary has %d, finished %v, %q", s.ExitCode, s.Finished, s.StopReason)
	}
	if o.failed.IsZero() && (j.end != strconv.Itoa(o.code) || j.head != s.JournalHead) {
		say("the journal ends with %q and %s, the summary has %s", j.end, j.head, s.JournalHead)
	}
	if !done {
		return wrong
	}
	for _, idle := range o.oracleOf(nil).idle(o.runs, o.run.retryFailed) {
		say("nothing was done about %s", idle)
	}
	return wrong
}

// mayStop reports whether something has happened in the run for which it may stop before its end.
func (o *aftermath) mayStop() bool {
	f, s := o.run, o.server
	slowed := s.slowed(o.runs)
	return o.blocked || f.limit > 0 || f.maxFailures > 0 || f.maxDuration > 0 || s.saidStop(o.runs) || slowed && o.ended.Sub(o.began) >= 10*time.Minute ||
		(o.failedDials > 0 || s.saidNothing(o.runs) || o.closedBehind() > 0) && strings.HasPrefix(o.summary.StopReason, "the API cannot be reached")
}

// slowed reports whether an answer of the run said "too frequent".
func (s *server) slowed(run int) bool {
	return slices.ContainsFunc(s.all, func(q *request) bool {
		return q.run == run && slices.ContainsFunc(q.said, func(w word) bool { return w.means == throttle })
	})
}

// slack is what a run may need after what ends it, besides the answers of the requests in flight.
const slack = time.Second

// judgeSending holds what arrived against the bounds of the run: its limits, and its end.
func (o *aftermath) judgeSending(j *journalLines) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	f, pairs, rows, late := o.run.storyFlags, map[[2]string]bool{}, 0, o.lastMoment(j)
	for _, q := range o.server.all {
		if q.run != o.runs {
			continue
		}
		if len(q.to) > f.chunk {
			say("request %d carries %d rows, --chunk-size is %d", q.number, len(q.to), f.chunk)
		}
		if q.at.After(late) {
			say("request %d left at %v, after the end of the run at %v", q.number, q.at, late)
		}
		rows += len(q.to)
		for _, to := range q.to {
			pairs[o.pair(q.from, to)] = true
		}
	}
	if f.limit > 0 && int64(len(pairs)) > f.limit {
		say("%d pairs were sent, --limit is %d", len(pairs), f.limit)
	}
	if o.crowd > f.workers {
		say("%d requests at the same time, --workers is %d", o.crowd, f.workers)
	}
	took := o.ended.Sub(o.began).Seconds()
	if f.rate > 0 && float64(o.arrivals) > f.rate*took+max(2, f.rate/500)+1 {
		say("%d requests in %gs, --rate is %g", o.arrivals, took, f.rate)
	}
	if f.rowRate > 0 && float64(rows) > f.rowRate*took+float64(f.chunk)+1 {
		say("%d rows in %gs, --row-rate is %g", rows, took, f.rowRate)
	}
	if most := late.Add(f.timeout + slack); o.ended.After(most) {
		say("the run ended at %v, want before %v", o.ended, most)
	}
	return wrong
}

// pair is one to --limit: with --regroup it may be asked for from either side.
func (o *aftermath) pair(from, to string) [2]string {
	if o.story.regroup && from > to {
		from, to = to, from
	}
	return [2]string{from, to}
}

// lastMoment is when the run had to stop sending: a day from now where nothing asked it to.
func (o *aftermath) lastMoment(j *journalLines) time.Time {
	late := o.ended.Add(24 * time.Hour)
	for _, at := range []time.Time{o.signalled, o.failed, o.tooManyFailures(j)} {
		if !at.IsZero() && at.Before(late) {
			late = at
		}
	}
	if d := o.run.maxDuration; d > 0 && o.began.Add(d).Before(late) {
		late = o.began.Add(d)
	}
	return late
}

// tooManyFailures is when the run had refused or given up as many rows as --max-failures says, by its journal; zero for never.
func (o *aftermath) tooManyFailures(j *journalLines) time.Time {
	n := int64(0)
	for _, e := range j.decided {
		if e.run != strconv.Itoa(o.runs) || o.run.maxFailures == 0 {
			continue
		}
		if n += e.failed; n >= o.run.maxFailures {
			return e.at.Add(time.Millisecond) // the journal knows no less
		}
	}
	return time.Time{}
}

// judgeSummary holds the summary against the report.
func (o *aftermath) judgeSummary(*journalLines) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	text, err := os.ReadFile(o.path("report.csv"))
	report, err2 := readReport(o.path("report.csv"))
	if err := errors.Join(err, err2); err != nil {
		return []string{err.Error()}
	}
	s, outcomes, codes, reasons, success, presumed := o.summary, map[string]int64{}, map[string]int64{}, map[string]int64{}, int64(0), int64(0)
	for _, line := range report {
		outcomes[line.outcome]++
		switch {
		case line.code != "":
			codes[line.code]++
		case line.status != "success" && line.outcome != "duplicate":
			reasons[line.info]++
		}
		if line.status == "success" {
			success++
		}
		if line.outcome == "deleted" && line.code == "31704" {
			presumed++
		}
	}
	maps.DeleteFunc(s.Outcomes, func(_ string, n int64) bool { return n == 0 })
	rows := int64(len(o.table.rows))
	if s.Rows != rows || s.Success != success || s.Failure != rows-success || s.Presumed != presumed {
		say("the summary has %d rows, %d successes, %d failures, %d presumed; want %d, %d, %d, %d", s.Rows, s.Success, s.Failure, s.Presumed,
			rows, success, rows-success, presumed)
	}
	if !maps.Equal(s.Outcomes, outcomes) {
		say("the summary has %v, the report %v", s.Outcomes, outcomes)
	}
	shown := maps.Clone(s.Codes)
	delete(shown, "other")
	if other, ok := areCommonest(shown, codes, 100); !ok || s.Codes["other"] != other {
		say("the summary has %v, the report %v, of which the 100 commonest are to be shown", s.Codes, codes)
	}
	if _, ok := areCommonest(s.Reasons, reasons, 10); !ok {
		say("the summary has %v, the report %v, of which the 10 commonest are to be shown", s.Reasons, reasons)
	}
	if sum := sha256.Sum256(text); s.ReportSHA256 != hex.EncodeToString(sum[:]) {
		say("the summary has the report's fingerprint as %s, want %x", s.ReportSHA256, sum)
	}
	if int64(o.arrivals) > s.Requests {
		say("the summary has %d requests, the server %d", s.Requests, o.arrivals)
	}
	return wrong
}

// judgeFiles looks for files that must be there, and for those that must not.
func (o *aftermath) judgeFiles(*journalLines) []string {
	wrong := o.leftovers()
	for name, asked := range map[string]bool{"report.csv": true, "failures.csv": o.run.failures, "page.html": o.run.html, "job.prom": o.run.metrics} {
		if _, err := os.Stat(o.path(name)); asked && err != nil && !o.blocks(name) {
			wrong = append(wrong, err.Error())
		}
	}
	return wrong
}

// leftovers are files that no flag asks for. A process that was killed may have been about to put a file in the place of
// another.
func (o *aftermath) leftovers() (wrong []string) {
	known := []string{"pairs.csv", "report.csv", "report.csv.journal", "failures.csv", "page.html", "job.prom", "lock"}
	for name := range contents(o.dir) {
		number := strings.TrimPrefix(filepath.Ext(name), ".")
		_, err := strconv.Atoi(number)
		if !slices.Contains(known, name) && (err != nil || !slices.Contains(known, strings.TrimSuffix(name, "."+number))) &&
			!(o.dead && strings.HasPrefix(name, ".friendsweep-")) {
			wrong = append(wrong, "left over: "+name)
		}
	}
	for name := range contents(o.tmp) {
		wrong = append(wrong, "left over in the temporary folder: "+name)
	}
	return wrong
}

// judgeLater runs the commands that look at a run that is over: `report` makes the same bytes again, and `audit` finds that
// all holds.
func (o *aftermath) judgeLater(ctx context.Context) (wrong []string) {
	before := contents(o.dir)
	if o.run.reports {
		if err := o.rewriteReport(ctx); err != nil {
			wrong = append(wrong, fmt.Sprintf("report: %v", err))
		}
	}
	if o.failed.IsZero() {
		checks, err := batch.Audit(ctx, o.later())
		if err != nil || slices.ContainsFunc(checks, func(c reports.Check) bool { return !c.Holds }) {
			wrong = append(wrong, fmt.Sprintf("audit: %+v, %v", checks, err))
		}
	}
	if differ := differences(before, contents(o.dir)); len(differ) > 0 {
		wrong = append(wrong, fmt.Sprintf("report or audit has changed %q", differ))
	}
	return wrong
}
