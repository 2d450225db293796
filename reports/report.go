// Package reports makes what people and their tools read of a job: the report, the summary, the plan, and how a run stands.
//
// [Report] writes one line for every record of the input, from the fates of its rows, whole or not at all. [Summary],
// [Plan], [Status] and [Audit] are such facts as text and as JSON. [Next] makes the command that continues a job, in command.go.
// The HTML page is package page, which draws a [Summary], what a Prometheus collector reads is package metrics, and package
// story tells of one record; the words of outcomes come from the [outcome.Call] that the job is about.
package reports

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"

	"github.com/gocarina/gocsv"

	"friendsweep/input"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

// reportRow is a line of the report. Its tags are the header.
type reportRow struct {
	Line       string `csv:"line"`
	From       string `csv:"from_account"`
	To         string `csv:"to_account"`
	Status     string `csv:"status"`
	Outcome    string `csv:"outcome"`
	Code       string `csv:"result_code"`
	Info       string `csv:"result_info"`
	Attempts   string `csv:"attempts"`
	FinishedAt string `csv:"finished_at"`
}

// ReportOptions is what a report is made of, besides the fates.
type ReportOptions struct {
	Path     string      // of the report
	Failures string      // of a file with the failed lines alone; empty for none
	Good     outcome.Set // the answers that are successes
	Job      entry.Job
	Records  iter.Seq2[input.Record, error] // the second read of the input
	// Compare is given the whole report in the place of its being given a name: then nothing is left of it.
	Compare func(report io.Reader) error
}

// Written is a report, all in all.
type Written struct {
	Tally   fates.Tally
	Samples []SampleGroup // the first hundred failed rows of every kind, the largest kind first
	Print   Fingerprint   // of what was written
}

// Report writes the report: one line per record, in the order of the input. It appears whole or not at all: on any error
// but a [LesserError] nothing is left of it and nothing was replaced. Before it gets its name, records are counted as they were read first,
// as they were read now, and as they stand in the file; a mismatch is an error.
func Report(ctx context.Context, o ReportOptions, joined *fates.Fates) (Written, error) {
	if err := o.Job.Same(joined.Job); err != nil {
		return Written{}, fmt.Errorf("writing %s: %w", o.Path, err)
	}
	r := &renderer{options: o, fates: joined, kinds: make(map[failureKind]*SampleGroup)}
	r.tally.Codes = make(map[int]int64)
	defer r.discard()
	if err := r.open(); err != nil {
		return Written{}, err
	}
	if err := r.render(ctx); err != nil {
		return Written{}, err
	}
	if err := r.publish(); err != nil {
		return Written{}, err
	}
	w := Written{Tally: r.tally, Samples: r.groups(), Print: r.report.fingerprint("report")}
	if err := r.publishFailures(); err != nil {
		return w, LesserError{err}
	}
	return w, nil
}

// renderer writes one report. It owns both files until they have their names.
type renderer struct {
	options          ReportOptions
	fates            *fates.Fates
	report, failures *sheetFile
	tally            fates.Tally
	kinds            map[failureKind]*SampleGroup
	stamp            stampCache
	lesser           error // why the failures cannot be written: the report does not depend on them
}

// LesserError says that the report is written, and the file of failed rows is not.
type LesserError struct{ Err error }

// Error is why.
func (e LesserError) Error() string { return e.Err.Error() }

// Unwrap is why.
func (e LesserError) Unwrap() error { return e.Err }

// sheetFile is a CSV file whose header gocsv takes from the tags of reportRow. The rows go to encoding/csv directly:
// BenchmarkWriters says what that spares.
type sheetFile struct {
	*countedFile
	csv    *csv.Writer // it writes into the buffer of countedFile and has none of its own
	fields []string
}

// checkEvery is how many rows pass between two looks at the context.
const checkEvery = 512

func createSheet(path string) (*sheetFile, error) {
	file, err := createCounted(path)
	if err != nil {
		return nil, err
	}
	s := &sheetFile{countedFile: file, csv: csv.NewWriter(file.buf)}
	if err := gocsv.MarshalCSV([]reportRow{}, s.csv); err != nil {
		file.discard()
		return nil, fmt.Errorf("writing %s: %w", path, err)
	}
	return s, nil
}

func (s *sheetFile) add(r *reportRow) error {
	s.fields = append(s.fields[:0], r.Line, r.From, r.To, r.Status, r.Outcome, r.Code, r.Info, r.Attempts, r.FinishedAt)
	return s.csv.Write(s.fields) // the file's own error, which names it
}

func (s *sheetFile) flush() error {
	s.csv.Flush()
	return s.csv.Error()
}

func (r *renderer) open() (err error) {
	if r.report, err = createSheet(r.options.Path); err != nil {
		return err
	}
	if r.options.Failures != "" {
		r.failures, r.lesser = createSheet(r.options.Failures)
	}
	return nil
}

func (r *renderer) discard() {
	for _, s := range []*sheetFile{r.report, r.failures} {
		if s != nil {
			s.discard()
		}
	}
}

func (r *renderer) render(ctx context.Context) error {
	for rec, err := range r.options.Records {
		if err != nil {
			return err
		}
		if r.tally.Rows%checkEvery == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := r.row(&rec); err != nil {
			return err
		}
	}
	return r.fates.Finish()
}

func (r *renderer) row(rec *input.Record) error {
	fate, err := r.fates.Next(rec.Line)
	if err != nil {
		return err
	}
	if fate, err = fate.For(rec); err != nil {
		return err
	}
	success := fate.Success(r.options.Good)
	r.count(&fate, success)
	row := reportRow{
		Line: strconv.FormatInt(rec.Line, 10), From: rec.From, To: rec.To, Status: "failure", Outcome: r.fates.Call().Word(fate.Outcome),
		Info: fate.Info, Attempts: strconv.FormatInt(fate.Attempts, 10), FinishedAt: r.stamp.text(fate.At),
	}
	if fate.Code.Given {
		row.Code = strconv.Itoa(fate.Code.Number)
	}
	if success {
		row.Status = "success"
		return r.report.add(&row)
	}
	r.sample(rec, &fate)
	if r.failures != nil && r.lesser == nil {
		r.lesser = r.failures.add(&row)
	}
	return r.report.add(&row)
}

func (r *renderer) count(fate *fates.Fate, success bool) {
	r.tally.Rows++
	if success {
		r.tally.Success++
	} else {
		r.tally.Failure++
	}
	r.tally.Outcomes[fate.Outcome]++
	if fate.Presumed {
		r.tally.Presumed++
	}
	switch {
	case fate.Code.Given:
		r.tally.CountCode(fate.Code.Number, 1)
	case !success && fate.Outcome != outcome.Duplicate:
		r.tally.CountReason(fate.Info)
	}
}

// publish checks the report, puts it on disk and gives it its name.
func (r *renderer) publish() error {
	err := r.report.close(r.tally.Rows)
	if err == nil {
		err = r.check()
	}
	switch {
	case err != nil:
		return err
	case r.options.Compare != nil:
		return r.options.Compare(io.NewSectionReader(r.report.file.File(), 0, math.MaxInt64))
	}
	return r.report.file.Publish()
}

// publishFailures does the same for the failed rows, after the report.
func (r *renderer) publishFailures() error {
	if r.failures == nil || r.lesser != nil {
		return r.lesser
	}
	if err := r.failures.close(r.tally.Failure); err != nil {
		return err
	}
	return r.failures.file.Publish()
}

// close writes what is left, syncs, and checks that the file has the header and so many records.
func (s *sheetFile) close(records int64) error {
	if err := s.flush(); err != nil {
		return err
	}
	if err := s.sync(); err != nil {
		return err
	}
	if lines := s.seen.records - 1; lines != records {
		return fmt.Errorf("writing %s: %d lines for %d records", s.path, lines, records)
	}
	return nil
}

// check is the promise that every record ends in exactly one line.
func (r *renderer) check() error {
	t, job := &r.tally, &r.options.Job
	if t.Rows == job.Rows && t.Success+t.Failure == job.Rows && t.Outcomes[outcome.Invalid] == job.Invalid {
		return nil
	}
	return fmt.Errorf("writing %s: %d records (%d invalid) were read first, %d (%d invalid) now; %d successes and %d failures",
		r.options.Path, job.Rows, job.Invalid, t.Rows, t.Outcomes[outcome.Invalid], t.Success, t.Failure)
}
