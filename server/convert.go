package server

import (
	"encoding/hex"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// What a user of the API sees of the root package's records. Lists and objects
// that are empty are there all the same; what "never" or "nobody said" means is
// absent.

func spaceOf(s keyfob.Space) *oas.Space {
	return &oas.Space{Name: s.Name, Prefix: s.Prefix, Revision: s.Revision, CreatedAt: oas.Time(s.Created.UTC())}
}

func issuedOf(i keyfob.Issued) *oas.Issued {
	return &oas.Issued{Credential: credentialOf(&i.Credential), Token: i.Secret.Reveal()}
}

func credentialOf(c *keyfob.Credential) oas.Credential {
	o := oas.Credential{
		ID: c.ID, Space: c.Space, Kind: string(c.Kind), Subject: c.Subject, Purpose: textOf(c.Purpose), Name: c.Name,
		Scopes: c.Scopes, Attributes: c.Attributes,
		State: string(c.State), Reason: textOf(c.Reason), Revision: c.Revision,
		CreatedAt: oas.Time(c.Created.UTC()), UpdatedAt: timeOf(c.Updated),
		NotBefore: timeOf(c.NotBefore), ExpiresAt: timeOf(c.Expires),
		Idle: numberOf(int64(c.Idle / time.Second)), SeenAt: timeOf(c.Seen),
		Cidrs: make([]string, len(c.CIDRs)), Uses: numberOf(c.Uses),
		Versions: make([]oas.Version, len(c.Versions)),
	}
	if c.Limit.Rate != 0 {
		o.Rate, o.Burst = oas.NewOptInt64(c.Limit.Rate), oas.NewOptInt64(c.Limit.Burst)
		o.Per = oas.NewOptInt64(int64(c.Limit.Per / time.Second))
	}
	if c.Uses != 0 || c.Used != 0 {
		o.Used = oas.NewOptInt64(c.Used)
	}
	if c.Kind == keyfob.KindTOTP {
		o.Confirmed = oas.NewOptBool(c.Confirmed)
	}
	for i, cidr := range c.CIDRs {
		o.Cidrs[i] = cidr.String()
	}
	for i, v := range c.Versions {
		o.Versions[i] = oas.Version{
			ID: v.ID, Number: v.Number, Prefix: v.Prefix, State: string(v.State),
			CreatedAt: oas.Time(v.Created.UTC()), EndsAt: timeOf(v.Ends),
			FirstUsedAt: timeOf(v.FirstUsed), LastUsedAt: timeOf(v.LastUsed),
		}
		for _, use := range v.From {
			o.Versions[i].UsedFrom = append(o.Versions[i].UsedFrom, oas.Use{
				IP: use.IP.String(), FirstAt: oas.Time(use.First.UTC()), LastAt: oas.Time(use.Last.UTC()),
			})
		}
	}
	return o
}

func eventOf(e *keyfob.Event) oas.Event {
	return oas.Event{
		ID: e.ID, Time: oas.Time(e.Time.UTC()), Actor: e.Actor, Type: e.Type,
		Credential: textOf(e.Credential), Version: textOf(e.Version), Subject: textOf(e.Subject), Reason: textOf(e.Reason),
		Seq: numberOf(e.Seq),
	}
}

func checkpointOf(c *keyfob.Checkpoint) *oas.Checkpoint {
	return &oas.Checkpoint{
		Space: c.Space, SpaceID: c.SpaceID, Seq: c.Seq, Link: hex.EncodeToString(c.Link),
		Time: oas.Time(c.Time.UTC()), RootKey: int64(c.RootKey),
		Key: hex.EncodeToString(c.Key), Signature: hex.EncodeToString(c.Signature),
	}
}

func reportOf(r *keyfob.AuditReport) *oas.AuditReport {
	o := &oas.AuditReport{Events: r.Events, Sealed: r.Sealed, Problems: make([]oas.AuditProblem, len(r.Problems)), More: r.More}
	for i, p := range r.Problems {
		o.Problems[i] = oas.AuditProblem{Found: string(p.Found), Seq: numberOf(p.Seq), Event: textOf(p.Event), Text: p.Text}
	}
	return o
}

// textOf leaves empty text out.
func textOf(text string) oas.OptString {
	if text == "" {
		return oas.OptString{}
	}
	return oas.NewOptString(text)
}

// numberOf leaves 0 out.
func numberOf(n int64) oas.OptInt64 {
	if n == 0 {
		return oas.OptInt64{}
	}
	return oas.NewOptInt64(n)
}

// timeOf leaves the zero time out.
func timeOf(t time.Time) oas.OptTime {
	if t.IsZero() {
		return oas.OptTime{}
	}
	return oas.NewOptTime(oas.Time(t.UTC()))
}
