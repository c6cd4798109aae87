package otp

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"hash"
)

// A mac1 computes HMAC-SHA-1 (RFC 2104) for one seed. It does what crypto/hmac does,
// and as many hashes of a block more as that saves by keeping states, but on the
// caller's stack: crypto/hmac allocates its states, which takes longer than the
// hashes of a code. FIPS 140 is no reason to use the other, since HMAC-SHA-1 is not
// approved in either form.
type mac1 struct {
	inner [sha1.BlockSize + 8]byte         // key xor ipad, counter
	outer [sha1.BlockSize + sha1.Size]byte // key xor opad, inner hash
}

// key sets the seed. m is zero.
func (m *mac1) key(seed Seed) {
	text := seed.text()
	if len(text) > sha1.BlockSize {
		var long [MaxSeed]byte
		key := sha1.Sum(long[:copy(long[:], text)])
		clear(long[:])
		copy(m.inner[:], key[:])
		clear(key[:])
	} else {
		copy(m.inner[:], text)
	}
	for i := range sha1.BlockSize {
		m.outer[i] = m.inner[i] ^ 0x5c
		m.inner[i] ^= 0x36
	}
}

// value returns the truncated HMAC of a counter.
func (m *mac1) value(counter uint64) uint32 {
	binary.BigEndian.PutUint64(m.inner[sha1.BlockSize:], counter)
	sum := sha1.Sum(m.inner[:])
	copy(m.outer[sha1.BlockSize:], sum[:])
	sum = sha1.Sum(m.outer[:])
	return truncate(sum[:])
}

// clear overwrites the key.
func (m *mac1) clear() { *m = mac1{} }

// A mac2 computes HMAC-SHA-256 or HMAC-SHA-512 for one seed, as crypto/hmac does it,
// whose code is what is validated for FIPS 140. It is not for concurrent use.
type mac2 struct {
	hash    hash.Hash
	message [8]byte
	sum     [64]byte
}

// newMAC2 is called with a seed and an algorithm that were checked.
func newMAC2(a Algorithm, seed Seed) *mac2 {
	var key [MaxSeed]byte
	n := copy(key[:], seed.text())
	m := &mac2{hash: hmac.New(a.new(), key[:n])}
	clear(key[:n])
	return m
}

// value returns the truncated HMAC of a counter.
func (m *mac2) value(counter uint64) uint32 {
	binary.BigEndian.PutUint64(m.message[:], counter)
	m.hash.Reset()
	m.hash.Write(m.message[:])
	return truncate(m.hash.Sum(m.sum[:0]))
}

// clear overwrites the last HMAC. The key is out of reach.
func (m *mac2) clear() { clear(m.sum[:]) }

// truncate is the dynamic truncation of RFC 4226, section 5.3: the 31 bits at the
// offset that the low half of the last byte gives. The last byte is that of the whole
// HMAC, which has 20, 32 or 64 (RFC 6238, appendix A).
func truncate(sum []byte) uint32 {
	return binary.BigEndian.Uint32(sum[sum[len(sum)-1]&0xf:]) & 0x7fffffff
}
