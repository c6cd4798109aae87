package server

import (
	"net/netip"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// What a request gives. A value that the Authority would take for none is refused
// where it is given: left out, it is none.

// givenTime is the time in a field, or zero where there is none.
func givenTime(field string, t time.Time, given bool) (time.Time, error) {
	if !given {
		return time.Time{}, nil
	}
	if t = t.Truncate(time.Millisecond); t.IsZero() {
		return time.Time{}, &keyfob.InputError{Field: field, Problem: "is not in the calendar that is kept here, which begins after it; leave it out for none"}
	}
	return t, nil
}

// givenUses is the number in the field uses, or 0 where there is none.
func givenUses(n int64, given bool) (int64, error) {
	if given && n == 0 {
		return 0, &keyfob.InputError{Field: "uses", Problem: "is 0, and the key could never be used; it is 1 or more, or left out for a key that may be used without limit"}
	}
	return n, nil
}

// givenText is the text in a field, or empty where there is none.
func givenText(field string, text oas.OptString) (string, error) {
	if given, ok := text.Get(); ok && given == "" {
		return "", &keyfob.InputError{Field: field, Problem: "is empty; leave it out for any"}
	}
	return text.Value, nil
}

// givenLimit is the size of a page, or 0 where there is none.
func givenLimit(limit oas.OptInt32) (int, error) {
	if n, given := limit.Get(); given && n == 0 {
		return 0, &keyfob.InputError{Field: "limit", Problem: "is 0; it is 1 to 1000"}
	}
	return int(limit.Value), nil
}

// givenCIDRs are the networks in the field cidrs.
func givenCIDRs(texts []string) ([]netip.Prefix, error) {
	cidrs := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		cidr, err := keyfob.ParseCIDR(text)
		if err != nil {
			return nil, err
		}
		cidrs[i] = cidr
	}
	return cidrs, nil
}

// givenIP is the address in the field ip.
func givenIP(ip oas.OptString) (netip.Addr, error) {
	text, given := ip.Get()
	if !given {
		return netip.Addr{}, nil
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, &keyfob.InputError{Field: "ip", Problem: "is no address; give one as 192.0.2.7 or 2001:db8::7, or leave it out if it is not known"}
	}
	if addr.Zone() != "" {
		return netip.Addr{}, &keyfob.InputError{Field: "ip", Problem: "has a zone, which means something on one machine only; give the address without it"}
	}
	return addr, nil
}

// givenLimitOf is the limit in the fields rate, per and burst; a nil one is not
// given.
func givenLimitOf(rate, per, burst *int64) (keyfob.Limit, error) {
	switch {
	case rate == nil && per == nil && burst == nil:
		return keyfob.Limit{}, nil
	case rate == nil:
		return keyfob.Limit{}, &keyfob.InputError{Field: "rate", Problem: "is missing; give rate and per, or neither"}
	case per == nil:
		return keyfob.Limit{}, &keyfob.InputError{Field: "per", Problem: "is missing; give rate and per, or neither"}
	case *rate < 1:
		return keyfob.Limit{}, &keyfob.InputError{Field: "rate", Problem: "is below 1; leave rate, per and burst out for no limit"}
	case *per < 1 || *per > maxPer:
		return keyfob.Limit{}, &keyfob.InputError{Field: "per", Problem: "is out of range; it is 1 to 31622400 seconds"}
	}
	limit := keyfob.Limit{Rate: *rate, Per: time.Duration(*per) * time.Second}
	if burst != nil {
		if limit.Burst = *burst; limit.Burst < 1 {
			return keyfob.Limit{}, &keyfob.InputError{Field: "burst", Problem: "is below 1; leave it out for as many as the rate"}
		}
	}
	return limit, nil
}

// maxPer is 366 days, in seconds.
const maxPer = 366 * 24 * 60 * 60
