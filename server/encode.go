package server

import (
	"strconv"
	"time"

	"github.com/go-faster/jx"

	"github.com/keyfob-dev/keyfob"
)

// The answer to a verification is written by hand: byte for byte what generated
// code makes of verdictOf, which a test compares, without the copies of the
// records between. Every other answer is left to generated code.

// appendVerdict appends what Judge said, as JSON.
func appendVerdict(b []byte, v *keyfob.Verdict, err error) []byte {
	b = append(b, `{"valid":`...)
	b = strconv.AppendBool(b, err == nil)
	b = appendText(b, `,"reason":`, keyfob.Reason(err))
	if err == nil {
		b = append(b, `,"credential":`...)
		b = appendCredential(b, &v.Credential)
	}
	if m := &v.Meter; m.Limit != (keyfob.Limit{}) {
		b = appendNumber(b, `,"limit":{"rate":`, m.Limit.Rate)
		b = appendNumber(b, `,"per":`, int64(m.Limit.Per/time.Second))
		b = appendNumber(b, `,"burst":`, m.Limit.Burst)
		b = appendNumber(b, `,"remaining":`, m.Remaining)
		b = appendNumber(b, `,"reset":`, roundUp(m.Reset, time.Second))
		b = appendNumber(b, `,"retry":`, roundUp(m.Retry, time.Second))
		b = append(b, '}')
	}
	b = appendNumber(b, `,"staleness_ms":`, roundUp(v.Staleness, time.Millisecond))
	return append(b, '}')
}

// appendCredential appends what credentialOf says.
func appendCredential(b []byte, c *keyfob.Credential) []byte {
	b = appendText(b, `{"id":`, c.ID)
	b = appendText(b, `,"space":`, c.Space)
	b = appendText(b, `,"kind":`, string(c.Kind))
	b = appendText(b, `,"subject":`, c.Subject)
	b = appendText(b, `,"name":`, c.Name)
	b = append(b, `,"scopes":[`...)
	for i, scope := range c.Scopes {
		b = appendText(b, comma(i), scope)
	}
	b = append(b, `],"attributes":{`...)
	i := 0
	for name, value := range c.Attributes {
		b = appendText(b, comma(i), name)
		b = appendText(b, ":", value)
		i++
	}
	b = appendText(b, `},"state":`, string(c.State))
	if c.Reason != "" {
		b = appendText(b, `,"reason":`, c.Reason)
	}
	b = appendNumber(b, `,"revision":`, c.Revision)
	b = appendTime(b, `,"created_at":`, c.Created)
	b = appendTimeOf(b, `,"updated_at":`, c.Updated)
	b = appendTimeOf(b, `,"not_before":`, c.NotBefore)
	b = appendTimeOf(b, `,"expires_at":`, c.Expires)
	if idle := int64(c.Idle / time.Second); idle != 0 {
		b = appendNumber(b, `,"idle":`, idle)
	}
	b = appendTimeOf(b, `,"seen_at":`, c.Seen)
	b = append(b, `,"cidrs":[`...)
	for i, cidr := range c.CIDRs {
		b = appendText(b, comma(i), cidr.String())
	}
	b = append(b, ']')
	b = appendLimits(b, c)
	b = append(b, `,"versions":[`...)
	for i := range c.Versions {
		b = append(b, comma(i)...)
		b = appendVersion(b, &c.Versions[i])
	}
	return append(b, "]}"...)
}

// appendLimits appends how often a credential may be used, and was.
func appendLimits(b []byte, c *keyfob.Credential) []byte {
	if c.Uses != 0 {
		b = appendNumber(b, `,"uses":`, c.Uses)
	}
	if c.Limit.Rate != 0 {
		b = appendNumber(b, `,"rate":`, c.Limit.Rate)
		b = appendNumber(b, `,"per":`, int64(c.Limit.Per/time.Second))
		b = appendNumber(b, `,"burst":`, c.Limit.Burst)
	}
	if c.Uses != 0 || c.Used != 0 {
		b = appendNumber(b, `,"used":`, c.Used)
	}
	return b
}

func appendVersion(b []byte, v *keyfob.Version) []byte {
	b = appendText(b, `{"id":`, v.ID)
	b = appendNumber(b, `,"number":`, v.Number)
	b = appendText(b, `,"prefix":`, v.Prefix)
	b = appendText(b, `,"state":`, string(v.State))
	b = appendTime(b, `,"created_at":`, v.Created)
	b = appendTimeOf(b, `,"ends_at":`, v.Ends)
	b = appendTimeOf(b, `,"first_used_at":`, v.FirstUsed)
	b = appendTimeOf(b, `,"last_used_at":`, v.LastUsed)
	if len(v.From) > 0 {
		b = append(b, `,"used_from":[`...)
		for i, use := range v.From {
			b = append(b, comma(i)...)
			b = appendText(b, `{"ip":`, use.IP.String())
			b = appendTime(b, `,"first_at":`, use.First)
			b = appendTime(b, `,"last_at":`, use.Last)
			b = append(b, '}')
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// comma is what stands before the element i of a list.
func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

// appendText appends a string after what stands before it.
func appendText(b []byte, before, text string) []byte {
	b = append(b, before...)
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' {
			var e jx.Encoder
			e.Str(text)
			return append(b, e.Bytes()...)
		}
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}

func appendNumber(b []byte, before string, n int64) []byte {
	return strconv.AppendInt(append(b, before...), n, 10)
}

// appendTime appends a time with its milliseconds, rounded down. The layout is one
// that package time knows by heart; it ends in Z.
func appendTime(b []byte, before string, t time.Time) []byte {
	b = append(append(b, before...), '"')
	b = t.UTC().AppendFormat(b, time.RFC3339)
	ms := t.Nanosecond() / int(time.Millisecond)
	return append(b[:len(b)-1], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z', '"')
}

// appendTimeOf leaves the zero time out.
func appendTimeOf(b []byte, before string, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	return appendTime(b, before, t)
}
