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
	"github.com/keyfob-dev/keyfob/otp"
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

// A link that is mailed, for the page that resets a password: it is looked at when
// the page is opened, and redeemed when somebody confirms.
func ExampleClient_Redeem() {
	c, ts := exampleClient()
	defer ts.Close()
	ctx := context.Background()

	l, err := c.Issue(ctx, keyfob.Link{Subject: "alice", Purpose: "password-reset"})
	if err != nil {
		log.Fatal(err)
	}
	attempt := keyfob.Attempt{Kind: keyfob.KindLink, Secret: l.Secret, Purpose: "password-reset"}

	link, err := c.Inspect(ctx, attempt) // as often as the page is opened
	fmt.Println(link.Subject, err)

	link, err = c.Redeem(ctx, attempt)
	fmt.Println(link.Subject, err)

	_, err = c.Redeem(ctx, attempt)
	fmt.Println(keyfob.Reason(err))
	// Output:
	// alice <nil>
	// alice <nil>
	// redeemed
}

func ExampleClient_Confirm() {
	c, ts := exampleClient()
	defer ts.Close()
	ctx := context.Background()

	k, err := c.Issue(ctx, keyfob.TOTP{Subject: "alice", Account: "alice@example.com", Issuer: "Example"})
	if err != nil {
		log.Fatal(err)
	}
	key, err := otp.ParseURI(k.URI.Reveal()) // what alice's app reads from a QR code
	if err != nil {
		log.Fatal(err)
	}
	code, err := otp.TOTP{}.Generate(key.Seed, time.Now())
	if err != nil {
		log.Fatal(err)
	}
	attempt := keyfob.Attempt{Kind: keyfob.KindTOTP, Subject: "alice", Secret: keyfob.NewSecret(code)}

	totp, err := c.Confirm(ctx, attempt)
	fmt.Println(totp.Confirmed, err)

	_, err = c.Redeem(ctx, attempt) // the code that confirmed is used
	fmt.Println(keyfob.Reason(err))
	// Output:
	// true <nil>
	// redeemed
}

// Too many guesses lock a subject, for longer each time; who knows it by other means
// ends that.
func ExampleClient_Unlock() {
	c, ts := exampleClient()
	defer ts.Close()
	ctx := context.Background()

	code, err := c.Issue(ctx, keyfob.Code{Subject: "alice", Purpose: "login", Chars: 8})
	if err != nil {
		log.Fatal(err)
	}
	attempt := keyfob.Attempt{Kind: keyfob.KindCode, Subject: "alice", Purpose: "login", Secret: keyfob.NewSecret("000000")}
	for range 4 {
		_, err = c.Redeem(ctx, attempt)
	}
	fmt.Println(errors.Is(err, keyfob.ErrLocked), keyfob.RetryAfter(err))

	if err := c.Unlock(ctx, "alice", "seen in person"); err != nil {
		log.Fatal(err)
	}
	attempt.Secret = code.Secret
	_, err = c.Redeem(ctx, attempt)
	fmt.Println(err)
	// Output:
	// true 1s
	// <nil>
}
