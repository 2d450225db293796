package input

import (
	"strings"
	"testing"
)

func TestHeaderBlamesWhatIsMissing(t *testing.T) {
	for _, tc := range []struct{ names, from, want string }{
		{"from", "", `no column "to" in the header`},
		{"TO", "", `no column "from" in the header`},
		{"from,to ", "", `the column is called "to " in the header, with blanks around "to"`},
		{"from_account", "", `no column "to_account" in the header`},
		{"a,b", "", `no column "from_account" in the header`},
		{"from,b", "x", `no column "x" in the header`},
		{"from;to", "", "the header has semicolons where commas are needed"},
		{"from\tto", "", "the header has tabs where commas are needed"},
	} {
		h := header{file: "f", line: 1, names: strings.Split(tc.names, ",")}
		if _, _, err := h.columns(tc.from, ""); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: got %v, want %q", tc.names, err, tc.want)
		}
	}
	h := header{file: "f", line: 1, names: []string{"From ", "to"}}
	if fi, ti, err := h.columns("From ", ""); err != nil || fi != 0 || ti != 1 {
		t.Errorf("got %d, %d, %v; want a column by its name with a blank", fi, ti, err)
	}
}
