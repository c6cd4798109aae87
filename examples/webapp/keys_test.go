package main

import (
	"encoding/json"
	"net/http"
	"testing"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.account(alice).visit("/keys").fill("name", "backup").press("#issue")
	key := b.all("#key")[0]
	if got := s.me(key); got["email"] != alice || got["key"] != "backup" {
		t.Errorf("/api/me says %v", got)
	}
	if s.me(key[1:]) != nil || s.me(b.cookie(sessionCookie)) != nil || s.me("") != nil {
		t.Error("something else than the key is good as well")
	}
	if b.visit("/keys"); len(b.all("#key")) != 0 || len(b.all(".key")) != 1 {
		t.Errorf("the list shows\n%s", b.text())
	}
	if b.press(".revoke"); len(b.all(".key")) != 0 || s.me(key) != nil {
		t.Error("the key is not revoked")
	}
}

// me asks the API; nil is a 401.
func (s *site) me(key string) map[string]string {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.base+"/api/me", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusUnauthorized {
		return nil
	}
	var me map[string]string
	if err := json.NewDecoder(answer.Body).Decode(&me); err != nil || answer.StatusCode != http.StatusOK {
		s.t.Fatalf("%d, %v", answer.StatusCode, err)
	}
	return me
}
