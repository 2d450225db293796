package chat

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a key or a UserSig. Printing, logging or encoding it gives "[secret]"; [Secret.Reveal] gives the text.
//
// Two ways round that are left in the standard library. fmt cannot call methods on unexported fields: a struct that keeps a
// Secret in one must not be printed, or must keep it behind a pointer. And encoding/json writes a map's string keys as they
// are: no Secret is a key.
type Secret string

const hidden = "[secret]"

// Reveal is the secret itself, for the request and nothing else.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret.
func (s Secret) String() string { return hidden }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return hidden }

// Format hides the secret from every verb, %x and %q included.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the secret from encoders of text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalJSON hides the secret from encoding/json.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }
