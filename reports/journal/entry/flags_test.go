package entry

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestFlagsComeBack: whatever bytes a value has, and whatever it looks like.
func TestFlagsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) any { return Text(b) }),
			rapid.Map(rapid.SampledFrom([]string{"true", "false", "", "null", `{"base64":""}`, "1"}), func(s string) any { return Text(s) }),
			rapid.Map(rapid.Bool(), func(b bool) any { return b }))
		want := Flags(rapid.MapOf(rapid.StringMatching("[a-z-]{1,8}"), value).Draw(t, "flags"))
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Flags
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s: got -, want +\n%s", data, diff)
		}
	})
	for _, bad := range []string{`{"a":1}`, `{"a":{}}`, `{"a":null}`, `{"a":{"base64":"%"}}`, `[]`} {
		var got Flags
		if err := json.Unmarshal([]byte(bad), &got); err == nil {
			t.Errorf("%s: got %v, want an error", bad, got)
		}
	}
}
