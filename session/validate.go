package session

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
)

// Validate returns the problems of the section, without looking at other sections.
func (c Config) Validate() []setting.Problem {
	problems := c.validateKeys()
	problems = append(problems, c.validateCookie()...)
	if idle := c.IdleTimeout.D(); idle > 0 && c.Lifetime > 0 && idle >= c.Lifetime.D() {
		problems = append(problems, setting.Problem{Key: "session.idle_timeout", Warning: true,
			Text: "not shorter than lifetime, so it never ends a session", Cure: "write a shorter time, or none"})
	}
	return append(problems, c.Redis.Validate()...)
}

func (c Config) validateKeys() []setting.Problem {
	if len(c.Keys) == 0 {
		return []setting.Problem{{Key: "session.keys", Text: "required",
			Cure: "run hubgate keygen and write keys: [\"${HUBGATE_KEY}\"]"}}
	}
	var problems []setting.Problem
	seen := map[setting.Secret]int{}
	for i, k := range c.Keys {
		bad := func(text, cure string) {
			key := "session.keys[" + strconv.Itoa(i) + "]"
			problems = append(problems, setting.Problem{Key: key, Text: text, Cure: cure})
		}
		if strings.Contains(k.Reveal(), "REPLACE_") {
			bad("the placeholder is still there", "run hubgate keygen")
			continue
		}
		if _, err := seal.DecodeKey(k.Reveal()); err != nil {
			bad("not a valid key: "+err.Error(), "write 32 random bytes in base64, such as the output of hubgate keygen")
			continue
		}
		if first, twice := seen[k]; twice {
			bad(fmt.Sprintf("same key as session.keys[%d]", first), "remove it")
		}
		seen[k] = i
	}
	return problems
}

func (c Config) validateCookie() []setting.Problem {
	name := c.CookieName
	if name == "" {
		return nil
	}
	bad := func(text, cure string) []setting.Problem {
		return []setting.Problem{{Key: "session.cookie_name", Text: fmt.Sprintf("%q %s", name, text), Cure: cure}}
	}
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	bare := strings.TrimPrefix(name, "__Host-")
	switch {
	case len(name) > 64 || bare == "" || strings.Trim(bare, allowed) != "":
		return bad("is not a cookie name", "write letters, digits, - and _")
	case strings.HasPrefix(bare, "hubgate-"):
		return bad("is reserved for other cookies of the gateway", "write another name, such as __Host-portal")
	case strings.HasPrefix(name, "__Secure-"):
		return bad("has the wrong prefix", "write a name that begins with __Host-")
	}
	return nil
}
