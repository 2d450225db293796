package terminal

import (
	"context"
	"log/slog"
	"strings"
	"syscall"
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

// TestConsoleLevel: what is below the level is not logged, what is at it is.
func TestConsoleLevel(t *testing.T) {
	var got strings.Builder
	log := slog.New(NewConsole(&got, slog.LevelWarn, false)).With("run", 2)
	log.Info("one")
	log.Warn("two")
	log.Error("three")
	if want := "friendsweep: warning: two  run=2\nfriendsweep: three\n"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
}

// shortWriter takes so many bytes, and then its disk is full.
type shortWriter struct{ room int }

func (w *shortWriter) Write(p []byte) (int, error) {
	n := min(w.room, len(p))
	if w.room -= n; n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

// TestWhatCannotBeShown: whoever writes is told so.
func TestWhatCannotBeShown(t *testing.T) {
	console := NewConsole(&shortWriter{}, slog.LevelInfo, false)
	sheet := &Sheet{}
	sheet.Paragraph("text")
	for what, err := range map[string]error{
		"console": console.Handle(t.Context(), slog.NewRecord(time.Time{}, slog.LevelInfo, "text", 0)),
		"sheet":   sheet.Print(&shortWriter{}),
		"JSON":    WriteJSON(&shortWriter{}, "text"),
	} {
		if err != syscall.ENOSPC {
			t.Errorf("%s: got %v, want %v", what, err, syscall.ENOSPC)
		}
	}
}
