package load

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// table prints Markdown: the machine and the heading once, then a line for each measurement as soon as it is there.
type table struct {
	once    sync.Once
	heading []string
}

func newTable(heading ...string) *table { return &table{heading: heading} }

// line prints the cells; a test without -v prints nothing.
func (tab *table) line(cells ...string) {
	if !testing.Verbose() {
		return
	}
	tab.once.Do(func() {
		fmt.Printf("\n%s\n\n| %s |\n|%s\n", machine(), strings.Join(tab.heading, " | "), strings.Repeat("---|", len(tab.heading)))
	})
	fmt.Printf("| %s |\n", strings.Join(cells, " | "))
}

// machine is what the figures depend on.
func machine() string {
	return fmt.Sprintf("%d cores of %s, %s of memory, %s %s/%s, load %s before the first line",
		runtime.NumCPU(), field("/proc/cpuinfo", "model name"), memory(), runtime.Version(), runtime.GOOS, runtime.GOARCH, load())
}

// field is the first value of a name in a file of /proc, or "?" where there is none.
func field(path, name string) string {
	text, _ := os.ReadFile(path)
	for line := range bytes.Lines(text) {
		if key, value, ok := bytes.Cut(line, []byte(":")); ok && string(bytes.TrimSpace(key)) == name {
			return string(bytes.TrimSpace(value))
		}
	}
	return "?"
}

func memory() string {
	var kib float64
	fmt.Sscan(field("/proc/meminfo", "MemTotal"), &kib)
	return fmt.Sprintf("%.0f GiB", kib/(1<<20))
}

func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	one, _, _ := strings.Cut(string(text), " ")
	return one
}

// count writes a number in groups of three digits.
func count[T int | int64 | uint64](n T) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func mebibytes(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }

// verdict compares with what issue C asks for.
func verdict(ok bool) string {
	if ok {
		return "reached"
	}
	return "missed"
}
