package keyfob

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/token"
)

// A Space is an isolated namespace, such as one for each tenant or
// environment: no token, id or subject of one is known in another.
type Space struct {
	// Name: 1 to 63 of a-z, 0-9 and -, first a letter, last not -. It never
	// changes.
	Name string

	// Prefix of the tokens issued from now on, as token.CheckPrefix wants it.
	Prefix string

	Revision int64 // grows by one with each change
	Created  time.Time
}

// Spaces makes, reads and changes spaces.
type Spaces struct{ core *core }

// Spaces returns the verbs for spaces. They are not of one space.
func (a *Authority) Spaces() Spaces { return Spaces{a.core} }

// Create makes a space of space.Name and space.Prefix. ErrExists: there is one
// of that name.
func (s Spaces) Create(ctx context.Context, space Space) (Space, error) {
	if space.Prefix == OwnSpace {
		return Space{}, badInput("prefix", "is keyfob's own; choose another")
	}
	return s.core.createSpace(ctx, space)
}

func (c *core) createSpace(ctx context.Context, space Space) (Space, error) {
	if c.closed.Load() {
		return Space{}, fmt.Errorf("%w: the authority is closed", ErrUnavailable)
	}
	if err := checkSpaceName(space.Name); err != nil {
		return Space{}, err
	}
	if err := token.CheckPrefix(space.Prefix); err != nil {
		return Space{}, badInput("prefix", "is %v", err)
	}
	row := store.Space{
		ID: token.NewID(), Name: space.Name, Prefix: space.Prefix,
		Revision: 1, Created: c.now(),
	}
	e := store.Event{Space: row.ID, Time: row.Created, Type: "space.created"}
	err := c.apply(ctx, e, store.CreateSpace{Space: row})
	if errors.Is(err, store.ErrConflict) {
		return Space{}, fmt.Errorf("space %q: %w", space.Name, ErrExists)
	}
	if err != nil {
		return Space{}, fmt.Errorf("create space: %w", err)
	}
	c.spaceIDs.Store(row.Name, row.ID)
	return spaceOf(row), nil
}

// Get returns the space of that name. ErrSpace: there is none.
func (s Spaces) Get(ctx context.Context, name string) (Space, error) {
	row, err := s.core.lookUpSpace(ctx, name)
	if err != nil {
		return Space{}, err
	}
	return spaceOf(row), nil
}

// List returns up to limit spaces (1 to 1000) in the order of their names,
// beginning after the name after.
func (s Spaces) List(ctx context.Context, after string, limit int) ([]Space, error) {
	if s.core.closed.Load() {
		return nil, fmt.Errorf("%w: the authority is closed", ErrUnavailable)
	}
	if err := checkLimit(limit); err != nil {
		return nil, err
	}
	rows, err := s.core.store.Spaces(ctx, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list spaces: %w", err)
	}
	spaces := make([]Space, len(rows))
	for i, row := range rows {
		spaces[i] = spaceOf(row)
	}
	return spaces, nil
}

// Update sets the prefix of the space of space.Name, for tokens issued from now
// on. ErrConflict: space.Revision is not the space's any more.
func (s Spaces) Update(ctx context.Context, space Space) (Space, error) {
	if err := token.CheckPrefix(space.Prefix); err != nil {
		return Space{}, badInput("prefix", "is %v", err)
	}
	row, err := s.core.lookUpSpace(ctx, space.Name)
	if err != nil {
		return Space{}, err
	}
	if (space.Prefix == OwnSpace) != (space.Name == OwnSpace) {
		return Space{}, badInput("prefix", "%q belongs to the space %[1]q, and to no other", OwnSpace)
	}
	row.Revision, row.Prefix = space.Revision, space.Prefix
	e := store.Event{Space: row.ID, Time: s.core.now(), Type: "space.updated"}
	err = s.core.apply(ctx, e, store.UpdateSpace{Space: row})
	if errors.Is(err, store.ErrConflict) {
		return Space{}, fmt.Errorf("space %q: %w: revision %d is not the newest; get it again", space.Name, ErrConflict, space.Revision)
	}
	if err != nil {
		return Space{}, fmt.Errorf("update space: %w", err)
	}
	row.Revision++
	return spaceOf(row), nil
}

func spaceOf(row store.Space) Space {
	return Space{Name: row.Name, Prefix: row.Prefix, Revision: row.Revision, Created: row.Created}
}

func checkSpaceName(name string) error {
	if len(name) < 1 || len(name) > 63 {
		return badInput("name", "has %d characters; a space's name has 1 to 63", len(name))
	}
	for i, b := range []byte(name) {
		letter := 'a' <= b && b <= 'z'
		digit := '0' <= b && b <= '9'
		inside := i > 0 && (digit || b == '-' && i < len(name)-1)
		if !letter && !inside {
			return badInput("name", "is not a space's name: a-z, 0-9 and -, first a letter, last not -")
		}
	}
	return nil
}
