package random_test

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	mathrand "math/rand/v2"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/keyfob-dev/keyfob/random"
)

// fair is a test of a whole function: internal/draw proves that its samplers are
// exact, and this shows that the function asks the right one for the right range.
//
// It draws 500 times as many outcomes as there are, and bounds Pearson's statistic,
// which for fair draws is distributed as chi-square with k = len(weights)-1 degrees
// of freedom. By Laurent and Massart, such a variable exceeds k + 2*sqrt(k*x) + 2*x
// with a probability of at most exp(-x). x = 25 gives 1.4e-11; with the 20 or so
// uses below, a false alarm in less than one of 10^9 runs.
func fair(t *testing.T, what string, weights []int, sample func() int) {
	t.Helper()
	const x = 25
	total := 0
	for _, w := range weights {
		total += w
	}
	draws := 500 * total
	counts := make([]int, len(weights))
	for range draws {
		outcome := sample()
		if outcome < 0 || outcome >= len(counts) || weights[outcome] == 0 {
			t.Fatalf("%s gives outcome %d, which is not possible", what, outcome)
		}
		counts[outcome]++
	}
	statistic, k := 0.0, -1.0
	for i, w := range weights {
		if w == 0 {
			continue
		}
		want := float64(draws) * float64(w) / float64(total)
		statistic += (float64(counts[i]) - want) * (float64(counts[i]) - want) / want
		k++
	}
	if limit := k + 2*math.Sqrt(k*x) + 2*x; statistic > limit {
		t.Errorf("%s: chi-square is %.1f, above %.1f; counts %d for weights %d", what, statistic, limit, counts, weights)
	}
}

// alike returns n equal weights.
func alike(n int) []int { return slices.Repeat([]int{1}, n) }

func TestIntIsFair(t *testing.T) {
	for _, n := range []int{1, 2, 3, 6, 100, 255, 256, 257} {
		fair(t, fmt.Sprintf("Int(%d)", n), alike(n), func() int { return random.Int(n) })
	}
	fair(t, "Int of a named type", alike(5), func() int { return int(random.Int(5 * time.Nanosecond)) })
	fair(t, "BigInt", alike(257), func() int { return int(random.BigInt(big.NewInt(257)).Int64()) })
	fair(t, "Bits", alike(32), func() int { return int(random.Bits(5).Int64()) })
}

// inRange draws from the whole of a type. Whether a bit of the result varies is
// asked 64 times: a false alarm comes once in 2^63 draws of a bit.
func inRange[N random.Integer](t *testing.T, n N) {
	t.Helper()
	var ones, zeros N
	for range 64 {
		v := random.Int(n)
		if v < 0 || v >= n {
			t.Fatalf("Int(%T(%d)) is %d", n, n, v)
		}
		ones |= v
		zeros |= ^v & n
	}
	if ones < n/2 || zeros < n/2 {
		t.Errorf("Int(%T(%d)): a bit does not vary: ones %b, zeros %b", n, n, ones, zeros)
	}
}

func TestIntOfEveryType(t *testing.T) {
	inRange[int](t, math.MaxInt)
	inRange[int8](t, math.MaxInt8)
	inRange[int16](t, math.MaxInt16)
	inRange[int32](t, math.MaxInt32)
	inRange[int64](t, math.MaxInt64)
	inRange[uint](t, math.MaxUint)
	inRange[uint8](t, math.MaxUint8)
	inRange[uint16](t, math.MaxUint16)
	inRange[uint32](t, math.MaxUint32)
	inRange[uint64](t, math.MaxUint64)
	inRange[uint64](t, 1<<63)
	inRange[uintptr](t, math.MaxUint32)
	inRange[time.Duration](t, math.MaxInt64)
}

func TestBig(t *testing.T) {
	n := new(big.Int).Lsh(big.NewInt(1), 300)
	before := n.String()
	if v := random.BigInt(n); v.Sign() < 0 || v.Cmp(n) >= 0 || v.BitLen() < 200 { // shorter: once in 2^100
		t.Errorf("BigInt(2^300) is %v", v)
	}
	if n.String() != before {
		t.Errorf("BigInt changed its bound to %v", n)
	}
	for _, k := range []int{1, 7, 8, 9, 64, 1000} {
		all := new(big.Int)
		for range 100 { // a bit that is never set: once in 2^100
			v := random.Bits(k)
			if v.Sign() < 0 || v.BitLen() > k {
				t.Fatalf("Bits(%d) is %v", k, v)
			}
			all.Or(all, v)
		}
		if all.BitLen() != k || int(all.TrailingZeroBits()) != 0 {
			t.Errorf("Bits(%d): 100 of them have together only %b", k, all)
		}
	}
}

func TestBytes(t *testing.T) {
	for _, n := range []int{1, 2, 31, 32, 33, 1000, 1 << 16} {
		ones, zeros := make([]byte, n), make([]byte, n)
		for range 100 { // a bit that never varies: once in 2^99, and there are 2^19
			b := random.Bytes(n)
			if len(b) != n || cap(b) != n && n%8 == 0 {
				t.Fatalf("Bytes(%d) has %d bytes, and room for %d", n, len(b), cap(b))
			}
			for i := range b {
				ones[i] |= b[i]
				zeros[i] |= ^b[i]
			}
		}
		all := bytes.Repeat([]byte{0xff}, n)
		if !bytes.Equal(ones, all) || !bytes.Equal(zeros, all) {
			t.Errorf("Bytes(%d): a bit is the same in 100 draws", n)
		}
	}
}

func TestChoosing(t *testing.T) {
	items := []int{0, 1, 2, 3, 4}
	fair(t, "Choice", alike(5), func() int { return random.Choice(items) })
	for _, weights := range [][]int{{3, 2, 1, 0, 4}, {0, 0, 0, 0, 1}, {0, 1, 0, 0, 255}} {
		fair(t, fmt.Sprintf("Choices(%d)", weights), weights, func() int { return random.Choices(items, weights, 1)[0] })
	}
	fair(t, "Choices of two, even", alike(25), func() int {
		two := random.Choices(items, nil, 2)
		return 5*two[0] + two[1]
	})
	fair(t, "Choices of two, weighted", []int{9, 3, 3, 1}, func() int {
		two := random.Choices(items[:2], []int{3, 1}, 2)
		return 2*two[0] + two[1]
	})
	fair(t, "Sample", alike(20), func() int {
		two := random.Sample(items, 2)
		return rank(5, two)
	})
	fair(t, "Shuffle", alike(120), func() int {
		order := slices.Clone(items)
		random.Shuffle(order)
		return rank(5, order)
	})
	fair(t, "Perm", alike(24), func() int { return rank(4, random.Perm(4)) })
	if !slices.Equal(items, []int{0, 1, 2, 3, 4}) {
		t.Errorf("the items were changed to %d", items)
	}
}

// rank numbers a sequence of different integers of 0 to n-1 among all such.
func rank(n int, items []int) int {
	r := 0
	for i, item := range items {
		smaller := item
		for _, before := range items[:i] {
			if before == item {
				return -1
			}
			if before < item {
				smaller--
			}
		}
		r = r*(n-i) + smaller
	}
	return r
}

// TestSums takes weights whose sum is the largest possible.
func TestSums(t *testing.T) {
	most := []int{math.MaxInt, math.MaxInt, 1}
	if got := random.Choices([]string{"a", "b", "c"}, most, 100); slices.Contains(got, "c") { // once in 2^57
		t.Error("an item of weight 1 in 2^64 was chosen")
	}
}

func TestLarge(t *testing.T) {
	const n = 100_000
	order := random.Perm(n)
	if slices.IsSorted(order) {
		t.Error("Perm is in order")
	}
	few := random.Sample(order, 100)
	most := random.Sample(order, n-1)
	slices.Sort(order)
	for i, item := range order {
		if item != i {
			t.Fatalf("Perm lacks %d", i)
		}
	}
	for _, sample := range [][]int{few, most} {
		slices.Sort(sample)
		if distinct := slices.Compact(slices.Clone(sample)); len(distinct) != len(sample) {
			t.Errorf("Sample of %d has only %d different items", len(sample), len(distinct))
		}
	}
}

func TestEmpty(t *testing.T) {
	random.Shuffle([]int(nil))
	random.Shuffle([]int{7})
	for what, got := range map[string]int{
		"Perm(0)": len(random.Perm(0)), "Sample of none": len(random.Sample([]int(nil), 0)),
		"Choices of 0": len(random.Choices([]int{1}, nil, 0)),
	} {
		if got != 0 {
			t.Errorf("%s has %d items", what, got)
		}
	}
}

// TestNothingIsKept runs every function twice on the same bytes of the system. If
// a call left random bytes behind for the next, the second run would differ.
func TestNothingIsKept(t *testing.T) {
	items := []int{1, 2, 3, 4, 5, 6, 7, 8, 9}
	for what, f := range map[string]func() any{
		"Bytes":   func() any { return random.Bytes(5) },
		"Int":     func() any { return random.Int(1000) },
		"BigInt":  func() any { return random.BigInt(big.NewInt(math.MaxInt64)).String() },
		"Bits":    func() any { return random.Bits(77).String() },
		"Choice":  func() any { return random.Choice(items) },
		"Choices": func() any { return random.Choices(items, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, 3) },
		"Sample":  func() any { return random.Sample(items, 4) },
		"Perm":    func() any { return random.Perm(20) },
		"Shuffle": func() any { c := slices.Clone(items); random.Shuffle(c); return c },
		"Source":  func() any { return random.Source{}.Uint64() },
	} {
		seen := map[string]bool{}
		for seed := range uint64(20) {
			cryptotest.SetGlobalRandom(t, seed)
			first := f()
			cryptotest.SetGlobalRandom(t, seed)
			if again := f(); !reflect.DeepEqual(first, again) {
				t.Errorf("%s depends on an earlier call: %v, then %v", what, first, again)
			}
			seen[fmt.Sprint(first)] = true
		}
		if len(seen) < 3 { // it does not read crypto/rand at all
			t.Errorf("%s gives only %d different results for 20 states of the system", what, len(seen))
		}
	}
}

func TestSource(t *testing.T) {
	var ones, zeros uint64
	for range 100 {
		v := random.Source{}.Uint64()
		ones, zeros = ones|v, zeros|^v
	}
	if ones != math.MaxUint64 || zeros != math.MaxUint64 { // once in 2^93
		t.Errorf("a bit does not vary in 100 draws: ones %x, zeros %x", ones, zeros)
	}
	r := mathrand.New(random.Source{})
	fair(t, "IntN of a Rand", alike(6), func() int { return r.IntN(6) })
	fair(t, "Float64 of a Rand", alike(10), func() int { return int(10 * r.Float64()) })
	fair(t, "Perm of a Rand", alike(24), func() int { return rank(4, r.Perm(4)) })
	// The mean of 10,000 standard normals has a deviation of 0.01, that of as many
	// exponentials of mean 1 as well (their 10,000-fold sum is almost normal). Ten
	// deviations are passed once in 10^23; for the exponential, whose tail is
	// heavier, Chernoff's bound exp(-10000*(d-ln(1+d))) at d = 0.1 is 4e-21.
	normal, exponential := 0.0, 0.0
	for range 10_000 {
		normal += r.NormFloat64() / 10_000
		exponential += r.ExpFloat64() / 10_000
	}
	if math.Abs(normal) > 0.1 || math.Abs(exponential-1) > 0.1 {
		t.Errorf("means are %v for normal, %v for exponential variates", normal, exponential)
	}
}

func TestConcurrent(t *testing.T) {
	r := mathrand.New(random.Source{})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				random.Bytes(8)
				random.Int(100)
				random.Bits(100)
				random.Perm(10)
				random.Choices([]int{1, 2}, []int{1, 2}, 10)
				random.Sample([]int{1, 2, 3}, 2)
				r.Float64()
			}
		})
	}
	group.Wait()
}

// TestPanics holds every argument that only a programmer can get wrong. A sentence
// names the function, and says what would be right.
func TestPanics(t *testing.T) {
	two := []string{"a", "b"}
	for _, c := range []struct {
		call string
		f    func()
		want string
	}{
		{"Bytes(0)", func() { random.Bytes(0) }, "must be 1 to 1073741824 bytes"},
		{"Bytes(-1)", func() { random.Bytes(-1) }, "must be 1 to 1073741824 bytes"},
		{"Bytes(1<<30+1)", func() { random.Bytes(1<<30 + 1) }, "must be 1 to 1073741824 bytes"},
		{"Bytes(MaxInt)", func() { random.Bytes(math.MaxInt) }, "must be 1 to 1073741824 bytes"},
		{"Int(0)", func() { random.Int(0) }, "must be 1 or more"},
		{"Int(-1)", func() { random.Int(-1) }, "must be 1 or more"},
		{"Int(MinInt64)", func() { random.Int(int64(math.MinInt64)) }, "must be 1 or more"},
		{"Int(uint 0)", func() { random.Int(uint8(0)) }, "must be 1 or more"},
		{"BigInt(nil)", func() { random.BigInt(nil) }, "must be 1 or more"},
		{"BigInt(0)", func() { random.BigInt(new(big.Int)) }, "must be 1 or more"},
		{"BigInt(-1)", func() { random.BigInt(big.NewInt(-1)) }, "must be 1 or more"},
		{"BigInt(2^2^30)", func() { random.BigInt(new(big.Int).Lsh(big.NewInt(1), 1<<30)) }, "at most 1073741824"},
		{"Bits(0)", func() { random.Bits(0) }, "must be 1 to 1073741824 bits"},
		{"Bits(-1)", func() { random.Bits(-1) }, "must be 1 to 1073741824 bits"},
		{"Bits(MaxInt)", func() { random.Bits(math.MaxInt) }, "must be 1 to 1073741824 bits"},
		{"Choice(nil)", func() { random.Choice([]int(nil)) }, "must be at least one"},
		{"Choices of no items", func() { random.Choices([]int{}, nil, 0) }, "must be at least one"},
		{"Choices(-1)", func() { random.Choices(two, nil, -1) }, "must be 0 to 134217728"},
		{"Choices(MaxInt)", func() { random.Choices(two, nil, math.MaxInt) }, "must be 0 to 134217728"},
		{"Choices, 1 weight", func() { random.Choices(two, []int{1}, 1) }, "must be one for each"},
		{"Choices, 0 weights", func() { random.Choices(two, []int{}, 1) }, "must be one for each"},
		{"Choices, negative", func() { random.Choices(two, []int{3, -1}, 1) }, "must be 0 or more"},
		{"Choices, all 0", func() { random.Choices(two, []int{0, 0}, 1) }, "at least one must be"},
		{"Choices, sum 2^64", func() {
			random.Choices([]int{1, 2, 3}, []int{math.MaxInt, math.MaxInt, 2}, 1)
		}, "must be less"},
		{"Sample(-1)", func() { random.Sample(two, -1) }, "must be 0 to 2"},
		{"Sample(3 of 2)", func() { random.Sample(two, 3) }, "must be 0 to 2"},
		{"Perm(-1)", func() { random.Perm(-1) }, "must be 0 to 134217728"},
		{"Perm(MaxInt)", func() { random.Perm(math.MaxInt) }, "must be 0 to 134217728"},
	} {
		name := strings.FieldsFunc(c.call, func(r rune) bool { return r == '(' || r == ' ' || r == ',' })[0]
		got, _ := panicOf(c.f).(string)
		if !strings.HasPrefix(got, "random: "+name) || !strings.Contains(got, c.want) {
			t.Errorf("%s panics with %q; want a sentence of %q that says %q", c.call, got, "random: "+name, c.want)
		}
	}
}

func panicOf(f func()) (r any) {
	defer func() { r = recover() }()
	f()
	return nil
}

// TestAllocates pins what a draw costs besides its result: nothing.
func TestAllocates(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return // under which crypto/rand itself allocates
	}
	items := []int{1, 2, 3, 4, 5}
	for what, c := range map[string]struct {
		f    func()
		want float64
	}{
		"Bytes":   {func() { _ = random.Bytes(32) }, 1},
		"Int":     {func() { random.Int(1000) }, 0},
		"Choice":  {func() { random.Choice(items) }, 0},
		"Shuffle": {func() { random.Shuffle(items) }, 0},
		"Uint64":  {func() { random.Source{}.Uint64() }, 0},
	} {
		if got := testing.AllocsPerRun(100, c.f); got > c.want {
			t.Errorf("%s allocates %v times; %v are enough", what, got, c.want)
		}
	}
}
