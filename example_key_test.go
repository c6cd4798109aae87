package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/netip"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/token"
)

func ExampleAuthority_Issue() {
	a, _ := openExample()
	key, err := a.Issue(context.Background(), keyfob.APIKey{
		Subject: "alice",
		Name:    "laptop",
		Scopes:  []string{"files:read", "files:write"},
		Expires: exampleTime.AddDate(0, 3, 0),
		CIDRs:   []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	})
	if err != nil {
		log.Fatal(err)
	}
	// key.Secret.Reveal() is what alice gets, now or never.
	c := key.Credential
	fmt.Println(c.Subject, c.State, c.Expires.Format(time.DateOnly))
	// Output: alice active 2027-04-02
}

// What is wrong is told by field, for a form to show.
func ExampleAuthority_Issue_input() {
	a, _ := openExample()
	_, err := a.Issue(context.Background(), keyfob.APIKey{Subject: "alice", Expires: exampleTime.Add(-time.Hour)})
	if input, ok := errors.AsType[*keyfob.InputError](err); ok {
		fmt.Println(input.Field)
		fmt.Println(input.Problem)
	}
	// Output:
	// expires_at
	// is not in the future; leave it out for a credential that never expires
}

// A refusal, and what is none: where nothing can be decided, nobody gets in, and
// nobody is told that a key is wrong.
func ExampleAuthority_Verify() {
	a, _ := openExample()
	ctx := context.Background()
	key, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice", Scopes: []string{"read"}})
	if err != nil {
		log.Fatal(err)
	}
	for _, scope := range []string{"read", "write"} {
		c, err := a.Verify(ctx, key.Secret.Reveal(), keyfob.Check{Scopes: []string{scope}})
		switch {
		case err == nil:
			fmt.Println("come in,", c.Subject)
		case errors.Is(err, keyfob.ErrScope):
			fmt.Println("403: it is a good key, but not for this")
		case errors.Is(err, keyfob.ErrInvalid):
			fmt.Println("401")
		default:
			fmt.Println("503")
		}
	}
	// Output:
	// come in, alice
	// 403: it is a good key, but not for this
}

// A key that works from one network, twice.
func ExampleAuthority_Verify_limits() {
	a, _ := openExample()
	ctx := context.Background()
	key, err := a.Issue(ctx, keyfob.APIKey{
		Subject: "installer", Uses: 2, CIDRs: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, from := range []string{"192.0.2.7", "203.0.113.9", "192.0.2.8", "192.0.2.9"} {
		_, err := a.Verify(ctx, key.Secret.Reveal(), keyfob.Check{IP: netip.MustParseAddr(from)})
		fmt.Println(from, keyfob.Reason(err))
	}
	// Output:
	// 192.0.2.7 ok
	// 203.0.113.9 ip
	// 192.0.2.8 ok
	// 192.0.2.9 exhausted
}

// One word for logs and metrics.
func ExampleReason() {
	a, _ := openExample()
	_, err := a.Verify(context.Background(), "sesame", keyfob.Check{})
	fmt.Println(keyfob.Reason(err))
	fmt.Println(keyfob.Reason(nil))
	fmt.Printf("%q\n", keyfob.Reason(keyfob.ErrUnavailable)) // nothing was decided
	// Output:
	// malformed
	// ok
	// ""
}

// The old secret works on while programs are moved to the new one.
func ExampleAuthority_Rotate() {
	a, wait := openExample()
	ctx := context.Background()
	old, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	next, err := a.Rotate(ctx, old.Credential.ID, 24*time.Hour)
	if err != nil {
		log.Fatal(err)
	}
	verify := func(s keyfob.Secret) string {
		_, err := a.Verify(ctx, s.Reveal(), keyfob.Check{})
		return keyfob.Reason(err)
	}
	fmt.Println(verify(old.Secret), verify(next.Secret))
	wait(24 * time.Hour)
	fmt.Println(verify(old.Secret), verify(next.Secret))
	// Output:
	// ok ok
	// replaced ok
}

// The new secret went to the wrong place: the old one takes over again.
func ExampleAuthority_Rollback() {
	a, _ := openExample()
	ctx := context.Background()
	old, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	next, err := a.Rotate(ctx, old.Credential.ID, 24*time.Hour)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := a.Rollback(ctx, old.Credential.ID); err != nil {
		log.Fatal(err)
	}
	_, err = a.Verify(ctx, old.Secret.Reveal(), keyfob.Check{})
	fmt.Println(err)
	_, err = a.Verify(ctx, next.Secret.Reveal(), keyfob.Check{})
	fmt.Println(err)
	// Output:
	// <nil>
	// invalid: replaced
}

func ExampleAuthority_Revoke() {
	a, _ := openExample()
	ctx := context.Background()
	key, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	if err := a.Revoke(ctx, key.Credential.ID, "laptop stolen"); err != nil {
		log.Fatal(err)
	}
	_, err = a.Verify(ctx, key.Secret.Reveal(), keyfob.Check{})
	fmt.Println(err)
	// Output: invalid: revoked
}

func ExampleAuthority_Suspend() {
	a, _ := openExample()
	ctx := context.Background()
	key, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	c, err := a.Suspend(ctx, key.Credential.ID, "invoice unpaid")
	if err != nil {
		log.Fatal(err)
	}
	_, err = a.Verify(ctx, key.Secret.Reveal(), keyfob.Check{})
	fmt.Printf("%s, %s: %v\n", c.State, c.Reason, err)
	// Output: suspended, invoice unpaid: invalid: suspended
}

func ExampleAuthority_Resume() {
	a, _ := openExample()
	ctx := context.Background()
	key, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := a.Suspend(ctx, key.Credential.ID, "invoice unpaid"); err != nil {
		log.Fatal(err)
	}
	c, err := a.Resume(ctx, key.Credential.ID)
	fmt.Println(c.State, err)
	// Output: active <nil>
}

// Get, change, Update; and again, if somebody else was faster.
func ExampleAuthority_Update() {
	a, _ := openExample()
	ctx := context.Background()
	key, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice", Scopes: []string{"read"}})
	if err != nil {
		log.Fatal(err)
	}
	for {
		c, err := a.Get(ctx, key.Credential.ID)
		if err != nil {
			log.Fatal(err)
		}
		c.Scopes = append(c.Scopes, "write")
		updated, err := a.Update(ctx, c)
		if errors.Is(err, keyfob.ErrConflict) && c.State == keyfob.StateActive {
			continue
		}
		fmt.Println(updated.Scopes, err)
		break
	}
	// Output: [read write] <nil>
}

// By its id, or by that of one of its secrets, which is part of the token.
func ExampleAuthority_Get() {
	a, _ := openExample()
	ctx := context.Background()
	key, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice", Name: "laptop"})
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range []string{key.Credential.ID, key.Credential.Versions[0].ID, "0123456789abcdef"} {
		c, err := a.Get(ctx, id)
		fmt.Printf("%q %v\n", c.Name, errors.Is(err, keyfob.ErrNotFound))
	}
	// Output:
	// "laptop" false
	// "laptop" false
	// "" true
}

// All keys of alice that are in force, page by page.
func ExampleAuthority_List() {
	a, wait := openExample()
	ctx := context.Background()
	for _, name := range []string{"laptop", "phone", "server"} {
		if _, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice", Name: name}); err != nil {
			log.Fatal(err)
		}
		wait(time.Minute)
	}
	filter := keyfob.Filter{Subject: "alice", States: []keyfob.State{keyfob.StateActive}, Limit: 2}
	for {
		page, err := a.List(ctx, filter)
		if err != nil {
			log.Fatal(err)
		}
		for _, c := range page.Items {
			fmt.Println(c.Name)
		}
		if page.Next == "" {
			break
		}
		filter.After = page.Next
	}
	// Output:
	// server
	// phone
	// laptop
}

// Keys that ended half a year ago or earlier go; what the log says of them stays.
func ExampleAuthority_Purge() {
	a, wait := openExample()
	ctx := context.Background()
	if _, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice", Expires: exampleTime.AddDate(0, 0, 7)}); err != nil {
		log.Fatal(err)
	}
	wait(365 * 24 * time.Hour)
	purged, err := a.Purge(ctx, keyfob.KindAPIKey, exampleTime.AddDate(0, 6, 0))
	fmt.Println(purged, err)
	// Output: 1 <nil>
}

// What is left of a limit, for the headers of an answer.
func ExampleAuthority_Judge() {
	a, _ := openExample()
	ctx := context.Background()
	key, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice", Limit: keyfob.Limit{Rate: 2, Per: time.Minute}})
	if err != nil {
		log.Fatal(err)
	}
	for range 3 {
		v, err := a.Judge(ctx, key.Secret.Reveal(), keyfob.Check{})
		fmt.Println(keyfob.Reason(err), v.Meter.Remaining, v.Meter.Reset)
	}
	// Output:
	// ok 1 30s
	// ok 0 1m0s
	// rate_limited 0 1m0s
}

// An answer that was lost on its way is asked for again, and no second key made.
func ExampleWithIdempotencyKey() {
	a, _ := openExample()
	ctx := keyfob.WithIdempotencyKey(context.Background(), token.Random())
	first, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	again, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice"})
	fmt.Println(token.Equal(first.Secret.Reveal(), again.Secret.Reveal()), err)

	_, err = a.Issue(ctx, keyfob.APIKey{Subject: "bob"})
	fmt.Println(errors.Is(err, keyfob.ErrKeyReused))
	// Output:
	// true <nil>
	// true
}

func ExampleCheckIdempotencyKey() {
	fmt.Println(keyfob.CheckIdempotencyKey("order-4711"))
	fmt.Println(keyfob.CheckIdempotencyKey("1f6f0c9e-5e07-4f4c-9f53-0b7f1f0c8a11"))
	// Output:
	// idempotency key has 10 characters; it has 16 to 255
	// <nil>
}
