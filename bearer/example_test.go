package bearer_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/bearer"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/random"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// exampleAuthority is an Authority for these examples.
func exampleAuthority() *keyfob.Authority {
	rk, err := keyfob.ParseRootKey("keyfob-root-1:" + base64.StdEncoding.EncodeToString(random.Bytes(32)))
	if err != nil {
		log.Fatal(err)
	}
	a, err := keyfob.Open(context.Background(), keyfob.Config{Store: memory.Open(), RootKey: rk})
	if err != nil {
		log.Fatal(err)
	}
	return a
}

func ExampleRequire() {
	a := exampleAuthority()
	mux := http.NewServeMux()
	mux.Handle("GET /notes", bearer.Require(a, "read")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, _ := bearer.From(r.Context())
		fmt.Fprintf(w, "the notes of %s", key.Subject)
	})))

	k, err := a.Issue(context.Background(), keyfob.APIKey{Subject: "alice", Scopes: []string{"read"}})
	if err != nil {
		log.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/notes", nil)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))

	r.Header.Set("Authorization", "Bearer "+k.Secret.Reveal())
	w = httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 401 Bearer realm="api"
	// 200 the notes of alice
}

// The same with a server that knows the keys, instead of an Authority in the
// program.
func ExampleRequire_client() {
	c, err := client.New(client.Config{URL: "https://keyfob.example.com", TokenFile: "/run/secrets/keyfob"})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/", bearer.Require(c, "read")(http.FileServer(http.Dir("notes"))))
}

// Behind a proxy that writes the client's address into a header, and takes away
// what the client wrote there. What is refused is logged; what cannot be decided
// is logged louder.
func ExampleConfig_Require() {
	require := bearer.Config{
		Realm: "notes",
		ClientIP: func(r *http.Request) netip.Addr {
			ip, _ := netip.ParseAddr(r.Header.Get("X-Real-IP"))
			return ip
		},
		Log: func(r *http.Request, err error) {
			level := slog.LevelInfo
			if !errors.Is(err, keyfob.ErrInvalid) && !errors.Is(err, bearer.ErrNoToken) && !errors.Is(err, bearer.ErrHeader) {
				level = slog.LevelError
			}
			slog.Log(r.Context(), level, "request refused", "reason", keyfob.Reason(err), "error", err)
		},
	}.Require
	http.Handle("/notes", require(exampleAuthority(), "read")(http.FileServer(http.Dir("notes"))))
}

// Who asks, in a handler behind the middleware.
func ExampleFrom() {
	notes := func(w http.ResponseWriter, r *http.Request) {
		key, ok := bearer.From(r.Context())
		if !ok {
			http.Error(w, "this handler is not guarded", http.StatusInternalServerError)
			return
		}
		slog.Info("notes", "subject", key.Subject, "key", key.ID, "version", key.Versions[0].ID)
	}
	http.Handle("/private", bearer.Require(exampleAuthority())(http.HandlerFunc(notes)))
}
