package draw_test

import (
	"testing"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

// These are the mistakes that samplers are made with. Each must fail the checks
// that the real ones pass; if one passes, the checks have lost their teeth.

func TestMutantsOfBelow(t *testing.T) {
	const n = 62
	refused(t, "remainder of a byte", exact(1, 256, alike(n), func(s *draw.Stream) int {
		return int(s.Next(1)[0]) % n
	}))
	refused(t, "remainder of two bytes", exact(2, 256, alike(n), func(s *draw.Stream) int {
		b := s.Next(2)
		return (int(b[0])<<8 | int(b[1])) % n
	}))
	refused(t, "product without rejection", exact(1, 256, alike(n), func(s *draw.Stream) int {
		return int(s.Next(1)[0]) * n >> 8
	}))
	masked := func(accept func(v int) bool) sampler {
		return func(s *draw.Stream) int {
			for {
				if v := int(s.Next(1)[0]) & 63; accept(v) {
					return v
				}
			}
		}
	}
	check(t, "the bound as it should be", exact(1, 256, alike(n), masked(func(v int) bool { return v < n })))
	refused(t, "bound one too high", exact(1, 256, alike(n), masked(func(v int) bool { return v <= n })))
	refused(t, "bound one too low", exact(1, 256, alike(n), masked(func(v int) bool { return v < n-1 })))
	refused(t, "clamp in place of rejection", exact(1, 256, alike(n), func(s *draw.Stream) int {
		return min(int(s.Next(1)[0])&63, n-1)
	}))
	refused(t, "retry that keeps a bit", exact(2, 256, alike(n), func(s *draw.Stream) int {
		v := int(s.Next(1)[0]) & 63
		for v >= n {
			v = v&32 | int(s.Next(1)[0])&31
		}
		return v
	}))
	refused(t, "mask that lacks a bit", exact(1, 256, alike(n), func(s *draw.Stream) int {
		for {
			if v := int(s.Next(1)[0]) & 31; v < n {
				return v
			}
		}
	}))
}

// mutantOfChars is fold, with a rejection bound of the caller's.
func mutantOfChars(n, floor int) sampler {
	return func(s *draw.Stream) int {
		for {
			product := int(s.Next(1)[0]) * n
			if product&0xff >= floor {
				return product >> 8
			}
		}
	}
}

func TestMutantsOfChars(t *testing.T) {
	for _, n := range []int{10, 26, 62, 94, 129, 255} {
		floor := 256 % n
		check(t, "the bound as it should be", exact(1, 256, alike(n), mutantOfChars(n, floor)))
		// Low bytes are multiples of the greatest common divisor of n and 256: a
		// bound that moves past the next of them rejects one more, or one less.
		step := 1
		for n%(2*step) == 0 {
			step *= 2
		}
		refused(t, "bound too high", exact(1, 256, alike(n), mutantOfChars(n, floor+1)))
		refused(t, "bound too low", exact(1, 256, alike(n), mutantOfChars(n, floor-step)))
		refused(t, "no bound", exact(1, 256, alike(n), mutantOfChars(n, 0)))
	}
	refused(t, "second character that repeats the first", exact(2, 256, alike(100), func(s *draw.Stream) int {
		c := chars(10, 1)(s)
		return c*10 + c
	}))
	refused(t, "two characters of one byte", exact(2, 256, alike(100), func(s *draw.Stream) int {
		return int(s.Next(1)[0]) * 100 >> 8
	}))
}

func mutantOfShuffle(n int, pick func(s *draw.Stream, i int) int) sampler {
	return func(s *draw.Stream) int {
		items := make([]int, n)
		for i := range items {
			items[i] = i
		}
		for i := n - 1; i >= 0; i-- {
			j := pick(s, i)
			items[i], items[j] = items[j], items[i]
		}
		return rank(n, items)
	}
}

func TestMutantsOfShuffle(t *testing.T) {
	bounded := func(bound func(i int) int) func(*draw.Stream, int) int {
		return func(s *draw.Stream, i int) int { return int(s.Below(uint64(max(1, bound(i))))) }
	}
	for n := 3; n <= 4; n++ {
		orders := alike(sequences(n, n))
		check(t, "the bound as it should be", exact(n, 8, orders, mutantOfShuffle(n, bounded(func(i int) int { return i + 1 }))))
		refused(t, "naive shuffle", exact(n, 8, orders, mutantOfShuffle(n, bounded(func(i int) int { return n }))))
		refused(t, "Sattolo's cycles", exact(n, 8, orders, mutantOfShuffle(n, bounded(func(i int) int { return i }))))
		refused(t, "first item left alone", exact(n, 8, orders, mutantOfShuffle(n, func(s *draw.Stream, i int) int {
			if i == 1 {
				return 1
			}
			return int(s.Below(uint64(i) + 1))
		})))
	}
}

func TestMutantsOfSample(t *testing.T) {
	sequence := func(pick func(s *draw.Stream) (int, int)) sampler {
		return func(s *draw.Stream) int {
			a, b := pick(s)
			return rank(4, []int{a, b})
		}
	}
	refused(t, "sample with replacement", exact(2, 256, alike(12), sequence(func(s *draw.Stream) (int, int) {
		return int(s.Below(4)), int(s.Below(4))
	})))
	refused(t, "collision moved to the next", exact(2, 256, alike(12), sequence(func(s *draw.Stream) (int, int) {
		a, b := int(s.Below(4)), int(s.Below(4))
		if a == b {
			b = (b + 1) % 4
		}
		return a, b
	})))
	refused(t, "order of size", exact(2, 256, alike(12), sequence(func(s *draw.Stream) (int, int) {
		items := s.Sample(4, 2)
		return min(items[0], items[1]), max(items[0], items[1])
	})))
	refused(t, "moved item forgotten", exact(2, 256, alike(12), sequence(func(s *draw.Stream) (int, int) {
		return int(s.Below(4)), 1 + int(s.Below(3))
	})))
}

func TestMutantsOfWeighted(t *testing.T) {
	weights, cumulative := []int{3, 0, 2, 1}, []int{3, 3, 5, 6}
	mutant := func(beyond func(total, v int) bool) sampler {
		return func(s *draw.Stream) int {
			v := int(s.Below(6))
			for i, total := range cumulative {
				if beyond(total, v) {
					return i
				}
			}
			return -1
		}
	}
	check(t, "the comparison as it should be", exact(1, 256, weights, mutant(func(total, v int) bool { return total > v })))
	refused(t, "comparison that takes equal", exact(1, 256, weights, mutant(func(total, v int) bool { return total >= v })))
	refused(t, "comparison one too strict", exact(1, 256, weights, mutant(func(total, v int) bool { return total > v+1 })))
	refused(t, "weights ignored", exact(1, 256, weights, func(s *draw.Stream) int { return int(s.Below(4)) }))
}
