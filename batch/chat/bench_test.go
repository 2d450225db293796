package chat

import (
	"fmt"
	"io"
	"net/http"
	"testing"
)

// perRow reports what a row costs, and how many bytes of body it is.
func perRow(b *testing.B, rows, bytes int) {
	b.ReportAllocs()
	b.ReportMetric(float64(bytes)/float64(rows), "B/row")
	b.ReportMetric(float64(b.N)*float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
}

func BenchmarkEncode(b *testing.B) {
	call := Delete(Single)
	for _, rows := range []int{1, 1000} {
		_, to := sample(rows, 0, "")
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			for b.Loop() {
				call.encode("from", to)
			}
			perRow(b, rows, len(call.encode("from", to)))
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, bc := range []struct {
		name string
		call Call
		rows int
		code int
		info string
	}{
		{"1", Delete(Single), 1, 0, ""},
		{"1000", Delete(Single), 1000, 0, ""},
		{"1000-failed", Delete(Single), 1000, 31704, "Err_SNS_FriendDelete_Not_Friend"},
		{"1000-checked", Check(), 1000, 0, ""},
	} {
		body, to := sample(bc.rows, bc.code, bc.info)
		if bc.call.Name == "check" {
			body = checked(body)
		}
		d := newDecoder(bc.call, newRedactor().clean)
		b.Run(bc.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := d.decode(body, to); err != nil {
					b.Fatal(err)
				}
			}
			perRow(b, bc.rows, len(body))
		})
	}
}

// BenchmarkDo is the whole client against a server in the same process, which takes most of the time.
func BenchmarkDo(b *testing.B) {
	for _, rows := range []int{1, 1000} {
		body, to := sample(rows, 0, "")
		s := serve(b, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Write(body)
		})
		c := newClient(b, config(s.URL))
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			for b.Loop() {
				if a := c.Do(b.Context(), "from", to); a.Kind != Envelope {
					b.Fatalf("got %+v, want an envelope", a)
				}
			}
			perRow(b, rows, len(body))
		})
	}
}
