package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/keyfob-dev/keyfob"
)

// A key of one space is unknown in every other.
func ExampleAuthority_In() {
	a, _ := openExample()
	ctx := context.Background()
	if _, err := a.Spaces().Create(ctx, keyfob.Space{Name: "acme", Prefix: "acme_live"}); err != nil {
		log.Fatal(err)
	}
	acme := a.In("acme")
	key, err := acme.Issue(ctx, keyfob.APIKey{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	_, err = acme.Verify(ctx, key.Secret.Reveal(), keyfob.Check{})
	fmt.Println(err)
	_, err = a.Verify(ctx, key.Secret.Reveal(), keyfob.Check{})
	fmt.Println(err)
	// Output:
	// <nil>
	// invalid: unknown
}

func ExampleAuthority_Spaces() {
	a, _ := openExample()
	spaces := a.Spaces()
	s, err := spaces.Get(context.Background(), keyfob.DefaultSpace)
	fmt.Println(s.Name, s.Prefix, err)
	// Output: default default <nil>
}

func ExampleSpaces_Create() {
	a, _ := openExample()
	ctx := context.Background()
	s, err := a.Spaces().Create(ctx, keyfob.Space{Name: "acme", Prefix: "acme_live"})
	fmt.Println(s.Name, s.Prefix, err)
	_, err = a.Spaces().Create(ctx, keyfob.Space{Name: "acme", Prefix: "acme_test"})
	fmt.Println(errors.Is(err, keyfob.ErrExists))
	// Output:
	// acme acme_live <nil>
	// true
}

func ExampleSpaces_Get() {
	a, _ := openExample()
	_, err := a.Spaces().Get(context.Background(), "acme")
	fmt.Println(errors.Is(err, keyfob.ErrSpace))
	// Output: true
}

func ExampleSpaces_List() {
	a, _ := openExample()
	ctx := context.Background()
	const limit = 100
	for after := ""; ; {
		page, err := a.Spaces().List(ctx, after, limit)
		if err != nil {
			log.Fatal(err)
		}
		for _, s := range page {
			fmt.Println(s.Name)
		}
		if len(page) < limit {
			break
		}
		after = page[len(page)-1].Name
	}
	// Output:
	// default
	// keyfob
}

// Keys that are out keep their prefix; those issued from now on get the new one.
func ExampleSpaces_Update() {
	a, _ := openExample()
	ctx := context.Background()
	s, err := a.Spaces().Get(ctx, keyfob.DefaultSpace)
	if err != nil {
		log.Fatal(err)
	}
	s.Prefix = "myapp"
	s, err = a.Spaces().Update(ctx, s)
	fmt.Println(s.Prefix, s.Revision, err)
	// Output: myapp 2 <nil>
}

// Whoever asks for a change is in its event.
func ExampleWithActor() {
	a, _ := openExample()
	ctx := keyfob.WithActor(context.Background(), "admin@example.com")
	if _, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice"}); err != nil {
		log.Fatal(err)
	}
	page, err := a.Events().List(ctx, keyfob.EventFilter{Newest: true, Limit: 1})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range page.Items {
		fmt.Println(e.Type, "by", e.Actor)
	}
	// Output: apikey.issued by admin@example.com
}

func ExampleAuthority_Events() {
	a, _ := openExample()
	report, err := a.In(keyfob.OwnSpace).Events().Verify(context.Background())
	fmt.Println(report.Events, len(report.Problems), err)
	// Output: 1 0 <nil>
}

// What became of one key.
func ExampleEvents_List() {
	a, _ := openExample()
	ctx := context.Background()
	key, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	if err := a.Revoke(ctx, key.Credential.ID, "laptop stolen"); err != nil {
		log.Fatal(err)
	}
	filter := keyfob.EventFilter{Credential: key.Credential.ID}
	for {
		page, err := a.Events().List(ctx, filter)
		if err != nil {
			log.Fatal(err)
		}
		for _, e := range page.Items {
			fmt.Printf("%s %q\n", e.Type, e.Reason)
		}
		if page.Next == "" {
			break
		}
		filter.After = page.Next
	}
	// Output:
	// apikey.issued ""
	// apikey.revoked "laptop stolen"
}

// Keep checkpoints where nobody who can write to the database can change them.
func ExampleEvents_Checkpoint() {
	a, _ := openExample()
	c, err := a.Events().Checkpoint(context.Background())
	fmt.Println(c.Space, c.Seq, err)
	// Output: default 1 <nil>
}

// With the checkpoints that were kept, an end that was cut off is found as well.
func ExampleEvents_Verify() {
	a, _ := openExample()
	ctx := context.Background()
	kept, err := a.Events().Checkpoint(ctx)
	if err != nil {
		log.Fatal(err)
	}
	report, err := a.Events().Verify(ctx, kept)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range report.Problems {
		fmt.Println(p.Found, p.Text)
	}
	fmt.Println(report.Events, "events,", len(report.Problems), "problems")
	// Output: 1 events, 0 problems
}

// Without the root key: by the public key that was taken from the server once.
func ExampleCheckpoint_Verify() {
	a, _ := openExample()
	c, err := a.Events().Checkpoint(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	known := c.Key // kept since the first checkpoint
	fmt.Println(c.Verify(known))
	c.Seq--
	fmt.Println(c.Verify(known))
	// Output:
	// true
	// false
}
