package batch

import (
	"log/slog"
	"strings"
	"testing"

	"friendsweep/batch/chat"
	"friendsweep/batch/send"
)

// Cells that a spreadsheet may have damaged are counted in a warning; where there is none, nothing is said.
func TestDamagedCellsAreSaid(t *testing.T) {
	for pairs, want := range map[string]string{
		"a,b\n":                    "",
		"a,1.00E+05\n":             "1 cell is a valid ID",
		"a,b\na,1.00E+05\n c,d\n":  "2 cells are each a valid ID",
		"a,b\nx,1.00E+05\nx,ok\n,": "The first is in line 3",
	} {
		var said strings.Builder
		o := options(t, Sandbox, pairs)
		o.Log = slog.New(slog.NewTextHandler(&said, nil))
		in, err := Read(t.Context(), &o)
		if err != nil {
			t.Fatal(err)
		}
		in.Close()
		if got := said.String(); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%q: got the log %q, want %q", pairs, got, want)
		}
	}
}

// (A,B) and (B,A) are one friendship where both sides are deleted, and two questions to a check.
func TestWhatIsMirrored(t *testing.T) {
	for name, tc := range map[string]struct {
		call  chat.Call
		side  chat.DeleteType
		pairs int64
	}{
		"both sides":          {chat.Delete(chat.Both), chat.Both, 1},
		"one side":            {chat.Delete(chat.Single), chat.Single, 2},
		"a check of one side": {chat.Check(), chat.Single, 2},
		"a check of both":     {chat.Check(), chat.Both, 2},
	} {
		o := options(t, Sandbox, "a,b\nb,a\n")
		o.DeleteType = tc.side
		o.SetCall(tc.call, nil)
		in, err := Read(t.Context(), &o)
		if err != nil {
			t.Fatal(err)
		}
		if in.Pairs != tc.pairs || in.Mirrors != 2-tc.pairs {
			t.Errorf("%s: got %d pairs and %d mirrors, want %d and %d", name, in.Pairs, in.Mirrors, tc.pairs, 2-tc.pairs)
		}
		in.Close()
	}
}

func TestMinSeconds(t *testing.T) {
	for _, tc := range []struct{ rate, rowRate, want float64 }{{0, 0, 0}, {200, 0, 2}, {0, 1000, 5}, {200, 1000, 5}, {50, 1000, 8}} {
		if got := minSeconds(400, 5000, send.Options{Rate: tc.rate, RowRate: tc.rowRate}); got != tc.want {
			t.Errorf("%v and %v a second: got %v, want %v", tc.rate, tc.rowRate, got, tc.want)
		}
	}
}

func TestPlanOfAnInput(t *testing.T) {
	o := options(t, Sandbox, "a,b\na,c\na,d\nx,a\ny,a\nz,\n")
	o.DeleteType, o.CountRegrouped, o.Batch.Rate = chat.Both, true, 2
	o.SetCall(chat.Delete(chat.Both), nil)
	in, err := Read(t.Context(), &o)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	p := NewPlan(in, o.Batch)
	if p.Requests != 4 || p.RequestsRegrouped == nil || *p.RequestsRegrouped != 3 || p.MinSeconds != 2 || p.SecondsRegrouped != 1.5 || p.LargestAccountRows != 3 ||
		p.InvalidReasons["to is empty"] != 1 || len(p.Reasons) != 1 || p.Reasons[0].Line != 7 {
		t.Errorf("got %+v, regrouped %d", p, *p.RequestsRegrouped)
	}
	o.DeleteType, o.CountRegrouped = chat.Single, false
	o.SetCall(chat.Delete(chat.Single), nil)
	single, err := Read(t.Context(), &o)
	if err != nil {
		t.Fatal(err)
	}
	defer single.Close()
	if p := NewPlan(single, o.Batch); p.RequestsRegrouped != nil || p.SecondsRegrouped != 0 {
		t.Errorf("one side: got %d requests regrouped, want none", *p.RequestsRegrouped)
	}
}
