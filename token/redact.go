package token

import "strings"

// Redact returns text for a log: of a keyed token its prefix and id, as in
// acme_live_7Gq2mZr0TkXb4yVd[REDACTED], and of everything else, a mistyped token
// included, only [REDACTED].
func Redact(text string) string {
	k, err := Parse(text)
	if err != nil {
		return redacted
	}
	return k.String()
}

// RedactAll returns a longer text, such as a line of a log, with the secret of
// each keyed token in it replaced by [REDACTED]. It goes by the form alone: "_" and
// at least 65 characters of 0-9, A-Z and a-z, of which it leaves the first 16. So
// mistyped tokens and tokens with something attached are covered as well. Other
// secrets are not: it is a net below the rule that secrets are not logged, and does
// not replace the rule.
func RedactAll(text string) string {
	var b strings.Builder
	rest := text
	for {
		at := strings.IndexByte(rest, '_') + 1
		if at == 0 {
			break
		}
		run := at
		for run < len(rest) && isBase62(rest[run:run+1]) {
			run++
		}
		if run-at >= keyedLength {
			b.WriteString(rest[:at+idLength])
			b.WriteString(redacted)
		} else {
			b.WriteString(rest[:run])
		}
		rest = rest[run:]
	}
	if b.Len() == 0 {
		return text
	}
	b.WriteString(rest)
	return b.String()
}

// Pattern returns a regular expression that matches the keyed tokens of a prefix,
// for secret scanners such as GitHub's. It is in the syntax that RE2, Go, PCRE and
// Hyperscan share. It panics if the prefix is not one that [CheckPrefix] accepts.
//
// It does not say what may stand on either side, so that it also finds a token
// after an escaped line end or next to other text. [Parse] then tells tokens from
// chance: of texts that only look like one, it accepts 1 in 2^32.
func Pattern(prefix string) string {
	if err := CheckPrefix(prefix); err != nil {
		panic("token: Pattern: " + err.Error())
	}
	return prefix + "_[0-9A-Za-z]{65}"
}
