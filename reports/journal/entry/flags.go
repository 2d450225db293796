package entry

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// Text is a text of the user's own: a path, or the value of a flag. In the journal it is a JSON string; bytes that are no
// UTF-8, which a path may have, stand there as {"base64":"…"}, so that they come back as they were.
type Text string

// MarshalJSON is as [json.Marshaler] says.
func (t Text) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) {
		return json.Marshal(string(t))
	}
	return json.Marshal(map[string]string{"base64": base64.StdEncoding.EncodeToString([]byte(t))})
}

// UnmarshalJSON is as [json.Unmarshaler] says.
func (t *Text) UnmarshalJSON(data []byte) error {
	var coded struct{ Base64 *[]byte }
	if len(data) == 0 || data[0] != '{' {
		return json.Unmarshal(data, (*string)(t))
	}
	if err := json.Unmarshal(data, &coded); err != nil {
		return err
	}
	if coded.Base64 == nil {
		return errors.New("a text has no base64")
	}
	*t = Text(*coded.Base64)
	return nil
}

// Flags are the flags of a run by name, without dashes: a switch is a bool, everything else a [Text]. They are for the
// next command and for people; there is no secret among them.
type Flags map[string]any

// UnmarshalJSON is as [json.Unmarshaler] says.
func (f *Flags) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*f = Flags{}
	for name, value := range raw {
		switch string(value) {
		case "true", "false":
			(*f)[name] = string(value) == "true"
			continue
		case "null":
			return errors.New("a flag has no value")
		}
		var text Text
		if err := json.Unmarshal(value, &text); err != nil {
			return err
		}
		(*f)[name] = text
	}
	return nil
}
