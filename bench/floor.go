package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// verdict is what keyfob answers about a key that is good, as far as it is set.
type verdict struct {
	Valid      bool   `json:"valid"`
	Reason     string `json:"reason"`
	Credential struct {
		ID         string            `json:"id"`
		Space      string            `json:"space"`
		Kind       string            `json:"kind"`
		Subject    string            `json:"subject"`
		Name       string            `json:"name"`
		Scopes     []string          `json:"scopes"`
		Attributes map[string]string `json:"attributes"`
		CIDRs      []string          `json:"cidrs"`
		State      string            `json:"state"`
		Revision   int64             `json:"revision"`
		Created    string            `json:"created_at"`
		Rate       int64             `json:"rate"`
		Per        int64             `json:"per"`
		Burst      int64             `json:"burst"`
		Versions   []struct {
			ID      string `json:"id"`
			Number  int64  `json:"number"`
			Prefix  string `json:"prefix"`
			State   string `json:"state"`
			Created string `json:"created_at"`
		} `json:"versions"`
	} `json:"credential"`
	Limit struct {
		Rate      int64 `json:"rate"`
		Per       int64 `json:"per"`
		Burst     int64 `json:"burst"`
		Remaining int64 `json:"remaining"`
		Reset     int64 `json:"reset"`
		Retry     int64 `json:"retry"`
	} `json:"limit"`
	Staleness int64 `json:"staleness_ms"`
}

// mend says what to do when keyfob's answer has changed.
const mend = "have verdict in floor.go say the same"

// parseVerdict reads an answer, which must have nothing that verdict lacks.
func parseVerdict(answer string) (v verdict, err error) {
	d := json.NewDecoder(strings.NewReader(answer))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, fmt.Errorf("keyfob answers %s: %w: %s", answer, err, mend)
	}
	return v, nil
}

// floor is a server that does the least that a verification can do: it decodes the
// request, computes one HMAC, and encodes keyfob's answer.
func floor(ctx context.Context) error {
	answer, address, err := serverArgs()
	if err != nil {
		return err
	}
	v, err := parseVerdict(answer)
	if err != nil {
		return err
	}
	key := make([]byte, 32)
	http.HandleFunc("POST /v1/spaces/{space}/verify", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Token  string   `json:"token"`
			Scopes []string `json:"scopes"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		h := hmac.New(sha256.New, key)
		h.Write([]byte(in.Token))
		h.Sum(nil)
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(&v)
	})
	s := &http.Server{Addr: address}
	go func() {
		<-ctx.Done()
		s.Close()
	}()
	return s.ListenAndServe()
}
