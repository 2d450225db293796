package reports

import "testing"

func TestResumeCommand(t *testing.T) {
	next := Next{Call: "delete", Input: "/srv/it's.csv", Report: "/srv/my report.csv", Retry: true, Flags: map[string]string{
		"identifier": "a b", "rate": "200", "yes": "true", "json": "false", "overwrite": "true", "report": "x", "region": "china"}}
	want := `friendsweep delete --resume --retry-failed --identifier='a b' --rate=200 --region=china --yes ` +
		`--report='/srv/my report.csv' '/srv/it'\''s.csv'`
	if got := next.Resume(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
