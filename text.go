package keyfob

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// Bounds of what a caller may write into a record, in bytes of UTF-8.
const (
	maxSubject        = 256
	maxName           = 256
	maxReason         = 512
	maxActor          = 256
	maxScope          = 128
	maxScopes         = 64
	maxAttributeName  = 64
	maxAttributeValue = 1024
	maxAttributes     = 64
	maxCIDRs          = 64 // networks, not bytes
)

// checkText refuses text that could not be stored, logged and shown as what it
// is: control characters end lines and drive terminals, U+2028 and U+2029 end
// lines in some readers, and the bidirectional controls reorder what is seen.
func checkText(field, text string, most int) error {
	if len(text) > most {
		return badInput(field, "has %d bytes; at most %d are allowed", len(text), most)
	}
	if !utf8.ValidString(text) {
		return badInput(field, "is not valid UTF-8")
	}
	for _, r := range text {
		if unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) ||
			unicode.Is(unicode.Bidi_Control, r) {
			return badInput(field, "holds the control character %U; leave it out", r)
		}
	}
	return nil
}

// checkNamed is checkText for what may not be empty.
func checkNamed(field, text string, most int) error {
	if text == "" {
		return badInput(field, "is empty; it needs at least one character")
	}
	return checkText(field, text, most)
}

// CheckScope says whether text can be a scope: 1 to 128 characters that are
// those of a scope-token (RFC 6749, section 3.3): printable ASCII without
// space, double quote and backslash. The error is an *InputError.
func CheckScope(text string) error {
	if text == "" || len(text) > maxScope {
		return badInput("scopes", "holds a scope of %d bytes; 1 to %d are allowed", len(text), maxScope)
	}
	for _, b := range []byte(text) {
		if b <= ' ' || b > '~' || b == '"' || b == '\\' {
			return badInput("scopes", "holds a scope with the byte 0x%02x; a scope is printable ASCII without space, \" and \\", b)
		}
	}
	return nil
}

func checkScopes(scopes []string) error {
	if len(scopes) > maxScopes {
		return badInput("scopes", "holds %d scopes; at most %d are allowed", len(scopes), maxScopes)
	}
	for i, s := range scopes {
		if err := CheckScope(s); err != nil {
			return err
		}
		if slices.Contains(scopes[:i], s) {
			return badInput("scopes", "holds one scope twice; give it once")
		}
	}
	return nil
}

func checkAttributes(attributes map[string]string) error {
	if len(attributes) > maxAttributes {
		return badInput("attributes", "holds %d entries; at most %d are allowed", len(attributes), maxAttributes)
	}
	for name, value := range attributes {
		if name == "" {
			return badInput("attributes", "holds an entry without a name; give it one")
		}
		if err := checkText("attributes", name, maxAttributeName); err != nil {
			return err
		}
		if err := checkText("attributes."+name, value, maxAttributeValue); err != nil {
			return err
		}
	}
	return nil
}
