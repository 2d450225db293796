package signals

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"
)

// TestContext: the first signal ends the context and is its cause, the second comes out of the channel.
func TestContext(t *testing.T) {
	ctx, again := Context()
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Minute):
		t.Fatal("the first signal did not end the context")
	}
	var cause Interrupted
	if !errors.As(context.Cause(ctx), &cause) || cause.Signal() != 15 || cause.Error() != "interrupted by SIGTERM" {
		t.Errorf("got the cause %v, want SIGTERM", context.Cause(ctx))
	}
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case second := <-again:
		if second.Name() != "SIGINT" {
			t.Errorf("got %s, want SIGINT", second.Name())
		}
	case <-time.After(time.Minute):
		t.Fatal("the second signal was not told of")
	}
}
