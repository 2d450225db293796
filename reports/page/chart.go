package page

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"friendsweep/reports/fates"
	"friendsweep/reports/terminal"
)

// chart is a Timeline ready for the page: two drawings over the same time, and the same in words and in a table.
type chart struct {
	Drawings []drawingView
	Times    [3]string // at the left end, in the middle and at the right end
	Table    []chartRow
	Date     string // of all times, or of the first
}

type drawingView struct {
	Title string
	Words string // what the drawing shows, for who cannot see it
	Path  string // in a box of Width times 100, the top being Top
	Width int
	Top   string
	Half  string
}

type chartRow struct {
	From           string
	Rows, Requests int64
}

func newChart(t fates.Timeline) *chart {
	end := t.Start.Add(time.Duration(len(t.Rows)) * t.Width)
	layout := "15:04:05"
	if end.Sub(t.Start) >= 24*time.Hour || t.Start.UTC().YearDay() != end.UTC().YearDay() {
		layout = "Jan 2 15:04:05"
		if t.Width >= time.Minute {
			layout = "Jan 2 15:04"
		}
	}
	say := func(at time.Time) string { return at.UTC().Format(layout) }
	middle := t.Start.Add(end.Sub(t.Start) / 2)
	return &chart{
		Drawings: []drawingView{
			drawn(t, series{"Rows decided", "row", t.Rows}, say),
			drawn(t, series{"Requests answered", "request", t.Requests}, say),
		},
		Times: [3]string{say(t.Start), say(middle), say(end)},
		Table: coarse(t, say),
		Date:  t.Start.UTC().Format("2006-01-02"),
	}
}

// series is one of a Timeline's rows of counts.
type series struct {
	title, noun string
	counts      []int64
}

func drawn(t fates.Timeline, s series, say func(time.Time) string) drawingView {
	top := roundUp(slices.Max(append([]int64{1}, s.counts...)))
	return drawingView{
		Title: fmt.Sprintf("%s per %s", s.title, bucketName(t.Width)),
		Words: words(t, s, say),
		Path:  bars(s.counts, top),
		Width: max(1, len(s.counts)),
		Top:   terminal.Count(top),
		Half:  half(top),
	}
}

func half(top int64) string {
	if top%2 == 1 {
		return ""
	}
	return terminal.Count(top / 2)
}

// bucketName avoids "1.0s".
func bucketName(d time.Duration) string {
	if d == time.Second {
		return "second"
	}
	if d > time.Second && d < time.Minute && d%time.Second == 0 {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	return terminal.Span(d)
}

// bars is an SVG path of one bar per count. Bars touch, as 240 with gaps between them would shimmer.
func bars(counts []int64, top int64) string {
	var b strings.Builder
	for i, n := range counts {
		if n > 0 {
			height := max(1, float64(n)/float64(top)*100) // one per cent, so that the smallest is still to be seen
			fmt.Fprintf(&b, "M%d 100V%.4gH%dV100Z", i, 100-height, i+1)
		}
	}
	return b.String()
}

// roundUp is the next of 1, 2, 5, 10, 20, 50, …, which people can halve and read.
func roundUp(n int64) int64 {
	step := int64(math.Pow10(int(math.Floor(math.Log10(float64(n))))))
	for _, factor := range []int64{1, 2, 4, 5, 6, 8} {
		if n <= factor*step {
			return factor * step
		}
	}
	return 10 * step
}

func words(t fates.Timeline, s series, say func(time.Time) string) string {
	var total, most int64
	busiest := 0
	for i, n := range s.counts {
		if total += n; n > most {
			most, busiest = n, i
		}
	}
	end := t.Start.Add(time.Duration(len(t.Rows)) * t.Width)
	return fmt.Sprintf("%s from %s to %s UTC; most at %s, with %s per %s.", terminal.Counted(total, s.noun),
		say(t.Start), say(end), say(t.Start.Add(time.Duration(busiest)*t.Width)), terminal.Count(most), bucketName(t.Width))
}

// coarse is the timeline in at most twelve rows of whole buckets.
func coarse(t fates.Timeline, say func(time.Time) string) []chartRow {
	per := (len(t.Rows) + 11) / 12
	var rows []chartRow
	for i := range t.Rows {
		if i%per == 0 {
			rows = append(rows, chartRow{From: say(t.Start.Add(time.Duration(i) * t.Width))})
		}
		last := &rows[len(rows)-1]
		last.Rows += t.Rows[i]
		if i < len(t.Requests) {
			last.Requests += t.Requests[i]
		}
	}
	return rows
}
