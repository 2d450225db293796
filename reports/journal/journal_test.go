package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

var someRun = entry.Run{Version: "v1", Input: "/in/pairs.csv", Flags: entry.Flags{"rate": entry.Text("200")}, Success: []string{"deleted"}, Host: "h", User: "u", PID: 7}

func jobOf(rows, last int64) entry.Job {
	return entry.Job{Call: "delete", InputSHA256: strings.Repeat("ab", 32), InputBytes: 100, Rows: rows, LastLine: last, FromColumn: "from",
		ToColumn: "to", Endpoint: "https://x.test", AppID: 1400000000, DeleteType: "Delete_Type_Both"}
}

// open opens the journal of a report in a folder of its own and closes it with the test.
func open(t testing.TB, report string) *Journal {
	t.Helper()
	j, err := Lock(report, testCalls)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func started(t testing.TB, job entry.Job) *Journal {
	t.Helper()
	j := open(t, filepath.Join(t.TempDir(), "r.csv"))
	if err := j.Start(job, someRun); err != nil {
		t.Fatal(err)
	}
	return j
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func content(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return string(data)
}

func deleted(lines ...int64) outcome.Result {
	return outcome.Result{Rows: outcome.RowsAt(lines...), Outcome: isDeleted, Code: outcome.Code{Given: true}}
}

func TestJournalIsReadable(t *testing.T) {
	j := started(t, jobOf(10, 11))
	id, err := j.Before(`a"<é`, []int64{5, 6, 7, 2})
	must(t, err)
	must(t, j.After(id, 123*time.Millisecond, []outcome.Result{
		deleted(2),
		{Rows: outcome.RowsAt(7, 5), Outcome: outcome.Open, Code: outcome.Code{Number: 30006, Given: true}, Info: "again\n\x00\xff"},
		{Rows: outcome.RowsAt(6), Outcome: isDeleted, Code: outcome.Code{Number: 31704, Given: true}, Presumed: true},
	}))
	id, err = j.Before("b", []int64{8})
	must(t, err)
	must(t, j.Withdraw(id))
	must(t, j.Decide("b", []outcome.Result{{Rows: outcome.RowsAt(8), Outcome: outcome.Refused, Info: "not tried alone"}}))
	must(t, j.End("4", "disk"))
	lines := strings.Split(content(t, j.Path()), "\n")
	for i, want := range []string{
		`{"friendsweep":"v1","at":"T","job":{"call":"delete","input_sha256":"` + strings.Repeat("ab", 32) + `","input_bytes":100,"rows":10,"last_line":11,"from_column":"from","to_column":"to","endpoint":"https://x.test","sdkappid":1400000000,"delete_type":"Delete_Type_Both","invalid":0,"duplicates":0,"mirrors":0},"run":{"input":"/in/pairs.csv","flags":{"rate":"200"},"identifier":"","failures":"","page":"","success":["deleted"],"host":"h","user":"u","pid":7}}`,
		`{"send":1,"at":"T","account":"a\"<é","lines":"2,5-7"}`,
		`{"answer":1,"at":"T","ms":123,"results":[{"outcome":"deleted","code":0,"lines":"2"},{"outcome":"open","code":30006,"info":"again\n\u0000` + "\ufffd" + `","lines":"5,7"},{"outcome":"deleted","code":31704,"presumed":true,"lines":"6"}]}`,
		`{"send":2,"at":"T","account":"b","lines":"8"}`,
		`{"withdraw":2,"at":"T"}`,
		`{"decide":"b","at":"T","results":[{"outcome":"refused","info":"not tried alone","lines":"8"}]}`,
		`{"end":"4","at":"T","stopped":"disk"}`,
		``,
	} {
		got := lines[i]
		if text, _, ok := strings.Cut(got, `,"h":"`); ok {
			got = text + "}"
		}
		if at := strings.Index(got, `"at":"`) + 6; at > 6 {
			if _, err := time.Parse(entry.StampLayout, got[at:at+24]); err != nil {
				t.Error(err)
			}
			got = got[:at] + "T" + got[at+24:]
		}
		if got = strings.ReplaceAll(got, `\ufffd`, "\ufffd"); got != want {
			t.Errorf("line %d\n got %s\nwant %s", i+1, got, want)
		}
	}
	info, err := os.Stat(j.Path())
	must(t, err)
	if info.Mode() != 0o600 {
		t.Errorf("mode: got %v, want 0600", info.Mode())
	}
	h, err := j.Replay(t.Context(), false)
	must(t, err)
	if h.FinalCount != 3 || h.MirroredCount != 1 || h.RefusedCount != 1 || h.NextID != 3 || h.Requests != 1 || !h.Ended || h.EndCode != "4" || h.Stopped != "disk" || h.TornBytes != 0 {
		t.Errorf("replay: got %+v", h)
	}
}

func TestJournalRefusesWhatCannotBe(t *testing.T) {
	j := started(t, jobOf(10, 11))
	id, err := j.Before("a", []int64{2, 3})
	must(t, err)
	for name, results := range map[string][]outcome.Result{
		"deleted without a code":     {{Outcome: isDeleted}},
		"deleted with 31704":         {{Outcome: isDeleted, Code: outcome.Code{Number: 31704, Given: true}}},
		"presumed with 30006":        {{Outcome: isDeleted, Code: outcome.Code{Number: 30006, Given: true}, Presumed: true}},
		"derived outcome":            {{Outcome: outcome.Unknown}},
		"a row is missing":           {deleted(2)},
		"a row twice":                {deleted(2, 2)},
		"all, and one":               {deleted(), deleted(2)},
		"no result":                  {},
		"header":                     {deleted(1, 2)},
		"deleted code 0 as presumed": {{Outcome: isDeleted, Code: outcome.Code{Given: true}, Presumed: true}},
	} {
		if err := j.After(id, 0, results); err == nil {
			t.Errorf("%s: got no error, want one", name)
		}
	}
	if _, err := j.Before("a", []int64{4, 4}); err == nil {
		t.Error("a row twice in a request: got no error, want one")
	}
	if _, err := j.Before("a", nil); err == nil {
		t.Error("an empty request: got no error, want one")
	}
	must(t, j.After(id, 0, []outcome.Result{deleted()}))
	if err := j.After(id, 0, []outcome.Result{deleted()}); err == nil {
		t.Error("a second answer: got no error, want one")
	}
	must(t, j.End("0", ""))
	if _, err := j.Before("a", []int64{4}); err == nil {
		t.Error("a request after the end: got no error, want one")
	}
}

// Before must not return until a sync that began after its write has ended, and must share it with others.
func TestGroupCommit(t *testing.T) {
	j := started(t, jobOf(1<<20, 1<<20))
	var durable, syncs atomic.Int64
	real := j.sync
	j.sync = func() error {
		info, err := j.file.Stat()
		if err != nil {
			return err
		}
		syncs.Add(1)
		err = real()
		durable.Store(info.Size())
		return err
	}
	const workers, each = 32, 40
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for n := range each {
				account := fmt.Sprintf("w%d-%d", w, n)
				id, err := j.Before(account, []int64{int64(2 + w*each + n)})
				if err != nil {
					t.Error(err)
					return
				}
				data, err := os.ReadFile(j.path)
				at := bytes.Index(data, []byte(`"account":"`+account+`"`))
				if err != nil || at < 0 || int64(at) > durable.Load() {
					t.Errorf("%s: at %d of %d durable bytes, %v", account, at, durable.Load(), err)
				}
				if err := j.After(id, 0, []outcome.Result{deleted()}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if n := syncs.Load(); n >= workers*each*3/4 {
		t.Errorf("syncs: got %d for %d requests, want them shared", n, workers*each)
	}
	h, err := j.Replay(t.Context(), false)
	must(t, err)
	if h.MirroredCount != workers*each || h.Requests != workers*each {
		t.Errorf("replay: got %d deleted in %d requests, want %d", h.MirroredCount, h.Requests, workers*each)
	}
}

// Whatever number of bytes the disk still takes, what is in the journal afterwards is whole lines or a torn tail, the
// journal is closed for good, and the job can be resumed.
func TestFullDisk(t *testing.T) {
	full := errors.New("no space left on device")
	for room := 0; ; room += 7 {
		j := started(t, jobOf(100, 101))
		left := room
		j.write = func(p []byte) (int, error) {
			n := min(left, len(p))
			left -= n
			if n, err := j.file.Write(p[:n]); err != nil || n == len(p) {
				return n, err
			}
			return n, full
		}
		sent, err := int64(0), error(nil)
		for line := int64(2); line < 8 && err == nil; line++ {
			var id int64
			if id, err = j.Before("a", []int64{line}); err == nil {
				sent++
				err = j.After(id, 0, []outcome.Result{deleted()})
			}
		}
		if err == nil {
			err = j.End("0", "")
		}
		if err == nil {
			return // there was room for all
		}
		if !errors.Is(err, full) || !strings.Contains(err.Error(), "can be resumed") {
			t.Fatalf("room for %d: got %v, want the disk's error and a hint", room, err)
		}
		if _, again := j.Before("a", []int64{90}); !errors.Is(again, full) {
			t.Fatalf("room for %d: after the error got %v, want it again", room, again)
		}
		must(t, j.Close())
		j2 := open(t, j.report)
		h, err := j2.Replay(t.Context(), false)
		must(t, err)
		if h.Requests != sent || h.TornBytes != 0 {
			t.Fatalf("room for %d: got %d requests and a torn tail of %d bytes, want %d and none", room, h.Requests, h.TornBytes, sent)
		}
		must(t, j2.Resume(someRun))
		must(t, j2.Close())
	}
}

func TestFailedSync(t *testing.T) {
	j := started(t, jobOf(100, 101))
	broken := errors.New("input/output error")
	real := j.sync
	j.sync = func() error { return broken }
	if _, err := j.Before("a", []int64{2}); !errors.Is(err, broken) {
		t.Errorf("got %v, want the sync's error", err)
	}
	j.sync = real
	if err := j.End("0", ""); !errors.Is(err, broken) {
		t.Errorf("a later call: got %v, want the same error", err)
	}
}

func TestFolderRemoved(t *testing.T) {
	j := started(t, jobOf(100, 101))
	must(t, os.RemoveAll(filepath.Dir(j.path)))
	if _, err := j.Before("a", []int64{2}); err == nil || !strings.Contains(err.Error(), "removed or replaced") {
		t.Errorf("got %v, want that the journal is gone", err)
	}
}

func TestStartNeedsAnEmptyJournal(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		foreign bool
	}{
		"empty":        {"", false},
		"torn":         {`{"friendsweep":"v1","at":"20`, false},
		"zeros":        {"\x00\x00\x00", false},
		"torn at once": {`{"fri`, false},
		"diary":        {"dear diary\n", true},
		"diary, torn":  {"dear diary", true},
		"binary":       {"\x7fELF\x00\n", true},
		"damaged":      {"{\"friendsweep\":\"v1\"x}\n{\"send\":1}\n", true},
	} {
		report := filepath.Join(t.TempDir(), "r.csv")
		must(t, os.WriteFile(Path(report), []byte(c.text), 0o600))
		j := open(t, report)
		head, err := j.Head()
		if head != nil || (err != nil) != c.foreign {
			t.Errorf("%s: got %v, %v, want an error: %v", name, head, err, c.foreign)
		}
		if err := j.Start(jobOf(1, 2), someRun); (err != nil) != c.foreign {
			t.Errorf("%s: start: got %v, want an error: %v", name, err, c.foreign)
		}
		if c.foreign && content(t, j.path) != c.text {
			t.Errorf("%s: somebody's file was changed", name)
		}
	}
}

func TestDiscard(t *testing.T) {
	report := filepath.Join(t.TempDir(), "r.csv")
	must(t, open(t, report).Discard())
	if _, err := os.Stat(Path(report)); !os.IsNotExist(err) {
		t.Errorf("a journal without a job: got %v, want it removed", err)
	}
	j := open(t, report)
	must(t, j.Start(jobOf(1, 2), someRun))
	must(t, j.Discard())
	if content(t, j.path) == "" {
		t.Error("a journal with a job was emptied")
	}
}

// TestDiscardLeavesWhatWasThere: a run that is refused removes no file that it has not made, whatever is in it.
func TestDiscardLeavesWhatWasThere(t *testing.T) {
	for _, text := range []string{"", `{"friendsweep":"v1","at":`} {
		report := filepath.Join(t.TempDir(), "r.csv")
		must(t, os.WriteFile(Path(report), []byte(text), 0o600))
		must(t, open(t, report).Discard())
		if got, err := os.ReadFile(Path(report)); err != nil || string(got) != text {
			t.Errorf("got %q, %v; want %q as it was", got, err, text)
		}
	}
}

// TestAsideOfALink: the old journal is kept where the journal is a link to it.
func TestAsideOfALink(t *testing.T) {
	dir := t.TempDir()
	report, real := filepath.Join(dir, "r.csv"), filepath.Join(dir, "elsewhere")
	must(t, os.WriteFile(real, nil, 0o600))
	must(t, os.Symlink(real, Path(report)))
	j := open(t, report)
	must(t, j.Start(jobOf(2, 9), someRun))
	text := content(t, real)
	moved, err := j.Aside(true, func(string) bool { return false })
	must(t, err)
	must(t, j.Start(jobOf(3, 9), someRun))
	must(t, j.Close())
	if len(moved) != 1 || content(t, moved[0]) != text || content(t, real) != text || content(t, j.path) == text {
		t.Errorf("moved %q: got %q, want the old journal %q", moved, content(t, moved[0]), text)
	}
}

func TestAside(t *testing.T) {
	dir := t.TempDir()
	report := filepath.Join(dir, "r.csv")
	must(t, os.WriteFile(report+".1", []byte("in the way"), 0o600))
	var want []string
	for n := 2; n < 4; n++ {
		j := open(t, report)
		must(t, j.Start(jobOf(int64(n), 9), someRun))
		must(t, os.WriteFile(report, []byte("report"), 0o600))
		text := content(t, j.path)
		moved, err := j.Aside(true, func(string) bool { return false })
		must(t, err)
		want = []string{fmt.Sprintf("%s.%d", j.path, n), fmt.Sprintf("%s.%d", report, n)}
		if diff := cmp.Diff(moved, want); diff != "" {
			t.Errorf("moved: got -, want +\n%s", diff)
		}
		if content(t, moved[0]) != text || content(t, j.path) != "" {
			t.Error("the journal did not move as it was")
		}
		if _, err := Lock(report, testCalls); !errors.Is(err, ErrHeld) {
			t.Errorf("the new journal: got %v, want it held", err)
		}
		if _, err := LockFile(moved[0], ""); !errors.Is(err, ErrHeld) {
			t.Errorf("the old journal: got %v, want it held", err)
		}
		if n == 2 {
			must(t, j.Discard())
			continue
		}
		must(t, j.Start(jobOf(3, 9), someRun))
		_, err = j.Before("a", []int64{2})
		must(t, err)
		must(t, j.Close())
	}
	j := open(t, report)
	if moved, err := j.Aside(false, func(string) bool { return false }); err != nil || moved != nil || content(t, j.path) != "" {
		t.Errorf("without keeping: got %v, %v and %q, want an empty journal", moved, err, content(t, j.path))
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	if len(names) != 6 {
		t.Errorf("files: got %q, want two pairs kept, one in the way, and the new journal", names)
	}
}
