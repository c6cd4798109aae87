package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// Spaces makes, reads and changes spaces. Only the owner may do more than read.
type Spaces struct{ c *core }

// Spaces returns the verbs for spaces. They are not of one space.
func (c *Client) Spaces() Spaces { return Spaces{c.core} }

// Create makes a space of space.Name and space.Prefix. keyfob.ErrExists: there is
// one of that name.
func (s Spaces) Create(ctx context.Context, space keyfob.Space) (keyfob.Space, error) {
	if err := checkUTF8("name", space.Name, "prefix", space.Prefix); err != nil {
		return keyfob.Space{}, err
	}
	var answer oas.Space
	err := s.c.do(ctx, call{
		method: http.MethodPost, path: "/v1/spaces", in: &oas.CreateSpaceRequest{Name: space.Name, Prefix: space.Prefix},
		out: &answer, status: http.StatusCreated,
	})
	if err != nil {
		return keyfob.Space{}, err
	}
	return spaceOf(&answer), nil
}

// Get returns the space of that name. keyfob.ErrSpace: there is none.
func (s Spaces) Get(ctx context.Context, name string) (keyfob.Space, error) {
	path, err := spacePath(name, "")
	if err != nil {
		return keyfob.Space{}, err
	}
	var answer oas.Space
	err = s.c.do(ctx, call{method: http.MethodGet, path: path, out: &answer, status: http.StatusOK, again: true})
	if err != nil {
		return keyfob.Space{}, err
	}
	return spaceOf(&answer), nil
}

// List returns up to limit spaces (1 to 1000) in the order of their names,
// beginning after the name after.
func (s Spaces) List(ctx context.Context, after string, limit int) ([]keyfob.Space, error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if err := checkPageSize(limit); err != nil {
		return nil, err
	}
	if after != "" {
		if !isSpaceName(after) {
			return nil, badInput("after", "is not a space's name; take that of the last space of the page before")
		}
		query.Set("after", after)
	}
	var answer oas.SpacePage
	err := s.c.do(ctx, call{method: http.MethodGet, path: "/v1/spaces", query: query, out: &answer, status: http.StatusOK, most: maxPage, again: true})
	if err != nil {
		return nil, err
	}
	var spaces []keyfob.Space
	for i := range answer.Items {
		spaces = append(spaces, spaceOf(&answer.Items[i]))
	}
	return spaces, nil
}

// Update sets the prefix of the space of space.Name, for tokens issued from now
// on. keyfob.ErrConflict: space.Revision is not the space's any more.
func (s Spaces) Update(ctx context.Context, space keyfob.Space) (keyfob.Space, error) {
	if err := checkUTF8("prefix", space.Prefix); err != nil {
		return keyfob.Space{}, err
	}
	path, err := spacePath(space.Name, "")
	if err != nil {
		return keyfob.Space{}, err
	}
	var answer oas.Space
	err = s.c.do(ctx, call{
		method: http.MethodPatch, path: path, in: &oas.UpdateSpaceRequest{Prefix: space.Prefix, Revision: space.Revision},
		out: &answer, status: http.StatusOK,
	})
	if err != nil {
		return keyfob.Space{}, err
	}
	return spaceOf(&answer), nil
}
