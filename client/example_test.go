package client_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http/httptest"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/random"
	"github.com/keyfob-dev/keyfob/server"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/token"
)

// exampleServer is a server for these examples, and the token of its owner.
func exampleServer() (*httptest.Server, keyfob.Secret) {
	ctx := context.Background()
	rk, err := keyfob.ParseRootKey("keyfob-root-1:" + base64.StdEncoding.EncodeToString(random.Bytes(32)))
	if err != nil {
		log.Fatal(err)
	}
	a, err := keyfob.Open(ctx, keyfob.Config{Store: memory.Open(), RootKey: rk})
	if err != nil {
		log.Fatal(err)
	}
	owner, err := a.In(keyfob.OwnSpace).Issue(ctx, keyfob.APIKey{Subject: "example", Scopes: []string{server.OwnerScope}})
	if err != nil {
		log.Fatal(err)
	}
	s, err := server.New(server.Config{Authority: a, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	return httptest.NewServer(s.Handler()), owner.Secret
}

// exampleClient is a Client of it.
func exampleClient() (*client.Client, *httptest.Server) {
	ts, owner := exampleServer()
	c, err := client.New(client.Config{URL: ts.URL, Token: owner})
	if err != nil {
		log.Fatal(err)
	}
	return c, ts
}

// A client of a server on another machine, whose token is in a file.
func ExampleNew() {
	c, err := client.New(client.Config{
		URL:       "https://keyfob.example.com",
		TokenFile: "/run/secrets/keyfob",

		// A key that somebody else revokes may be accepted for two seconds more, and
		// most verifications never leave this process.
		MaxStaleness: 2 * time.Second,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c)
}

// A client of the server on this machine, as its owner: whoever may open the
// socket needs no token.
func ExampleNew_unix() {
	c, err := client.New(client.Config{URL: "unix:///var/lib/keyfob/keyfob.sock"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c)
	// Output: keyfob client of unix:///var/lib/keyfob/keyfob.sock, space default
}

func ExampleClient_Verify() {
	c, ts := exampleClient()
	defer ts.Close()
	ctx := context.Background()

	k, err := c.Issue(ctx, keyfob.APIKey{Subject: "alice", Scopes: []string{"read"}})
	if err != nil {
		log.Fatal(err)
	}
	text := k.Secret.Reveal() // what alice presents later

	key, err := c.Verify(ctx, text, keyfob.Check{Scopes: []string{"read"}})
	fmt.Println(key.Subject, err)

	_, err = c.Verify(ctx, text, keyfob.Check{Scopes: []string{"write"}})
	fmt.Println(errors.Is(err, keyfob.ErrScope), keyfob.Reason(err))

	if err := c.Revoke(ctx, k.Credential.ID, "laptop stolen"); err != nil {
		log.Fatal(err)
	}
	_, err = c.Verify(ctx, text, keyfob.Check{})
	fmt.Println(keyfob.Reason(err))

	ts.Close()
	_, err = c.Verify(ctx, text, keyfob.Check{})
	fmt.Println(errors.Is(err, keyfob.ErrInvalid), errors.Is(err, keyfob.ErrUnavailable))
	// Output:
	// alice <nil>
	// true scope
	// revoked
	// false true
}

func ExampleClient_Judge() {
	c, ts := exampleClient()
	defer ts.Close()
	ctx := context.Background()
	k, err := c.Issue(ctx, keyfob.APIKey{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	v, err := c.Judge(ctx, k.Secret.Reveal(), keyfob.Check{})
	fmt.Println(v.Credential.Subject, v.Staleness <= time.Second, err)
	// Output: alice true <nil>
}

// A key that is made once, although the first answer may be lost: whoever calls
// again with the same context gets the same key.
func ExampleClient_Issue() {
	c, ts := exampleClient()
	defer ts.Close()
	ctx := keyfob.WithIdempotencyKey(context.Background(), token.Random())
	request := keyfob.APIKey{Subject: "alice", Expires: time.Now().Add(30 * 24 * time.Hour)}
	k, err := c.Issue(ctx, request)
	if errors.Is(err, keyfob.ErrUnavailable) {
		k, err = c.Issue(ctx, request)
	}
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(k.Secret.Reveal()) // the only time
}

// From one secret to the next, without a moment in which none is good; and back.
func ExampleClient_Rotate() {
	c, ts := exampleClient()
	defer ts.Close()
	ctx := context.Background()
	k, err := c.Issue(ctx, keyfob.APIKey{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	next, err := c.Rotate(ctx, k.Credential.ID, 24*time.Hour)
	if err != nil {
		log.Fatal(err)
	}
	for _, secret := range []keyfob.Secret{k.Secret, next.Secret} {
		_, err := c.Verify(ctx, secret.Reveal(), keyfob.Check{})
		fmt.Println(keyfob.Reason(err))
	}
	if _, err := c.Rollback(ctx, k.Credential.ID); err != nil {
		log.Fatal(err)
	}
	_, err = c.Verify(ctx, next.Secret.Reveal(), keyfob.Check{})
	fmt.Println(keyfob.Reason(err))
	// Output:
	// ok
	// ok
	// replaced
}

func ExampleClient_Update() {
	c, ts := exampleClient()
	defer ts.Close()
	ctx := context.Background()
	k, err := c.Issue(ctx, keyfob.APIKey{Subject: "alice", Name: "laptop"})
	if err != nil {
		log.Fatal(err)
	}
	key, err := c.Get(ctx, k.Credential.ID)
	if err != nil {
		log.Fatal(err)
	}
	key.Scopes = append(key.Scopes, "write")
	key, err = c.Update(ctx, key) // keyfob.ErrConflict: somebody was faster
	fmt.Println(key.Name, key.Scopes, err)
	// Output: laptop [write] <nil>
}

func ExampleClient_Suspend() {
	c, ts := exampleClient()
	defer ts.Close()
	ctx := context.Background()
	k, err := c.Issue(ctx, keyfob.APIKey{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	key, err := c.Suspend(ctx, k.Credential.ID, "seen in a public repository")
	fmt.Println(key.State, err)
	key, err = c.Resume(ctx, k.Credential.ID)
	fmt.Println(key.State, err)
	// Output:
	// suspended <nil>
	// active <nil>
}

func ExampleClient_List() {
	c, ts := exampleClient()
	defer ts.Close()
	ctx := context.Background()
	for _, name := range []string{"laptop", "phone", "server"} {
		if _, err := c.Issue(ctx, keyfob.APIKey{Subject: "alice", Name: name}); err != nil {
			log.Fatal(err)
		}
	}
	n := 0
	for filter := (keyfob.Filter{Subject: "alice", Limit: 2}); ; {
		page, err := c.List(ctx, filter)
		if err != nil {
			log.Fatal(err)
		}
		n += len(page.Items)
		if filter.After = page.Next; page.Next == "" {
			break
		}
	}
	fmt.Println(n)
	// Output: 3
}

// What ended half a year ago is removed.
func ExampleClient_Purge() {
	c, ts := exampleClient()
	defer ts.Close()
	n, err := c.Purge(context.Background(), keyfob.KindAPIKey, time.Now().AddDate(0, -6, 0))
	fmt.Println(n, err)
	// Output: 0 <nil>
}

// A space for each tenant.
func ExampleClient_Spaces() {
	c, ts := exampleClient()
	defer ts.Close()
	ctx := context.Background()
	acme, err := c.Spaces().Create(ctx, keyfob.Space{Name: "acme", Prefix: "acme_live"})
	if err != nil {
		log.Fatal(err)
	}
	k, err := c.In("acme").Issue(ctx, keyfob.APIKey{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(k.Secret.Reveal()[:10])

	acme.Prefix = "acme_v2" // of what is issued from now on
	if _, err := c.Spaces().Update(ctx, acme); err != nil {
		log.Fatal(err)
	}
	spaces, err := c.Spaces().List(ctx, "", 100)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range spaces {
		fmt.Println(s.Name, s.Prefix)
	}
	// Output:
	// acme_live_
	// acme acme_v2
	// default default
	// keyfob keyfob
}

// The log of a space, proved against a checkpoint that is kept elsewhere.
func ExampleClient_Events() {
	c, ts := exampleClient()
	defer ts.Close()
	ctx := context.Background()
	if _, err := c.Issue(ctx, keyfob.APIKey{Subject: "alice"}); err != nil {
		log.Fatal(err)
	}
	kept, err := c.Events().Checkpoint(ctx)
	if err != nil {
		log.Fatal(err)
	}
	report, err := c.Events().Verify(ctx, kept)
	if err != nil {
		log.Fatal(err)
	}
	page, err := c.Events().List(ctx, keyfob.EventFilter{Newest: true, Limit: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Items[0].Type, page.Items[0].Subject, report.Problems)
	// Output: apikey.issued alice []
}
