// Package framing is the one encoding under every MAC, hash and signature of
// keyfob: a list of fields, each with its length before it. No two lists of
// fields encode alike.
package framing

import (
	"encoding/binary"
	"strconv"
)

// Append appends a field: its length as a big-endian uint32, then its bytes.
func Append[T ~string | ~[]byte](b []byte, field T) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
	return append(b, field...)
}

// AppendInt appends a number as a field of its decimal digits.
func AppendInt[T ~int | ~int64](b []byte, n T) []byte {
	var digits [20]byte
	return Append(b, strconv.AppendInt(digits[:0], int64(n), 10))
}
