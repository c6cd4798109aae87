package strictjson

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// value reads the value of a field.
func (s *scanner) value(f Field) *Error {
	if f.Nullable && s.decoder.PeekKind() == 'n' {
		_, err := s.scalar(f, 'n')
		return err
	}
	switch f.Type {
	case Texts:
		return s.strings(f, '[', ']', 1)
	case TextMap:
		return s.strings(f, '{', '}', 2)
	case Int32, Int64:
		raw, err := s.scalar(f, '0')
		if err != nil {
			return err
		}
		return integer(f, raw)
	case Bool:
		want := jsontext.Kind('t')
		if s.decoder.PeekKind() == 'f' {
			want = 'f'
		}
		_, err := s.scalar(f, want)
		return err
	}
	raw, err := s.scalar(f, '"')
	if err == nil && f.Type == Time && !isTime(raw) {
		return f.wrong()
	}
	return err
}

// wrong says that the field's value, or a part of it, is of another type.
func (f Field) wrong() *Error {
	if f.Nullable {
		return &Error{f.Name, "is neither " + wants[f.Type] + " nor null"}
	}
	return &Error{f.Name, "is not " + wants[f.Type]}
}

// scalar reads a string, number or literal of the field's value.
func (s *scanner) scalar(f Field, want jsontext.Kind) (jsontext.Value, *Error) {
	if kind := s.decoder.PeekKind(); kind != want && kind != 0 {
		return nil, f.wrong()
	}
	raw, err := s.decoder.ReadValue()
	if err != nil {
		return nil, s.syntax(err, f.Name)
	}
	return raw, nil
}

// strings reads a list of strings, or an object of them; its items are strings
// in groups of each.
func (s *scanner) strings(f Field, first, last jsontext.Kind, each int) *Error {
	if kind := s.decoder.PeekKind(); kind != first && kind != 0 {
		return f.wrong()
	}
	if _, err := s.decoder.ReadToken(); err != nil {
		return s.syntax(err, f.Name)
	}
	for s.decoder.PeekKind() != last {
		for range each {
			if _, err := s.scalar(f, '"'); err != nil {
				return err
			}
		}
	}
	if _, err := s.decoder.ReadToken(); err != nil {
		return s.syntax(err, f.Name)
	}
	return nil
}

// integer refuses other spellings of a whole number, such as 1.0, 1e3 and -0.
func integer(f Field, raw []byte) *Error {
	bits := 64
	if f.Type == Int32 {
		bits = 32
	}
	if strings.ContainsAny(string(raw), ".eE") || string(raw) == "-0" {
		return &Error{f.Name, "is not a whole number, spelled without point and exponent"}
	}
	if _, err := strconv.ParseInt(string(raw), 10, bits); err != nil {
		most := uint64(1)<<(bits-1) - 1
		return &Error{f.Name, "is out of range; at most " + strconv.FormatUint(most, 10) + " is possible"}
	}
	return nil
}

// isTime is IsTime for a JSON string.
func isTime(raw []byte) bool {
	text, err := jsontext.AppendUnquote(nil, raw)
	return err == nil && IsTime(string(text))
}

// IsTime holds text to the grammar of RFC 3339, section 5.6, with upper-case
// letters. What time.Parse accepts beyond it is refused: an hour of one digit, a
// decimal comma, offsets of a day and more.
func IsTime(text string) bool {
	const seconds = len("2030-01-02T03:04:05")
	if len(text) < seconds+1 || text[len("2030-01-02T03")] != ':' {
		return false
	}
	zone := text[seconds:]
	if zone[0] == '.' {
		zone = strings.TrimLeft(zone[1:], "0123456789")
	}
	if len(zone) == 0 || zone[0] == ',' {
		return false
	}
	if zone[0] != 'Z' && (len(zone) != len("+14:00") || zone[1:3] > "23" || zone[4:] > "59") {
		return false
	}
	_, err := time.Parse(time.RFC3339, text)
	return err == nil
}

// syntax makes an Error of what the decoder says, which may hold pieces of the
// text. field is whose value was read; empty: none's.
func (s *scanner) syntax(err error, field string) *Error {
	var syntactic *jsontext.SyntacticError
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || !errors.As(err, &syntactic) {
		return &Error{"body", "ends in the middle of the JSON object"}
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		if field != "" {
			return &Error{field, "has a name twice; give each once"}
		}
		for _, f := range s.shape {
			if syntactic.JSONPointer.LastToken() == f.Name {
				return &Error{f.Name, "is given twice; give it once"}
			}
		}
		return &Error{"body", "has a field twice; give each once"}
	}
	at := " (at byte " + strconv.FormatInt(syntactic.ByteOffset+1, 10) + ")"
	problem := ""
	// The decoder's own words may repeat the text; they only choose among ours.
	switch words := syntactic.Err.Error(); {
	case strings.HasPrefix(words, "invalid UTF-8"):
		problem = "is not valid UTF-8"
	case strings.HasPrefix(words, "invalid escape"), strings.HasPrefix(words, "invalid surrogate"):
		problem = "holds an escape that stands for no character, such as half of a surrogate pair"
	case strings.HasPrefix(words, "invalid character") && strings.Contains(words, "in string ("):
		problem = "holds a control character that is not escaped"
	default:
		return &Error{"body", "is not valid JSON" + at}
	}
	if field == "" {
		field = "body"
	}
	return &Error{field, problem + at}
}
