package input

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// readText reads a text as the file pairs.csv in a folder of its own.
func readText(t *testing.T, text string, change ...func(*Options)) (*Input, error) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("pairs.csv", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	opts := Options{Path: "pairs.csv", ChunkSize: 1000, TempDir: dir}
	for _, c := range change {
		c(&opts)
	}
	in, err := Read(t.Context(), opts)
	if err == nil {
		t.Cleanup(func() { in.Close() })
	}
	return in, err
}

func columns(from, to string) func(*Options) {
	return func(o *Options) { o.FromColumn, o.ToColumn = from, to }
}

func both(o *Options) { o.Both = true }

func TestRecords(t *testing.T) {
	id32, id33 := strings.Repeat("x", 32), strings.Repeat("x", 33)
	wide := strings.Repeat("a", MaxRecord-len("a,b,\n"))
	for name, c := range map[string]struct {
		text   string
		change func(*Options)
		want   []Record
	}{
		"plain":                   {text: "from,to\na,b\n", want: []Record{{2, "a", "b", ""}}},
		"no last line break":      {text: "from,to\na,b", want: []Record{{2, "a", "b", ""}}},
		"CRLF":                    {text: "from,to\r\na,b\r\nc,d\r\n", want: []Record{{2, "a", "b", ""}, {3, "c", "d", ""}}},
		"CR before the end":       {text: "from,to\r\na,b\r", want: []Record{{2, "a", "b", ""}}},
		"byte-order mark":         {text: "\xef\xbb\xbffrom,to\na,b\n", want: []Record{{2, "a", "b", ""}}},
		"mark before a quote":     {text: "\xef\xbb\xbf\"from\",to\na,b\n", want: []Record{{2, "a", "b", ""}}},
		"header alone":            {text: "from,to\n"},
		"header without an end":   {text: "from,to"},
		"other order and columns": {text: "x,TO_account,y,From_Account\n1,b,2,a\n", want: []Record{{2, "a", "b", ""}}},
		"long names win":          {text: "from,to,from_account,to_account\n1,2,a,b\n", want: []Record{{2, "a", "b", ""}}},
		"long names as a pair":    {text: "from,to,from_account\na,b,1\n", want: []Record{{2, "a", "b", ""}}},
		"named columns":           {text: "from,to,id_1,id_2\n1,2,a,b\n", change: columns("id_1", "id_2"), want: []Record{{2, "a", "b", ""}}},
		"one named column":        {text: "from,to,id_1\n1,b,a\n", change: columns("id_1", ""), want: []Record{{2, "a", "b", ""}}},
		"a column named from":     {text: "to,from\na,b\n", change: columns("to", "from"), want: []Record{{2, "a", "b", ""}}},
		"a report of ours": {text: "line,from_account,to_account,status,outcome,result_code,result_info,attempts,finished_at\n2,a,b,failure,gave_up,30006,\"x, y\",8,2026-01-01T00:00:00.000Z\n",
			want: []Record{{2, "a", "b", ""}}},
		"quotes":             {text: "from,to\n\"a,\"\"1\",\"b\"\n", want: []Record{{2, "a,\"1", "b", ""}}},
		"header on lines":    {text: "\n\"no\nte\",from,to\n\nx,a,b\n", want: []Record{{5, "a", "b", ""}}},
		"lines in quotes":    {text: "from,to,note\na,b,\"1\r\n2\n\n\"\nc,d,\n", want: []Record{{2, "a", "b", ""}, {6, "c", "d", ""}}},
		"blank lines":        {text: "from,to\n\n\r\na,b\n\n\nc,d\n\n", want: []Record{{4, "a", "b", ""}, {7, "c", "d", ""}}},
		"spaces are no line": {text: "from,to\n  \na , b\n", want: []Record{{2, "  ", "", "too few fields: 1 instead of 2"}, {3, "a ", " b", ""}}},
		"too few":            {text: "x,from,to\n\nx,a\n\"\"\n", want: []Record{{3, "a", "", "too few fields: 2 instead of 3"}, {4, "", "", "too few fields: 1 instead of 3"}}},
		"too many":           {text: "from,to\na,b,\n\"a\n\",b,c,d\nc,d\n", want: []Record{{2, "a", "b", "too many fields: 3 instead of 2"}, {3, "a\n", "b", "too many fields: 4 instead of 2"}, {5, "c", "d", ""}}},
		"empty": {text: "from,to\n,b\na,\n,\n", want: []Record{{2, "", "b", "from is empty"}, {3, "a", "", "to is empty"},
			{4, "", "", "from is empty"}}},
		"long IDs":          {text: "from,To\n" + id32 + ",b\na," + id33 + "\n", want: []Record{{2, id32, "b", ""}, {3, "a", id33, "To is 33 bytes long, 32 is the most"}}},
		"not ASCII":         {text: "from,to\na,\x7f\na,\xff\na~ ,b!\n", want: []Record{{2, "a", "\x7f", "to has the byte 0x7f, which is not printable ASCII"}, {3, "a", "\xff", "to has the byte 0xff, which is not printable ASCII"}, {4, "a~ ", "b!", ""}}},
		"same account":      {text: "from,to\na,a\n", want: []Record{{2, "a", "a", "from and to are the same account"}}},
		"case counts":       {text: "from,to\na,A\n", want: []Record{{2, "a", "A", ""}}},
		"a formula":         {text: "from,to\n=1+1,@x\n", want: []Record{{2, "=1+1", "@x", ""}}},
		"largest record":    {text: "from,to,note\na,b," + wide + "\nc,d,\n", want: []Record{{2, "a", "b", ""}, {3, "c", "d", ""}}},
		"many blank lines":  {text: "from,to\n" + strings.Repeat("\n", 9<<20) + "a,b\n" + strings.Repeat("\r\n", 5<<20), want: []Record{{9<<20 + 2, "a", "b", ""}}},
		"blank, then short": {text: "from,to\n" + strings.Repeat("\r\n", 5<<20) + "a\n", want: []Record{{5<<20 + 2, "a", "", "too few fields: 1 instead of 2"}}},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := readText(t, c.text, append([]func(*Options){}, func(o *Options) {
				if c.change != nil {
					c.change(o)
				}
			})...)
			if err != nil {
				t.Fatal(err)
			}
			same(t, collect(t, in.Records(t.Context())), c.want)
		})
	}
}

func TestUnusableInputs(t *testing.T) {
	endless := "from,to\na,b\nc,\"d\n" + strings.Repeat("e,f\n", 3<<20)
	wide := strings.Repeat("a", MaxRecord+1-len("a,b,\n"))
	for name, c := range map[string]struct {
		text   string
		change func(*Options)
		want   string
	}{
		"nothing":        {text: "", want: "reading pairs.csv: is empty\nA header line that names two columns is needed, from_account,to_account for example."},
		"a mark alone":   {text: "\xef\xbb\xbf", want: "reading pairs.csv: is empty\nA header line that names two columns is needed, from_account,to_account for example."},
		"blank lines":    {text: "\r\n\n", want: "reading pairs.csv: is empty\nA header line that names two columns is needed, from_account,to_account for example."},
		"no header":      {text: "a,b\nc,d\n", want: "reading pairs.csv line 1: no column \"from_account\" in the header\nThe header is \"a,b\"; name the right column with --from-column."},
		"missing column": {text: "\nfrom_account,x\n", want: "reading pairs.csv line 2: no column \"to_account\" in the header\nThe header is \"from_account,x\"; name the right column with --to-column."},
		"missing named": {text: "from,to\n", change: columns("From", ""),
			want: "reading pairs.csv line 1: no column \"From\" in the header\nThe header is \"from,to\"; name the right column with --from-column."},
		"doubled":                     {text: "from,to,TO\n", want: "reading pairs.csv line 1: the header has more than one column \"to\"\nRename one of them, or name the right column with --to-column."},
		"one for both":                {text: "id,x\n", change: columns("id", "id"), want: "reading pairs.csv line 1: From_Account and To_Account are both read from column \"id\""},
		"Latin-1 header":              {text: "from,to,\xe9\n", want: "reading pairs.csv line 1: the header is not text in UTF-8\nSave the file as CSV in UTF-8."},
		"never closed":                {text: "from,to\na,b\nc,\"d\n\ne,f\n", want: "reading pairs.csv line 3 column 3: a quote (\") is opened here and never closed"},
		"never closed, no line break": {text: "from,to\nc,\"d\"\"", want: "reading pairs.csv line 2 column 3: a quote (\") is opened here and never closed"},
		"never closed header":         {text: "from,\"to", want: "reading pairs.csv line 1 column 6: a quote (\") is opened here and never closed"},
		"bare":                        {text: "from,to\n\na,b\"c\n", want: "reading pairs.csv line 3 column 4: a quote (\") inside a field that does not begin with one\nPut the whole field in quotes and double the quote inside it: \"a \"\"b\"\" c\"."},
		"bare in the header":          {text: "from,t\"o\n", want: "reading pairs.csv line 1 column 7: a quote (\") inside a field that does not begin with one\nPut the whole field in quotes and double the quote inside it: \"a \"\"b\"\" c\"."},
		"stray":                       {text: "from,to\na,\"b\n\"c\"\nd,e\n", want: "reading pairs.csv line 3 column 1: a quote (\") inside a quoted field\nDouble the quote inside the field: \"a \"\"b\"\" c\"."},
		"stray at the end":            {text: "from,to\n\"a\"b\",c", want: "reading pairs.csv line 2 column 3: a quote (\") inside a quoted field\nDouble the quote inside the field: \"a \"\"b\"\" c\"."},
		"NUL":                         {text: "from,to\na,b\nc,\x00\n", want: "reading pairs.csv line 3 column 3: a NUL byte: this is not a CSV text\nSave the file as CSV in UTF-8."},
		"NUL far on":                  {text: "from,to\n" + strings.Repeat("a,b\n", 100_000) + "\x00", want: "reading pairs.csv line 100002 column 1: a NUL byte: this is not a CSV text\nSave the file as CSV in UTF-8."},
		"UTF-16":                      {text: "\xff\xfef\x00", want: "reading pairs.csv: is not a CSV text but UTF-16 text\nSave it as CSV in UTF-8, plain or compressed with gzip or zstd."},
		"workbook":                    {text: "PK\x03\x04abc", want: "reading pairs.csv: is not a CSV text but a zip archive or an Excel workbook\nSave it as CSV in UTF-8, plain or compressed with gzip or zstd."},
		"endless":                     {text: endless, want: "reading pairs.csv line 3: the record that starts here is over 4 MiB\nMost often a quote (\") was opened here and never closed."},
		"too long by one":             {text: "from,to,note\na,b," + wide + "\n", want: "reading pairs.csv line 2: the record that starts here is over 4 MiB\nMost often a quote (\") was opened here and never closed."},
		"header too long":             {text: "from,to," + wide + "\n", want: "reading pairs.csv line 1: the record that starts here is over 4 MiB\nMost often a quote (\") was opened here and never closed."},
		"CR without end":              {text: "from,to\n" + strings.Repeat("\r", 5<<20), want: "reading pairs.csv line 2: the record that starts here is over 4 MiB\nMost often a quote (\") was opened here and never closed."},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readText(t, c.text, func(o *Options) {
				if c.change != nil {
					c.change(o)
				}
			})
			refused(t, err, c.want)
		})
	}
}

// refused checks that the input is blamed, in these words.
func refused(t *testing.T, err error, want string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %T %v, want an *Error", err, err)
	}
	if err.Error() != want {
		t.Fatalf("got\n%s\nwant\n%s", err, want)
	}
}

func TestUnreadablePaths(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := Read(t.Context(), Options{Path: "none.csv", ChunkSize: 1})
	refused(t, err, "reading none.csv: no such file or directory")
	_, err = Read(t.Context(), Options{Path: ".", ChunkSize: 1})
	refused(t, err, "reading .: is a folder, not a file")
	_, err = Read(t.Context(), Options{Path: "-", Stdin: strings.NewReader(""), ChunkSize: 1})
	refused(t, err, "reading standard input: is empty\nA header line that names two columns is needed, from_account,to_account for example.")
}

const sample = "from,to\na,b\nb,a\na,b\na,c\n"

func zipped(tb testing.TB, parts ...string) string {
	var b bytes.Buffer
	for _, p := range parts {
		w := gzip.NewWriter(&b)
		w.Write([]byte(p))
		if err := w.Close(); err != nil {
			tb.Fatal(err)
		}
	}
	return b.String()
}

func zstandard(tb testing.TB, parts ...string) string {
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer enc.Close()
	var b []byte
	for _, p := range parts {
		b = enc.EncodeAll([]byte(p), b)
	}
	return string(b)
}

func TestCompressed(t *testing.T) {
	want := []Record{{2, "a", "b", ""}, {3, "b", "a", ""}, {4, "a", "b", ""}, {5, "a", "c", ""}}
	skip := "\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
	for name, raw := range map[string]string{
		"gzip":                   zipped(t, sample),
		"gzip of two members":    zipped(t, sample[:11], sample[11:]),
		"gzip with a mark":       zipped(t, "\xef\xbb\xbf"+sample),
		"zstd":                   zstandard(t, sample),
		"zstd of two frames":     zstandard(t, sample[:9], sample[9:]),
		"zstd and a skipped one": skip + zstandard(t, sample) + skip,
	} {
		t.Run(name, func(t *testing.T) {
			in, err := readText(t, raw)
			if err != nil {
				t.Fatal(err)
			}
			same(t, collect(t, in.Records(t.Context())), want)
			same(t, in.Bytes, int64(len(raw)))
		})
	}
}

func TestBrokenCompression(t *testing.T) {
	long := "from,to\n"
	for i := range 20_000 {
		long += string(rune('a'+i%26)) + strings.Repeat("x", i*7919%31) + ",y\n"
	}
	gz, zs := zipped(t, long), zstandard(t, long)
	flipped := func(s string) string { return s[:len(s)/2] + string(s[len(s)/2]^0x55) + s[len(s)/2+1:] }
	cut := "reading pairs.csv: the %s data ends too early: the file is cut off"
	for name, c := range map[string]struct{ raw, want string }{
		"gzip magic alone": {gz[:2], strings.ReplaceAll(cut, "%s", "gzip")},
		"gzip header":      {gz[:10], strings.ReplaceAll(cut, "%s", "gzip")},
		"gzip few bytes":   {gz[:15], strings.ReplaceAll(cut, "%s", "gzip")},
		"gzip half":        {gz[:len(gz)/2], strings.ReplaceAll(cut, "%s", "gzip")},
		"gzip checksum":    {gz[:len(gz)-3], strings.ReplaceAll(cut, "%s", "gzip")},
		"gzip bad sum":     {gz[:len(gz)-8] + "12345678", "reading pairs.csv: the gzip data is corrupt: gzip: invalid checksum"},
		"gzip and more":    {gz + "more and more", "reading pairs.csv: the gzip data is corrupt: gzip: invalid header"},
		"empty gzip":       {zipped(t, ""), "reading pairs.csv: is empty\nA header line that names two columns is needed, from_account,to_account for example."},
		"zstd magic alone": {zs[:4], strings.ReplaceAll(cut, "%s", "zstd")},
		"zstd half":        {zs[:len(zs)/2], strings.ReplaceAll(cut, "%s", "zstd")},
		"zstd window":      {"\x28\xb5\x2f\xfd\x00\x98", "reading pairs.csv: the zstd data needs more than 128 MiB of memory to be read\nCompress it again without --long=28 or above."},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readText(t, c.raw)
			refused(t, err, c.want)
		})
	}
	for name, raw := range map[string]string{"gzip": flipped(gz), "zstd": flipped(zs), "zstd and more": zs + "more and more"} {
		t.Run("corrupt "+name, func(t *testing.T) {
			_, err := readText(t, raw)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %T %v, want an *Error", err, err)
			}
		})
	}
}

func TestMirrors(t *testing.T) {
	in, err := readText(t, sample+"b,a\n", both)
	if err != nil {
		t.Fatal(err)
	}
	same(t, byAccountName(t, in.Groups()), map[string][]Pair{"a": {{Line: 2, To: "b"}, {Line: 5, To: "c"}}})
	same(t, byAccountName(t, in.MirrorGroups()), map[string][]Pair{"b": {{Line: 3, First: 2, To: "a"}}})
	same(t, sorted(collect(t, in.Repeats())), []Repeat{{3, 2, true}, {4, 2, false}, {6, 3, false}})
	same(t, countsOf(in), counts{Rows: 5, Pairs: 2, Duplicates: 3, Mirrors: 1, Accounts: 1, Requests: 1, LastLine: 6, Largest: 2})
}

func TestFacts(t *testing.T) {
	in, err := readText(t, "FROM,To\na,b\n")
	if err != nil {
		t.Fatal(err)
	}
	path, err := filepath.EvalSymlinks(in.Path)
	if err != nil || !filepath.IsAbs(in.Path) || filepath.Base(path) != "pairs.csv" {
		t.Errorf("got path %q, want an absolute one", in.Path)
	}
	got := [...]string{in.FromColumn, in.ToColumn, in.SHA256}
	want := [...]string{"FROM", "To", "335ee11d0a1bb17065729871666f9ddfdc986dd017f277b94b0cbfdf0045def2"}
	same(t, got, want)
}
