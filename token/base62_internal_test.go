package token

import (
	"math"
	"math/big"
	"testing"
)

// TestBase62Fractions proves what base62Length rests on, exactly: p/q is below
// 8/log2(62) if and only if 62^p < 2^8q.
func TestBase62Fractions(t *testing.T) {
	side := func(p, q int64) int {
		power := new(big.Int).Exp(big.NewInt(62), big.NewInt(p), nil)
		return power.Cmp(new(big.Int).Lsh(big.NewInt(1), uint(8*q)))
	}
	if side(upperNum, upperDen) <= 0 {
		t.Error("the upper fraction is below 8/log2(62)")
	}
	if side(lowerNum, lowerDen) >= 0 {
		t.Error("the lower fraction is above 8/log2(62)")
	}
	if upperNum*lowerDen-lowerNum*upperDen != 1 {
		t.Error("the fractions are not neighbours")
	}
	if upperDen+lowerDen <= MaxBytes {
		t.Error("the fractions are not near enough for MaxBytes")
	}
	for n := upperDen; n <= MaxBytes; n += upperDen { // where rounding up starts from an integer
		if got, want := base62Length(n), n/upperDen*upperNum; got != want {
			t.Errorf("%d bytes take %d characters; want %d", n, got, want)
		}
	}
	if math.Log2(62) != log2of62 {
		t.Errorf("log2of62 is %v; want %v", log2of62, math.Log2(62))
	}
	if secretLength != base62Length(32) {
		t.Errorf("the secret has %d characters; 256 bits take %d", secretLength, base62Length(32))
	}
}
