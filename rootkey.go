package keyfob

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

const (
	rootKeySize   = 32
	rootKeyPrefix = "keyfob-root-"
	maxRootKeys   = 64      // versions in one file
	maxRootKeyLen = 8 << 10 // bytes of a file
)

// A RootKey is what every digest, MAC and sealed value hangs on: 32 random
// bytes, in one or more numbered versions. Keep it apart from the database and
// from its backups; without it no credential can be verified.
//
// Its text is lines of the form keyfob-root-<number>:<base64>, as in
//
//	keyfob-root-1:ykV0YzrSnnBnHFgFpYJHSG3VuTdtW9x3mQX0YcZ3ooI=
//
// A RootKey prints as [REDACTED], as a Secret does. It is immutable and safe
// for concurrent use.
type RootKey struct {
	keys func() map[int][]byte // hidden as in Secret
}

// CreateRootKey draws a root key and writes it to a new file at path, readable
// by its owner only (mode 0600), and flushed to the storage. It never replaces
// a file: when there is one, the error matches fs.ErrExist.
func CreateRootKey(path string) (RootKey, error) {
	key := make([]byte, rootKeySize)
	rand.Read(key)
	text := rootKeyPrefix + "1:" + base64.StdEncoding.EncodeToString(key) + "\n"
	if err := writeNewFile(path, text); err != nil {
		return RootKey{}, fmt.Errorf("create root key: %w", err)
	}
	return newRootKey(map[int][]byte{1: key}), nil
}

// writeNewFile makes a file of mode 0600 that is there whole or not at all,
// whenever the process dies, and flushed when it returns.
func writeNewFile(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Link(f.Name(), path) // unlike a rename it replaces nothing
	}
	if err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory makes the names of files just made in it last.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" {
		return nil // it cannot be asked to, and needs not
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// ReadRootKey reads a root key from a file: one that CreateRootKey made, or one
// that a service manager hands over. The file must not be readable by everyone
// nor writable by others than its owner.
func ReadRootKey(path string) (RootKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return RootKey{}, fmt.Errorf("read root key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return RootKey{}, fmt.Errorf("read root key: %w", err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o027 != 0 {
		return RootKey{}, fmt.Errorf("read root key: %s has mode %04o, so that others may read or change it: chmod 0600 %[1]s", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxRootKeyLen+1))
	if err != nil {
		return RootKey{}, fmt.Errorf("read root key: %w", err)
	}
	key, err := ParseRootKey(string(text))
	if err != nil {
		return RootKey{}, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// ParseRootKey reads a root key from its text, for instance an environment
// variable's. Empty lines are allowed, nothing else that is not a key is.
// Errors name the line, never its content, and match ErrRootKey.
func ParseRootKey(text string) (RootKey, error) {
	if len(text) > maxRootKeyLen {
		return RootKey{}, fmt.Errorf("%w: the text has over %d bytes; this is no root key", ErrRootKey, maxRootKeyLen)
	}
	keys := map[int][]byte{}
	for i, line := range strings.Split(text, "\n") {
		if line == "" {
			continue
		}
		number, key, err := parseRootKeyLine(line)
		if err != nil {
			return RootKey{}, fmt.Errorf("%w: line %d %v", ErrRootKey, i+1, err)
		}
		if _, twice := keys[number]; twice {
			return RootKey{}, fmt.Errorf("%w: line %d gives number %d a second time", ErrRootKey, i+1, number)
		}
		keys[number] = key
	}
	switch {
	case len(keys) == 0:
		return RootKey{}, fmt.Errorf("%w: there is no line %sN:BASE64", ErrRootKey, rootKeyPrefix)
	case len(keys) > maxRootKeys:
		return RootKey{}, fmt.Errorf("%w: %d versions are too many; at most %d", ErrRootKey, len(keys), maxRootKeys)
	}
	return newRootKey(keys), nil
}

func parseRootKeyLine(line string) (int, []byte, error) {
	rest, ok := strings.CutPrefix(line, rootKeyPrefix)
	digits, encoded, colon := strings.Cut(rest, ":")
	if !ok || !colon {
		return 0, nil, fmt.Errorf("is not of the form %sN:BASE64", rootKeyPrefix)
	}
	number, err := strconv.Atoi(digits)
	if err != nil || number < 1 || number > 1<<30 || strconv.Itoa(number) != digits {
		return 0, nil, fmt.Errorf("has no number from 1 up after %s", rootKeyPrefix)
	}
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(key) != rootKeySize || base64.StdEncoding.EncodeToString(key) != encoded {
		return 0, nil, fmt.Errorf("is not %d bytes in padded base64 after the colon", rootKeySize)
	}
	return number, key, nil
}

// CSRF returns keys for csrf.NewKey, of 32 bytes, one of each version of the root
// key, the newest first: make tokens with the first, and check with all.
func (k RootKey) CSRF() ([][]byte, error) {
	if k.keys == nil {
		return nil, fmt.Errorf("%w: it is the zero RootKey; see CreateRootKey", ErrRootKey)
	}
	keys := k.keys()
	var all [][]byte
	for _, number := range slices.Backward(slices.Sorted(maps.Keys(keys))) {
		key, err := subkey(keys[number], "csrf")
		if err != nil {
			return nil, fmt.Errorf("derive a key for csrf: %w", err)
		}
		all = append(all, key)
	}
	return all, nil
}

func newRootKey(keys map[int][]byte) RootKey {
	return RootKey{keys: func() map[int][]byte { return keys }}
}

// String returns [REDACTED].
func (k RootKey) String() string { return redacted }

// GoString returns [REDACTED].
func (k RootKey) GoString() string { return redacted }

// Format writes [REDACTED], whatever the verb.
func (k RootKey) Format(f fmt.State, verb rune) { io.WriteString(f, redacted) }

// MarshalText returns [REDACTED].
func (k RootKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns [REDACTED].
func (k RootKey) LogValue() slog.Value { return slog.StringValue(redacted) }
