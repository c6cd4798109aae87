package main

import "fmt"

const madeText = `In %[1]s there are now

%[2]s  keyfob.db     the database
  owner.token   a token that may do everything; move it to where it is safe

`

const welcomeText = `Issue an API key, in a second shell:

  keyfob apikey issue%[1]s --subject alice > alice.key

Verify it over HTTP, as your services will, with a caller's token in a header file:

  (umask 077; printf 'Authorization: Bearer %%s\n' "$(cat %[2]s)" > caller.header)
  printf '{"token":"%%s"}' "$(cat alice.key)" | curl -s %[3]s/v1/spaces/default/verify -H @caller.header -H 'Content-Type: application/json' -d @-

`

// made says what the first run has made.
func (s *site) made() string {
	key := ""
	switch s.madeKey {
	case "":
	case s.dir.file(rootKeyFile):
		key = "  root.key      what all digests hang on; keep a copy of it apart from the database\n"
	default:
		key = "  (the root key is " + s.madeKey + "; keep a copy of it apart from the database)\n"
	}
	return fmt.Sprintf(madeText, string(s.dir), key)
}

// welcome says what the first run has made, and what to type next. What it says
// to type puts no secret into the arguments of a program.
func (s *serving) welcome(url string) {
	fmt.Fprintf(s.u.stderr, "\nThis is the first run. %s", s.made())
	fmt.Fprintf(s.u.stderr, welcomeText, s.dataFlag(), shellQuote(s.dir.file(ownerFile)), url)
}
