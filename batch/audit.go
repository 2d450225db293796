package batch

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"friendsweep/input"
	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
	"friendsweep/reports/whole"
)

// Audit proves from the files alone that report, journal and input belong together and that nobody changed them since: the
// journal's chain from the first line to the last, the input against the SHA-256 in it, and the report, made again from
// both, byte for byte. It changes nothing and contacts nobody. Of the options only Report must be set; Pairs is the input
// where it is not where the journal says. What does not hold ends the audit, because the rest rests on it. The error is a
// [Refusal] where there is nothing to audit or the run has not ended.
func Audit(ctx context.Context, o Options) ([]reports.Check, error) {
	s := &Run{Options: o, reads: true}
	defer s.Close()
	checks, err := s.audit(ctx)
	switch {
	case err == nil:
		return checks, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, new(Refusal)):
		return nil, err
	}
	return nil, refuse("nothing was proved: %w", err)
}

// isMachines tells a fault of this machine, a full disk say, from one of the files: it is no verdict about them.
func isMachines(err error) bool {
	var unread *input.Error
	if errors.As(err, &unread) {
		return unread.System() != nil
	}
	return errors.As(err, new(syscall.Errno))
}

func (r *Run) audit(ctx context.Context) ([]reports.Check, error) {
	err := r.adopt(ctx)
	var damaged *journal.Damage
	switch {
	case errors.As(err, &damaged):
		return []reports.Check{{What: "journal", Detail: firstLine(damaged)}}, nil
	case errors.Is(err, journal.ErrHeld):
		return nil, refuse("%w: a run that is at work cannot be audited", err)
	case err != nil:
		return nil, err
	case !r.history.Ended:
		return nil, refuse("the run of %s has not ended, it died\n`%s` prints the command that goes on with it; what `friendsweep report` writes meanwhile cannot be audited",
			r.Report, terminal.ShellQuote("friendsweep", "status", r.Report))
	case r.history.TornBytes > 0:
		return []reports.Check{{What: "journal", Detail: fmt.Sprintf("%d bytes follow its last line", r.history.TornBytes)}}, nil
	}
	if err := readable(r.Report); err != nil {
		return nil, refuse("%s: %w\n`%s` writes it again", r.Report, cause(err), terminal.ShellQuote("friendsweep", "report", r.Report))
	}
	checks := []reports.Check{{What: "journal", Holds: true, Detail: fmt.Sprintf("%d lines, head %s", r.history.Lines, r.history.Link)}}
	input, err := r.auditInput(ctx)
	if checks = append(checks, input); err != nil || !input.Holds {
		return checks, err
	}
	report, err := r.auditReport(ctx)
	return append(checks, report), err
}

// auditInput reads the input and holds it against the journal.
func (r *Run) auditInput(ctx context.Context) (reports.Check, error) {
	if err := r.read(ctx); err != nil {
		if ctx.Err() != nil || isMachines(err) {
			return reports.Check{}, err
		}
		detail := firstLine(err)
		if hint := r.moved(); hint != "" {
			detail += "; " + hint
		}
		return reports.Check{What: "input", Detail: detail}, nil
	}
	if differences := r.job.Differences(r.head.Job); len(differences) > 0 {
		return reports.Check{What: "input", Detail: strings.Join(differences, "; ")}, nil
	}
	return reports.Check{What: "input", Holds: true, Detail: fmt.Sprintf("%d bytes, sha256 %s", r.in.Bytes, r.in.SHA256)}, nil
}

// auditReport makes the report again, and compares.
func (r *Run) auditReport(ctx context.Context) (reports.Check, error) {
	line, err := r.differsFromRemade(ctx)
	if err != nil {
		if ctx.Err() != nil || isMachines(err) || errors.As(err, new(Refusal)) {
			return reports.Check{}, err
		}
		return reports.Check{What: "report", Detail: firstLine(err)}, nil
	}
	if line > 0 {
		detail, err := r.otherwise(ctx)
		return reports.Check{What: "report", Detail: fmt.Sprintf("line %d is not what journal and input say%s", line, detail)}, err
	}
	return reports.Check{What: "report", Holds: true, Detail: fmt.Sprintf("%d rows, sha256 %s", r.job.Rows, r.written.Print.SHA256)}, nil
}

// differsFromRemade makes the report again, in a file that never gets a name, and returns the number of its first line that
// the report has otherwise; 0 for none.
func (r *Run) differsFromRemade(ctx context.Context) (line int64, err error) {
	joined, err := fates.New(ctx, r.journal, fates.Options{Job: r.job, Repeats: r.in.Repeats(), Dir: r.TempDir})
	if err != nil {
		return 0, err
	}
	defer joined.Close()
	// Nobody else's name, in a folder that may be everybody's. That it cannot be made says nothing of the report.
	path := filepath.Join(cmp.Or(r.TempDir, os.TempDir()), "friendsweep-audit-"+rand.Text())
	if err := whole.Try(path); err != nil {
		return 0, refuse("%w", err)
	}
	compare := func(again io.Reader) (err error) {
		line, err = firstDifference(again, r.Report)
		return err
	}
	r.written, err = reports.Report(ctx, reports.ReportOptions{
		Path: path, Good: r.Batch.Good, Job: r.job, Records: r.in.Records(ctx), Compare: compare,
	}, joined)
	return line, err
}

// otherwise tells a report that somebody had written with another flag than the run's from one that was changed.
func (r *Run) otherwise(ctx context.Context) (string, error) {
	i := slices.IndexFunc(r.Batch.Call.Answers, func(a outcome.Answer) bool { return a.CountedBy != "" })
	if i < 0 || r.Batch.Good.Has(answer(i)) || r.written.Tally.Outcomes[answer(i)] == 0 {
		return "", nil
	}
	r.Batch.Good |= r.Batch.Call.Set([]string{r.Batch.Call.Word(answer(i))})
	line, err := r.differsFromRemade(ctx)
	if err != nil || line > 0 {
		return "", err
	}
	return fmt.Sprintf("; it is what `report` writes with %s, and the run had no such flag", r.Batch.Call.Answers[i].CountedBy), nil
}

// firstDifference is the number of the first line of text that is not the same in the file, counted from 1; 0 for none.
func firstDifference(text io.Reader, path string) (int64, error) {
	file, err := whole.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	x, y := bufio.NewReaderSize(text, 64<<10), bufio.NewReaderSize(file, 64<<10)
	for line := int64(1); ; {
		p, errX := x.ReadByte()
		q, errY := y.ReadByte()
		endX, endY := errX == io.EOF, errY == io.EOF
		switch {
		case errX != nil && !endX, errY != nil && !endY: // what could not be read is no difference
			return 0, errors.Join(errX, errY)
		case endX && endY:
			return 0, nil
		case endX, endY, p != q:
			return line, nil
		case p == '\n':
			line++
		}
	}
}
