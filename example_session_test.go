package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/csrf"
)

// A browser gets a session before anybody has signed in, and another one by the
// sign-in, which takes its place: what somebody planted in the browser is worth
// nothing then. What was put into the cart stays.
func ExampleSession() {
	a, _ := openExample()
	ctx := context.Background()
	visitor, err := a.Issue(ctx, keyfob.Session{Attributes: map[string]string{"cart": "umbrella"}})
	if err != nil {
		log.Fatal(err)
	}
	cookie := visitor.Secret.Reveal() // goes to the browser, and comes with each request

	c, err := a.Verify(ctx, cookie, keyfob.Check{Kind: keyfob.KindSession})
	fmt.Printf("%q %s %v\n", c.Subject, c.Attributes["cart"], err)

	signedIn, err := a.Issue(ctx, keyfob.Session{Subject: "alice", From: c.Versions[0].ID})
	if err != nil {
		log.Fatal(err)
	}
	for _, cookie := range []string{cookie, signedIn.Secret.Reveal()} {
		c, err := a.Verify(ctx, cookie, keyfob.Check{Kind: keyfob.KindSession})
		fmt.Printf("%q %s %v\n", c.Subject, c.Attributes["cart"], err)
	}
	// Output:
	// "" umbrella <nil>
	// ""  invalid: replaced
	// "alice" umbrella <nil>
}

// Two ends: half an hour without use, and twelve hours in all.
func ExampleSession_ends() {
	a, wait := openExample()
	ctx := context.Background()
	sign := func(s keyfob.Session) func() string {
		i, err := a.Issue(ctx, s)
		if err != nil {
			log.Fatal(err)
		}
		return func() string {
			_, err := a.Verify(ctx, i.Secret.Reveal(), keyfob.Check{Kind: keyfob.KindSession})
			return keyfob.Reason(err)
		}
	}
	used, unused := sign(keyfob.Session{Subject: "alice"}), sign(keyfob.Session{Subject: "alice"})
	remembered := sign(keyfob.Session{Subject: "alice", Remembered: true}) // 7 and 30 days
	wait(20 * time.Minute)
	fmt.Println(used())
	wait(20 * time.Minute)
	fmt.Println(used(), unused(), remembered())
	wait(12 * time.Hour)
	fmt.Println(used(), remembered())
	// Output:
	// ok
	// ok expired ok
	// expired ok
}

// Alice proves who she is while her password is being reset elsewhere, and all her
// sessions with it: she has to begin anew.
func ExampleSession_since() {
	a, wait := openExample()
	ctx := context.Background()
	began := exampleTime // her password arrives, and is being compared
	wait(time.Second)
	if err := a.RevokeSubject(ctx, "alice", "password reset", keyfob.KindSession); err != nil {
		log.Fatal(err)
	}
	_, err := a.Issue(ctx, keyfob.Session{Subject: "alice", Since: began})
	fmt.Println(errors.Is(err, keyfob.ErrConflict))
	// Output: true
}

// After a second factor or a change of password the session goes on under a new
// secret; whoever had seen the old one has nothing.
func ExampleAuthority_Renew() {
	a, _ := openExample()
	ctx := context.Background()
	old, err := a.Issue(ctx, keyfob.Session{Subject: "alice", Attributes: map[string]string{"theme": "dark"}})
	if err != nil {
		log.Fatal(err)
	}
	renewed, err := a.Renew(ctx, old.Credential.Versions[0].ID)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range []keyfob.Secret{old.Secret, renewed.Secret} {
		c, err := a.Verify(ctx, s.Reveal(), keyfob.Check{Kind: keyfob.KindSession})
		fmt.Printf("%q %v\n", c.Attributes["theme"], err)
	}
	_, err = a.Renew(ctx, old.Credential.Versions[0].ID) // by who has the old one
	fmt.Println(errors.Is(err, keyfob.ErrConflict))
	// Output:
	// "" invalid: replaced
	// "dark" <nil>
	// true
}

// Sign out everywhere, and what else a reset of the password ends.
func ExampleAuthority_RevokeSubject() {
	a, _ := openExample()
	ctx := context.Background()
	var cookies []string
	for range 3 {
		s, err := a.Issue(ctx, keyfob.Session{Subject: "alice"})
		if err != nil {
			log.Fatal(err)
		}
		cookies = append(cookies, s.Secret.Reveal())
	}
	if err := a.RevokeSubject(ctx, "alice", "password reset", keyfob.KindSession, keyfob.KindLink); err != nil {
		log.Fatal(err)
	}
	for _, cookie := range cookies {
		_, err := a.Verify(ctx, cookie, keyfob.Check{Kind: keyfob.KindSession})
		fmt.Println(err)
	}
	// Output:
	// invalid: revoked
	// invalid: revoked
	// invalid: revoked
}

// The list that somebody is shown of where they are signed in.
func ExampleAuthority_List_sessions() {
	a, wait := openExample()
	ctx := context.Background()
	for _, device := range []string{"laptop", "phone"} {
		_, err := a.Issue(ctx, keyfob.Session{Subject: "alice", Attributes: map[string]string{"device": device}})
		if err != nil {
			log.Fatal(err)
		}
		wait(20 * time.Minute)
	}
	page, err := a.List(ctx, keyfob.Filter{Kind: keyfob.KindSession, Subject: "alice", States: []keyfob.State{keyfob.StateActive}})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range page.Items {
		fmt.Println(c.Attributes["device"], c.State) // active, or expired since nobody used it
	}
	// Output:
	// phone active
	// laptop expired
}

// Keys of package csrf that need no place of their own.
func ExampleRootKey_CSRF() {
	rootKey, err := keyfob.ParseRootKey("keyfob-root-1:ykV0YzrSnnBnHFgFpYJHSG3VuTdtW9x3mQX0YcZ3ooI=")
	if err != nil {
		log.Fatal(err)
	}
	all, err := rootKey.CSRF()
	if err != nil {
		log.Fatal(err)
	}
	key, err := csrf.NewKey(all[0], csrf.Config{})
	if err != nil {
		log.Fatal(err)
	}
	token, err := key.New("id of the session's version", exampleTime)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key.Check("id of the session's version", token, exampleTime))
	fmt.Println(key.Check("that of another's", token, exampleTime) != nil)
	// Output:
	// <nil>
	// true
}
