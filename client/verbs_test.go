package client_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// same compares what a Client and an Authority say. When and from
// where versions were used is written late.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	options := cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		cmpopts.IgnoreFields(keyfob.Version{}, "FirstUsed", "LastUsed", "From")}
	if d := cmp.Diff(want, got, options); d != "" {
		t.Errorf("%s (-Authority +Client):\n%s", what, d)
	}
}

// a life is a key's, by a Client, and an Authority that tells what became of it.
type life struct {
	*env
	c  *client.Client
	a  *keyfob.Authority
	id string
}

// now is the key as it is.
func (l *life) now() keyfob.Credential {
	l.Helper()
	c, err := l.a.Get(l.Context(), l.id)
	l.must(err)
	return c
}

// TestWholeLife lives through a key's life by the Client, and has the Authority
// tell after each verb what became of it.
func TestWholeLife(t *testing.T) {
	eachStore(t, func(e *env) {
		ctx, c := e.Context(), e.client(client.Config{Space: "acme"})
		_, err := c.Spaces().Create(ctx, keyfob.Space{Name: "acme", Prefix: "acme"})
		e.must(err)
		k, err := c.Issue(ctx, keyfob.APIKey{
			Subject: "alice", Name: "laptop", Scopes: []string{"read", "write"},
			NotBefore: e.clock.Now().Add(-time.Hour), Expires: e.clock.Now().Add(30 * 24 * time.Hour),
			CIDRs: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Uses: 10,
			Attributes: map[string]string{"plan": "pro"}, Limit: keyfob.Limit{Rate: 100, Per: time.Minute, Burst: 20},
		})
		e.must(err)
		l := &life{e, c, e.a.In("acme"), k.Credential.ID}
		same(t, "Issue", k.Credential, l.now())

		v, err := c.Judge(ctx, k.Secret.Reveal(), keyfob.Check{Scopes: []string{"write"}, IP: netip.MustParseAddr("::ffff:192.0.2.7")})
		e.must(err)
		if v.Credential.Used != 1 || v.Credential.ID != l.id || v.Meter.Limit != k.Credential.Limit || v.Meter.Remaining != 19 || v.Meter.Reset != time.Second {
			e.Errorf("Judge: %+v", v)
		}
		same(t, "Judge", v.Credential, l.now())
		e.clock.Advance(time.Second)
		l.update()
		l.rotate(k.Secret)
		l.end()
		_, err = c.Issue(ctx, keyfob.APIKey{Subject: "bob"}) // whose event is not of that key
		e.must(err)
		e.log(c.Events(), l.a.Events())
	})
}

// update takes away all that can be taken away.
func (l *life) update() {
	l.Helper()
	changed := l.now()
	changed.Limit = keyfob.Limit{Rate: 5, Per: time.Hour}
	changed, err := l.c.Update(l.Context(), changed)
	l.must(err)
	same(l.T, "Update of the limit", changed, l.now())
	if changed.Limit != (keyfob.Limit{Rate: 5, Per: time.Hour, Burst: 5}) || changed.Name != "laptop" || changed.Attributes["plan"] != "pro" {
		l.Errorf("Update of the limit: %+v", changed)
	}
	changed.Name, changed.Scopes, changed.Uses, changed.CIDRs = "", []string{"read"}, 0, nil
	changed.Expires, changed.NotBefore, changed.Attributes, changed.Limit = time.Time{}, time.Time{}, nil, keyfob.Limit{}
	updated, err := l.c.Update(l.Context(), changed)
	l.must(err)
	same(l.T, "Update", updated, l.now())
	if updated.Name != "" || updated.Uses != 0 || updated.CIDRs != nil || updated.Limit != (keyfob.Limit{}) || updated.Attributes != nil || !updated.Expires.IsZero() || !updated.NotBefore.IsZero() {
		l.Errorf("Update took nothing away: %+v", updated)
	}
	updated.Scopes = nil
	updated, err = l.c.Update(l.Context(), updated)
	l.must(err)
	same(l.T, "Update of scopes", updated, l.now())
	if updated.Scopes != nil {
		l.Errorf("Update took no scope away: %+v", updated)
	}
}

// rotate adds a version, and has both verified.
func (l *life) rotate(secret keyfob.Secret) {
	l.Helper()
	ctx := l.Context()
	rotated, err := l.c.Rotate(ctx, l.id, time.Hour)
	l.must(err)
	same(l.T, "Rotate", rotated.Credential, l.now())
	for _, text := range []keyfob.Secret{secret, rotated.Secret} {
		got, err := l.c.Verify(ctx, text.Reveal(), keyfob.Check{})
		l.must(err)
		want, err := l.a.Verify(ctx, text.Reveal(), keyfob.Check{})
		l.must(err)
		same(l.T, "Verify", got, want)
	}
	got, err := l.c.Get(ctx, rotated.Credential.Versions[0].ID)
	l.must(err)
	same(l.T, "Get by its version", got, l.now())
}

// end goes from one state to the next, up to the last.
func (l *life) end() {
	l.Helper()
	ctx := l.Context()
	for i, do := range []func() (keyfob.Credential, error){
		func() (keyfob.Credential, error) { return l.c.Rollback(ctx, l.id) },
		func() (keyfob.Credential, error) { return l.c.Suspend(ctx, l.id, "seen in public") },
		func() (keyfob.Credential, error) { return l.c.Resume(ctx, l.id) },
		func() (keyfob.Credential, error) {
			l.must(l.c.Revoke(ctx, l.id, "lost"))
			return l.c.Get(ctx, l.id)
		},
	} {
		got, err := do()
		l.must(err)
		same(l.T, []string{"Rollback", "Suspend", "Resume", "Revoke"}[i], got, l.now())
	}
	if got := l.now(); got.State != keyfob.StateRevoked || got.Reason != "lost" {
		l.Errorf("Revoke: %+v", got)
	}
	l.clock.Advance(time.Minute)
	if n, err := l.c.Purge(ctx, keyfob.KindAPIKey, l.clock.Now()); n != 1 || err != nil {
		l.Errorf("Purge: %d, %v", n, err)
	}
}

// log compares what is told of a log, page by page, and that the Client was the
// actor.
func (e *env) log(c client.Events, a keyfob.Events) {
	e.Helper()
	ctx := e.Context()
	checkpoint, err := c.Checkpoint(ctx)
	e.must(err)
	if !checkpoint.Verify(checkpoint.Key) {
		e.Errorf("%+v is not signed", checkpoint)
	}
	report, err := c.Verify(ctx, checkpoint)
	e.must(err)
	want, err := a.Verify(ctx, checkpoint)
	e.must(err)
	same(e.T, "Events.Verify", report, want)
	checkpoint.Seq++
	if _, err := c.Verify(ctx, checkpoint); !errors.Is(err, keyfob.ErrInput) {
		e.Errorf("a changed checkpoint: %v", err)
	}
	revoked, err := a.List(ctx, keyfob.EventFilter{Type: "apikey.revoked"})
	e.must(err)
	about := revoked.Items[0].Credential
	for _, filter := range []keyfob.EventFilter{{Limit: 3}, {Newest: true, Limit: 4}, {Type: "apikey.revoked"}, {Credential: about, Limit: 5}} {
		theirs := filter
		for {
			got, err := c.List(ctx, filter)
			e.must(err)
			want, err := a.List(ctx, theirs)
			e.must(err)
			same(e.T, "Events.List", got.Items, want.Items)
			for _, event := range got.Items {
				if strings.HasPrefix(event.Type, "apikey.") && event.Actor != e.owner.Credential.ID {
					e.Errorf("the actor of %+v", event)
				}
			}
			if len(got.Items) == 0 || (got.Next == "") != (want.Next == "") {
				e.Fatalf("pages end apart: %d, %q, %q", len(got.Items), got.Next, want.Next)
			}
			if filter.After, theirs.After = got.Next, want.Next; got.Next == "" {
				break
			}
		}
	}
}

// TestLists: filters and pages reach the server, and all pages come back.
func TestLists(t *testing.T) {
	e := newEnv(t, memory.Open())
	ctx, c := e.Context(), e.client(client.Config{})
	for _, subject := range []string{"alice", "bob", "alice", "alice"} {
		e.key(keyfob.APIKey{Subject: subject, Name: "of " + subject, Scopes: []string{"of:" + subject}, Expires: e.clock.Now().Add(time.Hour)})
		e.clock.Advance(time.Second)
	}
	last := e.key(keyfob.APIKey{Subject: "alice"})
	e.must(e.a.Revoke(ctx, last.Credential.ID, ""))
	for name, filter := range map[string]keyfob.Filter{
		"all":       {},
		"kind":      {Kind: keyfob.KindAPIKey, Limit: 2},
		"subject":   {Subject: "alice", Limit: 3},
		"states":    {States: []keyfob.State{keyfob.StateRevoked, keyfob.StateSuspended}},
		"name":      {NameContains: "f bo"},
		"scope":     {Scope: "of:alice", Limit: 2},
		"expires":   {ExpiresBefore: e.clock.Now().Add(time.Hour - 3*time.Second)},
		"not found": {Subject: "nobody"},
	} {
		want, err := e.a.List(ctx, filter)
		e.must(err)
		got, err := c.List(ctx, filter)
		e.must(err)
		same(t, name, got.Items, want.Items)
		if (got.Next == "") != (want.Next == "") {
			t.Errorf("%s: next %q, want %q", name, got.Next, want.Next)
		}
		if got.Next != "" {
			theirs := filter
			filter.After, theirs.After = got.Next, want.Next
			want, err = e.a.List(ctx, theirs)
			e.must(err)
			got, err = c.List(ctx, filter)
			e.must(err)
			same(t, name+", second page", got.Items, want.Items)
		}
	}
}

func TestSpaces(t *testing.T) {
	e := newEnv(t, memory.Open())
	ctx, c, a := e.Context(), e.client(client.Config{}).Spaces(), e.a.Spaces()
	made, err := c.Create(ctx, keyfob.Space{Name: "acme", Prefix: "acme_live"})
	e.must(err)
	want, err := a.Get(ctx, "acme")
	e.must(err)
	same(t, "Create", made, want)
	made.Prefix = "acme_test"
	updated, err := c.Update(ctx, made)
	e.must(err)
	got, err := c.Get(ctx, "acme")
	e.must(err)
	same(t, "Update", updated, got)
	if got.Prefix != "acme_test" {
		t.Errorf("%+v", got)
	}
	for _, after := range []string{"", "acme", "zzz"} {
		got, err := c.List(ctx, after, 2)
		e.must(err)
		want, err := a.List(ctx, after, 2)
		e.must(err)
		same(t, "List after "+after, got, want)
	}
}
