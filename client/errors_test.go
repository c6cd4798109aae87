package client_test

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/token"
)

// wrongs are calls that are refused. Each is made of a Client and of an Authority.
var wrongs = map[string]func(ctx context.Context, v keyfob.Verbs, e *env) error{
	"subject":                 issueWrong(keyfob.APIKey{}),
	"subject, UTF-8":          issueWrong(keyfob.APIKey{Subject: "a\xff"}),
	"name":                    issueWrong(keyfob.APIKey{Subject: "a", Name: "a\nb"}),
	"name, UTF-8":             issueWrong(keyfob.APIKey{Subject: "a", Name: "\xff"}),
	"scope":                   issueWrong(keyfob.APIKey{Subject: "a", Scopes: []string{"a b"}}),
	"scope, UTF-8":            issueWrong(keyfob.APIKey{Subject: "a", Scopes: []string{"\xff"}}),
	"scopes":                  issueWrong(keyfob.APIKey{Subject: "a", Scopes: []string{"a", "a"}}),
	"expired":                 issueWrong(keyfob.APIKey{Subject: "a", Expires: time.Unix(1, 0)}),
	"too late":                issueWrong(keyfob.APIKey{Subject: "a", Expires: time.Date(10001, 1, 1, 0, 0, 0, 0, time.UTC)}),
	"never usable":            issueWrong(keyfob.APIKey{Subject: "a", Expires: time.Now().Add(time.Hour), NotBefore: time.Now().Add(2 * time.Hour)}),
	"cidr":                    issueWrong(keyfob.APIKey{Subject: "a", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.2.3/8")}}),
	"cidr, zero":              issueWrong(keyfob.APIKey{Subject: "a", CIDRs: []netip.Prefix{{}}}),
	"rate":                    issueWrong(keyfob.APIKey{Subject: "a", Limit: keyfob.Limit{Rate: -1, Per: time.Hour}}),
	"rate, zero":              issueWrong(keyfob.APIKey{Subject: "a", Limit: keyfob.Limit{Burst: 3, Per: time.Hour}}),
	"per":                     issueWrong(keyfob.APIKey{Subject: "a", Limit: keyfob.Limit{Rate: 1, Per: 1500 * time.Millisecond}}),
	"per, zero":               issueWrong(keyfob.APIKey{Subject: "a", Limit: keyfob.Limit{Rate: 1}}),
	"burst":                   issueWrong(keyfob.APIKey{Subject: "a", Limit: keyfob.Limit{Rate: 1, Per: time.Hour, Burst: -1}}),
	"uses":                    issueWrong(keyfob.APIKey{Subject: "a", Uses: -1}),
	"attributes":              issueWrong(keyfob.APIKey{Subject: "a", Attributes: map[string]string{"": "x"}}),
	"attribute":               issueWrong(keyfob.APIKey{Subject: "a", Attributes: map[string]string{"plan": "\u202e"}}),
	"attribute, UTF":          issueWrong(keyfob.APIKey{Subject: "a", Attributes: map[string]string{"plan": "\xff"}}),
	"session, subject":        issueWrong(keyfob.Session{Subject: strings.Repeat("a", 257)}),
	"session, subject, UTF-8": issueWrong(keyfob.Session{Subject: "\xff"}),
	"session, attributes":     issueWrong(keyfob.Session{Attributes: map[string]string{"": "x"}}),
	"session, idle":           issueWrong(keyfob.Session{Idle: 13 * time.Hour}),
	"session, idle below":     issueWrong(keyfob.Session{Idle: -time.Second}),
	"session, lifetime":       issueWrong(keyfob.Session{Lifetime: 401 * 24 * time.Hour}),
	"session, lifetime below": issueWrong(keyfob.Session{Lifetime: -time.Second, Idle: -time.Second}),
	"session, short":          issueWrong(keyfob.Session{Lifetime: time.Millisecond}),
	"session, from":           issueWrong(keyfob.Session{From: "x"}),
	"session, from, UTF-8":    issueWrong(keyfob.Session{From: "\xff"}),
	"session, from nothing":   issueWrong(keyfob.Session{From: "0000000000000000"}),
	"session, since":          issueWrong(keyfob.Session{Since: time.Now()}),
	"session, too late": func(ctx context.Context, v keyfob.Verbs, e *env) error {
		e.must(e.a.RevokeSubject(ctx, "late", "", keyfob.KindSession))
		_, err := v.Issue(ctx, keyfob.Session{Subject: "late", Since: e.clock.Now()})
		return err
	},
	"session, rewritten": func(ctx context.Context, v keyfob.Verbs, e *env) error {
		c := e.session(keyfob.Session{}).Credential
		c.Attributes = map[string]string{"a": strings.Repeat("x", 1025)}
		_, err := v.Update(ctx, c)
		return err
	},
	"session, stale": func(ctx context.Context, v keyfob.Verbs, e *env) error {
		c := e.session(keyfob.Session{}).Credential
		c.Revision++
		_, err := v.Update(ctx, c)
		return err
	},
	"renew": func(ctx context.Context, v keyfob.Verbs, e *env) error {
		_, err := v.Renew(ctx, "0000000000000000")
		return err
	},
	"renew, no id": func(ctx context.Context, v keyfob.Verbs, e *env) error {
		_, err := v.Renew(ctx, "../../healthz")
		return err
	},
	"renew, ended": func(ctx context.Context, v keyfob.Verbs, e *env) error {
		id := e.session(keyfob.Session{}).Credential.ID
		e.must(e.a.Revoke(ctx, id, ""))
		_, err := v.Renew(ctx, id)
		return err
	},
	"revoke subject":              revokeWrong("", "", keyfob.KindSession),
	"revoke subject, UTF-8":       revokeWrong("\xff", "", keyfob.KindSession),
	"revoke subject, reason":      revokeWrong("a", strings.Repeat("x", 513), keyfob.KindSession),
	"revoke subject, no kind":     revokeWrong("a", ""),
	"revoke subject, kind":        revokeWrong("a", "", keyfob.KindSession, "sessions"),
	"revoke subject, kind, UTF-8": revokeWrong("a", "", "\xff"),
	"revoke subject, twice":       revokeWrong("a", "", keyfob.KindSession, keyfob.KindLink, keyfob.KindSession),
	"get": func(ctx context.Context, v keyfob.Verbs, e *env) error {
		_, err := v.Get(ctx, "0000000000000000")
		return err
	},
	"get, no id": func(ctx context.Context, v keyfob.Verbs, e *env) error {
		_, err := v.Get(ctx, "../../healthz")
		return err
	},
	"rotate": func(ctx context.Context, v keyfob.Verbs, e *env) error {
		_, err := v.Rotate(ctx, "0000000000000000", 0)
		return err
	},
	"grace": func(ctx context.Context, v keyfob.Verbs, e *env) error {
		_, err := v.Rotate(ctx, "0000000000000000", -time.Second)
		return err
	},
	"rollback": onKeyOf(func(ctx context.Context, v keyfob.Verbs, id string) error { _, err := v.Rollback(ctx, id); return err }),
	"reason": onKeyOf(func(ctx context.Context, v keyfob.Verbs, id string) error {
		return v.Revoke(ctx, id, strings.Repeat("x", 513))
	}),
	"reason, UTF-8": onKeyOf(func(ctx context.Context, v keyfob.Verbs, id string) error { return v.Revoke(ctx, id, "\xff") }),
	"suspend, UTF-8": onKeyOf(func(ctx context.Context, v keyfob.Verbs, id string) error {
		_, err := v.Suspend(ctx, id, "\xff")
		return err
	}),
	"suspend": onKeyOf(func(ctx context.Context, v keyfob.Verbs, id string) error {
		_, err := v.Suspend(ctx, id, "a\x00")
		return err
	}),
	"stale": onKeyOf(func(ctx context.Context, v keyfob.Verbs, id string) error {
		_, err := v.Update(ctx, keyfob.Credential{ID: id, Revision: 7})
		return err
	}),
	"key reused": func(ctx context.Context, v keyfob.Verbs, e *env) error {
		ctx = keyfob.WithIdempotencyKey(ctx, token.Random())
		for _, subject := range []string{"a", "b"} {
			if _, err := v.Issue(ctx, keyfob.APIKey{Subject: subject}); err != nil {
				return err
			}
		}
		return nil
	},
	"list, kind":  listWrong(keyfob.Filter{Kind: "sessions"}),
	"list, state": listWrong(keyfob.Filter{States: []keyfob.State{"expired"}}),
	"list, limit": listWrong(keyfob.Filter{Limit: 1001}),
	"list, below": listWrong(keyfob.Filter{Limit: -1}),
	"list, after": listWrong(keyfob.Filter{After: "x"}),
	"list, name":  listWrong(keyfob.Filter{NameContains: "\xff"}),
	"list, scope": listWrong(keyfob.Filter{Scope: "a b"}),
	"purge": func(ctx context.Context, v keyfob.Verbs, e *env) error {
		_, err := v.Purge(ctx, keyfob.KindAPIKey, time.Now().Add(time.Hour))
		return err
	},
	"purge, zero": func(ctx context.Context, v keyfob.Verbs, e *env) error {
		_, err := v.Purge(ctx, keyfob.KindAPIKey, time.Time{})
		return err
	},
	"purge, kind": func(ctx context.Context, v keyfob.Verbs, e *env) error {
		_, err := v.Purge(ctx, "sessions", time.Now())
		return err
	},
	"verify, scopes": func(ctx context.Context, v keyfob.Verbs, e *env) error {
		_, err := v.Verify(ctx, e.owner.Secret.Reveal(), keyfob.Check{Scopes: []string{"a b"}})
		return err
	},
	"verify, kind": func(ctx context.Context, v keyfob.Verbs, e *env) error {
		_, err := v.Verify(ctx, e.owner.Secret.Reveal(), keyfob.Check{Kind: "link"})
		return err
	},
}

func issueWrong(k keyfob.Request) func(context.Context, keyfob.Verbs, *env) error {
	return func(ctx context.Context, v keyfob.Verbs, _ *env) error { _, err := v.Issue(ctx, k); return err }
}

func revokeWrong(subject, reason string, kinds ...keyfob.Kind) func(context.Context, keyfob.Verbs, *env) error {
	return func(ctx context.Context, v keyfob.Verbs, _ *env) error {
		return v.RevokeSubject(ctx, subject, reason, kinds...)
	}
}

func listWrong(f keyfob.Filter) func(context.Context, keyfob.Verbs, *env) error {
	return func(ctx context.Context, v keyfob.Verbs, _ *env) error { _, err := v.List(ctx, f); return err }
}

func onKeyOf(do func(ctx context.Context, v keyfob.Verbs, id string) error) func(context.Context, keyfob.Verbs, *env) error {
	return func(ctx context.Context, v keyfob.Verbs, e *env) error {
		return do(ctx, v, e.key(keyfob.APIKey{}).Credential.ID)
	}
}

// roots are the errors that a verb can be told by.
var roots = []error{
	keyfob.ErrInvalid, keyfob.ErrInput, keyfob.ErrNotFound, keyfob.ErrSpace, keyfob.ErrExists, keyfob.ErrConflict,
	keyfob.ErrKeyReused, keyfob.ErrTooSoon, keyfob.ErrUnavailable, keyfob.ErrRootKey, client.ErrForbidden, client.ErrServer, client.ErrUnauthenticated,
}

// described is all of an error that a program can see.
func described(err error) (d struct {
	Is            []string
	Reason, Field string
}) {
	for _, root := range roots {
		if errors.Is(err, root) {
			d.Is = append(d.Is, root.Error())
		}
	}
	d.Reason = keyfob.Reason(err)
	if input, ok := errors.AsType[*keyfob.InputError](err); ok {
		d.Field = input.Field
		if strings.HasPrefix(input.Problem, input.Field) || input.Problem == "" {
			d.Field += " twice"
		}
	}
	return d
}

// TestSameErrors: what is refused is the same error from both.
func TestSameErrors(t *testing.T) {
	e := newEnv(t, memory.Open())
	c := e.client(client.Config{})
	maps.Copy(wrongs, wrongAttempts)
	for name, do := range wrongs {
		got, want := do(e.Context(), c, e), do(e.Context(), e.a, e)
		if want == nil {
			t.Fatalf("%s: the Authority does not refuse it", name)
		}
		if d := cmp.Diff(described(want), described(got)); d != "" {
			t.Errorf("%s: %v\nand of the Authority: %v\n%s", name, got, want, d)
		}
		for _, space := range []string{"nowhere", "No/Such", e.owner.Secret.Reveal()} {
			if got := do(e.Context(), c.In(space), e); !errors.Is(got, keyfob.ErrSpace) && !errors.Is(got, keyfob.ErrInput) && !errors.Is(got, keyfob.ErrNotFound) {
				t.Errorf("%s in no space: %v", name, got)
			}
		}
	}
	_, err := e.client(client.Config{}).Spaces().Create(e.Context(), keyfob.Space{Name: "default", Prefix: "x"})
	if !errors.Is(err, keyfob.ErrExists) {
		t.Errorf("a space that exists: %v", err)
	}
}

// TestReasons: each way of being refused has its own error, and the same one.
func TestReasons(t *testing.T) {
	eachStore(t, func(e *env) {
		ctx, c := e.Context(), e.client(client.Config{})
		now := e.clock.Now()
		secret := func(k keyfob.Issued) string { return k.Secret.Reveal() }
		revoked, suspended, replaced := e.key(keyfob.APIKey{}), e.key(keyfob.APIKey{}), e.key(keyfob.APIKey{})
		e.must(e.a.Revoke(ctx, revoked.Credential.ID, ""))
		_, err := e.a.Suspend(ctx, suspended.Credential.ID, "")
		e.must(err)
		_, err = e.a.Rotate(ctx, replaced.Credential.ID, 0)
		e.must(err)
		expired := e.key(keyfob.APIKey{Expires: now.Add(time.Minute)})
		exhausted := e.key(keyfob.APIKey{Uses: 1})
		_, err = c.Verify(ctx, secret(exhausted), keyfob.Check{})
		e.must(err)
		limited := e.key(keyfob.APIKey{Limit: keyfob.Limit{Rate: 1, Per: time.Hour}})
		_, err = c.Verify(ctx, secret(limited), keyfob.Check{})
		e.must(err)
		_, err = c.Verify(ctx, secret(expired), keyfob.Check{})
		e.must(err)
		e.clock.Advance(time.Minute)
		network := e.key(keyfob.APIKey{CIDRs: []netip.Prefix{netip.MustParsePrefix("fe80::/10")}})
		for reason, ask := range map[string]struct {
			text  string
			check keyfob.Check
		}{
			"malformed":    {text: "no token\xff"},
			"unknown":      {text: secret(e.owner)},
			"revoked":      {text: secret(revoked)},
			"expired":      {text: secret(expired)},
			"replaced":     {text: secret(replaced)},
			"suspended":    {text: secret(suspended)},
			"not_yet":      {text: secret(e.key(keyfob.APIKey{NotBefore: e.clock.Now().Add(time.Hour)}))},
			"ip":           {text: secret(network), check: keyfob.Check{IP: netip.MustParseAddr("fe80::1%eth0")}},
			"scope":        {text: secret(e.key(keyfob.APIKey{Scopes: []string{"read"}})), check: keyfob.Check{Scopes: []string{"read", "write"}}},
			"exhausted":    {text: secret(exhausted)},
			"rate_limited": {text: secret(limited)},
		} {
			for who, v := range map[string]keyfob.Verbs{"Authority": e.a, "Client": c} {
				got, err := v.Judge(ctx, ask.text, ask.check)
				if !errors.Is(err, keyfob.ErrInvalid) || keyfob.Reason(err) != reason || got.Credential.ID != "" {
					e.Errorf("%s, %s: %v, %+v", reason, who, err, got)
				}
				if limit := limited.Credential.Limit; (reason == "rate_limited") != (got.Meter.Limit == limit && got.Meter.Retry > 0) {
					e.Errorf("%s, %s: %+v", reason, who, got.Meter)
				}
				if err != nil && strings.Contains(err.Error(), ask.text) {
					e.Errorf("%s, %s: %v repeats the token", reason, who, err)
				}
			}
		}
		if _, err := c.Verify(ctx, secret(network), keyfob.Check{IP: netip.MustParseAddr("fe80::1")}); err != nil {
			e.Errorf("an address inside: %v", err)
		}
	})
}

// TestCallers: a Client is told what is wrong with its own token, and never that
// the presented one is good or bad.
func TestCallers(t *testing.T) {
	e := newEnv(t, memory.Open())
	text := e.key(keyfob.APIKey{}).Secret.Reveal()
	gone := e.callerKey("owner")
	e.must(e.a.In(keyfob.OwnSpace).Revoke(e.Context(), gone.Credential.ID, ""))
	for _, who := range []struct {
		token keyfob.Secret
		want  error
	}{
		{gone.Secret, client.ErrUnauthenticated},
		{e.callerKey("default:read").Secret, client.ErrForbidden},
		{e.callerKey("default:verify").Secret, nil},
	} {
		c := e.client(client.Config{Token: who.token})
		if _, err := c.Verify(e.Context(), text, keyfob.Check{}); !errors.Is(err, who.want) || errors.Is(err, keyfob.ErrInvalid) || errors.Is(err, keyfob.ErrUnavailable) {
			t.Errorf("got %v, want %v", err, who.want)
		}
	}
}
