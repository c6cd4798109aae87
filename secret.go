package keyfob

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[REDACTED]"

// A Secret is plaintext that is shown once. Whatever prints it prints
// [REDACTED]: every verb of fmt, also from within a struct, slice or map that
// holds it; encoding/json, encoding/xml and every other encoder that takes a
// TextMarshaler; log/slog. Reveal is the only way out.
//
// The zero Secret is empty. A Secret cannot be compared with ==; that would
// take a time that tells how much is equal. It is safe for concurrent use.
type Secret struct {
	// A function hides its text even from printers that walk unexported fields
	// and follow pointers, and makes == a compile-time error.
	reveal func() string
}

// NewSecret makes a Secret of text that somebody presents.
func NewSecret(text string) Secret {
	return Secret{reveal: func() string { return text }}
}

// Reveal returns the plaintext.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// String returns [REDACTED].
func (s Secret) String() string { return redacted }

// GoString returns [REDACTED].
func (s Secret) GoString() string { return redacted }

// Format writes [REDACTED], whatever the verb.
func (s Secret) Format(f fmt.State, verb rune) { io.WriteString(f, redacted) }

// MarshalText returns [REDACTED].
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns [REDACTED].
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
