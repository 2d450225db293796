package batch

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"friendsweep/input"
)

// TestRemedy: nobody is sent to look for room where the input changed.
func TestRemedy(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("reading: %w", input.ErrChanged), "once the input is as it was"},
		{fmt.Errorf("writing: %w", syscall.ENOSPC), "once there is room"},
		{fmt.Errorf("writing: %w", syscall.EDQUOT), "once there is room"},
		{errors.New("permission denied"), "once the cause is mended"},
	} {
		if got := remedy(test.err); got != test.want {
			t.Errorf("%v: got %q, want %q", test.err, got, test.want)
		}
	}
}
