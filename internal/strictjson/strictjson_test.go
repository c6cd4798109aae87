package strictjson

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var shape = Shape{
	{"subject", Text, true, false},
	{"name", Text, false, false},
	{"scopes", Texts, false, false},
	{"attributes", TextMap, false, false},
	{"expires_at", Time, false, false},
	{"limit", Int32, false, false},
	{"grace", Int64, false, false},
	{"until", Time, false, true},
	{"uses", Int64, false, true},
	{"strict", Bool, false, false},
}

var good = []string{
	`{"subject":"alice"}`,
	" \t\r\n{ \"subject\" : \"\" } \n",
	`{"subject":"","name":"","scopes":[],"attributes":{},"limit":0,"grace":0}`,
	`{"grace":-9223372036854775808,"limit":-2147483648,"subject":"x"}`,
	`{"grace":9223372036854775807,"limit":2147483647,"subject":"x"}`,
	`{"subject":"\ud83d\ude00 \u0000 \u2028 é"}`,
	`{"\u0073ubject":"alice"}`,
	`{"subject":"a","scopes":["a","a",""],"attributes":{"a":"1","b":"1","":""}}`,
	`{"subject":"a","expires_at":"2030-01-02T03:04:05Z"}`,
	`{"subject":"a","expires_at":"2030-01-02T03:04:05.123456789+14:00"}`,
	`{"subject":"a","expires_at":"0000-01-01T00:00:00-23:59"}`,
	`{"subject":"a","until":null,"uses":null}`,
	`{"subject":"a","until" : null , "uses":0}`,
	`{"subject":"a","until":"2030-01-02T03:04:05Z","uses":1}`,
	`{"subject":"a","strict":true}`,
	`{"subject":"a","strict" : false }`,
}

const fields = "; its fields are subject, name, scopes, attributes, expires_at, limit, grace, until, uses, strict"

// bad texts, and the message for each.
var bad = []struct{ text, says string }{
	{``, "body is empty; it is a JSON object" + fields},
	{" \n", "body is empty; it is a JSON object" + fields},
	{`null`, "body is not a JSON object" + fields},
	{`[]`, "body is not a JSON object" + fields},
	{`"subject"`, "body is not a JSON object" + fields},
	{`1`, "body is not a JSON object" + fields},
	{`nul`, "body is not a JSON object" + fields},
	{strings.Repeat("[", 10_000), "body is not a JSON object" + fields},
	{strings.Repeat(`{"subject":`, 10_000), "subject is not a string"},
	{`{"scopes":` + strings.Repeat("[", 10_000), "scopes is not a list of strings"},
	{`{"attributes":` + strings.Repeat(`{"a":`, 10_000), "attributes is not an object of strings"},
	{`{`, "body ends in the middle of the JSON object"},
	{`{"subject":"alice"`, "body ends in the middle of the JSON object"},
	{`{"subject":"al`, "body ends in the middle of the JSON object"},
	{`{"subject":`, "body ends in the middle of the JSON object"},
	{`{"subject":"alice",`, "body ends in the middle of the JSON object"},
	{`{"scopes":["a"`, "body ends in the middle of the JSON object"},
	{`{}`, "subject is missing; it is a string"},
	{`{"name":"x"}`, "subject is missing; it is a string"},
	{`{"subject":"a"}{"subject":"a"}`, "body goes on after the JSON object; leave that out"},
	{`{"subject":"a"} null`, "body goes on after the JSON object; leave that out"},
	{`{"subject":"a"}}`, "body goes on after the JSON object; leave that out"},
	{`{"subject":"a"},`, "body goes on after the JSON object; leave that out"},
	{"{\"subject\":\"a\"}\x00", "body goes on after the JSON object; leave that out"},
	{"\xef\xbb\xbf{\"subject\":\"a\"}", "body is not valid JSON (at byte 1)"},
	{`{"subject":"a",}`, "body is not valid JSON (at byte 15)"},
	{`{,"subject":"a"}`, "body is not valid JSON (at byte 2)"},
	{`{"subject" "a"}`, "body is not valid JSON (at byte 12)"},
	{`{'subject':'a'}`, "body is not valid JSON (at byte 2)"},
	{`{1:"a"}`, "body is not valid JSON (at byte 2)"},
	{`{"subject":"a" /* x */}`, "body is not valid JSON (at byte 16)"},
	{`{"subject":NaN}`, "body is not valid JSON (at byte 12)"},
	{`{"subject":"a","subject":"b"}`, "subject is given twice; give it once"},
	{`{"subject":"a","\u0073ubject":"b"}`, "subject is given twice; give it once"},
	{`{"subject":"a","attributes":{"k":"1","k":"2"}}`, "attributes has a name twice; give each once"},
	{`{"subject":"a","attributes":{"k":"1","\u006b":"2"}}`, "attributes has a name twice; give each once"},
	{`{"subject":"a","role":"owner"}`, "role is not a field that is known here" + fields},
	{`{"subject":"a","Subject":"b"}`, "body has a field that is not known here" + fields},
	{`{"subject":"a","":"b"}`, "body has a field that is not known here" + fields},
	{`{"subject":"a","default_0aB9cD8eF7gH6iJ5wWvV":"b"}`, "body has a field that is not known here" + fields},
	{`{"subject":null}`, "subject is not a string"},
	{`{"subject":1}`, "subject is not a string"},
	{`{"subject":["a"]}`, "subject is not a string"},
	{`{"subject":"a","name":{}}`, "name is not a string"},
	{`{"subject":"a","scopes":"read"}`, "scopes is not a list of strings"},
	{`{"subject":"a","scopes":null}`, "scopes is not a list of strings"},
	{`{"subject":"a","scopes":["a",1]}`, "scopes is not a list of strings"},
	{`{"subject":"a","scopes":[null]}`, "scopes is not a list of strings"},
	{`{"subject":"a","scopes":[["a"]]}`, "scopes is not a list of strings"},
	{`{"subject":"a","attributes":[]}`, "attributes is not an object of strings"},
	{`{"subject":"a","attributes":{"a":1}}`, "attributes is not an object of strings"},
	{`{"subject":"a","attributes":{"a":null}}`, "attributes is not an object of strings"},
	{`{"subject":"a","attributes":{"a":{"b":"c"}}}`, "attributes is not an object of strings"},
	{`{"subject":"a","limit":"1"}`, "limit is not a whole number"},
	{`{"subject":"a","limit":true}`, "limit is not a whole number"},
	{`{"subject":"a","limit":1.0}`, "limit is not a whole number, spelled without point and exponent"},
	{`{"subject":"a","limit":1e3}`, "limit is not a whole number, spelled without point and exponent"},
	{`{"subject":"a","limit":-0}`, "limit is not a whole number, spelled without point and exponent"},
	{`{"subject":"a","limit":01}`, "body is not valid JSON (at byte 25)"},
	{`{"subject":"a","limit":2147483648}`, "limit is out of range; at most 2147483647 is possible"},
	{`{"subject":"a","limit":-2147483649}`, "limit is out of range; at most 2147483647 is possible"},
	{`{"subject":"a","grace":9223372036854775808}`, "grace is out of range; at most 9223372036854775807 is possible"},
	{`{"subject":"a","grace":` + strings.Repeat("9", 400) + `}`, "grace is out of range; at most 9223372036854775807 is possible"},
	{`{"subject":"a","expires_at":1893456000}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":""}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"2030-01-02"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"2030-01-02 03:04:05Z"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"2030-01-02T03:04:05"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"2030-01-02T3:04:05Z"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"2030-01-02T03:04:05,5Z"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"2030-01-02T03:04:05.Z"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"2030-01-02T03:04:05.5"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"2030-01-02T03:04:05+0100"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"2030-01-02T03:04:05+01:60"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"2030-01-02T24:00:00Z"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"2030-01-02T23:59:60Z"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"2030-01-02t03:04:05z"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"2030-01-02T3:04:05.11100Z"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"2030-01-02T03:04:05,1110Z"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"2030-02-30T03:04:05Z"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"2030-01-02T03:04:05+24:00"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"10000-01-01T00:00:00Z"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","expires_at":"-001-01-01T00:00:00Z"}`, "expires_at is not a time of RFC 3339, as 2030-01-02T03:04:05Z"},
	{`{"subject":"a","until":nul}`, "body is not valid JSON (at byte 27)"},
	{`{"subject":"a","until":nulL}`, "body is not valid JSON (at byte 27)"},
	{`{"subject":"a","until":null,"until":null}`, "until is given twice; give it once"},
	{`{"subject":"a","until":0}`, "until is neither a time of RFC 3339, as 2030-01-02T03:04:05Z nor null"},
	{`{"subject":"a","until":"null"}`, "until is neither a time of RFC 3339, as 2030-01-02T03:04:05Z nor null"},
	{`{"subject":"a","uses":[null]}`, "uses is neither a whole number nor null"},
	{`{"subject":"a","uses":"1"}`, "uses is neither a whole number nor null"},
	{`{"subject":"a","uses":9223372036854775808}`, "uses is out of range; at most 9223372036854775807 is possible"},
	{`{"subject":"a","strict":"true"}`, "strict is not true or false"},
	{`{"subject":"a","strict":1}`, "strict is not true or false"},
	{`{"subject":"a","strict":null}`, "strict is not true or false"},
	{`{"subject":"a","strict":[true]}`, "strict is not true or false"},
	{`{"subject":"a","strict":{}}`, "strict is not true or false"},
	{`{"subject":"a","strict":tru}`, "body is not valid JSON (at byte 28)"},
	{`{"subject":"a","strict":True}`, "body is not valid JSON (at byte 25)"},
	{`{"subject":"a","strict":fals`, "body ends in the middle of the JSON object"},
	{`{"subject":"a","strict":true,"strict":true}`, "strict is given twice; give it once"},
	{`{"subject":"a","uses":null`, "body ends in the middle of the JSON object"},
	{"{\"subject\":\"a\xffb\"}", "subject is not valid UTF-8 (at byte 14)"},
	{"{\"subject\":\"a\xed\xa0\x80\"}", "subject is not valid UTF-8 (at byte 14)"},
	{"{\"subject\":\"a\xc0\xaf\"}", "subject is not valid UTF-8 (at byte 14)"},
	{"{\"sub\xff\":\"a\"}", "body is not valid UTF-8 (at byte 6)"},
	{"{\"subject\":\"a\",\"attributes\":{\"a\":\"\xff\"}}", "attributes is not valid UTF-8 (at byte 35)"},
	{`{"subject":"a\ud800"}`, "subject holds an escape that stands for no character, such as half of a surrogate pair (at byte 14)"},
	{`{"subject":"a\ud800\u0041"}`, "subject holds an escape that stands for no character, such as half of a surrogate pair (at byte 14)"},
	{`{"subject":"\udc00a"}`, "subject holds an escape that stands for no character, such as half of a surrogate pair (at byte 13)"},
	{`{"subject":"\udc00\ud800"}`, "subject holds an escape that stands for no character, such as half of a surrogate pair (at byte 13)"},
	{`{"\ud800":"a"}`, "body holds an escape that stands for no character, such as half of a surrogate pair (at byte 3)"},
	{`{"subject":"\x41"}`, "subject holds an escape that stands for no character, such as half of a surrogate pair (at byte 13)"},
	{"{\"subject\":\"a\nb\"}", "subject holds a control character that is not escaped (at byte 14)"},
	{"{\"subject\":\"a\x00b\"}", "subject holds a control character that is not escaped (at byte 14)"},
}

func TestCheck(t *testing.T) {
	for _, text := range good {
		if err := Check([]byte(text), shape); err != nil {
			t.Errorf("%.200s: %v", text, err)
		}
	}
	for _, c := range bad {
		err := Check([]byte(c.text), shape)
		var e *Error
		if !errors.As(err, &e) || err.Error() != c.says {
			t.Errorf("%.200q\n got %v\nwant %v", c.text, err, c.says)
		}
	}
}

// What a message may repeat is the name of an unknown field, if it looks like one.
func TestMessagesRepeatNothing(t *testing.T) {
	const canary = "CANARYcanary0123456789"
	for _, text := range []string{
		canary, `"` + canary, `{"` + canary + `":1}`, `{"` + canary + `"`, `{"subject":` + canary + `}`, `{"subject":"` + canary + `\ud800"}`,
		`{"subject":"\u` + canary + `"}`, `{"subject":"` + canary + `"}` + canary, `{"subject":"` + canary + "\xff\"}",
		`{"subject":"a","expires_at":"` + canary + `"}`, `{"subject":"a","attributes":{"` + canary + `":"1","` + canary + `":"2"}}`,
		`{"subject":"a","attributes":{"` + canary + `":1}}`, `{"subject":"a","grace":` + canary + `}`,
	} {
		err := Check([]byte(text), shape)
		if err == nil {
			t.Fatalf("%s passes", text)
		}
		if strings.Contains(strings.ToLower(err.Error()), "canary") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A scanner in the pool holds nothing of the texts that it read.
func TestPoolForgets(t *testing.T) {
	s := scanners.New().(*scanner)
	s.text.WriteString(`{"subject":"secret"}`)
	s.decoder.Reset(&s.text)
	s.shape = shape
	if err := s.object(); err != nil {
		t.Fatal(err)
	}
	s.put()
	if rest := s.decoder.UnreadBuffer(); len(rest) != 0 || cap(rest) != 0 || s.text.Cap() != 0 {
		t.Errorf("the pool keeps %q", rest)
	}
}

func TestConcurrent(t *testing.T) {
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 500 {
				for _, text := range good {
					if err := Check([]byte(text), shape); err != nil {
						t.Fatal(err)
					}
				}
				if Check([]byte(bad[0].text), shape) == nil || Check([]byte(`{"subject":1}`), shape) == nil {
					t.Fatal("passes")
				}
			}
		})
	}
}

// FuzzCheck: what passes is read by encoding/json without an error and without
// a loss; it has no name twice, no null, no depth, and valid Unicode only.
func FuzzCheck(f *testing.F) {
	for _, text := range good {
		f.Add([]byte(text))
	}
	for _, c := range bad {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := Check(text, shape); err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Field == "" || e.Problem == "" || len(err.Error()) > 300 || !utf8.ValidString(err.Error()) {
				t.Errorf("a bad error: %q", err)
			}
			return
		}
		if !utf8.Valid(text) {
			t.Error("passes, and is not valid UTF-8")
		}
		judge(t, text)
	})
}

// judge looks at a text that passed with another reader.
func judge(t *testing.T, text []byte) {
	var v struct {
		Subject    *string            `json:"subject"`
		Name       *string            `json:"name"`
		Scopes     []*string          `json:"scopes"`
		Attributes map[string]*string `json:"attributes"`
		Expires    *time.Time         `json:"expires_at"`
		Limit      *int32             `json:"limit"`
		Grace      *int64             `json:"grace"`
		Until      *time.Time         `json:"until"`
		Uses       *int64             `json:"uses"`
		Strict     *bool              `json:"strict"`
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("passes, and encoding/json says %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Errorf("passes, and goes on: %v", err)
	}
	if v.Subject == nil {
		t.Error("passes without a required field")
	}
	for _, s := range v.Scopes {
		if s == nil {
			t.Error("passes with null in a list")
		}
	}
	for _, s := range v.Attributes {
		if s == nil {
			t.Error("passes with null in an object")
		}
	}
	judgeTokens(t, text)
}

// judgeTokens looks for nesting, nulls and names that are there twice.
func judgeTokens(t *testing.T, text []byte) {
	depth, names := 0, []map[string]bool{}
	d := json.NewDecoder(strings.NewReader(string(text)))
	for inName := false; ; {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			names = append(names, map[string]bool{})
			inName = token == json.Delim('{')
			if token == json.Delim('[') {
				names[len(names)-1] = nil
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
			names = names[:len(names)-1]
			inName = len(names) > 0 && names[len(names)-1] != nil
		case nil:
			if in := names[len(names)-1]; depth != 1 || !in["until"] && !in["uses"] {
				t.Error("passes with a null")
			}
			inName = true
		default:
			if in := names[len(names)-1]; in != nil {
				if inName && in[token.(string)] {
					t.Errorf("passes with %q twice", token)
				}
				if inName {
					in[token.(string)] = true
				}
				inName = !inName
			}
		}
		if depth > 2 {
			t.Error("passes with a depth over 2")
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	verify := Shape{{Name: "token", Required: true}, {Name: "kind"}, {Name: "scopes", Type: Texts}}
	text := []byte(`{"token":"default_0aB9cD8eF7gH6iJ5wWvVuUtTsSrRqQpPoOnNmMlLkKjJiIhHgGfFeEdDcCbBaA012345","scopes":["read"]}`)
	b.ReportAllocs()
	for b.Loop() {
		if err := Check(text, verify); err != nil {
			b.Fatal(err)
		}
	}
}
