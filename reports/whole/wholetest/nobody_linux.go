package wholetest

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const nobody = 65534

// AsNobody takes from this goroutine, until the test ends, the right of root to do what the modes of files forbid, and makes
// the folder of the test its own. Where that is not possible the test is skipped.
func AsNobody(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Skipf("there is nobody else here: %v", err)
	}
	runtime.LockOSThread() // the right is the thread's
	syscall.Setfsuid(nobody)
	t.Cleanup(func() {
		syscall.Setfsuid(0)
		runtime.UnlockOSThread()
	})
	if is, _ := unix.SetfsuidRetUid(-1); is != nobody {
		t.Skip("root cannot give up its rights here")
	}
}
