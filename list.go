package keyfob

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/keyfob-dev/keyfob/internal/framing"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/token"
)

// maxLimit is the most items of one page.
const maxLimit = 1000

// Get returns the credential whose id, or one of whose versions' id, is id, and
// from where its versions were used.
// Errors: ErrNotFound, ErrSpace, ErrUnavailable.
func (a *Authority) Get(ctx context.Context, id string) (Credential, error) {
	space, err := a.spaceID(ctx, a.space)
	if err != nil {
		return Credential{}, err
	}
	item, err := a.item(ctx, space, id)
	if err != nil {
		return Credential{}, err
	}
	c := a.credentialOf(a.now(), &item.Credential, item.Versions...)
	for i := range c.Versions {
		v := &c.Versions[i]
		if v.LastUsed.IsZero() {
			continue
		}
		uses, err := a.store.Uses(ctx, space, v.ID)
		if err != nil {
			return Credential{}, fmt.Errorf("get: %w", err)
		}
		for _, use := range uses {
			ip, _ := netip.ParseAddr(use.Address)
			v.From = append(v.From, Use{IP: ip, First: use.First, Last: use.Last})
		}
	}
	return c, nil
}

// item reads a credential by either id.
func (c *core) item(ctx context.Context, space, id string) (store.Item, error) {
	if token.CheckID(id) != nil {
		// What is no id may be a token, pasted by mistake: it is neither
		// looked up nor repeated.
		return store.Item{}, fmt.Errorf("credential %w: an id has 16 characters of 0-9, A-Z and a-z", ErrNotFound)
	}
	item, err := c.store.Credential(ctx, space, id)
	if errors.Is(err, store.ErrNotFound) {
		return store.Item{}, fmt.Errorf("credential %s %w", id, ErrNotFound)
	}
	if err != nil {
		return store.Item{}, fmt.Errorf("get: %w", err)
	}
	if len(item.Versions) == 0 {
		return store.Item{}, fmt.Errorf("get: credential %s has no version; the store is damaged", id)
	}
	return item, nil
}

// A Filter narrows a list. Its zero value lists everything, 100 at a time.
type Filter struct {
	Kind    Kind
	Subject string
	Purpose string
	States  []State // stored ones: StateActive, StateSuspended and the final ones

	NameContains  string    // as it is spelled, upper and lower case
	Scope         string    // one that it has
	ExpiresBefore time.Time // it expires, and earlier; zero: whenever

	After string // Page.Next of the page before, with the same filter
	Limit int    // items of a page: 1 to 1000; 0 is 100
}

// A Page is a part of a list.
type Page struct {
	Items []Credential
	Next  string // for Filter.After; empty after the last page
}

// List returns the credentials of the space, the newest first. What is issued
// or changed meanwhile neither repeats nor hides another. Errors: ErrInput
// (also for an After that is not of this list), ErrSpace, ErrUnavailable.
func (a *Authority) List(ctx context.Context, filter Filter) (Page, error) {
	if filter.Limit == 0 {
		filter.Limit = 100
	}
	if err := checkLimit(filter.Limit); err != nil {
		return Page{}, err
	}
	if err := checkFilter(&filter); err != nil {
		return Page{}, err
	}
	space, err := a.spaceID(ctx, a.space)
	if err != nil {
		return Page{}, err
	}
	query := store.Query{
		Space: space, Kind: filter.Kind, Subject: filter.Subject, Purpose: filter.Purpose, States: filter.States,
		NameContains: filter.NameContains, Scope: filter.Scope, ExpiresBefore: wholeMillisecond(filter.ExpiresBefore),
		Limit: filter.Limit + 1, // one more tells whether there is a next page
	}
	if filter.After != "" {
		if query.After, err = a.openCursor(&query, filter.After); err != nil {
			return Page{}, err
		}
	}
	items, err := a.store.Credentials(ctx, query)
	if err != nil {
		return Page{}, fmt.Errorf("list: %w", err)
	}
	var page Page
	if len(items) > filter.Limit {
		items = items[:filter.Limit]
		last := items[len(items)-1].Credential
		page.Next = a.cursor(&query, store.Position{Created: last.Created, ID: last.ID})
	}
	now := a.now()
	for i := range items {
		page.Items = append(page.Items, a.credentialOf(now, &items[i].Credential, items[i].Versions...))
	}
	return page, nil
}

func checkLimit(limit int) error {
	if limit < 1 || limit > maxLimit {
		return badInput("limit", "is %d; it is 1 to %d", limit, maxLimit)
	}
	return nil
}

// checkKind refuses what is no kind of credential that can be issued.
func checkKind(kind Kind) error {
	switch kind {
	case KindAPIKey, KindSession, KindLink, KindCode, KindTOTP, KindRecovery:
		return nil
	}
	return badInput("kind", "is none that there is: apikey, session, link, code, totp or recovery")
}

func checkFilter(f *Filter) error {
	if f.Kind != "" {
		if err := checkKind(f.Kind); err != nil {
			return err
		}
	}
	for _, s := range f.States {
		if s != StateActive && s != StateSuspended && !s.Final() {
			return badInput("states", "holds one that is not stored: active, suspended, redeemed, replaced or revoked")
		}
	}
	if f.Purpose != "" {
		if err := CheckPurpose(f.Purpose); err != nil {
			return err
		}
	}
	if f.Scope != "" {
		if err := CheckScope(f.Scope); err != nil {
			return badInput("scope", "is none: it is printable ASCII without space, \" and \\, up to %d characters", maxScope)
		}
	}
	if err := checkText("name_contains", f.NameContains, maxName); err != nil {
		return err
	}
	return checkText("subject", f.Subject, maxSubject)
}

// cursorSize is time (8 bytes), root-key number (4), id (16) and MAC (32).
const cursorSize = 8 + 4 + 16 + 32

// cursor encodes a position in the list that the query asks for. Its MAC covers
// the query: a position of one list is refused by any other.
func (c *core) cursor(query *store.Query, at store.Position) string {
	b := make([]byte, 0, cursorSize)
	b = binary.BigEndian.AppendUint64(b, uint64(at.Created.UnixMilli()))
	b = binary.BigEndian.AppendUint32(b, uint32(c.keys.active))
	b = append(b, at.ID...)
	b = append(b, cursorMAC(c.keys.now(), query, b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

func cursorMAC(sub *subkeys, query *store.Query, position []byte) []byte {
	b := framing.Append(nil, "keyfob/cursor/v1")
	b = framing.Append(b, query.Space)
	b = framing.Append(b, query.Kind)
	b = framing.Append(b, query.Subject)
	b = framing.Append(b, query.Purpose)
	b = framing.Append(b, query.NameContains)
	b = framing.Append(b, query.Scope)
	b = framing.AppendInt(b, query.ExpiresBefore.UnixMilli())
	b = framing.Append(b, position)
	for _, s := range query.States {
		b = framing.Append(b, s)
	}
	return mac(sub.cursor, b)
}

func (c *core) openCursor(query *store.Query, text string) (store.Position, error) {
	wrong := badInput("after", "is not the next of a page of this list; take it unchanged, with the same filter")
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != cursorSize || base64.RawURLEncoding.EncodeToString(b) != text {
		return store.Position{}, wrong
	}
	position, sum := b[:cursorSize-32], b[cursorSize-32:]
	sub := c.keys.numbers[int(binary.BigEndian.Uint32(position[8:]))]
	if sub == nil || !hmac.Equal(sum, cursorMAC(sub, query, position)) {
		return store.Position{}, wrong
	}
	created := time.UnixMilli(int64(binary.BigEndian.Uint64(position))).UTC()
	return store.Position{Created: created, ID: string(position[12:])}, nil
}
