package batch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"friendsweep/batch/chat"
	"friendsweep/batch/send"
	"friendsweep/input"
	"friendsweep/reports"
	"friendsweep/reports/terminal"
)

// Read reads the input once, with progress.
func Read(ctx context.Context, o *Options) (*input.Input, error) {
	var seen input.Progress
	total, there := int64(0), o.Pairs == "-"
	if info, err := os.Stat(o.Pairs); err == nil {
		there = true
		if info.Mode().IsRegular() {
			total = info.Size()
		}
	}
	if there && !o.Typed {
		o.Progress.Start(terminal.Reading, func() terminal.Snapshot {
			return terminal.Snapshot{Bytes: seen.Bytes.Load(), Rows: seen.Rows.Load(), Total: total}
		})
		defer o.Progress.Stop()
	}
	in, err := input.Read(ctx, input.Options{
		Path: o.Pairs, Stdin: o.Stdin, FromColumn: o.FromColumn, ToColumn: o.ToColumn, Both: o.DeleteType == chat.Both && o.API.Settles(),
		ChunkSize: o.Batch.ChunkSize, Regroup: o.Regroup, CountRegrouped: o.CountRegrouped, TempDir: o.TempDir, Progress: &seen,
	})
	if errors.Is(err, syscall.ENOSPC) {
		err = fmt.Errorf("%w\ntemporary files take about as much room as the uncompressed input: set TMPDIR to a folder that has it", err)
	}
	if err == nil && in.Damaged.Cells > 0 {
		first := in.Damaged
		o.Log.Warn(fmt.Sprintf("%s a valid ID and may have been damaged by a spreadsheet; sent as they are. The first is in line %d: %q, %s",
			cells(first.Cells), first.Line, first.Cell, first.Kind))
	}
	return in, err
}

func cells(n int64) string {
	if n == 1 {
		return "1 cell is"
	}
	return terminal.Counted(n, "cell") + " are each"
}

// minSeconds is what so many requests for so many pairs take at least at the chosen rates; 0 without a limit.
func minSeconds(requests, pairs int64, o send.Options) (seconds float64) {
	if o.Rate > 0 {
		seconds = float64(requests) / o.Rate
	}
	if o.RowRate > 0 {
		seconds = max(seconds, float64(pairs)/o.RowRate)
	}
	return seconds
}

// NewPlan is what is to be said about an input before anything is sent. Of the options only call, chunk size and rates count.
func NewPlan(in *input.Input, o send.Options) *reports.Plan {
	p := &reports.Plan{
		Call:  o.Call,
		Input: in.Path, InputSHA256: in.SHA256, InputBytes: in.Bytes, Rows: in.Rows, Pairs: in.Pairs, Accounts: in.Accounts,
		Requests: in.RequestsWritten, Asked: in.Requests, Invalid: in.Invalid, Duplicates: in.Duplicates, ChunkSize: o.ChunkSize, Rate: o.Rate, RowRate: o.RowRate,
	}
	p.MinSeconds = minSeconds(in.Requests, in.Pairs, o)
	if p.InvalidReasons = in.InvalidReasons; p.InvalidReasons == nil {
		p.InvalidReasons = map[string]int64{}
	}
	if n := in.RequestsRegrouped; n > 0 {
		p.RequestsRegrouped, p.SecondsRegrouped = &n, minSeconds(n, in.Pairs, o)
	}
	for _, row := range in.FirstInvalids {
		p.Reasons = append(p.Reasons, reports.InvalidRow{Line: row.Line, Reason: row.Reason})
	}
	for _, account := range in.Largest {
		p.Largest = append(p.Largest, reports.AccountRows{Account: account.Name, Rows: account.Pairs})
	}
	if len(in.Largest) > 0 {
		p.LargestAccountRows = in.Largest[0].Pairs
	}
	return p
}
