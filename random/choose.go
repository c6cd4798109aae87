package random

import (
	"fmt"
	"math/bits"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

// ahead is how many random bytes a call with many draws reads at a time.
const ahead = 512

// Choice returns one of the items, each equally likely: log2(len(items)) bits of
// entropy. It panics if there are none.
func Choice[T any](items []T) T {
	if len(items) == 0 {
		panic("random: Choice of no items: there must be at least one")
	}
	return items[below(uint64(len(items)))]
}

// Choices returns k items, each drawn from all of them anew, so that one can come
// more than once. weights gives the odds of each item, as exact integers: with
// 3, 2 and 1 the first comes half of the time, and one of weight 0 never. With
// nil all are equally likely.
//
// It panics if there are no items, if k is negative or more than MaxSize/8, if
// weights is not nil and has not one weight for each item, if a weight is
// negative, or if their sum is 0 or 2^64 and more.
func Choices[T any](items []T, weights []int, k int) []T {
	if len(items) == 0 {
		panic("random: Choices of no items: there must be at least one")
	}
	if k < 0 || k > maxItems {
		panic(fmt.Sprintf("random: Choices of %d: the number must be 0 to %d", k, maxItems))
	}
	var cumulative []uint64
	n := uint64(len(items))
	if weights != nil {
		cumulative = accumulate(weights, len(items))
		n = cumulative[len(cumulative)-1]
	}
	var buf [ahead]byte
	s := draw.System(draw.Block(buf[:], k, n))
	chosen := make([]T, k)
	for i := range chosen {
		if weights == nil {
			chosen[i] = items[s.Below(n)]
		} else {
			chosen[i] = items[s.Weighted(cumulative)]
		}
	}
	s.Clear()
	return chosen
}

// accumulate returns the running totals of the weights.
func accumulate(weights []int, items int) []uint64 {
	if len(weights) != items {
		panic(fmt.Sprintf("random: Choices with %d weights for %d items: there must be one for each, or nil", len(weights), items))
	}
	cumulative := make([]uint64, len(weights))
	var total, carry uint64
	for i, w := range weights {
		if w < 0 {
			panic(fmt.Sprintf("random: Choices with a weight of %d: each must be 0 or more", w))
		}
		if total, carry = bits.Add64(total, uint64(w), 0); carry != 0 {
			panic("random: Choices with weights whose sum is 2^64 or more: it must be less")
		}
		cumulative[i] = total
	}
	if total == 0 {
		panic("random: Choices with no weight above 0: at least one must be")
	}
	return cumulative
}

// Sample returns k different items in random order: each sequence of k items is
// equally likely. Items count by their place, so that equal ones may both come.
// The slice is not changed. It panics unless k is 0 to len(items).
//
// Time and memory are in proportion to k, or to len(items) where k is not much
// smaller.
func Sample[T any](items []T, k int) []T {
	if k < 0 || k > len(items) {
		panic(fmt.Sprintf("random: Sample of %d from %d items: the number must be 0 to %d", k, len(items), len(items)))
	}
	var buf [ahead]byte
	s := draw.System(draw.Block(buf[:], k, max(1, uint64(len(items)))))
	sample := make([]T, k)
	for i, place := range s.Sample(len(items), k) {
		sample[i] = items[place]
	}
	s.Clear()
	return sample
}

// Shuffle puts the items into a random order, in place: each order is equally
// likely.
func Shuffle[T any](items []T) {
	var buf [ahead]byte
	s := draw.System(draw.Block(buf[:], len(items), max(1, uint64(len(items)))))
	s.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	s.Clear()
}

// Perm returns the integers 0 to n-1 in a random order: each order is equally
// likely. It panics unless n is 0 to MaxSize/8.
func Perm(n int) []int {
	if n < 0 || n > maxItems {
		panic(fmt.Sprintf("random: Perm(%d): the number must be 0 to %d", n, maxItems))
	}
	items := make([]int, n)
	for i := range items {
		items[i] = i
	}
	Shuffle(items)
	return items
}
