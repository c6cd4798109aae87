package nonce_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/keyfob-dev/keyfob/nonce"
	"github.com/keyfob-dev/keyfob/random"
)

// A key warns once, when 7/8 are used, seals as many messages as it may, and then no
// more.
func TestLimit(t *testing.T) {
	for _, a := range algorithms {
		for limit := uint64(1); limit <= 40; limit++ {
			var warnings []string
			store := new(nonce.Memory)
			config := nonce.KeyConfig{
				Algorithm: a, Store: store, Limit: limit, Block: 7,
				Warn: func(used, limit uint64) { warnings = append(warnings, fmt.Sprintf("%d of %d", used, limit)) },
			}
			k, secret := newKey(t, config)
			var sealed []byte
			for range limit {
				sealed = seal(t, k, []byte("message"), "")
			}
			if want := fmt.Sprintf("[%d of %d]", limit-limit/8+b2i(limit/8 > 0), limit); limit >= 8 && fmt.Sprint(warnings) != want {
				t.Errorf("limit %d: warned at %v, want %s", limit, warnings, want)
			}
			for range 3 {
				buf := []byte("head")
				if got, err := k.Seal(buf, []byte("message"), nil); !errors.Is(err, nonce.ErrExhausted) || got != nil {
					t.Fatalf("limit %d: %x, %v", limit, got, err)
				}
			}
			if k.Reserved() != limit || k.Limit() != limit {
				t.Errorf("%d of %d are reserved, want %d", k.Reserved(), k.Limit(), limit)
			}
			// Also after a restart; and messages can still be opened.
			again, err := nonce.OpenKey(secret, config)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := again.Seal(nil, nil, nil); !errors.Is(err, nonce.ErrExhausted) {
				t.Errorf("limit %d, after a restart: %v", limit, err)
			}
			for _, k := range []*nonce.Key{k, again} {
				if got, err := k.Open(nil, sealed, nil); err != nil || string(got) != "message" {
					t.Errorf("%q, %v", got, err)
				}
			}
		}
	}
}

func b2i(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// The bounds themselves: 2^32 messages with AES-GCM, and no more can be configured.
func TestBounds(t *testing.T) {
	k, _ := newKey(t, nonce.KeyConfig{})
	if k.Limit() != 1<<32 {
		t.Errorf("AES-256-GCM bears %d messages", k.Limit())
	}
	k, _ = newKey(t, nonce.KeyConfig{Algorithm: nonce.XChaCha20Poly1305})
	if k.Limit() != math.MaxUint64 {
		t.Errorf("XChaCha20-Poly1305 bears %d messages", k.Limit())
	}
	store := new(nonce.Memory)
	secret := random.Bytes(nonce.KeySize)
	if _, err := nonce.CreateKey(secret, nonce.KeyConfig{Store: store, Limit: 1<<32 + 1}); !errors.Is(err, nonce.ErrConfig) {
		t.Error(err)
	}
	// Blocks of a size that leads to the end at once.
	config := nonce.KeyConfig{Store: store, Block: 1<<32 - 2}
	if _, err := nonce.CreateKey(secret, config); err != nil {
		t.Fatal(err)
	}
	warned := 0
	config.Warn = func(used, limit uint64) { warned++ }
	for i, want := range []uint64{1<<32 - 2, 1 << 32} {
		k, err := nonce.OpenKey(secret, config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Seal(nil, nil, nil); err != nil || k.Reserved() != want || warned != i {
			t.Errorf("restart %d: %d reserved, %d warnings, %v", i, k.Reserved(), warned, err)
		}
	}
	k, err := nonce.OpenKey(secret, config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Seal(nil, nil, nil); !errors.Is(err, nonce.ErrExhausted) {
		t.Error(err)
	}
}

// Without Warn, the log tells, once, and without a secret.
func TestWarningInTheLog(t *testing.T) {
	var log bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(old)
	k, secret := newKey(t, nonce.KeyConfig{Limit: 8})
	for range 8 {
		seal(t, k, nil, "")
	}
	text := log.String()
	if strings.Count(text, "\n") != 1 || !strings.Contains(text, "level=WARN") || !strings.Contains(text, "used=8 limit=8") {
		t.Errorf("%q", text)
	}
	for i := range secret[4:] {
		if strings.Contains(text, hex.EncodeToString(secret[i:i+4])) {
			t.Errorf("%q shows the secret", text)
		}
	}
}

// Many seal at once: each message counts, one warning comes, and exactly as many are
// sealed as may be.
func TestKeyRaces(t *testing.T) {
	for _, a := range algorithms {
		var mu sync.Mutex
		warned, sealed, refused := 0, 0, 0
		k, _ := newKey(t, nonce.KeyConfig{Algorithm: a, Limit: 1000, Block: 13, Warn: func(used, limit uint64) {
			mu.Lock()
			defer mu.Unlock()
			warned++
		}})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 150 {
					b, err := k.Seal(nil, []byte("message"), nil)
					if err == nil {
						_, err = k.Open(nil, b, nil)
					}
					mu.Lock()
					switch {
					case err == nil:
						sealed++
					case errors.Is(err, nonce.ErrExhausted):
						refused++
					default:
						t.Error(err)
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if warned != 1 || sealed != 1000 || refused != 200 {
			t.Errorf("%v: %d warnings, %d sealed, %d refused", a, warned, sealed, refused)
		}
	}
}
