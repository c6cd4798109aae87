package link_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/link"
	"github.com/keyfob-dev/keyfob/random"
)

// How long an answer takes for an address with an account, and for one without; the work for one is over before the next is asked for. It prints the
// medians, and the one as a share of the other.
func BenchmarkRequest(b *testing.B) {
	worked := make(chan struct{})
	flow, err := link.New(link.Config{
		Verbs: exampleAuthority(), Purpose: "login", Base: "https://app.example/in", Pause: -1,
		Find: func(_ context.Context, typed string) (link.Account, error) {
			account := accounts[typed]
			if account == (link.Account{}) {
				defer func() { worked <- struct{}{} }()
			}
			return account, nil
		},
		Mail: func(context.Context, link.Message) error {
			worked <- struct{}{}
			return nil
		},
		Done:   func(http.ResponseWriter, *http.Request, keyfob.Credential) {},
		Failed: func(err error) { b.Error(err) },
	})
	if err != nil {
		b.Fatal(err)
	}
	defer flow.Close(b.Context())
	h := flow.Request()
	took := map[string][]time.Duration{}
	for b.Loop() {
		// In any order, or each would always come after the other's work.
		for _, address := range random.Sample([]string{"alice@example.com", "nobody@example.com", "alice@example.com", "nobody@example.com"}, 4) {
			r := httptest.NewRequest("POST", "/forgot", strings.NewReader(url.Values{"email": {address}}.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			begin := time.Now()
			h.ServeHTTP(w, r)
			took[address] = append(took[address], time.Since(begin))
			if w.Code != http.StatusAccepted {
				b.Fatal(w.Code)
			}
			<-worked
		}
	}
	known, unknown := median(took["alice@example.com"]), median(took["nobody@example.com"])
	b.ReportMetric(float64(known), "ns/known")
	b.ReportMetric(float64(unknown), "ns/unknown")
	b.ReportMetric(float64(known)/float64(unknown), "known/unknown")
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
