package batch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"friendsweep/batch/chat"
	"friendsweep/input"
	"friendsweep/reports"
	"friendsweep/reports/journal"
	"friendsweep/reports/terminal"
)

// Read reads the input once, with progress.
func Read(ctx context.Context, o *Options) (*input.Input, error) {
	var seen input.Progress
	total := int64(0)
	if info, err := os.Stat(o.Pairs); err == nil && info.Mode().IsRegular() {
		total = info.Size()
	}
	if !o.Typed {
		o.Progress.Start(terminal.Reading, func() terminal.Snapshot {
			return terminal.Snapshot{Bytes: seen.Bytes.Load(), Rows: seen.Rows.Load(), Total: total}
		})
		defer o.Progress.Stop()
	}
	in, err := input.Read(ctx, input.Options{
		Path: o.Pairs, Stdin: o.Stdin, FromColumn: o.FromColumn, ToColumn: o.ToColumn, Both: o.DeleteType == chat.Both && o.API.Settles(),
		ChunkSize: o.Batch.ChunkSize, TempDir: o.TempDir, Progress: &seen,
	})
	if errors.Is(err, syscall.ENOSPC) {
		err = fmt.Errorf("%w\ntemporary files take about as much room as the uncompressed input: set TMPDIR to a folder that has it", err)
	}
	return in, err
}

// NewPlan is what is to be said about an input before anything is sent. rate is in requests per second, 0 for no limit.
func NewPlan(in *input.Input, call *journal.Call, chunkSize int, rate float64) *reports.Plan {
	p := &reports.Plan{
		Call:  call,
		Input: in.Path, InputSHA256: in.SHA256, InputBytes: in.Bytes, Rows: in.Rows, Pairs: in.Pairs, Accounts: in.Accounts,
		Requests: in.Requests, Invalid: in.Invalid, Duplicates: in.Duplicates, ChunkSize: chunkSize, Rate: rate,
	}
	if rate > 0 {
		p.MinSeconds = float64(in.Requests) / rate
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
