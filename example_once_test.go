package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/otp"
)

// A link for a new password: alice asks for it, gets it by mail, and follows it.
func ExampleLink() {
	a, _ := openExample()
	ctx := context.Background()
	link, err := a.Issue(ctx, keyfob.Link{Subject: "alice", Purpose: "password-reset", TTL: 20 * time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	mailed := link.Secret.Reveal() // a part of the address in the mail

	c, err := a.Redeem(ctx, keyfob.Attempt{
		Kind: keyfob.KindLink, Purpose: "password-reset", Secret: keyfob.NewSecret(mailed),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Subject, "may set a new password")
	// Output: alice may set a new password
}

// A code by mail or text message, which alice types in.
func ExampleCode() {
	a, _ := openExample()
	ctx := context.Background()
	code, err := a.Issue(ctx, keyfob.Code{Subject: "alice", Purpose: "login"})
	if err != nil {
		log.Fatal(err)
	}
	typed := code.Secret.Reveal() // such as 047306

	c, err := a.Redeem(ctx, keyfob.Attempt{
		Kind: keyfob.KindCode, Subject: "alice", Purpose: "login", Secret: keyfob.NewSecret(typed),
	})
	fmt.Println(c.Subject, c.State, err)
	// Output: alice redeemed <nil>
}

// An authenticator app. What Issue returns is shown as a QR code, once; the code
// that the app shows then proves that it has the seed.
func ExampleTOTP() {
	a, wait := openExample()
	ctx := context.Background()
	enrolment, err := a.Issue(ctx, keyfob.TOTP{Subject: "alice", Issuer: "Acme", Account: "alice@example.com"})
	if err != nil {
		log.Fatal(err)
	}
	app, err := otp.ParseURI(enrolment.URI.Reveal())
	if err != nil {
		log.Fatal(err)
	}
	shown := func(at time.Time) keyfob.Attempt {
		code, _ := otp.TOTP{}.Generate(app.Seed, at)
		return keyfob.Attempt{Kind: keyfob.KindTOTP, Subject: "alice", Secret: keyfob.NewSecret(code)}
	}
	_, err = a.Confirm(ctx, shown(exampleTime))
	fmt.Println("confirmed:", err)

	wait(time.Hour)
	_, err = a.Redeem(ctx, shown(exampleTime.Add(time.Hour)))
	fmt.Println("signed in:", err)
	_, err = a.Redeem(ctx, shown(exampleTime.Add(time.Hour)))
	fmt.Println("once more:", err)
	// Output:
	// confirmed: <nil>
	// signed in: <nil>
	// once more: invalid: redeemed
}

// Ten codes on paper, for when the authenticator is lost.
func ExampleRecovery() {
	a, _ := openExample()
	ctx := context.Background()
	set, err := a.Issue(ctx, keyfob.Recovery{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		c, err := a.Redeem(ctx, keyfob.Attempt{Kind: keyfob.KindRecovery, Subject: "alice", Secret: set.Secrets[6]})
		fmt.Println(keyfob.Reason(err), c.Used, "of", c.Uses)
	}
	// Output:
	// ok 1 of 10
	// redeemed 0 of 0
}

// The page behind a link shows what following it will do. Mail scanners look at it
// as well, so nothing is consumed.
func ExampleAuthority_Inspect() {
	a, _ := openExample()
	ctx := context.Background()
	link, err := a.Issue(ctx, keyfob.Link{Subject: "alice", Purpose: "login", Binding: "hash of this browser's cookie"})
	if err != nil {
		log.Fatal(err)
	}
	attempt := keyfob.Attempt{Kind: keyfob.KindLink, Purpose: "login", Secret: link.Secret}
	for _, binding := range []string{"hash of this browser's cookie", "another"} {
		attempt.Binding = binding
		c, err := a.Inspect(ctx, attempt)
		switch {
		case err == nil:
			fmt.Println("sign in as", c.Subject)
		case errors.Is(err, keyfob.ErrBinding):
			fmt.Println("type in the code that was sent to", c.Subject)
		}
	}
	// Output:
	// sign in as alice
	// type in the code that was sent to alice
}

// What is told to whoever presents a secret, and what is not.
func ExampleAuthority_Redeem() {
	a, _ := openExample()
	ctx := context.Background()
	link, err := a.Issue(ctx, keyfob.Link{Subject: "alice", Purpose: "verify-email"})
	if err != nil {
		log.Fatal(err)
	}
	attempt := keyfob.Attempt{Kind: keyfob.KindLink, Purpose: "verify-email", Secret: link.Secret}
	for range 2 {
		c, err := a.Redeem(ctx, attempt)
		switch {
		case err == nil:
			fmt.Println("the address of", c.Subject, "is verified")
		case errors.Is(err, keyfob.ErrInvalid):
			fmt.Println("this link is not valid (any more)") // and to the log: Reason(err)
		default:
			fmt.Println("try again later") // nothing was decided
		}
	}
	// Output:
	// the address of alice is verified
	// this link is not valid (any more)
}

// The first code of a new authenticator.
func ExampleAuthority_Confirm() {
	a, _ := openExample()
	ctx := context.Background()
	enrolment, err := a.Issue(ctx, keyfob.TOTP{Subject: "alice", Account: "alice@example.com"})
	if err != nil {
		log.Fatal(err)
	}
	seed, err := otp.ParseSeed(enrolment.Secret.Reveal()) // which the app has
	if err != nil {
		log.Fatal(err)
	}
	code, err := otp.TOTP{}.Generate(seed, exampleTime)
	if err != nil {
		log.Fatal(err)
	}
	c, err := a.Confirm(ctx, keyfob.Attempt{Kind: keyfob.KindTOTP, Subject: "alice", Secret: keyfob.NewSecret(code)})
	fmt.Println(enrolment.Credential.Confirmed, c.Confirmed, err)
	// Output: false true <nil>
}

// Somebody guesses at alice's codes; alice calls, and is known by her voice.
func ExampleAuthority_Unlock() {
	a, _ := openExample()
	ctx := context.Background()
	guess := keyfob.Attempt{Kind: keyfob.KindTOTP, Subject: "alice", Secret: keyfob.NewSecret("123456")}
	for range 4 {
		_, err := a.Redeem(ctx, guess)
		fmt.Println(keyfob.Reason(err))
	}
	if err := a.Unlock(keyfob.WithActor(ctx, "support"), "alice", "called, and answered her questions"); err != nil {
		log.Fatal(err)
	}
	_, err := a.Redeem(ctx, guess)
	fmt.Println(keyfob.Reason(err))
	// Output:
	// unknown
	// unknown
	// unknown
	// locked
	// unknown
}

// When to try again.
func ExampleRetryAfter() {
	a, wait := openExample()
	ctx := context.Background()
	for range 2 {
		_, err := a.Issue(ctx, keyfob.Code{Subject: "alice", Purpose: "login"})
		fmt.Println(errors.Is(err, keyfob.ErrTooSoon), keyfob.RetryAfter(err))
		wait(10 * time.Second)
	}
	// Output:
	// false 0s
	// true 20s
}
