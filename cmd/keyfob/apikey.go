package main

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newAPIKey(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apikey COMMAND",
		Short: "Issue, verify, list, change, rotate and revoke API keys",
		Long: `Issue, verify, list, change, rotate and revoke API keys: secrets that a program
presents again and again.

These commands ask a server. On its machine they speak over the Unix socket in its
data directory, and need no token. Elsewhere set KEYFOB_URL to its address, and
KEYFOB_TOKEN_FILE to the path of a file that holds a token of the space keyfob (or
KEYFOB_TOKEN to the token).`,
		Example: `  keyfob apikey issue --subject alice --scope read > alice.key
  keyfob apikey verify --scope read < alice.key`,
		GroupID: groupCredentials,
	}
	cmd.AddCommand(
		newAPIKeyIssue(u), newAPIKeyVerify(u), newAPIKeyList(u),
		newAPIKeyShow(u), newAPIKeyUpdate(u), newAPIKeyRotate(u), newAPIKeyRollback(u),
		newAPIKeySuspend(u), newAPIKeyResume(u), newAPIKeyRevoke(u), newAPIKeyPurge(u),
	)
	return cmd
}

// handOut writes a new token, which exists nowhere else, or the object that it
// came in. What becomes of it is known before anything else happens.
func (u *ui) handOut(issued *oas.Issued, asJSON bool) error {
	var err error
	if asJSON {
		err = u.out.json(issued)
	} else {
		err = u.out.line(printable(issued.Token))
	}
	if err == nil {
		err = u.out.flush()
	}
	if err != nil {
		c := &issued.Credential
		return undecided("%v; the new token of API key %s is lost: revoke it with keyfob apikey revoke %[2]s --space %s", err, c.ID, c.Space)
	}
	return nil
}

// showCredential prints a credential in lines of a word and a value.
func (u *ui) showCredential(_ string, c *oas.Credential) error {
	t := newTable(u.out)
	t.row("id", c.ID)
	t.row("space", c.Space)
	if c.Subject != "" {
		t.row("subject", c.Subject)
	}
	if c.Name != "" {
		t.row("name", c.Name)
	}
	if c.Kind == kindAPIKey.name {
		t.row("scopes", orNone(strings.Join(c.Scopes, " ")))
	}
	t.row("state", c.State)
	if reason, ok := c.Reason.Get(); ok {
		t.row("reason", reason)
	}
	t.row("revision", itoa(c.Revision))
	t.row("created", timeText(c.CreatedAt))
	if at, ok := c.UpdatedAt.Get(); ok {
		t.row("updated", timeText(at))
	}
	if at, ok := c.NotBefore.Get(); ok {
		t.row("not before", timeText(at))
	}
	t.row("expires", orNever(c.ExpiresAt))
	if idle, ok := c.Idle.Get(); ok {
		t.row("idle", "at most "+secondsText(idle))
	}
	if at, ok := c.SeenAt.Get(); ok {
		t.row("seen", timeText(at))
	}
	for _, cidr := range c.Cidrs {
		t.row("cidr", cidr)
	}
	if uses, ok := c.Uses.Get(); ok {
		t.row("uses", itoa(c.Used.Or(0))+" of "+itoa(uses))
	}
	if rate, ok := c.Rate.Get(); ok {
		t.row("rate", rateText(rate, c.Per.Or(0), c.Burst.Or(rate)))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Attributes)) {
		t.row("attribute", name+"="+c.Attributes[name])
	}
	for _, v := range c.Versions {
		state := v.State
		if ends, ok := v.EndsAt.Get(); ok && state == "grace" {
			state += " until " + timeText(ends)
		}
		t.row("version", itoa(v.Number)+" "+v.Prefix+"_"+v.ID+"… "+state+", "+usedText(&v))
		for _, use := range v.UsedFrom {
			t.row("", "from "+use.IP+", last at "+timeText(use.LastAt))
		}
	}
	return t.end()
}

// rateText says a limit as --rate takes it.
func rateText(rate, per, burst int64) string {
	v := rateValue{uses: rate, per: time.Duration(per) * time.Second}
	if burst == rate {
		return v.String()
	}
	return v.String() + ", " + itoa(burst) + " at once"
}

// usedText says when a version was used.
func usedText(v *oas.Version) string {
	first, ok := v.FirstUsedAt.Get()
	if !ok {
		return "never used"
	}
	return "used from " + timeText(first) + " to " + timeText(v.LastUsedAt.Or(first))
}

// secondsText is a number of seconds as a duration is given.
func secondsText(n int64) string { return formatDuration(time.Duration(n) * time.Second) }

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

func timeText(t oas.Time) string { return time.Time(t).UTC().Format(time.RFC3339) }

// pairsText is what pairs are, as they are given, in one line for people.
func pairsText(pairs map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		all = append(all, name+"="+shortened(pairs[name]))
	}
	return strings.Join(all, " ")
}

// shortened is text with no more than so many characters as a table has room for.
func shortened(text string) string {
	const most = 32
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

func orNever(t oas.OptTime) string {
	if end, ok := t.Get(); ok {
		return timeText(end)
	}
	return "never"
}
