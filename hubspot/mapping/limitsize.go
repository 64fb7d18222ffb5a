package mapping

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/hubspot/outbox"
)

const (
	MaxClaim = 65536     // size of a claim in the queue; HubSpot accepts no longer text
	MaxEntry = 256 << 10 // size of a queue entry
	// entryRoom is for everything in an entry that is neither the name, a group nor a claim.
	entryRoom = 16 << 10
)

// LimitSize limits what a hostile profile can put into Redis, such as a 1 MB name (CWE-770). Long texts are truncated,
// other large claims left out. If all together are too large, mapped claims are kept first, and small ones.
func (m *Mapping) LimitSize(l outbox.Login) outbox.Login {
	l.Email, l.Name, l.FirstPage = strings.TrimSpace(l.Email), truncate(l.Name, MaxClaim), truncate(l.FirstPage, 2048)
	l.UTK, l.Host = truncate(l.UTK, 64), truncate(l.Host, 256)
	left := MaxEntry - entryRoom - encodedSize(l.Name) - encodedSize(l.Groups)
	claims := map[string]any{}
	l.Oversized = nil
	for _, c := range m.limitedClaims(l.Claims) {
		if left -= c.size; !c.omitted && left > 0 {
			claims[c.name] = c.value
		} else {
			c.cut = true
		}
		if c.cut && c.mapped {
			l.Oversized = append(l.Oversized, c.name)
		}
	}
	l.Claims = claims
	return l
}

// limitedClaim is a claim that is truncated, or omitted if it cannot be.
type limitedClaim struct {
	name                 string
	value                any
	size                 int
	mapped, cut, omitted bool
}

// limitedClaims returns the claims in the order in which they are kept.
func (m *Mapping) limitedClaims(claims map[string]any) []limitedClaim {
	list := make([]limitedClaim, 0, len(claims))
	for name, value := range claims {
		c := limitedClaim{name: name, value: value, mapped: m.reads(name)}
		if s, ok := value.(string); ok {
			c.value, c.cut = truncate(s, MaxClaim), len(s) > MaxClaim
		}
		c.size = encodedSize(c.value) + encodedSize(name) + 2
		if _, ok := value.(string); !ok && c.size > MaxClaim {
			c.omitted, c.size = true, 0
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b limitedClaim) int {
		if a.mapped != b.mapped {
			if a.mapped {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.size, b.size), strings.Compare(a.name, b.name))
	})
	return list
}

// encodedSize returns the size of a value in JSON. One that has none is too large for everything.
func encodedSize(value any) int {
	text, err := json.Marshal(value)
	if err != nil {
		return MaxEntry
	}
	return len(text)
}

// truncate shortens s to at most n bytes without splitting a character and replaces invalid UTF-8.
func truncate(s string, n int) string {
	if len(s) > n {
		s = s[:n]
		for len(s) > 0 && s[len(s)-1]&0xC0 == 0x80 {
			s = s[:len(s)-1]
		}
		if len(s) > 0 && s[len(s)-1] >= 0xC0 {
			s = s[:len(s)-1]
		}
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
