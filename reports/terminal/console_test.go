package terminal

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestConsole: a file that many runs write to has a date in every line, and a terminal the time of day where it helps.
func TestConsole(t *testing.T) {
	at := time.Date(2026, 11, 23, 19, 26, 9, 123e6, time.FixedZone("", 3600))
	for dated, want := range map[bool]string{
		true: "2026-11-23T18:26:09Z sending  rows=5  slow=a\\nb\n" +
			"2026-11-23T18:26:09Z friendsweep: warning: end delete  exit_code=1\n" +
			"2026-11-23T18:26:09Z friendsweep: where to?\n" +
			"2026-11-23T18:26:09Z   give --region\n" +
			"2026-11-23T18:26:09Z   or --sandbox\n",
		false: "19:26:09 sending  rows=5  slow=a\\nb\n" +
			"friendsweep: warning: end delete  exit_code=1\n" +
			"friendsweep: where to?\n" +
			"  give --region\n" +
			"  or --sandbox\n",
	} {
		var got strings.Builder
		console := NewConsole(&got, slog.LevelInfo, dated)
		for _, r := range []struct {
			level slog.Level
			text  string
			args  []any
		}{
			{slog.LevelInfo, "sending", []any{"rows", 5, "slow", "a\nb"}},
			{slog.LevelWarn, "end delete", []any{"exit_code", 1}},
			{slog.LevelError, "where to?", []any{"exit_code", 2, "hint", "give --region\nor --sandbox"}},
		} {
			record := slog.NewRecord(at, r.level, r.text, 0)
			record.Add(r.args...)
			if err := console.Handle(context.Background(), record); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(got.String(), want); diff != "" {
			t.Errorf("dated %t: got -, want +:\n%s", dated, diff)
		}
	}
}
