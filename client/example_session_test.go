package client_test

import (
	"context"
	"fmt"
	"log"

	"github.com/keyfob-dev/keyfob"
)

// A sign-in takes the place of the session that the browser had, and a second factor
// gives it a new secret.
func ExampleClient_Renew() {
	c, ts := exampleClient()
	defer ts.Close()
	ctx := context.Background()
	before, err := c.Issue(ctx, keyfob.Session{Attributes: map[string]string{"cart": "7"}})
	if err != nil {
		log.Fatal(err)
	}
	s, err := c.Issue(ctx, keyfob.Session{Subject: "alice", From: before.Credential.Versions[0].ID})
	if err != nil {
		log.Fatal(err)
	}
	next, err := c.Renew(ctx, s.Credential.Versions[0].ID) // keyfob.ErrConflict: somebody was faster
	if err != nil {
		log.Fatal(err)
	}
	for _, secret := range []keyfob.Secret{before.Secret, s.Secret, next.Secret} {
		_, err := c.Verify(ctx, secret.Reveal(), keyfob.Check{Kind: keyfob.KindSession})
		fmt.Println(keyfob.Reason(err))
	}
	fmt.Println(next.Credential.Subject, next.Credential.Attributes)
	// Output:
	// replaced
	// replaced
	// ok
	// alice map[cart:7]
}

// All sessions of somebody end: those that are there, and not the next.
func ExampleClient_RevokeSubject() {
	c, ts := exampleClient()
	defer ts.Close()
	ctx := context.Background()
	laptop, err := c.Issue(ctx, keyfob.Session{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	if err := c.RevokeSubject(ctx, "alice", "password reset", keyfob.KindSession); err != nil {
		log.Fatal(err) // after keyfob.ErrUnavailable they may have ended
	}
	_, err = c.Verify(ctx, laptop.Secret.Reveal(), keyfob.Check{Kind: keyfob.KindSession})
	fmt.Println(err)
	// Output: invalid: revoked
}
