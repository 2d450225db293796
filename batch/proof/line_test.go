package proof

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"friendsweep/batch"
	"friendsweep/reports/terminal"
)

// storyDiffers says where the story of the record at an index of the report is not what the report says of it, or tells of
// other requests than those that are counted there.
func (tr *trial) storyDiffers(ctx context.Context, index int) string {
	report, err := readReport(tr.path("report.csv"))
	if err != nil {
		return err.Error()
	}
	if len(report) == 0 {
		return ""
	}
	want := report[index%len(report)]
	s, err := batch.Story(ctx, batch.Options{
		Report: tr.path("report.csv"), Pairs: tr.path("pairs.csv"), TempDir: tr.dir, Progress: terminal.NewProgress(io.Discard, terminal.Options{}),
	}, want.line)
	if err != nil {
		return err.Error()
	}
	got := reported{s.Line, s.From, s.To, want.status, s.Outcome, "", s.Info, int(s.Attempts), s.FinishedAt}
	if s.Code != nil {
		got.code = strconv.Itoa(*s.Code)
	}
	carried := int64(0)
	for _, e := range s.Events {
		if e.Request > 0 && e.Kind != "withdrawn" {
			carried++
		}
	}
	switch {
	case got != want:
		return fmt.Sprintf("the story of line %d is %+v, the report has %+v", want.line, got, want)
	case carried != s.Attempts && s.Outcome != "duplicate":
		return fmt.Sprintf("the story of line %d has %d requests that carried it, the report %d", want.line, carried, s.Attempts)
	case s.State == "running", !strings.HasSuffix(s.Why, "."):
		return fmt.Sprintf("the story of line %d is %s, and says %q", want.line, s.State, s.Why)
	}
	return ""
}
