package main

import (
	"encoding/json"
	"testing"

	"github.com/keyfob-dev/keyfob/password"
)

// Every character that a generator makes comes through JSON as it is.
func TestEscapedSecrets(t *testing.T) {
	for _, text := range []string{"", `"`, `\`, `\"`, `\u0022`, " ", "<>&", "äöü€猫🔑", password.Lower + password.Upper + password.Digits + password.Symbols} {
		line := string(appendEscaped([]byte(`{"secret":"`), []byte(text))) + `"}`
		var got struct{ Secret string }
		if err := json.Unmarshal([]byte(line), &got); err != nil || got.Secret != text {
			t.Errorf("%q is written %s: %v", text, line, err)
		}
	}
}
