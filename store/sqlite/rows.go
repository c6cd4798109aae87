package sqlite

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/ncruces/go-sqlite3"

	"github.com/keyfob-dev/keyfob/store"
)

// A row reads the columns of a row from left to right.
type row struct {
	stmt   *sqlite3.Stmt
	column int
}

func (r *row) next() int {
	r.column++
	return r.column - 1
}

func (r *row) text() string   { return r.stmt.ColumnText(r.next()) }
func (r *row) integer() int64 { return r.stmt.ColumnInt64(r.next()) }

func (r *row) blob() []byte { return r.stmt.ColumnBlob(r.next(), nil) }

// null reports whether the column that comes next is NULL. It stays the next.
func (r *row) null() bool { return r.stmt.ColumnType(r.column) == sqlite3.NULL }

func (r *row) time() time.Time { return time.UnixMilli(r.integer()).UTC() }

// optionalTime is a time that is zero when the column is NULL.
func (r *row) optionalTime() time.Time {
	if r.null() {
		r.column++
		return time.Time{}
	}
	return r.time()
}

// milliseconds is a time as a parameter. The zero time is a number as any
// other, so that it has its place in the order of times.
func milliseconds(t time.Time) int64 { return t.UnixMilli() }

// optionalMilliseconds is a time that is NULL when it is zero.
func optionalMilliseconds(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// optionalBlob is a copy of a BLOB, which is NULL when it is empty.
func optionalBlob(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return bytes.Clone(b)
}

var (
	kinds = []store.Kind{
		store.KindAPIKey, store.KindSession, store.KindLink, store.KindCode, store.KindTOTP, store.KindRecovery,
	}
	states = []store.State{
		store.StateActive, store.StateSuspended, store.StateRedeemed, store.StateReplaced, store.StateRevoked,
	}
)

// oneOf makes text a string, which takes no memory where it is one of those that
// are known.
func oneOf[T ~string](known []T, text []byte) T {
	for _, k := range known {
		if string(k) == string(text) {
			return k
		}
	}
	return T(text)
}

const spaceColumns = `id, name, prefix, revision, created`

func (r *row) space() store.Space {
	return store.Space{ID: r.text(), Name: r.text(), Prefix: r.text(), Revision: r.integer(), Created: r.time()}
}

// credentialColumns are those of table c but for the space, which whoever asks
// knows, as the revocation of table r has made them, if there is one.
const credentialColumns = `c.id, c.kind, c.subject, c.purpose, c.binding, c.name, c.scopes, c.attributes,
	c.expires, iif(r.number IS NULL, c.state, 'revoked'), ifnull(r.reason, c.reason), c.revision, c.created, c.current, c.previous,
	c.not_before, c.cidrs, c.uses, c.used, c.limit_rate, c.limit_per, c.limit_burst, ifnull(r.at, c.updated),
	c.next_step, c.idle, c.seen`

func (r *row) credential(c *store.Credential, space string) (err error) {
	c.Space = space
	c.ID = r.text()
	c.Kind = oneOf(kinds, r.stmt.ColumnRawText(r.next()))
	c.Subject, c.Purpose, c.Binding, c.Name = r.text(), r.text(), r.text(), r.text()
	if c.Scopes, err = texts(r.stmt.ColumnRawText(r.next())); err != nil {
		return err
	}
	if c.Attributes, err = attributes(r.stmt.ColumnRawText(r.next())); err != nil {
		return err
	}
	c.Expires = r.optionalTime()
	c.State = oneOf(states, r.stmt.ColumnRawText(r.next()))
	c.Reason, c.Revision, c.Created = r.text(), r.integer(), r.time()
	c.Current, c.Previous = r.text(), r.text()
	c.NotBefore = r.optionalTime()
	if c.CIDRs, err = texts(r.stmt.ColumnRawText(r.next())); err != nil {
		return err
	}
	c.Uses, c.Used = r.integer(), r.integer()
	c.Limit = store.Limit{Rate: r.integer(), Per: time.Duration(r.integer()) * time.Millisecond, Burst: r.integer()}
	c.Updated, c.NextStep = r.optionalTime(), r.integer()
	c.Idle, c.Seen = time.Duration(r.integer())*time.Millisecond, r.optionalTime()
	return nil
}

// versionColumns are those of table v but for its credential and space.
const versionColumns = `v.id, v.number, v.prefix, v.digest, v.root_key, v.created, v.ends,
	v.first_used, v.last_used, v.sealed`

func (r *row) version(v *store.Version, of *store.Credential) {
	v.Credential, v.Space = of.ID, of.Space
	v.ID, v.Number, v.Prefix = r.text(), r.integer(), r.text()
	v.Digest, v.RootKey = r.blob(), int(r.integer())
	v.Created, v.Ends = r.time(), r.optionalTime()
	v.FirstUsed, v.LastUsed, v.Sealed = r.optionalTime(), r.optionalTime(), r.blob()
}

// numVersionColumns is how many columns a version that is not there has, all of
// them NULL.
const numVersionColumns = 10

// item reads a credential and two versions.
func (r *row) item(item *store.Item, space string) error {
	c := &item.Credential
	if err := r.credential(c, space); err != nil {
		return err
	}
	for range 2 {
		if r.null() {
			r.column += numVersionColumns
			continue
		}
		var v store.Version
		r.version(&v, c)
		item.Versions = append(item.Versions, v)
	}
	return nil
}

const eventColumns = `number, id, time, actor, type, credential, version, subject, reason, root_key, mac, seq, link`

func (r *row) event(space string) store.Event {
	return store.Event{
		Number: r.integer(), ID: r.text(), Space: space, Time: r.time(), Actor: r.text(), Type: r.text(),
		Credential: r.text(), Version: r.text(), Subject: r.text(), Reason: r.text(),
		RootKey: int(r.integer()), MAC: r.blob(), Seq: r.integer(), Link: r.blob(), // NULL is 0 and nil
	}
}

// errNotJSON hides the error of the decoder, which quotes what it read.
var errNotJSON = errors.New("the scopes, attributes or networks of a credential are not JSON; the database is damaged")

// plainStrings returns the strings of a JSON array or object that encode has written,
// in their order: of an object, name and value by turns. It is on the path of
// each verification, and takes a tenth of the time of package json, which it
// leaves the rest to: text with escapes, and all that encode does not write.
func plainStrings(text []byte) (list []string, ok bool) {
	last := len(text) - 1
	if last < 1 || text[0] != '[' && text[0] != '{' || text[last] != text[0]+2 || bytes.IndexByte(text, '\\') >= 0 {
		return nil, false // [ and ], { and } are two apart in ASCII
	}
	list = make([]string, 0, bytes.Count(text, []byte{'"'})/2)
	for rest := text[1:]; len(rest) > 1; rest = rest[1:] {
		end := bytes.IndexByte(rest[1:], '"') + 1
		if rest[0] != '"' || end == 0 {
			return nil, false
		}
		list = append(list, string(rest[1:end]))
		rest = rest[end+1:]
	}
	return list, true
}

func texts(text []byte) ([]string, error) {
	if string(text) == "[]" {
		return nil, nil
	}
	if list, ok := plainStrings(text); ok {
		return list, nil
	}
	var list []string
	if json.Unmarshal(text, &list) != nil || list == nil {
		return nil, errNotJSON // or null, which is no list
	}
	return list, nil
}

func attributes(text []byte) (map[string]string, error) {
	if string(text) == "{}" {
		return nil, nil
	}
	if list, ok := plainStrings(text); ok && len(list)%2 == 0 {
		attributes := make(map[string]string, len(list)/2)
		for i := 0; i < len(list); i += 2 {
			attributes[list[i]] = list[i+1]
		}
		return attributes, nil
	}
	var attributes map[string]string
	if json.Unmarshal(text, &attributes) != nil || attributes == nil {
		return nil, errNotJSON
	}
	return attributes, nil
}

// errNotUTF8 is about what JSON cannot hold.
var errNotUTF8 = errors.New("a scope, an attribute, a network or an id is not UTF-8")

// jsonTexts are the fields of a credential that are kept as JSON.
type jsonTexts struct{ scopes, attributes, cidrs string }

func textsOf(c *store.Credential) (t jsonTexts, err error) {
	if t.scopes, err = listText(c.Scopes); err != nil {
		return t, err
	}
	if t.attributes, err = attributesText(c.Attributes); err != nil {
		return t, err
	}
	t.cidrs, err = listText(c.CIDRs)
	return t, err
}

func listText(list []string) (string, error) {
	if len(list) == 0 {
		return "[]", nil
	}
	for _, s := range list {
		if !utf8.ValidString(s) {
			return "", errNotUTF8
		}
	}
	return encode(list)
}

func attributesText(attributes map[string]string) (string, error) {
	if len(attributes) == 0 {
		return "{}", nil
	}
	for name, value := range attributes {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return "", errNotUTF8
		}
	}
	return encode(attributes)
}

// encode writes JSON without HTML's escapes. Maps are in ascending order of keys.
func encode(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}
