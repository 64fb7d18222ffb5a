package session

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/redisclient"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
)

// Config is the section session of the YAML file.
type Config struct {
	Keys        []setting.Secret       `yaml:"keys" json:"keys"`                 // 32 bytes in base64; the first one seals
	Lifetime    setting.Duration       `yaml:"lifetime" json:"lifetime"`         // absolute, from the login
	IdleTimeout setting.DurationOrNone `yaml:"idle_timeout" json:"idle_timeout"` // since the last request
	CookieName  string                 `yaml:"cookie_name" json:"cookie_name"`   // "" = __Host-hubgate (https) or hubgate
	CacheTTL    setting.DurationOrNone `yaml:"cache_ttl" json:"cache_ttl"`       // none = each request asks Redis
	OutageGrace setting.DurationOrNone `yaml:"outage_grace" json:"outage_grace"` // use of known sessions without Redis
	Redis       redisclient.Config     `yaml:"redis" json:"redis"`
}

// DefaultConfig returns the section's defaults.
func DefaultConfig() Config {
	return Config{
		Lifetime:    setting.Duration(12 * time.Hour),
		CacheTTL:    setting.DurationOrNone(5 * time.Second),
		OutageGrace: setting.DurationOrNone(2 * time.Minute),
		Redis:       redisclient.DefaultConfig(),
	}
}

// Validate returns the problems of the section, without looking at other sections.
func (c Config) Validate() []setting.Problem {
	problems := append(c.validateKeys(), c.validateCookie()...)
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
		if setting.HasPlaceholder(k.Reveal()) {
			bad("the placeholder is still there", "run hubgate keygen")
			continue
		}
		const cure = "write 32 random bytes in base64, such as the output of hubgate keygen"
		secret, err := seal.DecodeKey(k.Reveal())
		switch {
		case err != nil:
			bad("not a valid key: "+err.Error(), cure)
			continue
		case bytes.Count(secret, []byte{secret[0]}) == len(secret) && (secret[0] == 0 || secret[0] == 0xff):
			bad("not a key: all its bytes are the same", cure)
			continue
		case !seal.LooksRandom(secret):
			bad("not random: anyone can guess it", cure)
			problems[len(problems)-1].Warning = true
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
