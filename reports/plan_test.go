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
