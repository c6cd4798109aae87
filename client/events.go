package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/token"
)

// Events reads and proves the audit log of a space.
type Events struct{ c *Client }

// Events returns the verbs for the audit log of the Client's space.
func (c *Client) Events() Events { return Events{c} }

// List returns events in the order in which they were written, as the
// Authority's Events.List does.
func (l Events) List(ctx context.Context, filter keyfob.EventFilter) (keyfob.EventPage, error) {
	query, err := eventQuery(&filter)
	if err != nil {
		return keyfob.EventPage{}, err
	}
	path, err := l.c.path("/events")
	if err != nil {
		return keyfob.EventPage{}, err
	}
	var answer oas.EventPage
	err = l.c.do(ctx, call{method: http.MethodGet, path: path, query: query, out: &answer, status: http.StatusOK, most: maxPage, again: true})
	if err != nil {
		return keyfob.EventPage{}, err
	}
	page := keyfob.EventPage{Next: answer.Next}
	for i := range answer.Items {
		page.Items = append(page.Items, eventOf(l.c.space, &answer.Items[i]))
	}
	return page, nil
}

func eventQuery(f *keyfob.EventFilter) (url.Values, error) {
	query := url.Values{}
	if f.Limit != 0 {
		if err := checkPageSize(f.Limit); err != nil {
			return nil, err
		}
		query.Set("limit", strconv.Itoa(f.Limit))
	}
	if f.Newest {
		query.Set("order", "newest")
	}
	if f.Credential != "" {
		if token.CheckID(f.Credential) != nil {
			return nil, badInput("credential", "is no id: 16 characters of 0-9, A-Z and a-z")
		}
		query.Set("credential", f.Credential)
	}
	if f.Type != "" {
		if !hasOnly(f.Type, "._") {
			return nil, badInput("type", "is no event's type; give one as apikey.revoked")
		}
		query.Set("type", f.Type)
	}
	if f.After != "" {
		if !hasOnly(f.After, "-_") {
			return nil, badInput("after", "is not the next of a page of this list; take it unchanged, with the same filter")
		}
		query.Set("after", f.After)
	}
	return query, nil
}

// hasOnly reports whether a text has letters, digits and what is in marks alone,
// and is no token.
func hasOnly(text, marks string) bool {
	for _, b := range []byte(text) {
		letter := 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
		if !letter && b != marks[0] && b != marks[1] {
			return false
		}
	}
	_, err := token.Parse(text)
	return err != nil
}

// Checkpoint signs how far the log has come, as the Authority's
// Events.Checkpoint does.
func (l Events) Checkpoint(ctx context.Context) (keyfob.Checkpoint, error) {
	path, err := l.c.path("/events/checkpoint")
	if err != nil {
		return keyfob.Checkpoint{}, err
	}
	var answer oas.Checkpoint
	err = l.c.do(ctx, call{method: http.MethodPost, path: path, out: &answer, status: http.StatusOK, again: true})
	if err != nil {
		return keyfob.Checkpoint{}, err
	}
	return checkpointOf(&answer)
}

// Verify has the server read the whole log of the space and prove it, as the
// Authority's Events.Verify does.
func (l Events) Verify(ctx context.Context, checkpoints ...keyfob.Checkpoint) (keyfob.AuditReport, error) {
	path, err := l.c.path("/events/verify")
	if err != nil {
		return keyfob.AuditReport{}, err
	}
	var request oas.VerifyEventsRequest
	for i := range checkpoints {
		if err := checkUTF8("checkpoint", checkpoints[i].Space, "checkpoint", checkpoints[i].SpaceID); err != nil {
			return keyfob.AuditReport{}, err
		}
		text, err := checkpointText(&checkpoints[i])
		if err != nil {
			return keyfob.AuditReport{}, err
		}
		request.Checkpoints = append(request.Checkpoints, text)
	}
	var answer oas.AuditReport
	err = l.c.do(ctx, call{method: http.MethodPost, path: path, in: &request, out: &answer, status: http.StatusOK, again: true})
	if err != nil {
		return keyfob.AuditReport{}, err
	}
	return reportOf(&answer), nil
}
