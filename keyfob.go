// Package keyfob is the life of a credential: it issues, verifies, rotates and
// revokes the secrets that an application hands to people and programs, and
// keeps of each no more than is needed to recognise it.
//
//	st, err := sqlite.Open("keyfob.db")
//	rk, err := keyfob.CreateRootKey("root.key") // later: ReadRootKey
//	a, err := keyfob.Open(ctx, keyfob.Config{Store: st, RootKey: rk})
//
//	k, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice", Scopes: []string{"read"}})
//	fmt.Println(k.Secret.Reveal()) // default_…, the only time
//
//	c, err := a.Verify(ctx, text, keyfob.Check{Scopes: []string{"read"}})
//	if errors.Is(err, keyfob.ErrInvalid) {
//		// refused; keyfob.Reason(err) says why, for the log
//	}
//
// # What is kept
//
// A token is prefix, public id, 256 random bits and a checksum (package token).
// The store keeps the id and an HMAC-SHA-256 of the secret under a subkey of the
// [RootKey], over everything about the credential that may never change:
// whoever reads the database can present nothing, and a record whose subject or
// space was edited by hand verifies no more.
//
// A credential has versions. Rotate adds one, and lets the one before live for a
// grace period, so that programs can be moved to the new secret one by one.
// Rotation never extends a life: the expiry is the credential's.
//
// # What is promised
//
// A change, and the event that tells of it, are one transaction. When a verb
// returns nil, its effect survives what the store says it survives; the next
// Verify of that Authority sees it, and that of another on the same store within
// Config.MaxStaleness. Once the store is known not to answer, nothing verifies.
//
// # One-time secrets
//
// A [Link], a [Code], a [TOTP] and a [Recovery] are issued like an API key, and
// redeemed: accepted at most once, whatever races. Guesses at what is short are
// counted before they are compared; [Authority.Redeem] says how many there are.
//
//	l, err := a.Issue(ctx, keyfob.Link{Subject: "alice", Purpose: "password-reset"})
//	c, err := a.Redeem(ctx, keyfob.Attempt{Kind: keyfob.KindLink, Purpose: "password-reset", Secret: presented})
//
// Package link has the pages and the mail around that.
//
// # Spaces
//
// A space is an isolated namespace with a token prefix of its own. Nothing
// crosses it. The space "default" is there from the start; a.In("acme") gives
// the same verbs in another.
//
// # Generators
//
// What needs no record comes from the packages token, random, password,
// passphrase, otp, nonce, kdf, passhash and csrf.
package keyfob
