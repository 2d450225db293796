package input

import (
	"fmt"
	"strings"
	"testing"
)

func TestInvalidReasons(t *testing.T) {
	var b strings.Builder
	b.WriteString("from,to\n")
	for i := range 30 { // rare ones come first
		fmt.Fprintf(&b, "a,%s\n", strings.Repeat("x", 100+i))
	}
	b.WriteString(strings.Repeat("a,a\n", 50) + strings.Repeat(",b\n", 7) + strings.Repeat("a\n", 3) + "a,b\n")
	in, err := readText(t, b.String())
	if err != nil {
		t.Fatal(err)
	}
	got, sum := in.InvalidReasons, int64(0)
	for _, n := range got {
		sum += n
	}
	same(t, sum, in.Invalid)
	same(t, len(got), mostReasons+1)
	same(t, got["from and to are the same account"], 50)
	same(t, got["from is empty"], 7)
	same(t, got["too few fields: 1 instead of 2"], 3)
	same(t, got[OtherReasons], 30-17)
}

func TestInvalidReasonsAreBounded(t *testing.T) {
	r := reasons{}
	for i := range 100_000 {
		r.add(fmt.Sprint(i))
		r.add("common")
	}
	if len(r) > countedReasons+1 {
		t.Errorf("got %d reasons in memory, want at most %d", len(r), countedReasons+1)
	}
	got := r.commonest()
	same(t, got["common"], 100_000)
	same(t, got[OtherReasons], 100_000-18)
}

func TestReasonsHaveShortNames(t *testing.T) {
	in, err := readText(t, "from,"+strings.Repeat("é", 1000)+"\na,\n", columns("", strings.Repeat("é", 1000)))
	if err != nil {
		t.Fatal(err)
	}
	same(t, in.FirstInvalids[0].Reason, strings.Repeat("é", 50)+"… is empty")
	same(t, in.ToColumn, strings.Repeat("é", 1000))
}

func TestDamagedCells(t *testing.T) {
	in, err := readText(t, "from,to\na,b\nc,1.00E+05\n #NAME?, d\n\xff ,e \n#N/A,e\n")
	if err != nil {
		t.Fatal(err)
	}
	same(t, in.Damaged, Damaged{Cells: 4, Line: 3, Cell: "1.00E+05", Kind: "a number that a spreadsheet rounded"})
	same(t, in.Pairs, 4)
	in, err = readText(t, sample)
	if err != nil {
		t.Fatal(err)
	}
	same(t, in.Damaged, Damaged{})
}

func TestDamage(t *testing.T) {
	const blank, number, fault = "a blank at an end", "a number that a spreadsheet rounded", "a spreadsheet's error"
	for id, want := range map[string]string{
		" a": blank, "a ": blank, " ": blank, "a b": "",
		"1.00E+05": number, "1E+5": number, "-1,25e+17": number, "1.E+05": "", "E+05": "", "1.2.3E+05": "", "a1E+05": "", "1E+05a": "", "1E+": "", "12e45": "", "1e-5": "", "100000": "",
		"#NAME?": fault, "#N/A": fault, "#DIV/0!": fault, "########": fault, "#": "", "##": "", "#general": "", "NAME?": "",
	} {
		if got := damage(id); got != want {
			t.Errorf("got %q for %q, want %q", got, id, want)
		}
	}
}
