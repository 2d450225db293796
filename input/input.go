// Package input reads the pairs: CSV in, checked, without repeats, grouped by From_Account, larger than memory.
//
// Start with [Read]. It reads the whole input once, so that nothing is sent before every row has been looked at, and
// returns an [Input]: the counts, and these sequences.
//
//   - [Input.Groups] yields the pairs to send, one [Group] per From_Account.
//   - [Input.MirrorGroups] yields, for Delete_Type_Both, the pairs whose friendship an earlier row deletes already.
//   - [Input.TurnedGroups] yields, with Options.Regroup, the pairs that Groups asks for from the other side, as written.
//   - [Input.Records] reads the input a second time, row by row in order, for the report.
//
// On the way through the first read the valid pairs are spread over partitions on disk by a hash of From_Account, small
// enough each for a processor's cache; one after the other they are freed of repeats, grouped by account and appended to
// one file that Groups then streams. Small and large inputs go the same way.
//
// What breaks the file is an [*Error]. What breaks a row is a [Record.Reason], in invalid.go.
package input

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"sync/atomic"
)

// MaxRecord is the longest record in bytes, line break included, that is not taken for an unclosed quote.
const MaxRecord = 4 << 20

// MaxID is the longest account ID in bytes (Tencent Cloud Chat, product 1047: UserID).
const MaxID = 32

// Options say what to read and how.
type Options struct {
	Path       string    // a file, or - for Stdin
	Stdin      io.Reader // read when Path is -
	FromColumn string    // header name of the From_Account column; empty for the default names
	ToColumn   string    // header name of the To_Account column; empty for the default names
	Both       bool      // Delete_Type_Both: (A,B) and (B,A) are one friendship
	ChunkSize  int       // pairs per request, to count the requests
	Regroup    bool      // with Both: ask for every friendship from the side that makes for few requests
	// CountRegrouped, with Both: find Input.RequestsRegrouped without regrouping. It takes as long as Regroup.
	CountRegrouped bool
	TempDir        string // where partition and spool files lie; empty for the system's folder
	// Progress, if not nil, always holds how far a read is, for a progress bar.
	Progress *Progress

	limits limits // the usual ones, but in tests
}

// Progress is how far a read of the input is. It may be looked at from other goroutines.
type Progress struct {
	Bytes atomic.Int64 // of the input as it is, compressed ones included
	Rows  atomic.Int64 // records found
}

// Input is an input that has been read once and checked. Its temporary files live until Close.
type Input struct {
	Path       string // absolute; - for standard input
	SHA256     string // of the raw bytes, compressed ones as they are, in hex
	Bytes      int64  // raw size
	FromColumn string // the header's own spelling
	ToColumn   string

	Rows       int64 // records, the header not counted; Rows = Pairs + Invalid + Duplicates
	Pairs      int64 // pairs to send
	Invalid    int64 // records that can never be sent
	Duplicates int64 // records that say what an earlier one says, Mirrors included
	Mirrors    int64 // those of the Duplicates that name the same friendship from the other side
	Accounts   int64 // From_Accounts, as written, with a pair to send
	Requests   int64 // what Groups takes: the sum over its accounts of ceil(pairs / ChunkSize)
	Turned     int64 // those of the Pairs that are asked for from the other side than written
	LastLine   int64 // the line where the last record starts; 1 when there are none

	RequestsWritten   int64 // what the pairs take when asked for as written
	RequestsRegrouped int64 // what they take with Options.Regroup, never more; 0 where nobody asked

	Largest       []Account // the accounts of Groups with most pairs, at most 5, largest first
	FirstInvalids []Record  // the first invalid records, at most 5
	// InvalidReasons counts the invalid records by reason: the commonest 20, and the others together as [OtherReasons].
	InvalidReasons map[string]int64
	Damaged        Damaged // cells that are sent although they look damaged

	source  *source
	opts    Options
	groups  *groupFile
	mirrors *groupFile
	turned  *groupFile
	repeats *repeatLog
}

// Account is a From_Account and its number of pairs.
type Account struct {
	Name  string
	Pairs int64
}

// Read reads and checks the whole input. Its error is an [*Error] when the input is to blame, the context's when it
// was cancelled, and anything else when the machine is (a full disk).
func Read(ctx context.Context, opts Options) (_ *Input, err error) {
	if opts.ChunkSize < 1 {
		return nil, fmt.Errorf("chunk size %d: must be 1 or more", opts.ChunkSize)
	}
	if opts.TempDir == "" {
		opts.TempDir = os.TempDir()
	}
	if opts.Progress == nil {
		opts.Progress = new(Progress)
	}
	if opts.limits == (limits{}) {
		opts.limits = usual
	}
	src, err := openSource(ctx, opts)
	if err != nil {
		return nil, err
	}
	in := &Input{Path: src.path, opts: opts, source: src, LastLine: 1}
	in.groups, in.mirrors, in.turned = newGroupFile(opts.TempDir), newGroupFile(opts.TempDir), newGroupFile(opts.TempDir)
	in.repeats = newRepeatLog(opts.TempDir)
	defer func() {
		if err != nil {
			in.Close()
		}
	}()
	parts, err := in.firstRead(ctx)
	if err != nil {
		return nil, err
	}
	if err := in.group(parts); err != nil {
		return nil, err
	}
	return in, nil
}

// firstRead spreads the valid pairs over partitions and counts the rest.
func (in *Input) firstRead(ctx context.Context) (*partitions, error) {
	key := byAccount
	if in.opts.Both {
		key = byFriendship
	}
	work := &workspace{ctx: ctx, dir: in.opts.TempDir, limits: in.opts.limits}
	parts := work.partitions(in.source.partitions(), key, 0)
	invalid := reasons{}
	begin := func(r *rows) { in.FromColumn, in.ToColumn = r.from, r.to }
	print, err := in.scan(ctx, begin, func(rec Record) error {
		in.Rows++
		in.LastLine = rec.Line
		in.opts.Progress.Rows.Store(in.Rows)
		if rec.Reason == "" {
			in.Damaged.look(rec)
			return parts.record(rec)
		}
		in.Invalid++
		invalid.add(rec.Reason)
		if len(in.FirstInvalids) < 5 {
			in.FirstInvalids = append(in.FirstInvalids, rec)
		}
		return nil
	})
	if err != nil {
		parts.close()
		return nil, err
	}
	in.InvalidReasons = invalid.commonest()
	in.SHA256, in.Bytes = print.sha256, print.bytes
	return parts, nil
}

// Unchanged reads the input again and returns an error that wraps [ErrChanged] if its bytes are not those of the first
// read. Other errors are those of Records.
func (in *Input) Unchanged(ctx context.Context) error {
	for _, err := range in.Records(ctx) {
		if err != nil {
			return err
		}
	}
	return nil
}

// Groups yields the pairs to send, one group per account that is asked: the From_Account, but for pairs that are
// [Pair.Turned]. It may be called again after it has ended.
func (in *Input) Groups() iter.Seq2[Group, error] { return in.groups.all() }

// TurnedGroups yields, one group per From_Account as written, the pairs that Groups turned, as they were written. They are
// to be sent only where the other side's answer was not final.
func (in *Input) TurnedGroups() iter.Seq2[Group, error] { return in.turned.all() }

// MirrorGroups yields, one group per From_Account, the pairs whose friendship an earlier row, [Pair.First], asks to delete
// from both sides. They are to be sent only where that row did not end deleted.
func (in *Input) MirrorGroups() iter.Seq2[Group, error] { return in.mirrors.all() }

// Repeats yields every record that says what an earlier one says, in no order.
func (in *Input) Repeats() iter.Seq2[Repeat, error] { return in.repeats.all() }

// Records reads the input again and yields every record in order. If the input has changed since the first read, the
// last thing that it yields is an error that wraps [ErrChanged]; what came before it is then not to be trusted. If the
// context is cancelled, it is the context's error. Any other error is the machine's, too many open files for example, and
// says nothing about the input.
func (in *Input) Records(ctx context.Context) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		count := int64(0)
		print, err := in.scan(ctx, func(*rows) {}, func(rec Record) error {
			count++
			if !yield(rec, nil) {
				return errStopped
			}
			return nil
		})
		switch {
		case err == errStopped:
		case ctx.Err() != nil:
			yield(Record{}, ctx.Err())
		case err != nil:
			yield(Record{}, secondReadError(err))
		case print.sha256 != in.SHA256 || print.bytes != in.Bytes || count != in.Rows:
			yield(Record{}, fmt.Errorf("%w: sha256 %.12s…, was %.12s…", ErrChanged, print.sha256, in.SHA256))
		}
	}
}

// Close frees the temporary files. The Input cannot be read any more.
func (in *Input) Close() error {
	in.groups.close()
	in.mirrors.close()
	in.turned.close()
	in.repeats.close()
	return in.source.close()
}

// scan reads the whole input once, from its first byte. It calls begin with the rows before the first, and each with
// every record.
func (in *Input) scan(ctx context.Context, begin func(*rows), each func(Record) error) (fingerprint, error) {
	raw, err := in.source.open()
	if err != nil {
		return fingerprint{}, err
	}
	defer raw.Close()
	counted := in.source.counted(ctx, raw, &in.opts.Progress.Bytes)
	text, err := in.source.text(counted)
	if err != nil {
		return fingerprint{}, err
	}
	defer text.close()
	rows, err := newRows(text, in.opts)
	if err != nil {
		return fingerprint{}, err
	}
	begin(rows)
	if err := rows.all(each); err != nil {
		return fingerprint{}, err
	}
	return counted.finish()
}
