package batch

import (
	"context"
	"iter"

	"friendsweep/input"
	"friendsweep/reports"
)

// limitToOpen makes of the plan for the whole input one for what this run is going to send: the question must not name
// pairs that earlier runs have dealt with.
func (r *Run) limitToOpen(ctx context.Context, p *reports.Plan) error {
	if r.history == nil {
		return nil
	}
	open := func(pair input.Pair) bool { return !r.history.Final.Has(pair.Line) }
	// A mirror whose first is not through may still be settled by it, as in the plan of a first run.
	unsettled := func(pair input.Pair) bool {
		return open(pair) && r.history.Final.Has(pair.First) && !r.history.Mirrored.Has(pair.First)
	}
	p.Pairs, p.Accounts, p.Requests, p.Largest = 0, 0, 0, nil
	err := addOpen(ctx, p, r.in.Groups(), open)
	if err == nil && r.in.Mirrors > 0 {
		err = addOpen(ctx, p, r.in.MirrorGroups(), unsettled)
	}
	p.Asked, p.RequestsRegrouped = p.Requests, nil // the groups are as they are asked for
	p.MinSeconds = minSeconds(p.Requests, p.Pairs, r.Batch)
	return err
}

// addOpen adds the open pairs of groups to the plan. Mirrors are sent on their own, so an account that has both counts twice.
func addOpen(ctx context.Context, p *reports.Plan, groups iter.Seq2[input.Group, error], open func(input.Pair) bool) error {
	for group, err := range groups {
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		n, err := countOpen(group, open)
		if err != nil {
			return err
		}
		if n > 0 {
			p.Pairs, p.Accounts = p.Pairs+n, p.Accounts+1
			p.Requests += (n + int64(p.ChunkSize) - 1) / int64(p.ChunkSize)
		}
	}
	return nil
}

func countOpen(group input.Group, open func(input.Pair) bool) (n int64, err error) {
	for pair, err := range group.Pairs() {
		if err != nil {
			return 0, err
		}
		if open(pair) {
			n++
		}
	}
	return n, nil
}
