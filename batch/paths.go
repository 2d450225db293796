package batch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"friendsweep/input"
	"friendsweep/reports/journal"
	"friendsweep/reports/whole"
)

// ReportBeside is where the report of an input goes when nothing else is said: pairs.report.csv for pairs.csv and for
// pairs.csv.gz, where kind is report.
func ReportBeside(pairs, kind string) string {
	dir, base := filepath.Split(pairs)
	for _, ext := range []string{".gz", ".zst", ".csv"} {
		base = strings.TrimSuffix(base, ext)
	}
	return dir + base + "." + kind + ".csv"
}

// named is a file and what the user calls it.
type named struct{ what, path string }

// outputs are the files that a run writes, but for its lock.
func (r *Run) outputs() []named {
	return []named{{"--report", r.Report}, {"the journal", journal.Path(r.Report)}, {"--failures", r.Failures},
		{"--html", r.HTML}, {"--metrics-file", r.Metrics}}
}

// checkPaths makes sure that no file is written over another.
func (r *Run) checkPaths() error {
	taken := []named{}
	for _, path := range r.SecretFiles {
		taken = append(taken, named{"the file of the secret", path})
	}
	files := append(r.outputs(), named{"--lock", r.Lock})
	if r.Pairs != "-" {
		taken = append(taken, named{"the input", r.Pairs})
	} else if info := r.redirected(); info != nil {
		for _, out := range files {
			if now, err := os.Stat(out.path); err == nil && os.SameFile(now, info) {
				return refuse("%s and standard input are the same file: %s", out.what, out.path)
			}
		}
	}
	for _, out := range files {
		if out.path == "" {
			continue
		}
		for _, other := range taken {
			if samePlace(out.path, other.path) {
				return refuse("%s and %s are the same file: %s", out.what, other.what, out.path)
			}
		}
		taken = append(taken, out)
	}
	r.names = taken
	return nil
}

// redirected is the file that standard input was taken from; nil for none.
func (r *Run) redirected() os.FileInfo {
	file, ok := r.Stdin.(*os.File)
	if !ok {
		return nil
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return info
}

// isSomebodys reports whether path is that of a file that somebody named, be it there or not.
func (r *Run) isSomebodys(path string) bool {
	return slices.ContainsFunc(r.names, func(n named) bool { return samePlace(n.path, path) })
}

// checkFiles makes sure that every file can be written where it is to go, and that the input is there.
func (r *Run) checkFiles() error {
	for _, out := range r.outputs() {
		if out.path == "" {
			continue
		}
		if err := whole.Try(out.path); err != nil {
			return r.unwritable(out, err)
		}
	}
	r.safe = true
	return r.absent()
}

// unwritable is the refusal of an output. A report that nobody named lies beside the input, be that there or not.
func (r *Run) unwritable(out named, err error) error {
	if out.path != r.Report || filepath.Dir(r.Report) != filepath.Dir(r.Pairs) {
		return refuse("%s: %w", out.what, err)
	}
	if absent := r.absent(); absent != nil {
		return absent
	}
	return refuse("the report: %w\nit lies beside the input unless --report names another place", err)
}

// absent is the error of an input that is not there.
func (r *Run) absent() error {
	if _, err := os.Stat(r.Pairs); err != nil && r.Pairs != "-" {
		return &input.Error{File: r.Pairs, Reason: cause(err).Error()}
	}
	return nil
}

// cause is an error of the file system without the path, which the message names already.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// samePlace tells whether two paths name one file, be it there or not.
func samePlace(a, b string) bool {
	ia, errA := os.Stat(a)
	ib, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(ia, ib)
	}
	return errA != nil && errB != nil && resolved(a) == resolved(b)
}

func resolved(path string) string {
	path = absolute(path)
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(dir, filepath.Base(path))
	}
	return path
}

func absolute(path string) string {
	if path == "-" || path == "" {
		return path
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
