package server

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// logged is the log.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logged) lines(t *testing.T) (lines []map[string]any) {
	for text := range strings.Lines(l.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Errorf("the log has %q: %v", text, err)
		}
		lines = append(lines, line)
	}
	return lines
}

// of waits for the line of the request with that id.
func (l *logged) of(t *testing.T, id string) map[string]any {
	t.Helper()
	for range 200 {
		for _, line := range l.lines(t) {
			if line["id"] == id && line["msg"] == "request" {
				return line
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("the log has no line of the request %s", id)
	return nil
}

// faulty is a store that a test can hold up, or let fail or panic.
type faulty struct {
	store.Store
	mu   sync.Mutex
	hook func(ctx context.Context, call string) error
}

func (f *faulty) set(hook func(ctx context.Context, call string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hook = hook
}

func (f *faulty) before(ctx context.Context, call string) error {
	f.mu.Lock()
	hook := f.hook
	f.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(ctx, call)
}

func (f *faulty) Apply(ctx context.Context, c store.Change) error {
	if err := f.before(ctx, "Apply"); err != nil {
		return err
	}
	return f.Store.Apply(ctx, c)
}

func (f *faulty) Space(ctx context.Context, name string) (store.Space, error) {
	if err := f.before(ctx, "Space"); err != nil {
		return store.Space{}, err
	}
	return f.Store.Space(ctx, name)
}

func (f *faulty) Spaces(ctx context.Context, after string, limit int) ([]store.Space, error) {
	if err := f.before(ctx, "Spaces"); err != nil {
		return nil, err
	}
	return f.Store.Spaces(ctx, after, limit)
}

func (f *faulty) Credential(ctx context.Context, space, id string) (store.Item, error) {
	if err := f.before(ctx, "Credential"); err != nil {
		return store.Item{}, err
	}
	return f.Store.Credential(ctx, space, id)
}

func (f *faulty) Version(ctx context.Context, space, id string) (store.Found, error) {
	if err := f.before(ctx, "Version"); err != nil {
		return store.Found{}, err
	}
	return f.Store.Version(ctx, space, id)
}

func (f *faulty) Credentials(ctx context.Context, q store.Query) ([]store.Item, error) {
	if err := f.before(ctx, "Credentials"); err != nil {
		return nil, err
	}
	return f.Store.Credentials(ctx, q)
}

func (f *faulty) Events(ctx context.Context, q store.EventQuery) ([]store.Event, error) {
	if err := f.before(ctx, "Events"); err != nil {
		return nil, err
	}
	return f.Store.Events(ctx, q)
}

func (f *faulty) Head(ctx context.Context, space string) (store.Head, error) {
	if err := f.before(ctx, "Head"); err != nil {
		return store.Head{}, err
	}
	return f.Store.Head(ctx, space)
}

func (f *faulty) Uses(ctx context.Context, space, version string) ([]store.Use, error) {
	if err := f.before(ctx, "Uses"); err != nil {
		return nil, err
	}
	return f.Store.Uses(ctx, space, version)
}

func (f *faulty) LastEvent(ctx context.Context) (int64, error) {
	if err := f.before(ctx, "LastEvent"); err != nil {
		return 0, err
	}
	return f.Store.LastEvent(ctx)
}

func (f *faulty) EventsAfter(ctx context.Context, number int64, limit int) ([]store.Event, error) {
	if err := f.before(ctx, "EventsAfter"); err != nil {
		return nil, err
	}
	return f.Store.EventsAfter(ctx, number, limit)
}

func (f *faulty) Unsealed(ctx context.Context, limit int) ([]store.Event, error) {
	if err := f.before(ctx, "Unsealed"); err != nil {
		return nil, err
	}
	return f.Store.Unsealed(ctx, limit)
}

func (f *faulty) Mark(ctx context.Context) (time.Time, error) {
	if err := f.before(ctx, "Mark"); err != nil {
		return time.Time{}, err
	}
	return f.Store.Mark(ctx)
}

func (f *faulty) Replay(ctx context.Context, space, name string) (store.Replay, error) {
	if err := f.before(ctx, "Replay"); err != nil {
		return store.Replay{}, err
	}
	return f.Store.Replay(ctx, space, name)
}

func (f *faulty) Versions(ctx context.Context, space, credential string) ([]store.Version, error) {
	if err := f.before(ctx, "Versions"); err != nil {
		return nil, err
	}
	return f.Store.Versions(ctx, space, credential)
}

func (f *faulty) Budget(ctx context.Context, space, name string) (store.Budget, error) {
	if err := f.before(ctx, "Budget"); err != nil {
		return store.Budget{}, err
	}
	return f.Store.Budget(ctx, space, name)
}

func (f *faulty) Setting(ctx context.Context, name string) ([]byte, error) {
	if err := f.before(ctx, "Setting"); err != nil {
		return nil, err
	}
	return f.Store.Setting(ctx, name)
}
