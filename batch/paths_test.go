package batch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReportBeside(t *testing.T) {
	for pairs, want := range map[string]string{
		"pairs.csv": "pairs.report.csv", "a/b.csv": "a/b.report.csv", "pairs.csv.gz": "pairs.report.csv", "pairs.csv.zst": "pairs.report.csv",
		"pairs": "pairs.report.csv", "pairs.txt": "pairs.txt.report.csv", "/x/pairs.report.csv": "/x/pairs.report.report.csv",
	} {
		if got := ReportBeside(pairs, "report"); got != want {
			t.Errorf("%s: got %s, want %s", pairs, got, want)
		}
	}
}

func TestNoFileIsWrittenOverAnother(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"pairs.csv", "key"} {
		if err := os.WriteFile(at(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(at("pairs.csv"), at("link")); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(o *Options){
		"report is the input":       func(o *Options) { o.Report = at("pairs.csv") },
		"report links to the input": func(o *Options) { o.Report = at("link") },
		"journal is the input":      func(o *Options) { o.Pairs = at("r.csv.journal") },
		"page is the key":           func(o *Options) { o.HTML = at("key") },
		"page is the report":        func(o *Options) { o.HTML = at("x/../r.csv") },
		"figures are the failures":  func(o *Options) { o.Metrics, o.Failures = at("f"), at("f") },
		"lock is the journal":       func(o *Options) { o.Lock = at("r.csv.journal") },
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Pairs: at("pairs.csv"), Report: at("r.csv"), SecretFiles: []string{at("key")}}
			change(&o)
			s := New(o)
			err := s.checkPaths()
			if _, ok := err.(Refusal); !ok || !strings.Contains(err.Error(), "same file") {
				t.Errorf("got %v, want a refusal", err)
			}
			if s.safe {
				t.Error("the figures of this run would be written")
			}
		})
	}
	if err := New(Options{Pairs: at("pairs.csv"), Report: at("r.csv"), SecretFiles: []string{at("key")}}).checkPaths(); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

// Two names of one file are one place, be it there or not; two files are two, whatever is in them.
func TestSamePlace(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(at(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(at("folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"to a": "a", "to folder": "folder"} {
		if err := os.Symlink(to, at(link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a", "to a", true}, {"b", "to a", false}, {"a", "none", false}, {"none", "a", false},
		{"none", "none", true}, {"none", "other", false}, {"folder/none", "to folder/none", true}, {"folder/none", "none", false},
		{"gone/x", "gone/x", true}, {"gone/x", "gone/../gone/x", true}, {"gone/x", "gone/y", false},
	} {
		if got := samePlace(at(tc.a), at(tc.b)); got != tc.want {
			t.Errorf("%s and %s: got %v, want %v", tc.a, tc.b, got, tc.want)
		}
	}
	t.Chdir(dir)
	for _, tc := range []struct {
		a, b string
		want bool
	}{{"a", at("a"), true}, {"none", at("none"), true}, {"-", "-", true}, {"-", at("-"), false}} {
		if got := samePlace(tc.a, tc.b); got != tc.want {
			t.Errorf("from the folder, %s and %s: got %v, want %v", tc.a, tc.b, got, tc.want)
		}
	}
}

// A file that standard input was redirected from is an input like any other; a pipe is no file.
func TestNoFileIsWrittenOverStandardInput(t *testing.T) {
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "pairs.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for name, tc := range map[string]struct {
		o       Options
		refused bool
	}{
		"the report is the file":   {Options{Stdin: file, Report: file.Name()}, true},
		"the failures are":         {Options{Stdin: file, Report: filepath.Join(dir, "r.csv"), Failures: file.Name()}, true},
		"the lock is":              {Options{Stdin: file, Report: filepath.Join(dir, "r.csv"), Lock: file.Name()}, true},
		"another file":             {Options{Stdin: file, Report: filepath.Join(dir, "r.csv")}, false},
		"a pipe":                   {Options{Stdin: r, Report: filepath.Join(dir, "r.csv")}, false},
		"a reader that is no file": {Options{Stdin: strings.NewReader(""), Report: filepath.Join(dir, "r.csv")}, false},
	} {
		tc.o.Pairs = "-"
		if err := New(tc.o).checkPaths(); isRefusal(err, "standard input are the same file") != tc.refused || (err != nil) != tc.refused {
			t.Errorf("%s: got %v, want a refusal: %v", name, err, tc.refused)
		}
	}
}
