package main

import (
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

// apiKeyFlags are the flags for what may be changed of an API key after it was
// issued.
type apiKeyFlags struct {
	name       *string
	scopes     *[]string
	notBefore  momentValue
	expires    momentValue
	cidrs      *[]string
	uses       usesValue
	rate       rateValue
	burst      wholeValue
	attributes pairsValue
}

func addAPIKeyFlags(cmd *cobra.Command) *apiKeyFlags {
	p := &apiKeyFlags{
		notBefore:  momentValue{none: "now", zero: "is 0; give now for no wait"},
		expires:    momentValue{none: "never", zero: "is 0, and the key could never be used; give a time, as 30d, or never"},
		burst:      wholeValue{least: 1, most: math.MaxInt64},
		attributes: pairsValue{},
	}
	flags := cmd.Flags()
	p.name = addText(cmd, "name", "NAME", "", "a name for people")
	p.scopes = flags.StringArray("scope", nil, "a `SCOPE` of the key; may be given many times")
	flags.Var(&p.notBefore, "not-before", "from when on it is accepted, as 12h, 2030-01-02T03:04:05Z or now")
	flags.Var(&p.expires, "expires", "from when on it is refused, as 30d, 2030-01-02T03:04:05Z or never")
	p.cidrs = flags.StringArray("cidr", nil, "a `NETWORK` that it may be used from, as 192.0.2.0/24; may be given many times")
	flags.Var(&p.uses, "uses", "how often it may be used, or unlimited")
	flags.Var(&p.rate, "rate", "how often it may be used in a time, as 100/1m, or unlimited")
	flags.Var(&p.burst, "burst", "how many of these uses may come at once; the default is all")
	flags.Var(p.attributes, "attribute", "something of the application's to keep with it, no secret; may be given many times")
	return p
}

// checkBurst refuses a burst of no rate.
func (p *apiKeyFlags) checkBurst() error {
	if p.burst.n != 0 && p.rate.uses == 0 {
		return wrong("--burst needs --rate; give both, as --rate 100/1m --burst 20")
	}
	return nil
}

// request asks for a key with what the flags say.
func (p *apiKeyFlags) request(subject string) (*oas.IssueAPIKeyRequest, error) {
	if err := p.checkBurst(); err != nil {
		return nil, err
	}
	request := &oas.IssueAPIKeyRequest{Subject: subject, Scopes: *p.scopes, Cidrs: *p.cidrs}
	if *p.name != "" {
		request.Name.SetTo(*p.name)
	}
	if at, ok := p.notBefore.when(); ok {
		request.NotBefore.SetTo(at)
	}
	if at, ok := p.expires.when(); ok {
		request.ExpiresAt.SetTo(at)
	}
	if p.uses != 0 {
		request.Uses.SetTo(int64(p.uses))
	}
	if p.rate.uses != 0 {
		request.Rate.SetTo(p.rate.uses)
		request.Per.SetTo(p.rate.seconds())
	}
	if p.burst.n != 0 {
		request.Burst.SetTo(p.burst.n)
	}
	if len(p.attributes) > 0 {
		request.Attributes.SetTo(oas.IssueAPIKeyRequestAttributes(p.attributes))
	}
	return request, nil
}

// clearable are the fields that --clear takes away, and the flag that sets each.
var clearable = []struct{ field, flag string }{
	{"name", "name"}, {"scopes", "scope"}, {"cidrs", "cidr"}, {"attributes", "attribute"},
}

// patch asks for a change of what the flags say, and of nothing else. The
// revision is still to be set.
func (p *apiKeyFlags) patch(cmd *cobra.Command, clear []string) (*oas.UpdateAPIKeyRequest, error) {
	request := &oas.UpdateAPIKeyRequest{}
	changed := cmd.Flags().Changed
	if err := errors.Join(checkClear(clear, changed), p.checkBurst()); err != nil {
		return nil, err
	}
	sets := func(flag, field string) bool { return changed(flag) || slices.Contains(clear, field) }
	if sets("name", "name") {
		request.Name.SetTo(*p.name)
	}
	if sets("scope", "scopes") {
		request.Scopes = append([]string{}, *p.scopes...)
	}
	if sets("cidr", "cidrs") {
		request.Cidrs = append([]string{}, *p.cidrs...)
	}
	if sets("attribute", "attributes") {
		request.Attributes.SetTo(oas.UpdateAPIKeyRequestAttributes(p.attributes))
	}
	if changed("not-before") {
		setOrNull(&request.NotBefore, &p.notBefore)
	}
	if changed("expires") {
		setOrNull(&request.ExpiresAt, &p.expires)
	}
	if changed("uses") {
		if request.Uses.SetToNull(); p.uses != 0 {
			request.Uses.SetTo(int64(p.uses))
		}
	}
	if changed("rate") {
		request.Rate.SetToNull()
		request.Per.SetToNull()
		if p.rate.uses != 0 {
			request.Rate.SetTo(p.rate.uses)
			request.Per.SetTo(p.rate.seconds())
		}
	}
	if p.burst.n != 0 {
		request.Burst.SetTo(p.burst.n)
	}
	return request, nil
}

func setOrNull(field *oas.OptNilDateTime, v *momentValue) {
	field.SetToNull()
	if at, ok := v.when(); ok {
		field.SetTo(at)
	}
}

func checkClear(clear []string, changed func(string) bool) error {
	var fields []string
	for _, c := range clearable {
		fields = append(fields, c.field)
		if slices.Contains(clear, c.field) && changed(c.flag) {
			return wrong("--clear %s and --%s contradict each other; give one", c.field, c.flag)
		}
	}
	for _, field := range clear {
		if !slices.Contains(fields, field) {
			return wrong("--clear is none that there is; give one of %s", strings.Join(fields, ", "))
		}
	}
	return nil
}
