package otp

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/random"
)

type searcher func(code func(uint64) uint32, w window, presented uint32) result

// checkSearch runs a search on many windows and compares with what it has to find,
// written down the plain way. It also looks at what was computed: all of the window,
// in order, wherever the matches are.
func checkSearch(search searcher) error {
	r := rand.New(random.Source{})
	for range 20_000 {
		w := window{first: r.Uint64N(6), down: r.IntN(2) == 0, count: 1 + r.IntN(6), last: Never()}
		if r.IntN(2) == 0 {
			w.first -= 3 // beyond the greatest number
		}
		w.top = []uint64{math.MaxUint64, math.MaxUint64 / 2, w.first + 2}[r.IntN(3)]
		if r.IntN(4) > 0 {
			w.last = After(r.Uint64N(8) - r.Uint64N(2)*8)
		}
		codes := map[uint64]uint32{}
		var computed []uint64
		code := func(n uint64) uint32 {
			computed = append(computed, n)
			if _, ok := codes[n]; !ok {
				codes[n] = r.Uint32N(3) // so that equal codes are common
			}
			return codes[n]
		}
		presented := r.Uint32N(4)
		got := search(code, w, presented)
		var want result
		var window []uint64
		for i := range w.count {
			n := w.first + uint64(i)
			if w.down {
				n = w.first - uint64(i)
			}
			window = append(window, n)
			c, ok := codes[n]
			switch {
			case !ok || c != presented || n > w.top:
			case w.last == Never() || n > w.last.n:
				want.number, want.matched = n, true
			default:
				want.replayed = true
			}
		}
		if got != want {
			return fmt.Errorf("%+v of %d in %v is %+v; want %+v", w, presented, codes, got, want)
		}
		if fmt.Sprint(computed) != fmt.Sprint(window) {
			return fmt.Errorf("%+v: the codes of %d are computed; they are to be those of %d, whatever matches", w, computed, window)
		}
	}
	return nil
}

func TestSearch(t *testing.T) {
	if err := checkSearch(search); err != nil {
		t.Error(err)
	}
}

// plain is search with plain branches, and knobs to break it with.
type plain struct {
	exitOnMatch, exitOnReplay bool
	first                     bool // the first match stays
	acceptLast, ignoreLast    bool
	ignoreTop, strictTop      bool
	skipPassed                bool // computes nothing for what cannot match
	oneMore, oneLess          bool
	upOnly                    bool
	noReplay                  bool
}

func (p plain) search(code func(uint64) uint32, w window, presented uint32) (r result) {
	count := w.count
	if p.oneMore {
		count++
	}
	if p.oneLess {
		count--
	}
	for i := range uint64(count) {
		n := w.first + i
		if w.down && !p.upOnly {
			n = w.first - i
		}
		fresh := w.last.before(n) == 1 || p.ignoreLast || p.acceptLast && n == w.last.n
		inside := n < w.top || n == w.top && !p.strictTop || p.ignoreTop
		if p.skipPassed && !(fresh && inside) {
			continue
		}
		if code(n) != presented || !inside {
			continue
		}
		if fresh {
			if !p.first || !r.matched {
				r.number, r.matched = n, true
			}
			if p.exitOnMatch {
				return r
			}
		} else {
			r.replayed = !p.noReplay
			if p.exitOnReplay {
				return r
			}
		}
	}
	return r
}

func TestMutantsOfSearch(t *testing.T) {
	if err := checkSearch(plain{}.search); err != nil {
		t.Errorf("the plain search, as it should be: %v", err)
	}
	for name, mutant := range map[string]plain{
		"early exit on a match": {exitOnMatch: true}, "early exit on a replay": {exitOnReplay: true},
		"the first match stays": {first: true}, "accepts the last again": {acceptLast: true},
		"ignores the last": {ignoreLast: true}, "ignores the top": {ignoreTop: true}, "leaves the top out": {strictTop: true},
		"computes only what can match": {skipPassed: true}, "one candidate more": {oneMore: true},
		"one candidate less": {oneLess: true}, "goes up only": {upOnly: true}, "does not tell replays": {noReplay: true},
	} {
		err := checkSearch(mutant.search)
		if err == nil {
			t.Errorf("the mutant %q passes", name)
		} else {
			t.Logf("%s: %.150s", name, err)
		}
	}
}

// checkWindow looks at which distances from the present step, or from the last
// counter, a window accepts: for every step, after every last.
func checkWindow(skew int, window func(step uint64, last Last) window) error {
	for _, step := range []uint64{0, 1, 2, 3, 50, math.MaxInt64 / 30, math.MaxInt64} {
		lasts := []Last{Never(), After(0), After(math.MaxUint64)}
		for d := range uint64(8) {
			lasts = append(lasts, After(step+d-4))
		}
		for _, last := range lasts {
			for d := int64(-5); d <= 5; d++ {
				n := step + uint64(d)
				code := func(m uint64) uint32 {
					if m == n {
						return 1
					}
					return 0
				}
				r := search(code, window(step, last), 1)
				near := d >= -int64(skew) && d <= int64(skew) && (d >= 0 || uint64(-d) <= step)
				want := near && (last == Never() || n > last.n)
				if r.matched != want || want && r.number != n || r.replayed != (near && !want) {
					return fmt.Errorf("step %d%+d, %v: %+v", step, d, last, r)
				}
			}
		}
	}
	return nil
}

func TestWindow(t *testing.T) {
	for skew := 0; skew <= 3; skew++ {
		real := TOTP{Skew: skew}.window
		if err := checkWindow(skew, real); err != nil {
			t.Errorf("skew %d: %v", skew, err)
		}
		for name, mutant := range map[string]func(w *window){
			"one step too many":     func(w *window) { w.first--; w.count += 2; w.top++ },
			"one later":             func(w *window) { w.first++; w.top++ },
			"one earlier":           func(w *window) { w.first--; w.top-- },
			"one step more":         func(w *window) { w.count++; w.top++ },
			"top forgotten":         func(w *window) { w.top = math.MaxUint64 },
			"last forgotten":        func(w *window) { w.last = Never() },
			"last accepted again":   func(w *window) { w.last.n-- },
			"first of all accepted": func(w *window) { w.first, w.count = w.first-1, w.count+1 },
		} {
			err := checkWindow(skew, func(step uint64, last Last) window {
				w := real(step, last)
				mutant(&w)
				return w
			})
			if err == nil && !(name == "top forgotten" && skew == 0) { // without skew no step is below 0
				t.Errorf("skew %d: the mutant %q passes", skew, name)
			}
		}
	}
}

// checkHOTPWindow is checkWindow for counters: the ones after the last match.
func checkHOTPWindow(size int, window func(last Last) window) error {
	for _, last := range []Last{Never(), After(0), After(1), After(1000), After(math.MaxUint64 - 2), After(math.MaxUint64 - 1), After(math.MaxUint64)} {
		next := last.n + 1 // 0 after the greatest
		if last == Never() {
			next = 0
		}
		for d := int64(-5); d < int64(size)+5; d++ {
			n := next + uint64(d)
			code := func(m uint64) uint32 {
				if m == n {
					return 1
				}
				return 0
			}
			r := search(code, window(last), 1)
			want := d >= 0 && d < int64(size) && (last == Never() || n > last.n)
			if r.matched != want || want && r.number != n {
				return fmt.Errorf("counter %d%+d, %v: %+v", next, d, last, r)
			}
		}
		// Should all have one code, it is that of the lowest.
		if r := search(func(uint64) uint32 { return 1 }, window(last), 1); r.matched != (last.n != math.MaxUint64) || r.matched && r.number != next {
			return fmt.Errorf("%v: of equal codes it takes %+v", last, r)
		}
	}
	return nil
}

func TestHOTPWindow(t *testing.T) {
	for _, size := range []int{1, 2, 10, 100} {
		real := HOTP{Window: size}.window
		if err := checkHOTPWindow(size, real); err != nil {
			t.Errorf("window %d: %v", size, err)
		}
		for name, mutant := range map[string]func(w *window){
			"one counter more":    func(w *window) { w.first++; w.count++ },
			"one counter less":    func(w *window) { w.first--; w.count-- },
			"the last again":      func(w *window) { w.count++; w.last.n-- },
			"last forgotten":      func(w *window) { w.count++; w.last = Never() },
			"moved by one":        func(w *window) { w.first++ },
			"upwards from bottom": func(w *window) { w.first -= uint64(w.count - 1); w.down = false },
		} {
			err := checkHOTPWindow(size, func(last Last) window {
				w := real(last)
				mutant(&w)
				return w
			})
			if err == nil && !(name == "upwards from bottom" && size == 1) {
				t.Errorf("window %d: the mutant %q passes", size, name)
			}
		}
	}
}

// TestEqualCodes: the latest step of equal codes, so that a text does not serve twice.
func TestEqualCodes(t *testing.T) {
	same := func(uint64) uint32 { return 1 }
	r := search(same, TOTP{Skew: 1}.window(100, Never()), 1)
	if r != (result{number: 101, matched: true}) {
		t.Errorf("of equal codes, %+v is taken; want that of 101", r)
	}
	if r = search(same, TOTP{Skew: 1}.window(100, After(101)), 1); r.matched || !r.replayed {
		t.Errorf("after it, %+v", r)
	}
}

// TestErrorsAreFixed: what Verify says of a wrong code does not depend on it.
func TestErrorsAreFixed(t *testing.T) {
	seed := seedOf(t, rfcSeed)
	_, a := HOTP{}.Verify(seed, "000000", Never())
	_, b := HOTP{}.Verify(seed, "999999", Never())
	if a != b || a == nil || strings.ContainsAny(a.Error(), "0123456789") {
		t.Errorf("%v; %v", a, b)
	}
}
