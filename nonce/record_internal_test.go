package nonce

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
)

// The form is frozen: a count that an older version stored has to be read.
func TestRecordIsFrozen(t *testing.T) {
	const want = "keyfob-count-1 counter-00000000 65536 3216052a0d67f3bf"
	if got := string(formatRecord("counter-00000000", 65536)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRecordRoundTrip(t *testing.T) {
	for _, n := range []uint64{0, 1, 9, 10, 1<<32 - 1, 1 << 32, math.MaxUint64 - 1, math.MaxUint64} {
		record := formatRecord("owner", n)
		if got, err := parseRecord(record, "owner"); err != nil || got != n {
			t.Errorf("%d came back as %d, %v", n, got, err)
		}
		if _, err := parseRecord(record, "other"); !errors.Is(err, ErrForeign) || errors.Is(err, ErrDamaged) {
			t.Errorf("of another owner: %v", err)
		}
	}
	longest := formatRecord("counter-"+strings.Repeat("0", 2*(32-counterSize)), math.MaxUint64)
	if len(longest) > maxRecord {
		t.Errorf("a record of %d bytes; at most %d are read", len(longest), maxRecord)
	}
}

// Every record that lacks something, has something more, or differs in one byte is
// refused.
func TestDamagedRecords(t *testing.T) {
	record := formatRecord("counter-00000000", 65536)
	refused := func(b []byte) {
		t.Helper()
		if n, err := parseRecord(b, "counter-00000000"); !errors.Is(err, ErrDamaged) || n != 0 {
			t.Fatalf("%q is accepted as %d, %v", b, n, err)
		}
	}
	for i := range record {
		refused(record[:i])
		refused(record[i+1:])
		refused(append(bytes.Clone(record[:i]), record[i+1:]...))
		for c := range 256 {
			if changed := bytes.Clone(record); byte(c) != record[i] {
				changed[i] = byte(c)
				refused(changed)
			}
		}
	}
	for c := range 256 {
		refused(append(bytes.Clone(record), byte(c)))
		refused(append([]byte{byte(c)}, record...))
	}
	refused(append(bytes.Clone(record), record...))
	refused(bytes.Repeat([]byte{' '}, 1<<20))
}

// What has a right checksum and another spelling is refused as well.
func TestRecordHasOneSpelling(t *testing.T) {
	for _, text := range []string{
		recordPrefix + "owner 007 ", recordPrefix + "owner +7 ", recordPrefix + "owner -7 ", recordPrefix + "owner 0x7 ",
		recordPrefix + "owner 7_0 ", recordPrefix + "owner  ", recordPrefix + "owner 7  ", recordPrefix + " owner 7 ",
		recordPrefix + "owner 18446744073709551616 ", recordPrefix + "owner 7.0 ", "keyfob-count-2 owner 7 ",
		recordPrefix + strings.Repeat("x", maxRecord) + " 7 ",
	} {
		if n, err := parseRecord([]byte(text+checksum(text)), "owner"); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q is accepted as %d, %v", text, n, err)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	for _, n := range []uint64{0, 1, 65536, 1 << 32, math.MaxUint64} {
		record := formatRecord("owner", n)
		f.Add(record, "owner")
		f.Add(record, "other")
		f.Add(record[:len(record)-1], "owner")
	}
	f.Add([]byte{}, "")
	f.Add([]byte(recordPrefix), "")
	f.Add([]byte(recordPrefix+"  "), "")
	f.Fuzz(func(t *testing.T, record []byte, owner string) {
		n, err := parseRecord(record, owner)
		switch {
		case err == nil && !bytes.Equal(formatRecord(owner, n), record):
			t.Fatalf("%q is another spelling of %q", record, formatRecord(owner, n))
		case err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign):
			t.Fatal(err)
		case err != nil && n != 0:
			t.Fatalf("%d with the error %v", n, err)
		}
	})
}
