package mapping

import (
	"cmp"
	"encoding/json"
	"maps"
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

// LimitSize limits what a hostile profile can put into Redis, such as a 1 MB name, 100,000 groups or deeply nested
// objects (CWE-770). Long texts and lists of groups are truncated, other large claims left out. If all together are too
// large, mapped claims are kept first, and small ones. The name and the groups are kept once, although the login has
// them as claims, too.
func (m *Mapping) LimitSize(l outbox.Login) outbox.Login {
	l.Email, l.FirstPage = strings.TrimSpace(l.Email), truncate(l.FirstPage, 2048)
	l.UTK, l.Host, l.Oversized = truncate(l.UTK, 64), truncate(l.Host, 256), nil
	claims := map[string]any{}
	maps.Copy(claims, l.Claims)
	if claims["name"] == nil && l.Name != "" {
		claims["name"] = l.Name
	}
	l.Name = ""
	l = m.limitGroups(l, claims)
	left := MaxEntry - entryRoom - encodedSize(l.Groups)
	l.Claims = map[string]any{}
	for _, c := range m.limitedClaims(claims) {
		if left -= c.size; !c.omitted && left > 0 {
			l.Claims[c.name] = c.value
		} else {
			c.cut = true
		}
		if c.cut && c.mapped {
			l.Oversized = append(l.Oversized, c.name)
		}
	}
	return l
}

// limitGroups keeps as many groups as a claim may have, and removes the claim that repeats them.
func (m *Mapping) limitGroups(l outbox.Login, claims map[string]any) outbox.Login {
	all := l.Groups
	for name, value := range claims {
		if list, ok := value.([]string); ok && slices.Equal(list, all) {
			l.GroupsClaim = name
			delete(claims, name)
		}
	}
	l.Groups = nil
	left := MaxClaim
	for _, group := range all {
		if size := encodedSize(group) + 1; size < left {
			left -= size
			l.Groups = append(l.Groups, group)
		}
	}
	if len(l.Groups) < len(all) && m.reads(groupsClaim(l)) {
		l.Oversized = append(l.Oversized, groupsClaim(l))
	}
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
		c := limitedClaim{name: name, value: flat(value), mapped: m.reads(name)}
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

// flat returns a claim that a property can hold: a text, a number, a boolean, or a list of these. Anything else becomes
// an empty object, which is accounted as no text. A claim may be nested so deeply that it can be encoded, but never
// decoded again.
func flat(value any) any {
	list, isList := value.([]any)
	if _, isTexts := value.([]string); value == nil || isTexts {
		return value
	}
	if !isList {
		list = []any{value}
	}
	for _, element := range list {
		if _, ok := scalar(element); !ok {
			return map[string]any{}
		}
	}
	return value
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
