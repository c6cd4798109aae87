package strictjson

import (
	"encoding/json"
	"slices"
	"testing"
)

var texts = Shape{{Name: "token", Required: true}, {Name: "kind"}, {Name: "scopes", Type: Texts}}

// read is what Plain hands over, field by field; nil is a field that was not there
// or an empty list.
func read(text string, shape Shape) (values [][]string, ok bool) {
	values = make([][]string, len(shape))
	ok = Plain([]byte(text), shape, func(i int, value []byte) { values[i] = append(values[i], string(value)) })
	return values, ok
}

func TestPlain(t *testing.T) {
	for text, want := range map[string][][]string{
		`{"token":"a"}`: {{"a"}, nil, nil},
		`{"scopes":["read","","read"],"kind":"","token":"a b/~"}`:            {{"a b/~"}, {""}, {"read", "", "read"}},
		" \t\r\n{ \"token\" : \"a\" , \"scopes\" : [ \"b\" , \"c\" ] } \r\n": {{"a"}, nil, {"b", "c"}},
		`{"token":"a","scopes":[]}`:                                          {{"a"}, nil, nil},
		`{"token":"a","scopes":[ ]}`:                                         {{"a"}, nil, nil},
		"{\"token\":\"\x7f\"}":                                               {{"\x7f"}, nil, nil},
	} {
		got, ok := read(text, texts)
		if !ok || !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s: %q, %v, want %q", text, got, ok, want)
		}
	}
}

// What is wrong, or spelled in another way, is not passed: no comma too many or
// too few, nothing twice, nothing unknown, nothing missing, nothing after the end.
func TestNotPlain(t *testing.T) {
	for _, text := range []string{
		``, ` `, `{`, `{}`, `[]`, `"token"`, `{"token"`, `{"token":`, `{"token":"a`, `{"token":"a"`, `{"token":"a",`, `{"token":"a",}`, `{,"token":"a"}`,
		`{"token" "a"}`, `{"token":"a"}}`, `{"token":"a"} x`, `{"token":"a"}{"token":"a"}`, "{\"token\":\"a\"}\x00", "\xef\xbb\xbf{\"token\":\"a\"}",
		`{"token":"a","token":"a"}`, `{"token":"a","scopes":[],"scopes":[]}`, `{"kind":"a"}`, `{"token":"a","other":"b"}`, `{"token":"a","":"b"}`, `{"Token":"a"}`,
		`{"token":null}`, `{"token":1}`, `{"token":["a"]}`, `{"token":{"a":"b"}}`, `{"token":"a","kind":null}`, `{"token":"a" "kind":"b"}`, `{"token":"a",,"kind":"b"}`,
		`{"token":"a","scopes":"b"}`, `{"token":"a","scopes":null}`, `{"token":"a","scopes":["b",]}`, `{"token":"a","scopes":[,"b"]}`, `{"token":"a","scopes":["b" "c"]}`,
		`{"token":"a","scopes":["b"}`, `{"token":"a","scopes":["b"}}`, `{"token":"a","scopes":["b"`, `{"token":"a","scopes":[["b"]]}`, `{"token":"a","scopes":[null]}`, `{"token":"a","scopes":["b",1]}`,
		`{"token":"\u0061"}`, `{"\u0074oken":"a"}`, `{"token":"\""}`, `{"token":"é"}`, "{\"token\":\"\xff\"}", "{\"token\":\"a\nb\"}", "{\"token\":\"a\x00\"}",
		"{\"token\":\"a\"\v}", "{\"token\":\"a\"\xa0}", `{'token':'a'}`, `{"token":"a"/**/}`,
	} {
		if got, ok := read(text, texts); ok {
			t.Errorf("%q passes as %q", text, got)
		}
	}
	for _, typed := range []string{`{"n":1}`, `{"n":"1"}`} {
		for _, kind := range []Type{Int32, Int64, Time, TextMap} {
			if _, ok := read(typed, Shape{{Name: "n", Type: kind}}); ok {
				t.Errorf("%s passes where it is to be %s", typed, wants[kind])
			}
		}
	}
}

// FuzzPlain: what passes, Check passes, and encoding/json reads the same in it.
func FuzzPlain(f *testing.F) {
	for _, text := range []string{
		`{"token":"a"}`, `{"token":"a","kind":"b","scopes":["c","d"]}`, ` { "token" : "a" , "scopes" : [ ] } `,
		`{"token":"a","token":"b"}`, `{"token":"a","scopes":["b",]}`, `{"token":"\u0061"}`, `{"token":"a"}}`, `{"token":"a","x":"y"}`, `{"kind":""}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := read(text, texts)
		if !ok {
			return
		}
		if err := Check([]byte(text), texts); err != nil {
			t.Fatalf("passes, and Check says %v", err)
		}
		var v struct {
			Token, Kind *string
			Scopes      []string
		}
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		want := [][]string{{*v.Token}, nil, v.Scopes}
		if v.Kind != nil {
			want[1] = []string{*v.Kind}
		}
		if !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("reads %q, want %q", got, want)
		}
	})
}

func BenchmarkPlain(b *testing.B) {
	text := []byte(`{"token":"default_0aB9cD8eF7gH6iJ5wWvVuUtTsSrRqQpPoOnNmMlLkKjJiIhHgGfFeEdDcCbBaA012345","scopes":["read"]}`)
	b.ReportAllocs()
	for b.Loop() {
		if !Plain(text, texts, func(int, []byte) {}) {
			b.Fatal("not plain")
		}
	}
}
