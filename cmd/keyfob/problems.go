package main

import (
	"errors"
	"net/http"
	"strings"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

// problems says what the server's problems mean here, by their HTTP status. A
// status that is not in it means that nothing was decided.
var problems = map[int]struct {
	code int
	hint string // what would be right, where the server does not know it
}{
	http.StatusBadRequest:            {code: exitWrong},
	http.StatusUnauthorized:          {code: exitNo, hint: "; set KEYFOB_TOKEN or KEYFOB_TOKEN_FILE to a token of the space keyfob that is in force"},
	http.StatusForbidden:             {code: exitNo, hint: "; ask with the owner's token, or one that has the scope"},
	http.StatusNotFound:              {code: exitNo},
	http.StatusConflict:              {code: exitNo},
	http.StatusRequestEntityTooLarge: {code: exitWrong},
	http.StatusTooManyRequests:       {code: exitUndecided, hint: "; try again later"},
	http.StatusServiceUnavailable:    {code: exitUndecided, hint: "; try again later"},
}

// explain turns an error of the generated client into a sentence and an exit
// code.
func (c *connection) explain(err error) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	p, ok := errors.AsType[*oas.ProblemStatusCode](err)
	if !ok {
		// The error may hold the answer, and that a secret.
		return undecided("the answer of %s cannot be read; is it a keyfob server of another version?", c.at)
	}
	known, ok := problems[p.StatusCode]
	if !ok || strings.HasSuffix(p.Response.Type, ":route-not-found") {
		known.code = exitUndecided // a server of another version, or another base path
	}
	text := p.Response.Detail
	if text == "" {
		text = p.Response.Title
	}
	if known.hint != "" {
		text = strings.TrimSuffix(text, ".")
	}
	return &failure{known.code, text + known.hint}
}
