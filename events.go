package keyfob

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/internal/framing"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/token"
)

// An Event is one row of the audit log: what a verb changed. It was written in
// the transaction of the change, with a MAC over all of it.
type Event struct {
	ID         string // 16 base62 characters
	Space      string // name
	Time       time.Time
	Actor      string // who did it; see WithActor
	Type       string // kind or noun, dot, past participle: "apikey.issued"
	Credential string // id; empty when it is about a space
	Version    string // id; empty when it is about no single version
	Subject    string
	Reason     string // what was given with the verb; of an update, what it changed

	// Seq is the event's number in its space, without gaps, from 1; 0 in the
	// first second, while it is not in the chain yet.
	Seq int64
}

// Events reads and proves the audit log of a space.
type Events struct{ a *Authority }

// Events returns the verbs for the audit log of the Authority's space.
func (a *Authority) Events() Events { return Events{a} }

// An EventFilter narrows a list of events. Its zero value lists all, 100 at a
// time, the oldest first.
type EventFilter struct {
	Credential string // id of a credential; events of its versions have it too
	Type       string // "apikey.revoked"
	Newest     bool   // the newest first
	After      string // EventPage.Next of the page before, with the same filter
	Limit      int    // items of a page: 1 to 1000; 0 is 100
}

// An EventPage is a part of the log.
type EventPage struct {
	Items []Event
	Next  string // for EventFilter.After; empty after the last page
}

// List returns events in the order in which they were written. Errors: ErrInput
// (also for an After that is not of this list), ErrSpace, ErrUnavailable.
func (l Events) List(ctx context.Context, filter EventFilter) (EventPage, error) {
	if filter.Limit == 0 {
		filter.Limit = 100
	}
	if err := checkLimit(filter.Limit); err != nil {
		return EventPage{}, err
	}
	if filter.Credential != "" && token.CheckID(filter.Credential) != nil {
		return EventPage{}, badInput("credential", "is no id: 16 characters of 0-9, A-Z and a-z")
	}
	if err := checkText("type", filter.Type, maxName); err != nil {
		return EventPage{}, err
	}
	space, err := l.a.spaceID(ctx, l.a.space)
	if err != nil {
		return EventPage{}, err
	}
	query := store.EventQuery{
		Space: space, Credential: filter.Credential, Type: filter.Type,
		Newest: filter.Newest, Limit: filter.Limit + 1,
	}
	if filter.After != "" {
		if query.After, err = l.openPlace(&query, filter.After); err != nil {
			return EventPage{}, err
		}
	}
	rows, err := l.a.store.Events(ctx, query)
	if err != nil {
		return EventPage{}, fmt.Errorf("list events: %w", err)
	}
	var page EventPage
	if len(rows) > filter.Limit {
		rows = rows[:filter.Limit]
		page.Next = l.place(&query, rows[len(rows)-1].Number)
	}
	for i := range rows {
		page.Items = append(page.Items, l.eventOf(&rows[i]))
	}
	return page, nil
}

func (l Events) eventOf(row *store.Event) Event {
	return Event{
		ID: row.ID, Space: l.a.space, Time: row.Time, Actor: row.Actor, Type: row.Type,
		Credential: row.Credential, Version: row.Version, Subject: row.Subject, Reason: row.Reason,
		Seq: row.Seq,
	}
}

// place seals a position in a list of events: the store's numbers run through
// all spaces, and would tell one what goes on in the others. Before it stands
// the number of the root key, in 4 bytes.
func (l Events) place(query *store.EventQuery, number int64) string {
	keys := l.a.keys
	b := binary.BigEndian.AppendUint32(nil, uint32(keys.active))
	b = append(b, keys.now().seal.Seal(binary.BigEndian.AppendUint64(nil, uint64(number)), placeUse(query))...)
	return base64.RawURLEncoding.EncodeToString(b)
}

func placeUse(query *store.EventQuery) []byte {
	b := framing.Append(nil, "keyfob/events/v1")
	b = framing.Append(b, query.Space)
	b = framing.Append(b, query.Credential)
	b = framing.Append(b, query.Type)
	if query.Newest {
		b = framing.Append(b, "newest")
	}
	return b
}

func (l Events) openPlace(query *store.EventQuery, text string) (int64, error) {
	wrong := badInput("after", "is not the next of a page of this list; take it unchanged, with the same filter")
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < 4 || base64.RawURLEncoding.EncodeToString(b) != text {
		return 0, wrong
	}
	sub := l.a.keys.numbers[int(binary.BigEndian.Uint32(b))]
	if sub == nil {
		return 0, wrong
	}
	number, err := sub.seal.Open(b[4:], placeUse(query))
	if err != nil || len(number) != 8 {
		return 0, wrong
	}
	return int64(binary.BigEndian.Uint64(number)), nil
}
