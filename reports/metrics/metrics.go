// Package metrics writes the figures of a run for Prometheus's textfile collector: see [Write].
package metrics

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"friendsweep/reports"
	"friendsweep/reports/fates"
	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
	"friendsweep/reports/whole"
)

// Figures are what monitoring wants to know about a run, finished or failed.
type Figures struct {
	Call                         *outcome.Call
	Tally                        fates.Tally // of the whole job
	Requests, Retried, Throttled int64       // of this run
	Started, Finished            time.Time
	Decided                      int64  // rows of this run
	Running                      bool   // the run is at work: Finished is now
	Name                         string // of the scheduled job: the label that tells the files of several apart
	ExitCode                     int    // 0 makes Finished the last success
}

// mostFigures is far more than the bytes of a file of figures.
const mostFigures = 1 << 20

const lastSuccess = "friendsweep_last_success_timestamp_seconds"

// Write puts the figures of a run at path, for Prometheus's textfile collector, whole or not at all (temporary file
// and rename). Every metric is a gauge: each run starts anew, so nothing only grows. A run that failed keeps the last
// success of the file in its place; 0 says that there never was one. The mode is 0644, because the collector is another
// user and nothing in the file is secret.
func Write(path string, f Figures) error {
	if err := replace(path, f); err != nil {
		return fmt.Errorf("writing metrics %s: %w", terminal.Printable(path), err)
	}
	return nil
}

func replace(path string, f Figures) error {
	success, err := standingSuccess(path)
	if err != nil {
		return err
	}
	if f.ExitCode == 0 && !f.Running {
		success = seconds(f.Finished)
	}
	var text bytes.Buffer
	if err := encode(&text, f.families(success)); err != nil {
		return err
	}
	return whole.Write(path, 0o644, text.Bytes())
}

func encode(w io.Writer, families []*dto.MetricFamily) error {
	enc := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		if err := enc.Encode(family); err != nil {
			return err
		}
	}
	return nil
}

// standingSuccess reads the last success from the file in place; 0 if it has none. A file that is no metrics file has none
// either: it is from a crash or a hand, and refusing to replace it would blind the monitoring for good.
func standingSuccess(path string) (float64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err == nil && (!info.Mode().IsRegular() || info.Size() > mostFigures) {
		return 0, nil // a file of ours is small: the rest is not read
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, _ := parser.TextToMetricFamilies(bytes.NewReader(text)) // what precedes an error is still read
	for _, m := range families[lastSuccess].GetMetric() {
		return m.GetGauge().GetValue(), nil
	}
	return 0, nil
}

func (f Figures) families(success float64) []*dto.MetricFamily {
	single := func(name, help string, value float64) *dto.MetricFamily {
		fam := family(name, help)
		fam.Metric = append(fam.Metric, f.sample(value))
		return fam
	}
	running := 0.0
	if f.Running {
		running = 1
	}
	all := []*dto.MetricFamily{
		single("friendsweep_running", "1 from a run's begin to its end. A file that says 1 and grows old is of a run that died.", running),
		single("friendsweep_requests", "Requests of the last run.", float64(f.Requests)),
		single("friendsweep_retried_requests", "Requests of the last run that repeated rows.", float64(f.Retried)),
		single("friendsweep_throttled_requests", "Requests of the last run that the API called too frequent.", float64(f.Throttled)),
		single("friendsweep_decided_rows", "Rows that the last run got an outcome for.", float64(f.Decided)),
		single("friendsweep_duration_seconds", "How long the last run took, or has taken so far.", f.Finished.Sub(f.Started).Seconds()),
		single("friendsweep_start_timestamp_seconds", "When the last run began.", seconds(f.Started)),
		single(lastSuccess, "When a run last ended with exit code 0; 0 if none did.", success),
	}
	if f.Running {
		return all // no exit code and no outcomes yet: a run that is killed now must not look like a success
	}
	rows := family("friendsweep_rows", "Rows of the job by outcome.")
	for _, o := range reports.Outcomes(f.Call) {
		rows.Metric = append(rows.Metric, f.sample(float64(f.Tally.Outcomes[o.Outcome]), "outcome", o.Word))
	}
	return append(all, rows,
		single("friendsweep_failed_rows", "Rows of the job that failed.", float64(f.Tally.Failure)),
		single("friendsweep_presumed_rows", "Rows whose answer is presumed after a lost one.", float64(f.Tally.Presumed)),
		single("friendsweep_exit_code", "Exit code of the last run.", float64(f.ExitCode)))
}

func family(name, help string) *dto.MetricFamily {
	return &dto.MetricFamily{Name: &name, Help: &help, Type: dto.MetricType_GAUGE.Enum()}
}

// sample is of this job, and takes at most one more label, as name and value.
func (f Figures) sample(value float64, label ...string) *dto.Metric {
	m := &dto.Metric{Gauge: &dto.Gauge{Value: &value}}
	labels := append([]string{"name", strings.ToValidUTF8(f.Name, "\ufffd")}, label...)
	for i := 0; i < len(labels); i += 2 {
		m.Label = append(m.Label, &dto.LabelPair{Name: &labels[i], Value: &labels[i+1]})
	}
	return m
}

// seconds since 1970, to the millisecond.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
