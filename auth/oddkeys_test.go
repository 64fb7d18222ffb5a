package auth

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A key set with many odd members costs one line, and keeps no usable key out.
func TestKeySetWithManyOddMembersIsOneLine(t *testing.T) {
	t.Parallel()
	kind := func(kty, use string, i int) any {
		return map[string]any{"kty": kty, "use": use, "k": "AAAA", "kid": fmt.Sprint("n", i)}
	}
	odd := map[string]func(int) any{
		"unknown types":       func(i int) any { return kind("NEW", "sig", i) },
		"nothing":             func(int) any { return nil },
		"symmetric keys":      func(i int) any { return kind("oct", "sig", i) },
		"keys for encryption": func(i int) any { return kind("RSA", "enc", i) },
	}
	for name, member := range odd {
		for _, n := range []int{6, 150, 999} {
			t.Run(fmt.Sprint(name, n), func(t *testing.T) {
				t.Parallel()
				p := newIssuer(t)
				p.keys = func() (all []any) {
					for i := range n {
						all = append(all, member(i))
					}
					return append(all, fields(t, &p.key.PublicKey, "k1"))
				}
				w := newWorld(t, func(w *world) { w.cfg.Issuer, w.cfg.Logout = p.URL, "local" })
				if got := w.finish(p); got.StatusCode != http.StatusFound {
					t.Errorf("login: %d, %v", got.StatusCode, w.outcome().Err)
				}
				log, lines := w.log.String(), 1
				if name == "keys for encryption" {
					lines = 0
				}
				more := fmt.Sprintf("and %d more", n-maxFlaws)
				if strings.Count(log, "level=WARN") != lines || lines == 1 && !strings.Contains(log, more) {
					t.Errorf("want %d lines with %q:\n%s", lines, more, log)
				}
			})
		}
	}
}

func TestKeySetIsBounded(t *testing.T) {
	t.Parallel()
	public := fields(t, &newRSA(t).PublicKey, "")
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

func TestKeySetOfAnotherFormIsNamed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`[{"kty":"RSA"}]`:   "an array, not an object with keys",
		" \n[]":             "an array, not an object with keys",
		`{"keys":{"a":{}}}`: "its keys are not a list",
		`{"keys":"text"}`:   "its keys are not a list",
		`"text"`:            "not a JSON Web Key Set",
		`<html>`:            "not a JSON Web Key Set",
		`{}`:                "no key that can verify a signature",
	} {
		if _, _, err := parseKeys([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
