package server

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"

	"github.com/go-faster/yaml"
)

// A page is a route beside the API: it is not in openapi.yaml, and no generated
// code knows it. It takes GET and HEAD, and neither a query nor a body.
type page struct {
	needs  role
	answer func(*exchange, *http.Request)
}

// pages is the table of roles by pages, by path.
var pages = map[string]page{
	"/metrics":      {needs: metricsReader, answer: (*exchange).answerMetrics},
	"/openapi.json": {needs: anyone, answer: (*exchange).answerOpenAPI},
}

// hasRoute reports whether something is there for a method.
func (s *Server) hasRoute(method string, u *url.URL) bool {
	if _, ok := pages[u.Path]; ok {
		return method == http.MethodGet
	}
	_, ok := s.api.FindPath(method, u)
	return ok
}

//go:embed openapi.yaml
var openAPIFile []byte

// openAPI is openapi.yaml as JSON.
var openAPI = sync.OnceValues(func() ([]byte, error) {
	var spec any
	if err := yaml.Unmarshal(openAPIFile, &spec); err != nil {
		return nil, err
	}
	return json.Marshal(spec)
})

func (x *exchange) answerOpenAPI(*http.Request) {
	text, err := openAPI()
	if err != nil {
		x.fail(err)
		return
	}
	x.Header().Set("Content-Type", "application/json; charset=utf-8")
	x.Write(text) // whether it arrives is the caller's business
}
