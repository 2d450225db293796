package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"friendsweep/reports"
	"friendsweep/reports/terminal"
)

func nobodyToAsk(*reports.Plan, int64) (bool, error) {
	return false, refuse("nobody is there to be asked: nothing was sent\nlook at `friendsweep plan`, then give --yes")
}

// ask shows the plan and wants a typed yes. limit is the most pairs that are sent, nil for no limit. It does not ask where
// nothing would be sent, and says so by false.
func (a *app) ask(plan *reports.Plan, through int64, limit *int64) (asked bool, err error) {
	if plan.Pairs == 0 {
		return false, nil
	}
	return true, a.wantYes(plan, through, limit)
}

func (a *app) wantYes(plan *reports.Plan, through int64, limit *int64) error {
	if err := plan.WriteText(a.stderr, a.text(a.stderr)); err != nil {
		return err
	}
	if through > 0 {
		fmt.Fprintf(a.stderr, "\nThis continues a run: %s of earlier runs will not be sent again. Pairs, accounts, requests and time\n"+
			"above are those of what is still open.\n", terminal.Counted(through, "row"))
	}
	if limit != nil && *limit < plan.Pairs {
		fmt.Fprintf(a.stderr, "\nThis run stops after %s of these, by --limit.\n", terminal.Counted(*limit, "pair"))
	}
	fmt.Fprint(a.stderr, "\nDeleted friendships cannot be brought back. Type yes to delete them: ")
	answer, err := readLine(a.ctx, a.stdin)
	if err != nil {
		fmt.Fprintln(a.stderr) // the line of the question has not been ended by whoever answers
	}
	if err != nil && err != io.EOF {
		return err
	}
	if answer != "yes" {
		return refuse("the answer was not the whole word yes: nothing was sent")
	}
	return nil
}

// readLine reads a line; the error is [io.EOF] if it has no end, or the cause of the context's end. A read from a terminal
// cannot be interrupted: the goroutine that waits in it ends with the process.
func readLine(ctx context.Context, r io.Reader) (string, error) {
	type result struct {
		line string
		err  error
	}
	done := make(chan result, 1)
	go func() { // see above
		line, err := bufio.NewReader(r).ReadString('\n')
		done <- result{strings.TrimRight(line, "\r\n"), err}
	}()
	select {
	case r := <-done:
		return r.line, r.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
