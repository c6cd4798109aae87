package server

import (
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
		ID: c.ID, Space: c.Space, Kind: string(c.Kind), Subject: c.Subject, Name: c.Name,
		Scopes: c.Scopes, Attributes: c.Attributes,
		State: string(c.State), Revision: c.Revision,
		CreatedAt: oas.Time(c.Created.UTC()), ExpiresAt: timeOf(c.Expires),
		Versions: make([]oas.Version, len(c.Versions)),
	}
	if c.Reason != "" {
		o.Reason = oas.NewOptString(c.Reason)
	}
	for i, v := range c.Versions {
		o.Versions[i] = oas.Version{
			ID: v.ID, Number: v.Number, Prefix: v.Prefix, State: string(v.State),
			CreatedAt: oas.Time(v.Created.UTC()), EndsAt: timeOf(v.Ends),
		}
	}
	return o
}

// timeOf leaves the zero time out.
func timeOf(t time.Time) oas.OptTime {
	if t.IsZero() {
		return oas.OptTime{}
	}
	return oas.NewOptTime(oas.Time(t.UTC()))
}
