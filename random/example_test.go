package random_test

import (
	"encoding/hex"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob/random"
)

func ExampleBytes() {
	key := random.Bytes(32) // 256 bits
	fmt.Println(len(hex.EncodeToString(key)))
	// Output: 64
}

func ExampleInt() {
	die := 1 + random.Int(6)
	fmt.Println(die >= 1 && die <= 6)

	// A type's own bound gives its own type: here a delay of up to a second.
	delay := random.Int(time.Second)
	fmt.Println(delay < time.Second)
	// Output:
	// true
	// true
}

func ExampleBigInt() {
	// One of all passwords of 40 lower-case letters, by its number.
	count := new(big.Int).Exp(big.NewInt(26), big.NewInt(40), nil)
	number := random.BigInt(count)
	fmt.Println(number.Cmp(count) < 0)
	// Output: true
}

func ExampleBits() {
	n := random.Bits(256)
	fmt.Println(n.BitLen() <= 256)
	// Output: true
}

func ExampleChoice() {
	side := random.Choice([]string{"heads", "tails"})
	fmt.Println(side == "heads" || side == "tails")
	// Output: true
}

func ExampleChoices() {
	// Ten requests, on average seven of them to the first backend, and never one to
	// the third.
	backends := []string{"blue", "green", "off"}
	chosen := random.Choices(backends, []int{7, 3, 0}, 10)
	fmt.Println(len(chosen), slices.Contains(chosen, "off"))
	// Output: 10 false
}

func ExampleSample() {
	entrants := []string{"ada", "bob", "cleo", "dan"}
	winners := random.Sample(entrants, 2) // first and second prize
	fmt.Println(len(winners), winners[0] != winners[1])
	// Output: 2 true
}

func ExampleShuffle() {
	deck := strings.Fields("A K Q J")
	random.Shuffle(deck)
	slices.Sort(deck)
	fmt.Println(deck)
	// Output: [A J K Q]
}

func ExamplePerm() {
	order := random.Perm(5)
	slices.Sort(order)
	fmt.Println(order)
	// Output: [0 1 2 3 4]
}

// Source lends the system's generator to math/rand/v2, for its distributions.
func ExampleSource() {
	r := mathrand.New(random.Source{})

	uniform := 10 + 5*r.Float64()                              // of 10 up to 15
	normal := 100 + 15*r.NormFloat64()                         // mean 100, deviation 15
	wait := time.Duration(r.ExpFloat64() * float64(time.Hour)) // one an hour, on average
	order := r.Perm(52)

	fmt.Println(uniform >= 10 && uniform < 15, normal != 0, wait >= 0, len(order))
	// Output: true true true 52
}
