package nonce

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// A record is what is stored of a count: one line of text, without an end,
//
//	keyfob-count-1 <owner> <count> <checksum>
//
// The owner names the key or counter, without a secret. The checksum is of everything
// before it, and finds damage; whoever can write records can also make one.
const recordPrefix = "keyfob-count-1 "

const (
	maxRecord    = 256 // bytes
	checksumSize = 8   // bytes, twice as many characters
)

// formatRecord returns the record of a count.
func formatRecord(owner string, count uint64) []byte {
	text := recordPrefix + owner + " " + strconv.FormatUint(count, 10) + " "
	return []byte(text + checksum(text))
}

func checksum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:checksumSize])
}

// parseRecord returns the count in a record of the owner. It accepts what
// formatRecord returns, and nothing else.
func parseRecord(record []byte, owner string) (uint64, error) {
	if len(record) > maxRecord {
		return 0, fmt.Errorf("%w: it has over %d bytes", ErrDamaged, maxRecord)
	}
	text, ok := strings.CutPrefix(string(record), recordPrefix)
	if !ok {
		return 0, fmt.Errorf("%w: it does not begin with %q", ErrDamaged, recordPrefix)
	}
	fields := strings.Split(text, " ")
	if len(fields) != 3 {
		return 0, fmt.Errorf("%w: it is not whole", ErrDamaged)
	}
	if fields[2] != checksum(string(record[:len(record)-len(fields[2])])) {
		return 0, fmt.Errorf("%w: its checksum does not match", ErrDamaged)
	}
	count, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil || strconv.FormatUint(count, 10) != fields[1] {
		return 0, fmt.Errorf("%w: it holds no number", ErrDamaged)
	}
	if fields[0] != owner {
		return 0, fmt.Errorf("%w: it is of %.64q, and not of %q", ErrForeign, fields[0], owner)
	}
	return count, nil
}
