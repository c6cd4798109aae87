package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ogen-go/ogen"

	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/internal/strictjson"
)

// aRoute is one operation of openapi.yaml.
type aRoute struct {
	name   string // as generated code has it
	method string
	path   string
	op     *ogen.Operation
}

func (r aRoute) success() string {
	for status := range r.op.Responses {
		if status != "default" {
			return status
		}
	}
	return ""
}

// api3 is openapi.yaml.
type api3 struct {
	spec   *ogen.Spec
	routes []aRoute
}

func readSpec(t testing.TB) api3 {
	t.Helper()
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	spec, err := ogen.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	a := api3{spec: spec}
	for _, path := range slices.Sorted(maps.Keys(spec.Paths)) {
		item := spec.Paths[path]
		for method, op := range map[string]*ogen.Operation{
			"GET": item.Get, "POST": item.Post, "PATCH": item.Patch, "PUT": item.Put, "DELETE": item.Delete,
			"HEAD": item.Head, "OPTIONS": item.Options, "TRACE": item.Trace,
		} {
			if op != nil {
				a.routes = append(a.routes, aRoute{strings.ToUpper(op.OperationID[:1]) + op.OperationID[1:], method, path, op})
			}
		}
	}
	return a
}

// schema follows a reference.
func (a api3) schema(s *ogen.Schema) *ogen.Schema {
	if s.Ref == "" {
		return s
	}
	return a.spec.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
}

// TestTableSaysWhatTheSpecSays: roles, parameters and shapes of bodies are in
// the file and in the table, and are the same in both.
func TestTableSaysWhatTheSpecSays(t *testing.T) {
	spec := readSpec(t)
	if len(spec.routes) != len(operations) {
		t.Errorf("%d operations in openapi.yaml, %d in the table", len(spec.routes), len(operations))
	}
	for _, r := range spec.routes {
		op, ok := operations[r.name]
		if !ok {
			t.Errorf("%s is not in the table", r.name)
			continue
		}
		var roles []string
		if op.needs != anyone {
			roles = []string{string(op.needs)}
		}
		if got := oas.GetRolesForBearer(r.name); !slices.Equal(got, roles) {
			t.Errorf("%s needs %q in openapi.yaml, %q in the table", r.name, got, roles)
		}
		var query []string
		once := false
		for _, p := range r.op.Parameters {
			switch {
			case p.Ref == "#/components/parameters/IdempotencyKey":
				once = true
			case p.In != "query":
				t.Errorf("%s has a parameter in %s", r.name, p.In)
			default:
				query = append(query, p.Name)
			}
		}
		if once != op.once {
			t.Errorf("%s takes an Idempotency-Key: %v in openapi.yaml, %v in the table", r.name, once, op.once)
		}
		if !slices.Equal(query, op.query) {
			t.Errorf("%s has the parameters %q in openapi.yaml, %q in the table", r.name, query, op.query)
		}
		var shape strictjson.Shape
		if body := r.op.RequestBody; body != nil {
			if !body.Required || len(body.Content) != 1 {
				t.Errorf("%s: its body is not required, or not JSON alone", r.name)
			}
			shape = shapeOf(t, spec.schema(body.Content["application/json"].Schema))
		}
		if !slices.Equal(shape, op.body) {
			t.Errorf("%s: body\n%v in openapi.yaml\n%v in the table", r.name, shape, op.body)
		}
	}
}

func shapeOf(t *testing.T, s *ogen.Schema) (shape strictjson.Shape) {
	if more := s.AdditionalProperties; more == nil || more.Bool == nil || *more.Bool {
		t.Error("additionalProperties is not false in the schema of a request")
	}
	for _, p := range s.Properties {
		f := strictjson.Field{Name: p.Name, Required: slices.Contains(s.Required, p.Name), Nullable: p.Schema.Nullable}
		switch p.Schema.Type + " " + p.Schema.Format {
		case "string ":
			f.Type = strictjson.Text
		case "string date-time":
			f.Type = strictjson.Time
		case "integer int32":
			f.Type = strictjson.Int32
		case "integer int64":
			f.Type = strictjson.Int64
		case "array ":
			f.Type = strictjson.Texts
		case "object ":
			f.Type = strictjson.TextMap
		case "boolean ":
			f.Type = strictjson.Bool
		default:
			t.Errorf("the field %s is of the type %s %s", p.Name, p.Schema.Type, p.Schema.Format)
		}
		shape = append(shape, f)
	}
	return shape
}

var apiTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

// conform says how a value differs from its schema: a field that is missing, of
// another type, or that the schema does not have.
func (a api3) conform(s *ogen.Schema, value any, at string) []string {
	s = a.schema(s)
	if value == nil && s.Nullable {
		return nil
	}
	wrong := func(format string, args ...any) []string { return []string{at + ": " + fmt.Sprintf(format, args...)} }
	switch s.Type {
	case "string":
		text, ok := value.(string)
		if !ok || s.Format == "date-time" && !strings.HasPrefix(at, "request.") && !apiTime.MatchString(text) {
			return wrong("%v is no %s %s", value, s.Type, s.Format)
		}
	case "boolean":
		if _, ok := value.(bool); !ok {
			return wrong("%v is no boolean", value)
		}
	case "integer":
		if n, ok := value.(float64); !ok || n != float64(int64(n)) {
			return wrong("%v is no integer", value)
		}
	case "array":
		items, ok := value.([]any)
		if !ok {
			return wrong("%v is no array", value)
		}
		var all []string
		for i, v := range items {
			all = append(all, a.conform(s.Items.Item, v, fmt.Sprintf("%s[%d]", at, i))...)
		}
		return all
	case "object":
		object, ok := value.(map[string]any)
		if !ok {
			return wrong("%v is no object", value)
		}
		return a.conformObject(s, object, at)
	default:
		return wrong("the schema has the type %q", s.Type)
	}
	return nil
}

func (a api3) conformObject(s *ogen.Schema, object map[string]any, at string) (all []string) {
	for _, name := range s.Required {
		if _, ok := object[name]; !ok {
			all = append(all, at+": lacks "+name)
		}
	}
	for name, v := range object {
		i := slices.IndexFunc(s.Properties, func(p ogen.Property) bool { return p.Name == name })
		switch {
		case i >= 0:
			all = append(all, a.conform(s.Properties[i].Schema, v, at+"."+name)...)
		case s.AdditionalProperties != nil && s.AdditionalProperties.Bool == nil:
			all = append(all, a.conform(&s.AdditionalProperties.Schema, v, at+"."+name)...)
		default:
			all = append(all, at+": has "+name+", which the schema lacks")
		}
	}
	return all
}

// TestExamples: what openapi.yaml shows is what it describes, and the examples
// of requests pass the server's own reading.
func TestExamples(t *testing.T) {
	spec := readSpec(t)
	for name, s := range spec.spec.Components.Schemas {
		if len(s.Example) == 0 {
			t.Errorf("the schema %s has no example", name)
			continue
		}
		var v any
		if err := json.Unmarshal(s.Example, &v); err != nil {
			t.Fatal(err)
		}
		at := "answer"
		if strings.HasSuffix(name, "Request") {
			at = "request"
		}
		for _, wrong := range spec.conform(s, v, at) {
			t.Errorf("the example of %s: %s", name, wrong)
		}
	}
	for _, r := range spec.routes {
		if r.op.Summary == "" || len(r.op.Tags) != 1 {
			t.Errorf("%s has no summary or not one tag", r.name)
		}
		if r.op.RequestBody == nil {
			continue
		}
		example := spec.schema(r.op.RequestBody.Content["application/json"].Schema).Example
		if err := strictjson.Check(example, operations[r.name].body); err != nil {
			t.Errorf("the example of a request to %s: %v", r.name, err)
		}
	}
}

// TestSpecNamesEveryProblem: the file is of 3.1, and describes every kind of problem.
func TestSpecNamesEveryProblem(t *testing.T) {
	spec := readSpec(t)
	if !strings.HasPrefix(spec.spec.OpenAPI, "3.1.") {
		t.Errorf("openapi.yaml is of the version %s", spec.spec.OpenAPI)
	}
	var words string
	for _, p := range spec.spec.Components.Schemas["Problem"].Properties {
		if p.Name == "type" {
			words = p.Schema.Description
		}
	}
	for _, k := range allKinds {
		if !strings.Contains(words, "`"+k.name+"`") {
			t.Errorf("openapi.yaml does not name the problem %s", k.name)
		}
	}
}
