package client

import (
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// What the API shows of the root package's records, read back. Lists that are
// empty become nil, and what is absent the zero value.

func credentialOf(o *oas.Credential) (keyfob.Credential, error) {
	c := keyfob.Credential{
		ID: o.ID, Space: o.Space, Kind: keyfob.Kind(o.Kind), Subject: o.Subject, Purpose: o.Purpose.Or(""), Name: o.Name,
		NotBefore: timeOf(o.NotBefore), Expires: timeOf(o.ExpiresAt),
		Idle: seconds(o.Idle.Or(0)), Seen: timeOf(o.SeenAt),
		Uses: o.Uses.Or(0), Used: o.Used.Or(0), Confirmed: o.Confirmed.Or(false),
		Limit: keyfob.Limit{Rate: o.Rate.Or(0), Per: seconds(o.Per.Or(0)), Burst: o.Burst.Or(0)},
		State: keyfob.State(o.State), Reason: o.Reason.Or(""), Revision: o.Revision,
		Created: time.Time(o.CreatedAt), Updated: timeOf(o.UpdatedAt),
	}
	if len(o.Scopes) > 0 {
		c.Scopes = o.Scopes
	}
	if len(o.Attributes) > 0 {
		c.Attributes = o.Attributes
	}
	for _, text := range o.Cidrs {
		cidr, err := netip.ParsePrefix(text)
		if err != nil {
			// Without it the credential would look as if it could be used from more places.
			return keyfob.Credential{}, fmt.Errorf("%w: a network of a credential cannot be read", ErrServer)
		}
		c.CIDRs = append(c.CIDRs, cidr)
	}
	for i := range o.Versions {
		v, err := versionOf(&o.Versions[i])
		if err != nil {
			return keyfob.Credential{}, err
		}
		c.Versions = append(c.Versions, v)
	}
	return c, nil
}

func versionOf(o *oas.Version) (keyfob.Version, error) {
	v := keyfob.Version{
		ID: o.ID, Number: o.Number, Prefix: o.Prefix, State: keyfob.VersionState(o.State),
		Created: time.Time(o.CreatedAt), Ends: timeOf(o.EndsAt),
		FirstUsed: timeOf(o.FirstUsedAt), LastUsed: timeOf(o.LastUsedAt),
	}
	for _, use := range o.UsedFrom {
		ip, err := netip.ParseAddr(use.IP)
		if err != nil {
			return keyfob.Version{}, fmt.Errorf("%w: an address of a version cannot be read", ErrServer)
		}
		v.From = append(v.From, keyfob.Use{IP: ip, First: time.Time(use.FirstAt), Last: time.Time(use.LastAt)})
	}
	return v, nil
}

// meterOf reads what is left of a limit; false: it cannot be.
func meterOf(o oas.OptMeter) (keyfob.Meter, bool) {
	m, given := o.Get()
	if !given {
		return keyfob.Meter{}, true
	}
	for _, n := range []int64{m.Remaining, m.Per, m.Reset, m.Retry} {
		if n < 0 || n > math.MaxInt64/int64(time.Second) {
			return keyfob.Meter{}, false
		}
	}
	return keyfob.Meter{
		Limit:     keyfob.Limit{Rate: m.Rate, Per: seconds(m.Per), Burst: m.Burst},
		Remaining: m.Remaining, Reset: seconds(m.Reset), Retry: seconds(m.Retry),
	}, true
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

func issuedOf(o *oas.Issued) (keyfob.Issued, error) {
	c, err := credentialOf(&o.Credential)
	return keyfob.Issued{Credential: c, Secret: keyfob.NewSecret(o.Token)}, err
}

func spaceOf(o *oas.Space) keyfob.Space {
	return keyfob.Space{Name: o.Name, Prefix: o.Prefix, Revision: o.Revision, Created: time.Time(o.CreatedAt)}
}

func eventOf(space string, o *oas.Event) keyfob.Event {
	return keyfob.Event{
		ID: o.ID, Space: space, Time: time.Time(o.Time), Actor: o.Actor, Type: o.Type,
		Credential: o.Credential.Or(""), Version: o.Version.Or(""), Subject: o.Subject.Or(""), Reason: o.Reason.Or(""),
		Seq: o.Seq.Or(0),
	}
}

func reportOf(o *oas.AuditReport) keyfob.AuditReport {
	r := keyfob.AuditReport{Events: o.Events, Sealed: o.Sealed, More: o.More}
	for _, p := range o.Problems {
		r.Problems = append(r.Problems, keyfob.Problem{
			Found: keyfob.Finding(p.Found), Seq: p.Seq.Or(0), Event: p.Event.Or(""), Text: p.Text,
		})
	}
	return r
}

func checkpointOf(o *oas.Checkpoint) (keyfob.Checkpoint, error) {
	c := keyfob.Checkpoint{Space: o.Space, SpaceID: o.SpaceID, Seq: o.Seq, Time: time.Time(o.Time), RootKey: int(o.RootKey)}
	for _, field := range []struct {
		to   *[]byte
		text string
	}{{&c.Link, o.Link}, {(*[]byte)(&c.Key), o.Key}, {&c.Signature, o.Signature}} {
		b, err := hex.DecodeString(field.text)
		if err != nil {
			return keyfob.Checkpoint{}, fmt.Errorf("%w: a checkpoint cannot be read", ErrServer)
		}
		if len(b) > 0 {
			*field.to = b
		}
	}
	return c, nil
}

// checkpointText is a checkpoint as the API writes it.
func checkpointText(c *keyfob.Checkpoint) (string, error) {
	o := oas.Checkpoint{
		Space: c.Space, SpaceID: c.SpaceID, Seq: c.Seq, Link: hex.EncodeToString(c.Link),
		Time: oas.Time(c.Time.UTC()), RootKey: int64(c.RootKey),
		Key: hex.EncodeToString(c.Key), Signature: hex.EncodeToString(c.Signature),
	}
	text, err := o.MarshalJSON()
	return string(text), err
}

func timeOf(o oas.OptTime) time.Time { return time.Time(o.Or(oas.Time{})) }

func issueRequest(k *keyfob.APIKey) *oas.IssueAPIKeyRequest {
	o := &oas.IssueAPIKeyRequest{
		Subject: k.Subject, Name: given(k.Name), Scopes: k.Scopes, Cidrs: cidrTexts(k.CIDRs),
		NotBefore: givenTime(k.NotBefore), ExpiresAt: givenTime(k.Expires),
	}
	if k.Uses != 0 {
		o.Uses = oas.NewOptInt64(k.Uses)
	}
	if l := k.Limit; l != (keyfob.Limit{}) {
		o.Rate, o.Per = oas.NewOptInt64(l.Rate), oas.NewOptInt64(int64(l.Per/time.Second))
		if l.Burst != 0 {
			o.Burst = oas.NewOptInt64(l.Burst)
		}
	}
	if len(k.Attributes) > 0 {
		o.Attributes = oas.NewOptIssueAPIKeyRequestAttributes(maps.Clone(k.Attributes))
	}
	return o
}

// updateRequest gives every field: what is to be kept is in c.
func updateRequest(c *keyfob.Credential) *oas.UpdateAPIKeyRequest {
	o := &oas.UpdateAPIKeyRequest{
		Revision: c.Revision, Name: oas.NewOptString(c.Name),
		Scopes: append([]string{}, c.Scopes...), Cidrs: append([]string{}, cidrTexts(c.CIDRs)...),
		NotBefore: timeOrNull(c.NotBefore), ExpiresAt: timeOrNull(c.Expires),
		Uses:       numberOrNull(c.Uses, c.Uses == 0),
		Rate:       numberOrNull(c.Limit.Rate, c.Limit == keyfob.Limit{}),
		Per:        numberOrNull(int64(c.Limit.Per/time.Second), c.Limit == keyfob.Limit{}),
		Burst:      numberOrNull(c.Limit.Burst, c.Limit.Burst == 0),
		Attributes: oas.NewOptUpdateAPIKeyRequestAttributes(oas.UpdateAPIKeyRequestAttributes{}),
	}
	maps.Copy(o.Attributes.Value, c.Attributes)
	return o
}

func numberOrNull(n int64, null bool) oas.OptNilInt64 {
	return oas.OptNilInt64{Value: n, Set: true, Null: null}
}

func timeOrNull(t time.Time) oas.OptNilDateTime {
	return oas.OptNilDateTime{Value: t, Set: true, Null: t.IsZero()}
}

func searchRequest(f *keyfob.Filter) *oas.SearchCredentialsRequest {
	o := &oas.SearchCredentialsRequest{
		Kind: given(string(f.Kind)), Subject: given(f.Subject), Purpose: given(f.Purpose), NameContains: given(f.NameContains), Scope: given(f.Scope),
		ExpiresBefore: givenTime(f.ExpiresBefore), After: given(f.After),
	}
	for _, s := range f.States {
		o.States = append(o.States, string(s))
	}
	if f.Limit != 0 {
		o.Limit = oas.NewOptInt32(int32(f.Limit))
	}
	return o
}

// given leaves out what is empty.
func given(text string) oas.OptString {
	if text == "" {
		return oas.OptString{}
	}
	return oas.NewOptString(text)
}

func givenTime(t time.Time) oas.OptDateTime {
	if t.IsZero() {
		return oas.OptDateTime{}
	}
	return oas.NewOptDateTime(t)
}

func cidrTexts(cidrs []netip.Prefix) []string {
	var texts []string
	for _, cidr := range cidrs {
		texts = append(texts, cidr.String())
	}
	return texts
}
