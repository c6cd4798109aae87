package storetest

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob/store"
)

// recordChecks are about what the fields of records hold: a store keeps facts,
// so that each comes back as it was given.
var recordChecks = group{"Records", []check{
	{"text comes back byte for byte", textKept},
	{"text that storage may not hold is kept whole or refused whole", textRefused},
	{"text that differs by a byte is different text", textDistinct},
	{"ids and names differ by case", caseDistinct},
	{"bytes come back as they were", bytesKept},
	{"numbers come back as they were", numbersKept},
	{"scopes and networks keep their order, and each its place", scopesKept},
}}

// texts are legal UTF-8 that storage may mistake for something else.
var texts = map[string]string{
	"quotes":             `it's "quoted" ` + "`so`",
	"backslashes":        `a\b\\c\n\u0041\`,
	"SQL":                `'; DROP TABLE credentials; --`,
	"wildcards":          `100%_?*[a-z]`,
	"placeholders":       `$1 ?1 :a @a {0} %s %[1]d`,
	"JSON":               `{"a":["b",null]}`,
	"HTML":               `<b>&amp;</b>`,
	"a null":             `null`,
	"a number":           `00012e3`,
	"space around":       "  around\t",
	"line ends":          "a\r\nb\nc\r",
	"control":            "\x01\x02\x1b[31m\x7f",
	"separators":         "a\u2028b\u2029c\u0085d",
	"separators of keys": "a,b;c|d:e/f\x1f",
	"emoji":              "🔑👩‍👩‍👧‍👦🏳️‍🌈",
	"combining":          "e\u0301 \u00e9 \u1e69 s\u0323\u0307",
	"right to left":      "\u202eabc\u202c שלום",
	"byte order mark":    "\ufeffbom",
	"noncharacters":      "\uffff\ufffe\U0010ffff",
	"replacement":        "\ufffd",
	"case folding":       "ẞß İi ſs ΣΑΣ σας",
	"10 kB":              strings.Repeat("0123456789abcde\n", 640),
	"10 kB of emoji":     strings.Repeat("🔑", 2560),
}

// textRecords makes a record of each type with the text in each field that
// holds text, but for ids.
func (e *env) textRecords(text string) (store.Space, store.Item, store.Event, store.CreateSetting) {
	space := e.newSpace()
	space.Name, space.Prefix = text, text
	e.mu.Lock()
	e.names = append(e.names, text)
	e.settings = append(e.settings, text)
	e.mu.Unlock()
	c := e.newCredential(space.ID)
	c.Subject, c.Purpose, c.Binding, c.Name, c.Reason = text, text, text, text, text
	c.Scopes = []string{text, "", text + text}
	c.CIDRs = []string{text + text, "", text}
	c.Attributes = map[string]string{text: text, "": "", "plain": text, text + text: "plain"}
	v := e.newVersion(c, 1)
	v.Prefix = text
	c.Current = v.ID
	event := e.newEvent(c)
	event.Actor, event.Type, event.Subject, event.Reason = text, text, text, text
	return space, store.Item{Credential: c, Versions: []store.Version{v}}, event,
		store.CreateSetting{Name: text, Value: []byte(text)}
}

// textChange makes the change that creates what textRecords makes.
func (e *env) textChange(text string) (space string, want map[string]any, change store.Change) {
	s, item, event, setting := e.textRecords(text)
	change = copyChange(store.Change{
		Steps: []store.Step{
			store.CreateSpace{Space: s},
			store.CreateCredential{Credential: item.Credential},
			store.CreateVersion{Version: item.Versions[0]},
			setting,
		},
		Events: []store.Event{event},
	})
	return s.ID, map[string]any{
		"the space": s, "the credential": item, "the events": []store.Event{event}, "the setting": setting.Value,
		"the list by subject": []store.Item{item},
	}, change
}

// textAnswers reads what textChange has created.
func (e *env) textAnswers(space, text string) map[string]any {
	return map[string]any{
		"the space":           e.spaceNamed(text),
		"the credential":      e.credentials(store.Query{Space: space, Limit: 1})[0],
		"the events":          numberless(e.allEvents(space)),
		"the setting":         e.setting(text),
		"the list by subject": e.credentials(store.Query{Space: space, Subject: text, Limit: 2}),
	}
}

func textKept(e *env) {
	for what, text := range texts {
		space, want, change := e.textChange(text)
		if err := e.store.Apply(background, change); err != nil {
			e.Errorf("%s: Apply: %v", what, err)
			continue
		}
		e.equal(what, e.textAnswers(space, text), want)
		item := copyItem(want["the credential"].(store.Item))
		c := &item.Credential
		c.Name, c.Reason, c.Scopes = text+"2", text+"2", []string{text + "2", text}
		c.CIDRs = []string{text, text + "2"}
		c.Attributes = map[string]string{text: text + "2"}
		e.apply(store.UpdateCredential{Credential: copyCredential(*c)})
		c.Revision++
		e.equal(what+" in an update", e.credential(space, c.ID), item)
	}
}

// textRefused is about NUL, which text in PostgreSQL cannot hold: it must not
// be stored as something else.
func textRefused(e *env) {
	for _, text := range []string{"a\x00b", "\x00", "a\x00", "\x00b"} {
		space, want, change := e.textChange(text)
		before := e.snapshot()
		err := e.store.Apply(background, change)
		if err == nil {
			e.equal(fmt.Sprintf("%q", text), e.textAnswers(space, text), want)
			continue
		}
		if errors.Is(err, store.ErrConflict) {
			e.Errorf("%q: Apply: %v; want none of a condition", text, err)
		}
		if diff := cmp.Diff(before, e.snapshot()); diff != "" {
			e.Errorf("%q: the refused change left something (-before +after):\n%s", text, diff)
		}
	}
}

// textDistinct keeps texts apart that collations and paddings take for equal.
func textDistinct(e *env) {
	alike := []string{
		"name", "Name", "NAME", "name ", " name", "name\t", "nam\u0065", "n\u00e4me", "na\u0308me", "ｎａｍｅ",
		"name\u200b", "name\ufeff", "na%e", "na_e", "1", "01", "1.0", "true", "TRUE",
	}
	slices.Sort(alike)
	alike = slices.Compact(alike)
	list := e.space()
	want := map[string]store.Item{}
	for _, text := range alike {
		text := e.name + text // other checks share the store
		space := e.newSpace()
		space.Name = text
		setting := store.CreateSetting{Name: text, Value: []byte(text)}
		item, change := e.newIssue(list.ID)
		create := change.Steps[0].(store.CreateCredential)
		create.Credential.Subject = text
		item.Credential.Subject = text
		change.Steps[0] = create
		e.apply(append(change.Steps, store.CreateSpace{Space: space}, setting)...)
		want[text] = item
		e.equal("the space", e.spaceNamed(text), space)
	}
	for text, item := range want {
		e.equal("the setting", e.setting(text), []byte(text))
		items := e.credentials(store.Query{Space: list.ID, Subject: text, Limit: len(want)})
		e.equal(fmt.Sprintf("the list of subject %q", text), items, []store.Item{item})
	}
}

func caseDistinct(e *env) {
	space := e.space()
	lower := strings.ToLower(e.id()[:15]) + "a"
	upper := strings.ToUpper(lower)
	mixed := upper[:15] + "a"
	versions := map[string]string{}
	for i, id := range []string{lower, upper, mixed} {
		c := e.newCredential(space.ID)
		c.ID = id
		v := e.newVersion(c, 1)
		v.ID = "v" + id[1:]
		c.Current = v.ID
		e.apply(store.CreateCredential{Credential: copyCredential(c)}, store.CreateVersion{Version: copyVersion(v)})
		versions[c.ID] = v.ID
		for id, version := range versions {
			e.equal("the credential", e.credential(space.ID, id).Credential.ID, id)
			e.equal("the version", e.version(space.ID, version).Version.Credential, id)
			e.equal("the credential by version", e.credential(space.ID, version).Credential.ID, id)
		}
		e.equal("number of credentials", len(e.credentials(store.Query{Space: space.ID, Limit: 9})), i+1)
	}
	e.missing(space.ID, lower[:15]+"A")
	other := e.newSpace()
	other.ID = swapCase(space.ID)
	e.apply(store.CreateSpace{Space: other})
	e.equal("number of credentials of another space", len(e.credentials(store.Query{Space: other.ID, Limit: 9})), 0)
	e.missing(other.ID, lower)
}

// swapCase makes small letters great and great ones small.
func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if upper := []rune(strings.ToUpper(string(r)))[0]; upper != r {
			return upper
		}
		return []rune(strings.ToLower(string(r)))[0]
	}, s)
}

func bytesKept(e *env) {
	space := e.space()
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	values := [][]byte{all[:32], all[224:], all[100:132], slices.Repeat([]byte{0}, 32), slices.Repeat([]byte{0xff}, 32), all, all[:1]}
	for _, value := range values {
		item, change := e.newIssue(space.ID)
		v := copyVersion(item.Versions[0])
		v.Digest, v.Sealed = value, append(value[1:len(value):len(value)], value[0])
		item.Versions[0] = v
		event := change.Events[0]
		event.MAC = value
		setting := e.newSetting()
		setting.Value = value
		replay := e.newReplay(space.ID)
		replay.Request, replay.Sealed = value, append(value[1:len(value):len(value)], value[0])
		e.applyChange(copyChange(one(store.CreateReplay{Replay: replay})))
		e.equal("the replay", e.replay(space.ID, replay.Name), replay)
		e.applyChange(copyChange(store.Change{
			Steps:  []store.Step{change.Steps[0], store.CreateVersion{Version: v}, setting},
			Events: []store.Event{event},
		}))
		e.equal("the credential", e.credential(space.ID, v.ID), item)
		e.equal("the version", e.version(space.ID, v.ID).Version, v)
		e.equal("the versions", e.versions(space.ID, v.Credential), item.Versions)
		newest := last(e.allEvents(space.ID), 1)
		e.equal("the event", numberless(newest), []store.Event{event})
		e.equal("the setting", e.setting(setting.Name), value)
		head := e.head(space.ID)
		e.apply(store.SealEvents{Space: space.ID, After: head.Seq, Seals: []store.Seal{{Event: newest[0].Number, Link: copyBytes(value)}}})
		e.equal("the link of the event", last(e.allEvents(space.ID), 1)[0].Link, value)
		e.equal("the link of the head", e.head(space.ID).Link, value)
	}
}

func numbersKept(e *env) {
	space := e.space()
	c := e.issue(space.ID).Credential
	for i, number := range []int64{2, math.MaxInt32, math.MaxInt32 + 1, 1<<53 + 1, math.MaxInt64 - 1, math.MaxInt64} {
		v := e.newVersion(c, number)
		event := e.newEvent(c)
		v.RootKey = []int{0, 1, math.MaxInt16, math.MaxInt16 + 1, math.MaxInt32 - 1, math.MaxInt32}[i]
		event.RootKey = v.RootKey
		event.Number = 99 // given by the store, whatever the caller thinks
		e.applyChange(store.Change{
			Steps: []store.Step{store.CreateVersion{Version: copyVersion(v)}}, Events: []store.Event{copyEvent(event)},
		})
		e.equal("the version", e.version(space.ID, v.ID).Version, v)
		limited := e.newCredential(space.ID)
		limited.Uses, limited.Used, limited.NextStep = number, number-1, number-1
		limited.Limit = store.Limit{Rate: number, Per: time.Duration(min(number, math.MaxInt64/1_000_000)) * time.Millisecond, Burst: number}
		limited.Idle = limited.Limit.Per
		e.apply(store.CreateCredential{Credential: copyCredential(limited)})
		e.equal("the credential", e.credential(space.ID, limited.ID).Credential, limited)
		e.apply(use(limited), claim(limited, number-1))
		limited.Used, limited.NextStep = number, number
		e.equal("Used and NextStep", e.credential(space.ID, limited.ID).Credential, limited)
		event.Number = 0
		e.equal("the event", numberless(last(e.allEvents(space.ID), 1)), []store.Event{event})
	}
}

func scopesKept(e *env) {
	space := e.space()
	for _, scopes := range [][]string{
		{"b", "a"}, {"a", "b"}, {"a", "a"}, {""}, {"", ""}, {"a", ""}, {"a b"}, {"a", "b c"}, {"a,b"}, {`a"b`}, {"null"},
	} {
		for _, attributes := range []map[string]string{
			{"": ""}, {"": "a"}, {"a": ""}, {"a": "b", "A": "B", "a ": "c"}, {"0": "0", "1": "1"}, {"a.b": "c", "a": "{}"},
		} {
			c := e.newCredential(space.ID)
			c.Scopes, c.Attributes, c.CIDRs = scopes, maps.Clone(attributes), scopes
			e.apply(store.CreateCredential{Credential: copyCredential(c)})
			e.equal("the credential", e.credential(space.ID, c.ID).Credential, c)
		}
	}
}
