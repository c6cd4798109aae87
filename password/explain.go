package password

import (
	"fmt"
	"math"
	"math/big"
)

// An Explanation says what a policy amounts to.
type Explanation struct {
	Length   int      // characters of a password
	Alphabet int      // characters that can occur
	Count    *big.Int // N, the number of passwords that satisfy the policy
	Bits     float64  // log2 N

	// Plain is the chance that a plain draw, of Length characters each uniform over
	// the alphabet, satisfies the policy: N / Alphabet^Length, rounded once. It is 0
	// where that is below the smallest float64.
	Plain float64

	// Shuffle is about "one of each, then shuffle".
	Shuffle Shuffle
}

// A Shuffle says how far the usual way to meet minimums is from uniform. That way
// draws the minimum of each class uniformly from the class, fills up with
// characters that are uniform over the alphabet, and shuffles all of them. It
// favours passwords with many characters of the classes that have a minimum: a
// password with n of a class whose minimum is m comes n!/(n-m)! times as often as
// it should, relative to the others.
type Shuffle struct {
	// Reason says why there are no figures for this policy; it is empty if there
	// are: where a rule is not kept by shuffling, where classes with minimums
	// overlap, or where there are too many cases.
	Reason string

	// Distance is the total variation distance from uniform, 0 to 1: the difference
	// in probability of the set of passwords for which it is largest. It is the sum,
	// over all numbers of characters of each class, of exact probabilities; the
	// error of computing in floating point is below 1e-9.
	Distance float64

	// Ratio is how many times as likely as the rarest password the most frequent
	// one is, rounded once; 1 is uniform.
	Ratio float64
}

// maxCases bounds the numbers of characters of each class that Explain sums over.
const maxCases = 1 << 22

// Explain computes what the policy amounts to. Beyond what Compile has computed it
// takes some microseconds, and for Shuffle a time in proportion to the ways to
// distribute the length over the classes with minimums and the rest, of which
// there may be 2^22: about a tenth of a second.
func (g *Generator) Explain() Explanation {
	return Explanation{
		Length:   g.spec.length,
		Alphabet: len(g.spec.alphabet),
		Count:    g.Count(),
		Bits:     g.bits,
		Plain:    g.plain(),
		Shuffle:  g.spec.shuffle(g.count),
	}
}

// plain returns the count divided by the number of all texts.
func (g *Generator) plain() float64 {
	all := big.NewInt(int64(len(g.spec.alphabet)))
	all.Exp(all, big.NewInt(int64(g.spec.length)), nil)
	return quotient(g.count, all)
}

// quotient returns a/b as a float64, rounded once but for a part in 2^50 of the
// last place.
func quotient(a, b *big.Int) float64 {
	const precision = 53 + 50
	f := new(big.Float).SetPrec(precision)
	f.Quo(new(big.Float).SetPrec(precision).SetInt(a), new(big.Float).SetPrec(precision).SetInt(b))
	q, _ := f.Float64()
	return q
}

// A filling is the way to fill, shuffle: classes with minimums, and the rest of
// the alphabet as one more, without a minimum.
type filling struct {
	length    int
	size, min []int
	fill      int       // characters beyond the minimums
	logs      []float64 // log n!
	scale     float64   // log of count times the probability of a password, but for the product
	count     float64   // log of the count
	distance  float64
}

// shuffle computes how far the usual way is from uniform.
func (s *spec) shuffle(count *big.Int) Shuffle {
	f := &filling{length: s.length, fill: s.length}
	rest := len(s.alphabet)
	taken := newBitset(len(s.alphabet))
	for _, l := range s.limits {
		switch {
		case l.max > 0 && l.max < s.length:
			return Shuffle{Reason: "shuffling does not keep a maximum"}
		case l.min == 0:
			continue
		case l.set.meets(taken):
			return Shuffle{Reason: "classes with minimums overlap"}
		}
		for i, w := range l.set {
			taken[i] |= w
		}
		f.size, f.min = append(f.size, l.set.count()), append(f.min, l.min)
		f.fill -= l.min
		rest -= l.set.count()
	}
	for _, r := range s.rules() {
		if r.kind != minimum && r.kind != maximum {
			return Shuffle{Reason: "shuffling does not keep the rule: " + r.text}
		}
	}
	if rest > 0 {
		f.size, f.min = append(f.size, rest), append(f.min, 0)
	}
	if f.cases() > maxCases {
		return Shuffle{Reason: fmt.Sprintf("there are more than %d ways to distribute %d characters over %d classes", maxCases, s.length, len(f.size))}
	}
	f.prepare(len(s.alphabet), count)
	f.sum(0, f.fill, 0, 0)
	return Shuffle{Distance: f.distance, Ratio: f.ratio()}
}

// cases returns how many ways there are to distribute the characters beyond the
// minimums, or some number above maxCases.
func (f *filling) cases() int {
	n := 1
	for i := 1; i < len(f.size); i++ { // n is fill+i over i
		if n = n * (f.fill + i) / i; n > maxCases {
			break
		}
	}
	return n
}

// prepare computes what all cases have in common. A password with n(k) characters
// of class k comes with the probability
//
//	(L-M)!/L! * product of n(k)!/(n(k)-m(k))! / size(k)^m(k) / alphabet^(L-M)
//
// where L is the length and M the sum of the minimums m(k): of L!/product of n(k)!
// orders of the classes that the shuffle may make, (L-M)!/product of
// (n(k)-m(k))! orders of the filling lead to each.
func (f *filling) prepare(alphabet int, count *big.Int) {
	f.logs = make([]float64, f.length+1)
	for n := range f.logs {
		f.logs[n], _ = math.Lgamma(float64(n + 1))
	}
	above, below := new(big.Int).Set(count), big.NewInt(1)
	mul := func(n *big.Int, factor, power int) {
		p := big.NewInt(int64(factor))
		n.Mul(n, p.Exp(p, big.NewInt(int64(power)), nil))
	}
	for n := f.fill + 1; n <= f.length; n++ {
		mul(below, n, 1)
	}
	for k, m := range f.min {
		mul(below, f.size[k], m)
	}
	mul(below, alphabet, f.fill)
	whole, part := split(count)
	f.count = (float64(whole) + part) * math.Ln2
	high, frac := split(above)
	low, frac2 := split(below)
	f.scale = (float64(high-low) + frac - frac2) * math.Ln2
}

// sum adds the cases in which so many characters beyond the minimums are left for
// the classes from k on. share is the logarithm of how many passwords the case has,
// but for L!, and product that of the product of n!/(n-m)!.
//
// The distance is the sum, over all passwords that come too rarely, of what they
// lack: 1/N minus their probability.
func (f *filling) sum(k, left int, share, product float64) {
	from := 0
	if k == len(f.size)-1 {
		from = left // the last class takes what is left
	}
	logSize := math.Log(float64(f.size[k]))
	for extra := from; extra <= left; extra++ {
		n := f.min[k] + extra
		share := share + float64(n)*logSize - f.logs[n]
		product := product + f.logs[n] - f.logs[extra]
		if k < len(f.size)-1 {
			f.sum(k+1, left-extra, share, product)
			continue
		}
		if relative := math.Exp(f.scale + product); relative < 1 {
			f.distance += math.Exp(share+f.logs[f.length]-f.count) * (1 - relative)
		}
	}
}

// ratio returns the largest product of n!/(n-m)! divided by the smallest. The
// logarithm of the product is concave, so that the largest is found by giving one
// character after the other to the class where it multiplies the most, and the
// smallest by giving all to one class.
func (f *filling) ratio() float64 {
	extra := make([]int, len(f.min))
	for range f.fill {
		// One more of n multiplies by (n+1)/(n+1-m).
		best := 0
		for k, m := range f.min {
			n, b := m+extra[k]+1, f.min[best]+extra[best]+1
			if n*(b-f.min[best]) > b*(n-m) {
				best = k
			}
		}
		extra[best]++
	}
	above, below := big.NewInt(1), (*big.Int)(nil)
	for k, m := range f.min {
		above.Mul(above, falling(m+extra[k], m))
	}
	for all := range f.min {
		p := big.NewInt(1)
		for k, m := range f.min {
			n := m
			if k == all {
				n += f.fill
			}
			p.Mul(p, falling(n, m))
		}
		if below == nil || p.Cmp(below) < 0 {
			below = p
		}
	}
	return quotient(above, below)
}

// falling returns n!/(n-m)!.
func falling(n, m int) *big.Int {
	return new(big.Int).MulRange(int64(n-m+1), int64(n))
}
