package nonce_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/keyfob-dev/keyfob/nonce"
)

func TestCounterForm(t *testing.T) {
	for _, c := range []struct {
		config nonce.CounterConfig
		want   []string
	}{
		{nonce.CounterConfig{}, []string{"000000000000000000000000", "000000000000000000000001", "000000000000000000000002"}},
		{nonce.CounterConfig{Bytes: 12, Prefix: []byte{1, 2, 3, 4}}, []string{"010203040000000000000000", "010203040000000000000001"}},
		{nonce.CounterConfig{Bytes: 16, Block: 1}, []string{strings.Repeat("00", 16), strings.Repeat("00", 15) + "01"}},
		{nonce.CounterConfig{Bytes: 24, Prefix: bytes.Repeat([]byte{0xab}, 16)},
			[]string{strings.Repeat("ab", 16) + strings.Repeat("00", 8), strings.Repeat("ab", 16) + strings.Repeat("00", 7) + "01"}},
		{nonce.CounterConfig{Bytes: 32}, []string{strings.Repeat("00", 32), strings.Repeat("00", 31) + "01"}},
	} {
		c.config.Store = new(nonce.Memory)
		counter, err := nonce.CreateCounter(c.config)
		if err != nil {
			t.Fatal(err)
		}
		clear(c.config.Prefix) // was copied
		for _, want := range c.want {
			if got, err := counter.Next(); err != nil || hex.EncodeToString(got) != want {
				t.Errorf("%x, %v, want %s", got, err, want)
			}
		}
	}
	counter, _ := nonce.CreateCounter(nonce.CounterConfig{Store: new(nonce.Memory)})
	for _, want := range []string{"head" + strings.Repeat("\x00", 12), "head" + strings.Repeat("\x00", 11) + "\x01"} {
		if got, err := counter.Append([]byte("head")); err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	for i := range 600 { // over a byte
		counter.Next()
		if i == 254 {
			if got, _ := counter.Next(); !bytes.HasSuffix(got, []byte{1, 1}) {
				t.Errorf("%x", got)
			}
		}
	}
}

func TestCounterRefuses(t *testing.T) {
	store := new(nonce.Memory)
	for _, c := range []struct {
		config nonce.CounterConfig
		want   error
	}{
		{nonce.CounterConfig{}, nonce.ErrConfig},
		{nonce.CounterConfig{Store: store, Bytes: 8}, nonce.ErrSize},
		{nonce.CounterConfig{Store: store, Bytes: -12}, nonce.ErrSize},
		{nonce.CounterConfig{Store: store, Prefix: []byte{1, 2, 3}}, nonce.ErrConfig},
		{nonce.CounterConfig{Store: store, Prefix: []byte{1, 2, 3, 4, 5}}, nonce.ErrConfig},
		{nonce.CounterConfig{Store: store, Bytes: 16, Prefix: []byte{1, 2, 3, 4}}, nonce.ErrConfig},
	} {
		for _, make := range []func(nonce.CounterConfig) (*nonce.Counter, error){nonce.CreateCounter, nonce.OpenCounter} {
			if counter, err := make(c.config); !errors.Is(err, c.want) || counter != nil {
				t.Errorf("%+v: %v", c.config, err)
			}
		}
	}
	if _, err := nonce.CreateCounter(nonce.CounterConfig{Store: store, AtLeast: 1}); !errors.Is(err, nonce.ErrConfig) {
		t.Error(err)
	}
	if record, _ := store.Load(); record != nil {
		t.Errorf("%q was stored", record)
	}
}

// Create and open are not taken for each other, so that no count begins anew.
func TestCreateAndOpen(t *testing.T) {
	store := new(nonce.Memory)
	if _, err := nonce.OpenCounter(nonce.CounterConfig{Store: store}); !errors.Is(err, nonce.ErrMissing) {
		t.Errorf("open of nothing: %v", err)
	}
	a, err := nonce.CreateCounter(nonce.CounterConfig{Store: store, Block: 10})
	if err != nil {
		t.Fatal(err)
	}
	first, _ := a.Next()
	if _, err := nonce.CreateCounter(nonce.CounterConfig{Store: store}); !errors.Is(err, nonce.ErrExists) {
		t.Errorf("create twice: %v", err)
	}
	if _, err := nonce.OpenCounter(nonce.CounterConfig{Store: store, Prefix: []byte("abcd")}); !errors.Is(err, nonce.ErrForeign) {
		t.Errorf("open with another prefix: %v", err)
	}
	b, err := nonce.OpenCounter(nonce.CounterConfig{Store: store, AtLeast: a.Reserved()})
	if err != nil {
		t.Fatal(err)
	}
	if next, err := b.Next(); err != nil || bytes.Compare(next, first) <= 0 || next[11] != 10 {
		t.Errorf("%x after %x, %v", next, first, err)
	}
	if _, err := nonce.OpenCounter(nonce.CounterConfig{Store: store, AtLeast: b.Reserved() + 1}); !errors.Is(err, nonce.ErrWentBack) {
		t.Errorf("a count lower than it was: %v", err)
	}
}

// Of many who create a count at once, one does.
func TestCreateRaces(t *testing.T) {
	for name, store := range stores(t) {
		var wg sync.WaitGroup
		errs := make([]error, 16)
		for i := range errs {
			wg.Go(func() { _, errs[i] = nonce.CreateCounter(nonce.CounterConfig{Store: store}) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, nonce.ErrExists):
				t.Errorf("%s: %v", name, err)
			}
		}
		if won != 1 {
			t.Errorf("%s: %d created it", name, won)
		}
	}
}

// Many counters on one store, as in many processes, and many goroutines on each: every
// nonce comes once.
func TestCounterRaces(t *testing.T) {
	const counters, routines, each = 4, 4, 500
	for name, store := range stores(t) {
		config := nonce.CounterConfig{Store: store, Block: 37}
		if _, err := nonce.CreateCounter(config); err != nil {
			t.Fatal(err)
		}
		got := make([][][]byte, counters*routines)
		var wg sync.WaitGroup
		for i := range counters {
			counter, err := nonce.OpenCounter(config)
			if err != nil {
				t.Fatal(err)
			}
			for j := range routines {
				wg.Go(func() {
					for range each {
						b, err := counter.Next()
						if err != nil {
							t.Errorf("%s: %v", name, err)
							return
						}
						got[i*routines+j] = append(got[i*routines+j], b)
					}
				})
			}
		}
		wg.Wait()
		seen := map[string]bool{}
		for _, nonces := range got {
			for i, b := range nonces {
				if seen[string(b)] {
					t.Fatalf("%s: %x came twice", name, b)
				}
				seen[string(b)] = true
				if i > 0 && bytes.Compare(b, nonces[i-1]) <= 0 {
					t.Fatalf("%s: %x after %x", name, b, nonces[i-1])
				}
			}
		}
		if len(seen) != counters*routines*each {
			t.Errorf("%s: %d nonces", name, len(seen))
		}
	}
}

func stores(t *testing.T) map[string]nonce.Store {
	return map[string]nonce.Store{"memory": new(nonce.Memory), "file": fileStore(t)}
}

// A store that is put back while a counter is in use is noticed before one more block
// is taken, and for as long as it is so. So is one that is damaged, or empty.
func TestCounterNoticesWhatWentBack(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(records [][]byte) []byte
		want   error
	}{
		{"put back by a block", func(r [][]byte) []byte { return r[len(r)-2] }, nonce.ErrWentBack},
		{"put back to the start", func(r [][]byte) []byte { return r[0] }, nonce.ErrWentBack},
		{"damaged", func(r [][]byte) []byte { return r[0][1:] }, nonce.ErrDamaged},
		{"empty", func(r [][]byte) []byte { return []byte{} }, nonce.ErrDamaged},
		{"missing", func(r [][]byte) []byte { return nil }, nonce.ErrMissing},
	} {
		store := &traced{}
		counter, err := nonce.CreateCounter(nonce.CounterConfig{Store: store, Block: 4})
		if err != nil {
			t.Fatal(err)
		}
		for range 11 { // three blocks, of which one number is left
			if _, err := counter.Next(); err != nil {
				t.Fatal(err)
			}
		}
		good := store.record
		store.record = c.change(store.records)
		if b, err := counter.Next(); err != nil || b[11] != 11 {
			t.Errorf("%s: the number that was reserved: %x, %v", c.name, b, err)
		}
		for range 3 {
			if b, err := counter.Append([]byte("head")); !errors.Is(err, c.want) || string(b) != "head" {
				t.Errorf("%s: %x, %v", c.name, b, err)
			}
		}
		store.record = good
		if b, err := counter.Next(); err != nil || b[11] != 12 {
			t.Errorf("%s, and repaired: %x, %v", c.name, b, err)
		}
	}
}

// traced is a Store that remembers what it held.
type traced struct {
	record  []byte
	records [][]byte
}

func (s *traced) Load() ([]byte, error) { return s.record, nil }

func (s *traced) Swap(old, new []byte) error {
	if !bytes.Equal(s.record, old) {
		return nonce.ErrChanged
	}
	s.record = bytes.Clone(new)
	s.records = append(s.records, s.record)
	return nil
}

// The errors of a store come through.
func TestStoreErrors(t *testing.T) {
	broken := errors.New("the disk is gone")
	s := &failing{err: broken}
	if _, err := nonce.OpenCounter(nonce.CounterConfig{Store: s}); !errors.Is(err, broken) {
		t.Error(err)
	}
	s.err, s.swapErr = nil, broken
	if _, err := nonce.CreateCounter(nonce.CounterConfig{Store: s}); !errors.Is(err, broken) {
		t.Error(err)
	}
	s.swapErr = nil
	counter, err := nonce.CreateCounter(nonce.CounterConfig{Store: s, Block: 1})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.swapErr = broken
		if _, err := counter.Next(); !errors.Is(err, broken) {
			t.Error(err)
		}
		s.err, s.swapErr = broken, nil
		if _, err := counter.Next(); !errors.Is(err, broken) {
			t.Error(err)
		}
		s.err = nil
	}
	if b, err := counter.Next(); err != nil || !bytes.Equal(b, make([]byte, 12)) {
		t.Errorf("after the errors: %x, %v", b, err)
	}
}

type failing struct {
	nonce.Memory
	err, swapErr error
}

func (f *failing) Load() ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	return f.Memory.Load()
}

func (f *failing) Swap(old, new []byte) error {
	if f.swapErr != nil {
		return f.swapErr
	}
	return f.Memory.Swap(old, new)
}
