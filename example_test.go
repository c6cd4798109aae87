package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

// The examples work at one time, which they move on where they need to.
var exampleTime = time.Date(2027, time.January, 2, 15, 4, 5, 0, time.UTC)

// openExample opens an Authority as the others use it: in memory, at exampleTime
// and what was added to it since.
func openExample() (a *keyfob.Authority, wait func(time.Duration)) {
	rootKey, err := keyfob.ParseRootKey("keyfob-root-1:ykV0YzrSnnBnHFgFpYJHSG3VuTdtW9x3mQX0YcZ3ooI=")
	if err != nil {
		log.Fatal(err)
	}
	c := &clock{now: exampleTime}
	a, err = keyfob.Open(context.Background(), keyfob.Config{Store: memory.Open(), RootKey: rootKey, Now: c.Now})
	if err != nil {
		log.Fatal(err)
	}
	return a, c.Add
}

// An API key from its issue to its end.
func Example() {
	dir, err := os.MkdirTemp("", "keyfob")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	ctx := context.Background()
	rootKey, err := keyfob.CreateRootKey(filepath.Join(dir, "root.key")) // the next time: ReadRootKey
	if err != nil {
		log.Fatal(err)
	}
	st, err := sqlite.Open(filepath.Join(dir, "keyfob.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer st.Close()
	a, err := keyfob.Open(ctx, keyfob.Config{Store: st, RootKey: rootKey})
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close(ctx)

	key, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice", Scopes: []string{"read"}})
	if err != nil {
		log.Fatal(err)
	}
	text := key.Secret.Reveal() // hand it to alice: this is the only time

	c, err := a.Verify(ctx, text, keyfob.Check{Scopes: []string{"read"}})
	fmt.Println(c.Subject, err)

	if err := a.Revoke(ctx, key.Credential.ID, "laptop stolen"); err != nil {
		log.Fatal(err)
	}
	_, err = a.Verify(ctx, text, keyfob.Check{})
	fmt.Println(errors.Is(err, keyfob.ErrInvalid), err)
	// Output:
	// alice <nil>
	// true invalid: revoked
}

// The root key is made once, and read whenever the program starts again.
func ExampleOpen() {
	ctx := context.Background()
	rootKey, err := keyfob.ReadRootKey("root.key")
	if errors.Is(err, fs.ErrNotExist) {
		rootKey, err = keyfob.CreateRootKey("root.key")
	}
	if err != nil {
		log.Fatal(err)
	}
	st, err := sqlite.Open("keyfob.db")
	if err != nil {
		log.Fatal(err)
	}
	defer st.Close()
	a, err := keyfob.Open(ctx, keyfob.Config{Store: st, RootKey: rootKey})
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close(ctx)
}

// Close gets a context of its own: the one of the program may be over.
func ExampleAuthority_Close() {
	a, _ := openExample()
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	fmt.Println(a.Close(ctx))

	_, err := a.Get(ctx, "0123456789abcdef")
	fmt.Println(errors.Is(err, keyfob.ErrUnavailable))
	// Output:
	// <nil>
	// true
}

func ExampleCreateRootKey() {
	dir, err := os.MkdirTemp("", "keyfob")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "root.key")

	rootKey, err := keyfob.CreateRootKey(path)
	fmt.Println(rootKey, err) // its text is in the file alone

	_, err = keyfob.CreateRootKey(path)
	fmt.Println(errors.Is(err, fs.ErrExist))
	// Output:
	// [REDACTED] <nil>
	// true
}

func ExampleReadRootKey() {
	rootKey, err := keyfob.ReadRootKey("/run/credentials/my-service/keyfob-root-key")
	if err != nil {
		log.Fatal(err)
	}
	_ = keyfob.Config{RootKey: rootKey}
}

func ExampleParseRootKey() {
	os.Setenv("MY_ROOT_KEY", "keyfob-root-1:ykV0YzrSnnBnHFgFpYJHSG3VuTdtW9x3mQX0YcZ3ooI=")

	rootKey, err := keyfob.ParseRootKey(os.Getenv("MY_ROOT_KEY"))
	fmt.Println(rootKey, err)

	_, err = keyfob.ParseRootKey("keyfob-root-1:ykV0YzrSnnBn")
	fmt.Println(err)
	// Output:
	// [REDACTED] <nil>
	// wrong root key: line 1 is not 32 bytes in padded base64 after the colon
}

// What a handler gets goes into a Secret at once, so that no log line shows it.
func ExampleNewSecret() {
	login := struct {
		User string
		Code keyfob.Secret
	}{"alice", keyfob.NewSecret("493-207")}
	fmt.Printf("%+v\n", login)
	// Output: {User:alice Code:[REDACTED]}
}

func ExampleSecret_Reveal() {
	a, _ := openExample()
	key, err := a.Issue(context.Background(), keyfob.APIKey{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key.Secret, len(key.Secret.Reveal()))
	// Output: [REDACTED] 73
}

func ExampleCheckScope() {
	fmt.Println(keyfob.CheckScope("files:read"))
	fmt.Println(keyfob.CheckScope("files read"))
	// Output:
	// <nil>
	// scopes holds a scope with the byte 0x20; a scope is printable ASCII without space, " and \
}

func ExampleParseCIDR() {
	network, err := keyfob.ParseCIDR("192.0.2.0/24")
	fmt.Println(network, err)

	_, err = keyfob.ParseCIDR("192.0.2.7/24")
	fmt.Println(err)
	// Output:
	// 192.0.2.0/24 <nil>
	// cidrs holds 192.0.2.7/24, which has bits of a host; give 192.0.2.0/24, or 192.0.2.7/32 for that address alone
}

// What has expired stays expired when the clock is set back.
func ExampleAuthority_ClockBehind() {
	a, wait := openExample()
	ctx := context.Background()
	key, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice", Expires: exampleTime.Add(time.Hour)})
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range []time.Duration{0, time.Hour, -time.Hour} {
		wait(d)
		_, err = a.Verify(ctx, key.Secret.Reveal(), keyfob.Check{})
		fmt.Println(keyfob.Reason(err), a.ClockBehind())
	}
	// Output:
	// ok 0s
	// expired 0s
	// expired 1h0m0s
}

// A clock that was a year ahead has been put right.
func ExampleAuthority_AcceptClock() {
	a, wait := openExample()
	ctx := context.Background()
	wait(365 * 24 * time.Hour)
	if _, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice"}); err != nil {
		log.Fatal(err)
	}
	wait(-365 * 24 * time.Hour)
	back, err := a.AcceptClock(ctx)
	fmt.Println(back, err, a.ClockBehind())
	// Output: 8760h0m0s <nil> 0s
}
