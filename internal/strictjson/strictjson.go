// Package strictjson says whether a JSON text is exactly what a request may be:
// one object, in valid Unicode, with the fields of its shape and no others, none
// twice, none missing, each of its type. Check decodes nothing; what it has passed
// can be read by any decoder, and all of them read the same. Plain reads in the same
// pass what is spelled as most programs spell it.
//
// Values are not nested beyond what a shape has (a list or an object of strings),
// so that depth needs no limit of its own: the first bracket too many is a value
// of the wrong type.
package strictjson

import (
	"bytes"
	"io"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// A Type is what a field's value must be. Null is of no type; a field that may
// be null is Nullable.
type Type int

// The types of fields.
const (
	Text    Type = iota // a string
	Int32               // a whole number, spelled without point and exponent
	Int64               // the same, with more bits
	Time                // a string of RFC 3339
	Texts               // a list of strings
	TextMap             // an object whose values are strings
	Bool                // true or false
)

// wants says what a value of the type is.
var wants = [...]string{
	Text:    "a string",
	Int32:   "a whole number",
	Int64:   "a whole number",
	Time:    "a time of RFC 3339, as 2030-01-02T03:04:05Z",
	Texts:   "a list of strings",
	TextMap: "an object of strings",
	Bool:    "true or false",
}

// A Field is one member of an object.
type Field struct {
	Name     string
	Type     Type
	Required bool
	Nullable bool // null is a value too
}

// A Shape is what an object may hold, in the order in which messages name it;
// at most 64 fields.
type Shape []Field

// An Error says what is wrong with a text and what would be right. It repeats
// nothing of the text but the name of an unknown field, and that only if it
// looks like one.
type Error struct {
	// Field is the field's name, or "body" where the fault is in no field.
	Field string

	// Problem is a sentence without the field's name.
	Problem string
}

func (e *Error) Error() string { return e.Field + " " + e.Problem }

// scanner reads one text after another; a pool keeps it.
type scanner struct {
	text    bytes.Buffer
	decoder *jsontext.Decoder
	shape   Shape
	seen    uint64 // bit i: field i of the shape was there
}

var scanners = sync.Pool{New: func() any {
	s := new(scanner)
	s.decoder = jsontext.NewDecoder(&s.text) // its defaults refuse duplicates and invalid Unicode
	return s
}}

// Check returns nil if text is of the shape, and otherwise an *Error. It keeps
// nothing of the text.
func Check(text []byte, shape Shape) error {
	if len(bytes.TrimLeft(text, " \t\r\n")) == 0 {
		return &Error{"body", "is empty; it is a JSON object" + shape.list()}
	}
	s := scanners.Get().(*scanner)
	defer s.put()
	s.text = *bytes.NewBuffer(text)
	s.decoder.Reset(&s.text)
	s.shape, s.seen = shape, 0
	if err := s.object(); err != nil {
		return err // never a nil *Error in an error
	}
	return nil
}

// put gives the scanner back, without the text, which may hold secrets.
func (s *scanner) put() {
	s.text = bytes.Buffer{}
	s.decoder.Reset(&s.text)
	s.shape = nil
	scanners.Put(s)
}

// object reads the whole text.
func (s *scanner) object() *Error {
	if kind := s.decoder.PeekKind(); kind != '{' && kind != 0 {
		return &Error{"body", "is not a JSON object" + s.shape.list()}
	}
	if _, err := s.decoder.ReadToken(); err != nil {
		return s.syntax(err, "")
	}
	for s.decoder.PeekKind() == '"' {
		i, err := s.name()
		if err != nil {
			return err
		}
		if err := s.value(s.shape[i]); err != nil {
			return err
		}
	}
	if _, err := s.decoder.ReadToken(); err != nil {
		return s.syntax(err, "")
	}
	for i, f := range s.shape {
		if f.Required && s.seen&(1<<i) == 0 {
			return &Error{f.Name, "is missing; it is " + wants[f.Type]}
		}
	}
	if _, err := s.decoder.ReadToken(); err != io.EOF {
		return &Error{"body", "goes on after the JSON object; leave that out"}
	}
	return nil
}

// name reads a member's name and returns the index of its field.
func (s *scanner) name() (int, *Error) {
	raw, err := s.decoder.ReadValue()
	if err != nil {
		return 0, s.syntax(err, "")
	}
	name := raw[1 : len(raw)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		if name, err = jsontext.AppendUnquote(nil, raw); err != nil {
			return 0, s.syntax(err, "")
		}
	}
	for i, f := range s.shape {
		if string(name) == f.Name {
			s.seen |= 1 << i
			return i, nil
		}
	}
	if !looksLikeAField(name) {
		return 0, &Error{"body", "has a field that is not known here" + s.shape.list()}
	}
	return 0, &Error{string(name), "is not a field that is known here" + s.shape.list()}
}

// looksLikeAField keeps what is no name, such as a token in the wrong place,
// out of messages.
func looksLikeAField(name []byte) bool {
	if len(name) == 0 || len(name) > 32 {
		return false
	}
	for _, b := range name {
		if (b < 'a' || b > 'z') && b != '_' {
			return false
		}
	}
	return true
}

// list names the fields of a shape.
func (s Shape) list() string {
	names := make([]string, len(s))
	for i, f := range s {
		names[i] = f.Name
	}
	return "; its fields are " + strings.Join(names, ", ")
}
