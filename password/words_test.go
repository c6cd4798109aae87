package password

import (
	"math"
	"math/big"
	"testing"
)

// edgy returns n words, of values at which carries and borrows go wrong.
func (d dice) edgy(n int) []uint64 {
	v := make([]uint64, n)
	for i := range v {
		switch d.IntN(4) {
		case 0:
			v[i] = 0
		case 1:
			v[i] = math.MaxUint64 - uint64(d.IntN(2))
		case 2:
			v[i] = d.Uint64() >> d.IntN(64)
		default:
			v[i] = d.Uint64()
		}
	}
	return v
}

func TestWords(t *testing.T) {
	d := newDice(t)
	for range 50000 {
		n := 1 + d.IntN(5)
		v := d.edgy(1 + d.IntN(n))
		u := d.edgy(n)
		m := d.Uint64() >> d.IntN(64)
		bu, bv, bm := toBig(u), toBig(v), new(big.Int).SetUint64(m)
		product := new(big.Int).Mul(bv, bm)
		limit := new(big.Int).Lsh(big.NewInt(1), uint(64*n))

		if got, want := compare(u, v), bu.Cmp(bv); got != want {
			t.Fatalf("compare(%x, %x) = %d; want %d", u, v, got, want)
		}
		difference := new(big.Int).Sub(bu, product)
		got := make([]uint64, n)
		if negative := subMul(got, u, v, m); negative != (difference.Sign() < 0) {
			t.Fatalf("%x - %d*%x: negative %v", u, m, v, negative)
		}
		if toBig(got).Cmp(new(big.Int).Mod(difference, limit)) != 0 {
			t.Fatalf("%x - %d*%x = %x; want %x", u, m, v, got, difference)
		}
		if sum := new(big.Int).Add(bu, product); sum.Cmp(limit) < 0 {
			got := append([]uint64{}, u...)
			addMul(got, v, m)
			if toBig(got).Cmp(sum) != 0 {
				t.Fatalf("%x + %d*%x = %x; want %x", u, m, v, got, sum)
			}
		}
	}
}

// dividend returns a count of some words, how many ways there are, and a number
// below their product that is often next to a multiple of the count.
func (d dice) dividend(words, mostWays int) (n, count *big.Int, ways int) {
	for count = new(big.Int); count.Sign() == 0; count = toBig(d.edgy(words)) {
	}
	ways = 1 + d.IntN(mostWays)
	n = new(big.Int).Mul(count, big.NewInt(int64(d.IntN(ways+1))))
	n.Add(n, big.NewInt(int64(d.IntN(3)-1)))
	if d.oneIn(2) || n.Sign() < 0 || n.Cmp(new(big.Int).Mul(count, big.NewInt(int64(ways)))) >= 0 {
		n = d.below(new(big.Int).Mul(count, big.NewInt(int64(ways))))
	}
	return n, count, ways
}

// below returns an integer below n, nearly uniform.
func (d dice) below(n *big.Int) *big.Int {
	words := make([]uint64, n.BitLen()/64+2)
	for i := range words {
		words[i] = d.Uint64()
	}
	v := toBig(words)
	return v.Mod(v, n)
}

// fromBig returns the n words of an integer.
func fromBig(v *big.Int, n int) []uint64 {
	words := make([]uint64, n)
	rest, mask := new(big.Int).Set(v), new(big.Int).SetUint64(math.MaxUint64)
	for i := range words {
		words[i] = new(big.Int).And(rest, mask).Uint64()
		rest.Rsh(rest, 64)
	}
	return words
}

func TestDivision(t *testing.T) {
	d := newDice(t)
	for range 50000 {
		words := 1 + d.IntN(5)
		n, count, _ := d.dividend(words, 1<<16)
		u, v := fromBig(n, words+1), fromBig(count, words)
		q := divMod(u, v)
		wantQ, wantR := new(big.Int).DivMod(n, count, new(big.Int))
		if q != wantQ.Uint64() || toBig(u).Cmp(wantR) != 0 {
			t.Fatalf("%x / %x = %d, rest %x; want %d, rest %x", n, count, q, u, wantQ, wantR)
		}
	}
}

// TestHops divides with the reciprocals of a plan. Some counts are such that the
// reciprocal is nearly exact: their 47 leading bits, or those plus 1, divide
// 2^64-1. There the estimate is too high if anything is rounded the wrong way.
func TestHops(t *testing.T) {
	d := newDice(t)
	most := new(big.Int).Lsh(big.NewInt(1), 128)
	for i := range 100000 {
		n, count, ways := d.dividend(1+d.IntN(2), 1<<16)
		if i%10 == 0 {
			shift := uint(d.IntN(60))
			ways = 1 << 16
			count.SetUint64(math.MaxUint64/(3*65537) - uint64(d.IntN(2)))
			count.Add(count, big.NewInt(1)).Lsh(count, shift).Sub(count, big.NewInt(1+int64(d.IntN(2))))
			n.Mul(count, big.NewInt(int64(ways-d.IntN(9)))).Sub(n, big.NewInt(1))
		}
		all := new(big.Int).Mul(count, big.NewInt(int64(ways)))
		if all.Cmp(most) >= 0 {
			continue // the counts of a node have two words at most
		}
		begin := d.below(new(big.Int).Sub(most, all))
		wantQ, wantR := new(big.Int).DivMod(n, count, new(big.Int))

		p := &plan{one: 1}
		b, c := fromBig(begin, 2), fromBig(count, 2)
		p.put(0, hop2{beginHi: b[1], beginLo: b[0], hi: c[1], lo: c[0]})
		u := fromBig(new(big.Int).Add(begin, n), 2)
		q, hi, lo := p.two[0].divide(u[1], u[0])
		if q != wantQ.Uint64() || toBig([]uint64{lo, hi}).Cmp(wantR) != 0 {
			t.Fatalf("(%x - %x) / %x = %d, rest %x %x; want %d, rest %x", u, begin, count, q, hi, lo, wantQ, wantR)
		}
	}
}

func TestShifted(t *testing.T) {
	d := newDice(t)
	for by := range uint32(128) {
		hi, lo := d.Uint64(), d.Uint64()
		want := new(big.Int).Rsh(toBig([]uint64{lo, hi}), uint(by))
		if got := shifted(hi, lo, by); got != fromBig(want, 1)[0] {
			t.Errorf("%x %x shifted by %d is %x; want %x", hi, lo, by, got, want)
		}
	}
}

// TestLog2 compares with the bits of the logarithm, which come out one by one by
// squaring: the square of 2^(x/2) is 2^x.
func TestLog2(t *testing.T) {
	d := newDice(t)
	exact := func(n *big.Int) *big.Float {
		const precision, digits = 400, 120
		x := new(big.Float).SetPrec(precision).SetInt(n)
		whole := n.BitLen() - 1
		x.SetMantExp(x, -whole)
		sum := new(big.Float).SetPrec(precision).SetInt64(int64(whole))
		bit := big.NewFloat(1).SetPrec(precision)
		two := big.NewFloat(2)
		for range digits {
			bit.Quo(bit, two)
			if x.Mul(x, x); x.Cmp(two) >= 0 {
				x.Quo(x, two)
				sum.Add(sum, bit)
			}
		}
		return sum
	}
	for range 1000 {
		n := toBig(d.edgy(1 + d.IntN(100)))
		if d.oneIn(4) { // next to a power of two
			n.Lsh(big.NewInt(1), uint(1+d.IntN(6000)))
			n.Add(n, big.NewInt(int64(d.IntN(3)-1)))
		}
		if n.Sign() == 0 {
			continue
		}
		got, want := log2(n), exact(n)
		down := math.Nextafter(got, math.Inf(-1))
		up := math.Nextafter(got, math.Inf(1))
		if want.Cmp(big.NewFloat(down)) < 0 || want.Cmp(big.NewFloat(up)) > 0 {
			t.Fatalf("log2(%v) = %v; want %.20f", n, got, want)
		}
	}
	if got := log2(big.NewInt(1)); got != 0 {
		t.Errorf("log2(1) = %v; want 0", got)
	}
}
