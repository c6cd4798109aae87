package server

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/ghodss/yaml"
	"github.com/ogen-go/ogen"
)

// TestOpenAPI: what the server tells of itself is openapi.yaml, as a second reader
// of YAML has it, and is fit for a generator.
func TestOpenAPI(t *testing.T) {
	e := newEnv(t, Limits{})
	a := e.want(e.ask("", "GET", "/openapi.json", nil), 200, "")
	text, err := os.ReadFile("openapi.yaml")
	e.must(err)
	again, err := yaml.YAMLToJSON(text)
	e.must(err)
	var want map[string]any
	e.must(json.Unmarshal(again, &want))
	if !reflect.DeepEqual(a.json, want) {
		t.Error("/openapi.json is not openapi.yaml")
	}
	spec, err := ogen.Parse([]byte(a.text))
	e.must(err)
	if got := readSpec(t).spec; len(spec.Paths) != len(got.Paths) || len(spec.Components.Schemas) != len(got.Components.Schemas) || spec.Info.Title != "keyfob" {
		t.Errorf("%d paths and %d schemas", len(spec.Paths), len(spec.Components.Schemas))
	}
	// A token that is sent there is neither looked at nor complained about.
	e.want(e.ask("x", "GET", "/openapi.json", nil), 200, "")
}

// TestPagesAreStrict: a page has one spelling, two methods and nothing else.
func TestPagesAreStrict(t *testing.T) {
	e := newEnv(t, Limits{})
	for path := range pages {
		if a := e.want(e.ask(e.owner, "HEAD", path, nil), 200, ""); a.text != "" {
			t.Errorf("HEAD %s has a body", path)
		}
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
			a := e.want(e.ask(e.owner, method, path, nil), 405, "method-not-allowed")
			if got := a.header.Get("Allow"); got != "GET, HEAD" {
				t.Errorf("%s %s: allowed are %q", method, path, got)
			}
		}
		e.want(e.ask(e.owner, "GET", path+"?x=1", nil), 400, "input")
		e.want(e.ask(e.owner, "GET", path, `{}`), 400, "input")
		for _, spelling := range []string{path + "/", "/" + path, strings.ToUpper(path), "/v1" + path, path + "/x", "/%6d" + path[2:], "/./" + path[1:]} {
			e.want(e.ask(e.owner, "GET", spelling, nil), 404, "route-not-found")
		}
	}
}
