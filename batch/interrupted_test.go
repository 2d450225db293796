package batch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"

	"friendsweep/reports"
)

// looked is a context that ends, interrupted by a signal, when somebody has looked at it so many times.
type looked struct {
	context.Context
	left atomic.Int64
	end  context.CancelCauseFunc
}

func newLooked(t *testing.T, looks int64) *looked {
	ctx, end := context.WithCancelCause(t.Context())
	t.Cleanup(func() { end(nil) })
	l := &looked{Context: ctx, end: end}
	l.left.Store(looks)
	return l
}

func (l *looked) Err() error {
	if l.left.Add(-1) < 0 {
		l.end(signal{})
	}
	return l.Context.Err()
}

// atEachLook lets do be interrupted at its first look at the context, at its second and so on, until it is not any more. Either it
// ends with the signal, or with the context's error, or it has done all that it does without one; it never ends with less.
func atEachLook(t *testing.T, what string, do func(ctx context.Context) (any, error)) {
	t.Helper()
	want, err := do(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	interrupted := 0
	for looks := int64(0); ; looks++ {
		ctx := newLooked(t, looks)
		got, err := do(ctx)
		switch {
		case err == nil && !reflect.DeepEqual(got, want):
			t.Fatalf("%s, interrupted at look %d: got %+v, want the signal or %+v", what, looks+1, got, want)
		case err != nil && !errors.Is(err, signal{}) && !errors.Is(err, context.Canceled):
			t.Fatalf("%s, interrupted at look %d: got %v, want the signal", what, looks+1, err)
		case err != nil:
			interrupted++
		}
		if ctx.left.Load() >= 0 {
			if interrupted == 0 {
				t.Errorf("%s never looked at its context", what)
			}
			return
		}
	}
}

// A command that is interrupted says so: it never takes the part that it has read for the whole.
func TestInterruptedAtEachLook(t *testing.T) {
	o, pairs := finished(t, manyKin)
	report, err := os.ReadFile(o.Report)
	if err != nil {
		t.Fatal(err)
	}
	atEachLook(t, "audit", func(ctx context.Context) (any, error) { return Audit(ctx, o) })
	for _, line := range []int64{4, 10} {
		atEachLook(t, "story", func(ctx context.Context) (any, error) {
			s, err := Story(ctx, o, line)
			if err != nil {
				return nil, err
			}
			return *s, nil
		})
	}
	atEachLook(t, "report", func(ctx context.Context) (any, error) {
		sum, err := Rewrite(ctx, o)
		if now, failed := os.ReadFile(o.Report); failed != nil || string(now) != string(report) {
			t.Errorf("the report is %s, %v; want it as it was", now, failed)
		}
		if err != nil {
			return nil, err
		}
		return []any{sum.Rows, sum.Success, sum.Failure, sum.Outcomes, sum.ReportSHA256}, nil
	})

	// The input is no longer where the first run had it, so the journal is read for where the last one had it.
	if err := os.Rename(pairs, pairs+".moved"); err != nil {
		t.Fatal(err)
	}
	atEachLook(t, "story of a moved input", func(ctx context.Context) (any, error) {
		if _, err := Story(ctx, o, 4); !isRefusal(err, "is no longer at "+pairs, "--input") {
			return nil, err
		}
		return nil, nil
	})
}

// A run that is interrupted before its first request has sent nothing, and leaves what it found; what it asks is about all
// that is open.
func TestPreparedAtEachLook(t *testing.T) {
	o := options(t, serve(t), "a,b\na,c\na,d\nb,a\nx,y\nx,z\n")
	o.Batch.Limit, o.Batch.Workers = 2, 1
	if _, code, err := carryOut(t, o); code != exitStopped || err == nil {
		t.Fatalf("got exit code %d, %v, want 4", code, err)
	}
	before, err := os.ReadFile(o.Report + ".journal")
	if err != nil {
		t.Fatal(err)
	}
	o.Resume, o.Batch.Limit = true, 0
	atEachLook(t, "a run that goes on", func(ctx context.Context) (any, error) {
		var asked reports.Plan
		again := o
		again.Ask = func(plan *reports.Plan, _ int64) (bool, error) { asked = *plan; return true, nil }
		r := New(again)
		defer r.Close()
		err := r.Prepare(ctx)
		if text, failed := os.ReadFile(o.Report + ".journal"); failed != nil || string(text) != string(before) {
			t.Errorf("the journal is %s, %v; want it as it was", text, failed)
		}
		return asked, err
	})
	anew := o
	anew.Resume, anew.Report = false, filepath.Join(filepath.Dir(o.Report), "anew.csv")
	atEachLook(t, "a fresh run", func(ctx context.Context) (any, error) {
		r := New(anew)
		defer r.Close()
		if err := r.Prepare(ctx); err != nil {
			return nil, err
		}
		return r.in.Rows, nil
	})
	if isThere(anew.Report + ".journal") {
		t.Error("a journal is there of a run that never began")
	}
}

// A run that is interrupted at any look either leaves nothing, because it had sent nothing, or tells the truth about every row.
func TestExecutedAtEachLook(t *testing.T) {
	began := 0
	for looks := int64(0); ; looks++ {
		o := options(t, serve(t), fewPairs)
		r := New(o)
		if err := r.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx := newLooked(t, looks)
		sum, code, err := r.Execute(ctx)
		r.Close()
		switch {
		case ctx.left.Load() >= 0:
			if err != nil || code != exitRowsFailed || began == 0 {
				t.Errorf("got exit code %d, %v, after %d runs that were interrupted", code, err, began)
			}
			return
		case !errors.Is(err, signal{}):
			if err != nil || code != exitRowsFailed {
				t.Errorf("interrupted at look %d: got exit code %d, %v", looks+1, code, err)
			}
		case sum == nil:
			if isThere(o.Report + ".journal") {
				t.Errorf("interrupted at look %d: nothing was sent, and a journal is there", looks+1)
			}
			began++
		case code != 130 || sum.ExitCode != code || sum.Success+sum.Failure != 8 || len(outcomesIn(t, o.Report)) != 8:
			t.Errorf("interrupted at look %d: got exit code %d, %+v", looks+1, code, sum)
		default:
			began++
		}
	}
}
