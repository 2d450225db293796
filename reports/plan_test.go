package reports

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"friendsweep/reports/journal/journaltest"
	"friendsweep/reports/terminal"
)

func testPlan() *Plan {
	return &Plan{Call: journaltest.Call,
		Input: "-", InputSHA256: "9f86d081884c7d65", InputBytes: 123456, Rows: 1000, Pairs: 900, Accounts: 10, Requests: 12, Asked: 12, Invalid: 50,
		Duplicates: 50, LargestAccountRows: 500, MinSeconds: 0.06, ChunkSize: 1000, Rate: 200, Endpoint: "https://adminapisgp.im.qcloud.com",
		SDKAppID: 1400000000, Identifier: "administrator", DeleteType: "Delete_Type_Both", Report: "/srv/a.report.csv",
		Reasons:        []InvalidRow{{17, "to_account is empty"}, {230, "to_account: byte 0x1b at 2 is not printable ASCII: a\x1b"}},
		InvalidReasons: map[string]int64{"to_account is empty": 48, "to_account has the byte \x1b": 2}, RequestsRegrouped: new(int64(7)), RowRate: 30000,
		Largest: []AccountRows{{"alice", 500}, {"bob\u202e", 20}},
	}
}

func TestPlanText(t *testing.T) {
	var out strings.Builder
	if err := testPlan().WriteText(&out, terminal.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	want := `To delete: 900 pairs of 10 accounts, in 12 requests.

rows       1,000
pairs        900  each is sent once
duplicates    50  asked for in an earlier row
invalid       50  never sent; they count as failures
accounts      10
requests      12  of at most 1,000 pairs, more if some must be repeated
               7  with --regroup, which asks from the side that needs fewer

invalid rows
              48  to_account is empty
               2  to_account has the byte \x1b
line 17    to_account is empty
line 230   to_account: byte 0x1b at 2 is not printable ASCII: a\x1b
           and 48 more

largest accounts
             500  rows of alice
              20  rows of bob\u202e

time       at least 60ms, at 200 requests and 30000 rows a second
deletes    both sides: From_Account and To_Account leave each other's friends (Delete_Type_Both)
send to    https://adminapisgp.im.qcloud.com, app 1400000000 as administrator
input      standard input, 123.5 kB, sha256 9f86d081884c7d65
report     /srv/a.report.csv

Nothing was sent.
`
	if diff := cmp.Diff(out.String(), want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

func TestPlanOfNothing(t *testing.T) {
	var out strings.Builder
	if err := (&Plan{Call: journaltest.Call, Input: "/a.csv", Endpoint: "sandbox", Asking: true}).WriteText(&out, terminal.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	want := "There is nothing to delete.\nThis is the sandbox: nothing real is deleted.\n"
	if got := out.String(); !strings.HasPrefix(got, want) || strings.Contains(got, "Nothing was sent") {
		t.Errorf("got %q, want it to begin with %q and not to end like a plan", got, want)
	}
}

func TestPlanJSON(t *testing.T) {
	var out strings.Builder
	if err := testPlan().WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	want := `{
  "input": "-",
  "input_sha256": "9f86d081884c7d65",
  "input_bytes": 123456,
  "rows": 1000,
  "pairs": 900,
  "accounts": 10,
  "requests": 12,
  "invalid": 50,
  "duplicates": 50,
  "largest_account_rows": 500,
  "min_seconds": 0.06,
  "endpoint": "https://adminapisgp.im.qcloud.com",
  "sdkappid": 1400000000,
  "delete_type": "Delete_Type_Both",
  "invalid_reasons": {
    "to_account has the byte \u001b": 2,
    "to_account is empty": 48
  },
  "requests_regrouped": 7
}
`
	if diff := cmp.Diff(out.String(), want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

// TestPlanLoad: what the app's own back end will see in a second, and when the vendor warns.
func TestPlanLoad(t *testing.T) {
	call := *journaltest.Call
	call.Texts.Webhook = "each fires the webhook"
	const alert = "; the vendor's alert, if it is set up, comes from 160 requests a second on"
	for _, c := range []struct {
		name          string
		pairs, asked  int64
		rate, rowRate float64
		want          string
	}{
		{"by the requests", 30000, 100, 50, 0, ": up to 15,000 a second at these rates"},
		{"by the rows, which are less", 30000, 100, 50, 700, ": up to 700 a second at these rates"},
		{"by the rows, which are more", 30000, 100, 50, 20000, ": up to 15,000 a second at these rates"},
		{"by the rows alone", 30000, 100, 0, 700, ": up to 700 a second at these rates" + alert},
		{"not more than there are", 300, 100, 50, 0, ": up to 150 a second at these rates"},
		{"few", 30, 1, 50, 0, ": up to 30 a second at these rates"},
		{"less than one a second", 3, 3, 0.5, 0, ": up to 1 a second at these rates"},
		{"without a limit", 30000, 100, 0, 0, alert},
		{"below the alert", 100, 100, 159.9, 0, ": up to 100 a second at these rates"},
		{"at the alert", 100, 100, 160, 0, ": up to 100 a second at these rates" + alert},
	} {
		p := &Plan{Call: &call, Pairs: c.pairs, Asked: c.asked, Rate: c.rate, RowRate: c.rowRate}
		if got, want := p.load(), call.Texts.Webhook+c.want; got != want {
			t.Errorf("%s: got %q, want %q", c.name, got, want)
		}
	}
	if got := (&Plan{Call: &call, Pairs: 3}).load(); got != "" {
		t.Errorf("nothing is asked: got %q, want nothing", got)
	}
	if got := (&Plan{Call: journaltest.Call, Pairs: 3, Asked: 3}).load(); got != "" {
		t.Errorf("a call without a webhook: got %q, want nothing", got)
	}
}

// TestPlanPieces: what is left out where it is not known.
func TestPlanPieces(t *testing.T) {
	for _, c := range []struct {
		got, want string
	}{
		{(&Plan{}).time(), "no limit of requests per second was set: as fast as the API answers"},
		{(&Plan{Rate: 0.5, MinSeconds: 90}).time(), "at least 1m 30s, at 0.5 requests a second"},
		{(&Plan{RowRate: 100, MinSeconds: 90}).time(), "at least 1m 30s, at 100 rows a second"},
		{(&Plan{Rate: 0.001, MinSeconds: 10_000_000 / 0.001}).time(), "at least 106751d 23h, at 0.001 requests a second"},
		{atLeast(1e300), "at least 106751d 23h"},
		{(&Plan{}).where(), ""},
		{(&Plan{Identifier: "boss"}).where(), ""},
		{(&Plan{Endpoint: "https://h", Identifier: "boss"}).where(), "https://h as boss"},
		{(&Plan{Endpoint: "https://h", SDKAppID: 7}).where(), "https://h, app 7"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	p := testPlan()
	p.SecondsRegrouped, p.ChunkSize, p.Invalid = 120, 0, 2
	var out strings.Builder
	if err := p.WriteText(&out, terminal.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, "from the side that needs fewer: at least 2m 00s\n") || strings.Contains(got, "of at most") || strings.Contains(got, "more\n") {
		t.Errorf("got %s, want the time with --regroup, no chunk size and no more invalid rows", got)
	}
}
