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
