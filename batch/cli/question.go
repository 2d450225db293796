package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"friendsweep/reports"
)

func nobodyToAsk(*reports.Plan, int64) error {
	return refuse("nobody is there to be asked: nothing was sent\nlook at `friendsweep plan`, then give --yes")
}

// ask shows the plan and wants a typed yes.
func (a *app) ask(plan *reports.Plan, through int64) error {
	if err := plan.WriteText(a.stderr, a.text(a.stderr)); err != nil {
		return err
	}
	if through > 0 {
		fmt.Fprintf(a.stderr, "\nThis continues a run: %d of these rows are through already and are not sent again.\n", through)
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
