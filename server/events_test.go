package server

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

const acmeEvents = "/v1/spaces/acme/events"

// types are those of a page of events.
func types(a *answer) (types []string) {
	for _, item := range a.json["items"].([]any) {
		types = append(types, item.(map[string]any)["type"].(string))
	}
	return types
}

// TestEvents: each change has its event, with who, what and why.
func TestEvents(t *testing.T) {
	e := newEnv(t, Limits{})
	caller := e.key(keyfob.OwnSpace, "acme:issue", "acme:revoke")
	token := caller.Secret.Reveal()
	a := e.want(e.ask(token, "POST", acmeKeys, `{"subject":"alice"}`), 201, "")
	id := a.credential()["id"].(string)
	e.want(e.ask(token, "PATCH", acmeKeys+"/"+id, `{"revision":1,"name":"x","uses":3}`), 200, "")
	e.want(e.ask(token, "POST", acmeKeys+"/"+id+"/suspend", `{"reason":"seen"}`), 200, "")
	e.want(e.ask(token, "POST", acmeKeys+"/"+id+"/resume", nil), 200, "")
	e.want(e.ask(token, "POST", acmeKeys+"/"+id+"/rotate", `{"grace":60}`), 201, "")
	e.want(e.ask(token, "POST", acmeKeys+"/"+id+"/rollback", nil), 200, "")
	e.want(e.askWith(e.local, "", "POST", acmeKeys+"/"+id+"/revoke", `{"reason":"gone"}`), 200, "")
	e.key("acme")
	a = e.want(e.ask(e.owner, "GET", acmeEvents+"?credential="+id, nil), 200, "")
	want := []string{"apikey.issued", "apikey.updated", "apikey.suspended", "apikey.resumed", "apikey.rotated", "apikey.rolled_back", "apikey.revoked"}
	if got := types(a); !slices.Equal(got, want) {
		t.Fatalf("events %q, want %q", got, want)
	}
	reasons := map[string]any{"apikey.updated": "name, uses", "apikey.suspended": "seen", "apikey.revoked": "gone"}
	for _, item := range a.json["items"].([]any) {
		ev := item.(map[string]any)
		actor := caller.Credential.ID
		if ev["type"] == "apikey.revoked" {
			actor = localActor()
		}
		if ev["actor"] != actor || ev["credential"] != id || ev["subject"] != "alice" || ev["reason"] != reasons[ev["type"].(string)] || !base62ID.MatchString(ev["id"].(string)) {
			t.Errorf("event %v", ev)
		}
	}
	// A version's id finds nothing: events have the key's.
	if got := types(e.want(e.ask(e.owner, "GET", acmeEvents+"?type=apikey.issued", nil), 200, "")); len(got) != 2 {
		t.Errorf("by type: %q", got)
	}
	if got := types(e.want(e.ask(e.owner, "GET", acmeEvents+"?type=apikey.issue", nil), 200, "")); len(got) != 0 {
		t.Errorf("by another type: %q", got)
	}
	newest := types(e.want(e.ask(e.owner, "GET", acmeEvents+"?order=newest&credential="+id, nil), 200, ""))
	slices.Reverse(newest)
	if !slices.Equal(newest, want) {
		t.Errorf("the newest first: %q", newest)
	}
}

// TestEventPages: pages hold all, once, in either order.
func TestEventPages(t *testing.T) {
	e := newEnv(t, Limits{})
	for range 8 {
		e.key("acme")
	}
	for _, order := range []string{"oldest", "newest"} {
		seen := map[string]bool{}
		path := acmeEvents + "?limit=4&order=" + order
		for pages, after := 1, ""; ; pages++ {
			a := e.want(e.ask(e.owner, "GET", path+after, nil), 200, "")
			for _, item := range a.json["items"].([]any) {
				seen[item.(map[string]any)["id"].(string)] = true
			}
			next := a.json["next"].(string)
			if next == "" {
				if pages != 3 || len(seen) != 9 {
					t.Errorf("%s: %d events on %d pages, want 9 on 3", order, len(seen), pages)
				}
				break
			}
			after = "&after=" + next
			// A place in one list is none in another.
			other := map[string]string{"oldest": "newest", "newest": "oldest"}[order]
			for _, query := range []string{"?order=" + other, "?order=" + order + "&type=apikey.issued"} {
				if a := e.want(e.ask(e.owner, "GET", acmeEvents+query+after, nil), 400, "input"); a.field() != "after" {
					t.Errorf("%s: %v", query, a)
				}
			}
		}
	}
	e.want(e.ask(e.owner, "GET", "/v1/spaces/nowhere/events", nil), 404, "space-not-found")
	e.want(e.ask(e.owner, "POST", "/v1/spaces/nowhere/events/checkpoint", nil), 404, "space-not-found")
	e.want(e.ask(e.owner, "POST", "/v1/spaces/nowhere/events/verify", `{}`), 404, "space-not-found")
}

// TestEventOf: each field of an event has its place in the answer, and what has
// no value is absent.
func TestEventOf(t *testing.T) {
	for want, e := range map[string]keyfob.Event{
		`{"id":"i","time":"2030-01-02T03:04:05.000Z","actor":"a","type":"t","credential":"c","version":"v","subject":"s","reason":"r","seq":7}`: {
			ID: "i", Space: "sp", Time: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC), Actor: "a", Type: "t",
			Credential: "c", Version: "v", Subject: "s", Reason: "r", Seq: 7,
		},
		`{"id":"i","time":"2030-01-02T03:04:05.000Z","actor":"a","type":"t"}`: {
			ID: "i", Time: time.Date(2030, 1, 2, 4, 4, 5, 0, time.FixedZone("", 3600)), Actor: "a", Type: "t",
		},
	} {
		o := eventOf(&e)
		if text, err := o.MarshalJSON(); err != nil || string(text) != want {
			t.Errorf("%s, %v\nwant %s", text, err, want)
		}
	}
}

// proveLog asks for a proof of the log of acme.
func (e *env) proveLog(checkpoints ...string) *answer {
	e.Helper()
	return e.ask(e.owner, "POST", acmeEvents+"/verify", map[string]any{"checkpoints": append([]string{}, checkpoints...)})
}

// findings are those of a report.
func (e *env) findings(a *answer) (found []string) {
	e.Helper()
	for _, item := range e.want(a, 200, "").json["problems"].([]any) {
		p := item.(map[string]any)
		found = append(found, fmt.Sprint(p["found"], " ", p["seq"]))
		if p["text"] == "" {
			e.Errorf("no text: %v", p)
		}
	}
	return found
}

// TestCheckpoints: a checkpoint is signed, seals what the log has, and is
// accepted as it was written and in no other way.
func TestCheckpoints(t *testing.T) {
	e := newEnv(t, Limits{})
	for range 4 {
		e.key("acme")
	}
	before := e.events()
	a := e.want(e.ask(e.owner, "POST", acmeEvents+"/checkpoint", nil), 200, "")
	if e.events() != before || a.json["seq"] != 5.0 || a.json["space"] != "acme" || a.json["root_key"] != 1.0 || len(a.json["link"].(string)) != 64 {
		t.Errorf("checkpoint %v", a)
	}
	c, err := parseCheckpoint(a.text)
	e.must(err)
	if !c.Verify(c.Key) || fmt.Sprintf("%x", c.Signature) != a.json["signature"] {
		t.Errorf("the signature is not good: %v", a)
	}
	report := e.want(e.proveLog(a.text), 200, "")
	if report.text != `{"events":5,"sealed":5,"problems":[],"more":0}` {
		t.Errorf("report %v", report)
	}
	e.key("acme")
	e.findings(e.proveLog(a.text, a.text))
	spaced, err := json.MarshalIndent(a.json, " ", "\t")
	e.must(err)
	if found := e.findings(e.proveLog(string(spaced))); len(found) != 0 {
		t.Errorf("with white space: %q", found)
	}
	for what, text := range tampered(e, a) {
		got := e.want(e.proveLog(a.text, text), 400, "input")
		if got.field() != "checkpoints" {
			t.Errorf("%s: %v", what, got)
		}
	}
	many := slices.Repeat([]string{"{}"}, 101)
	if got := e.want(e.proveLog(many...), 400, "input"); !strings.Contains(got.detail(), "at most 100") {
		t.Errorf("101 checkpoints: %v", got)
	}
}

// tampered are checkpoints that nobody signed.
func tampered(e *env, a *answer) map[string]string {
	texts := map[string]string{
		"nothing": "", "no JSON": "x", "null": "null", "no object": "[]", "an empty object": "{}", "two": a.text + a.text, "half": a.text[:len(a.text)/2],
	}
	for field, values := range map[string][]any{
		"space": {"default", "", "Acme"}, "space_id": {"0000000000000000", ""}, "seq": {4, 6, 0, -1}, "time": {"2001-01-01T00:00:00.000Z", "2001-01-01T00:00:00Z", "x"},
		"root_key": {0, 2, -1, int64(1)<<32 + 1, "1"}, "link": {"", strings.Repeat("0", 64), strings.ToUpper(a.json["link"].(string)) + "F", "0"},
		"key": {"", strings.Repeat("0", 64), "00"}, "signature": {"", strings.Repeat("0", 128), strings.ToUpper(a.json["signature"].(string)), a.json["signature"].(string) + "00"},
		"more": {1}, "problems": {[]string{}},
	} {
		for _, v := range values {
			o := maps.Clone(a.json)
			o[field] = v
			text, err := json.Marshal(o)
			e.must(err)
			texts[fmt.Sprintf("%s %v", field, v)] = string(text)
		}
		o := maps.Clone(a.json)
		if _, there := o[field]; there {
			delete(o, field)
			text, err := json.Marshal(o)
			e.must(err)
			texts["without "+field] = string(text)
		}
	}
	other := e.ask(e.owner, "POST", "/v1/spaces/default/events/checkpoint", nil)
	texts["another space's"] = other.text
	return texts
}

// edited is a store whose log somebody has changed behind the server's back.
type edited struct {
	store.Store
	edit func([]store.Event) []store.Event
}

func (s *edited) Events(ctx context.Context, q store.EventQuery) ([]store.Event, error) {
	rows, err := s.Store.Events(ctx, q)
	if err == nil && q.After == 0 && s.edit != nil {
		rows = s.edit(slices.Clone(rows))
	}
	return rows, err
}

// TestFindings: what was done to the log is in the answer.
func TestFindings(t *testing.T) {
	s := &edited{Store: memory.Open()}
	defer func() { s.edit = nil }()
	e := newEnvWith(t, Limits{}, keyfob.Config{Store: s})
	for range 5 {
		e.key("acme")
	}
	space, err := s.Space(t.Context(), "acme")
	e.must(err)
	checkpoint := e.want(e.ask(e.owner, "POST", acmeEvents+"/checkpoint", nil), 200, "").text
	acme := func(edit func([]store.Event) []store.Event) func([]store.Event) []store.Event {
		return func(rows []store.Event) []store.Event {
			if len(rows) == 0 || rows[0].Space != space.ID {
				return rows
			}
			return edit(rows)
		}
	}
	for what, c := range map[string]struct {
		edit func([]store.Event) []store.Event
		want []string
	}{
		"nothing": {func(rows []store.Event) []store.Event { return rows }, nil},
		"a subject": {func(rows []store.Event) []store.Event {
			rows[2].Subject = "eve"
			return rows
		}, []string{"edited 3"}},
		"a row":     {func(rows []store.Event) []store.Event { return slices.Delete(rows, 2, 3) }, []string{"removed 3"}},
		"the end":   {func(rows []store.Event) []store.Event { return rows[:4] }, []string{"truncated 5", "rolled_back 5"}},
		"a link of": {func(rows []store.Event) []store.Event { rows[5].Link = make([]byte, 32); return rows }, []string{"edited 6", "rolled_back 6", "edited 6"}},
	} {
		s.edit = acme(c.edit)
		if got := e.findings(e.proveLog(checkpoint)); !slices.Equal(got, c.want) {
			t.Errorf("%s was changed: %q, want %q", what, got, c.want)
		}
	}
	s.edit = acme(func(rows []store.Event) []store.Event {
		for len(rows) < 250 {
			rows = append(rows, rows[0])
		}
		return rows
	})
	if a := e.want(e.proveLog(), 200, ""); len(a.json["problems"].([]any)) != 100 || a.json["more"] == 0.0 {
		t.Errorf("many problems: %d, %v more", len(a.json["problems"].([]any)), a.json["more"])
	}
}

// FuzzCheckpoint: a checkpoint that can be read is spelled in one way.
func FuzzCheckpoint(f *testing.F) {
	c := keyfob.Checkpoint{Space: "acme", SpaceID: "0123456789abcdef", Seq: 7, Link: make([]byte, 32), RootKey: 1, Key: make([]byte, 32), Signature: make([]byte, 64)}
	text, err := checkpointOf(&c).MarshalJSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(strings.Replace(string(text), "0000", "00AB", 1))
	f.Add(strings.Replace(string(text), ".000Z", ".000+00:00", 1))
	f.Add(strings.Replace(string(text), ".000Z", "Z", 1))
	f.Add(`{}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCheckpoint(text)
		if err != nil {
			return
		}
		var was, is map[string]any
		again, err := checkpointOf(&c).MarshalJSON()
		if err != nil || json.Unmarshal([]byte(text), &was) != nil || json.Unmarshal(again, &is) != nil {
			t.Fatalf("%s, %v", again, err)
		}
		for _, field := range []string{"space", "space_id", "seq", "link", "root_key", "key", "signature"} {
			if was[field] != is[field] {
				t.Errorf("%s: %v is %v", field, was[field], is[field])
			}
		}
		if hex.EncodeToString(c.Link) != was["link"] {
			t.Errorf("link %v", was["link"])
		}
	})
}
