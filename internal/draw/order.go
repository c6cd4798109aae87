package draw

import "sort"

// Shuffle puts n items into a uniform order, by swapping (Fisher and Yates):
// each of the n! orders is equally likely.
func (s *Stream) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, int(s.Below(uint64(i)+1)))
	}
}

// Sample returns k different integers of 0 to n-1 in random order: each of the
// n!/(n-k)! sequences is equally likely. k is 0 to n. Time and memory are in
// proportion to k, or to n where k is not much smaller.
func (s *Stream) Sample(n, k int) []int {
	if k < 0 || k > n {
		panic("draw: a sample is of 0 to all items")
	}
	if n/16 < k {
		return s.sampleDense(n, k)
	}
	return s.sampleSparse(n, k)
}

// sampleDense takes the first k of all items, in an order of Fisher and Yates
// that goes only so far.
func (s *Stream) sampleDense(n, k int) []int {
	items := make([]int, n)
	for i := range items {
		items[i] = i
	}
	for i := range k {
		j := i + int(s.Below(uint64(n-i)))
		items[i], items[j] = items[j], items[i]
	}
	return items[:k:k]
}

// sampleSparse does the same with the same draws, and remembers only the items
// that are not in their own place.
func (s *Stream) sampleSparse(n, k int) []int {
	picked := make([]int, k)
	moved := make(map[int]int, k)
	at := func(i int) int {
		if item, ok := moved[i]; ok {
			return item
		}
		return i
	}
	for i := range picked {
		j := i + int(s.Below(uint64(n-i)))
		picked[i] = at(j)
		moved[j] = at(i)
	}
	return picked
}

// Weighted returns an index into cumulative, the running totals of integer
// weights, with exactly the probability of its weight over the last total. The
// totals do not decrease, and the last is 1 or more.
func (s *Stream) Weighted(cumulative []uint64) int {
	v := s.Below(cumulative[len(cumulative)-1])
	return sort.Search(len(cumulative), func(i int) bool { return cumulative[i] > v })
}
