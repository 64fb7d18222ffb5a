package openid

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

func TestParseKeysIsBounded(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public := jose.JSONWebKey{Key: &private.PublicKey}
	for name, c := range map[string]struct {
		usable, odd, keys int
		flaw              string
	}{
		"as many as are used":    {100, 0, 100, ""},
		"more than are used":     {101, 0, 100, "only the first 100 of 101 keys"},
		"odd ones in front":      {50, 950, 50, "and 945 more"},
		"more than are read":     {50, 1000, 0, "only the first 1000 of 1050 keys"},
		"some beyond the bounds": {50, 980, 20, "only the first 1000 of 1030 keys"},
	} {
		var members []any
		for range c.odd {
			members = append(members, 7)
		}
		for range c.usable {
			members = append(members, public)
		}
		text, err := json.Marshal(map[string]any{"keys": members})
		if err != nil {
			t.Fatal(err)
		}
		keys, flaws, _ := parseKeys(text)
		if len(keys) != c.keys || !strings.Contains(strings.Join(flaws, "; "), c.flaw) || len(flaws) > maxFlaws+1 {
			t.Errorf("%s: %d keys, %q", name, len(keys), flaws)
		}
	}
}

func TestParseKeysNamesOtherFormats(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`[{"kty":"RSA"}]`:   "expected an object with keys, got an array",
		" \n[]":             "expected an object with keys, got an array",
		`{"keys":{"a":{}}}`: "expected a list in keys",
		`{"keys":"text"}`:   "expected a list in keys",
		`"text"`:            "not a JSON Web Key Set",
		`<html>`:            "not a JSON Web Key Set",
		`{}`:                "no usable signing key",
	} {
		if _, _, err := parseKeys([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
