package mapping

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

func manyGroups(n int) []string {
	groups := make([]string, n)
	for i := range groups {
		groups[i] = fmt.Sprintf("group %d", i)
	}
	return groups
}

// stored returns a login as the queue returns it.
func stored(t *testing.T, l outbox.Login) (read outbox.Login, size int) {
	t.Helper()
	text, err := json.Marshal(l)
	if err == nil {
		err = json.Unmarshal(text, &read)
	}
	if err != nil {
		t.Fatal(err)
	}
	return read, len(text)
}

func TestLimitSizeLimitsGroupsAndName(t *testing.T) {
	t.Parallel()
	m := New(Config{Properties: map[string]Property{
		"groups": {Claim: "roles"}, "name": {Claim: "name"}, "firstname": {Claim: "given_name"},
	}})
	for name, l := range map[string]outbox.Login{
		"many groups":         {Groups: manyGroups(100_000)},
		"a long group":        {Groups: []string{strings.Repeat("x", 1<<20), "group 0"}},
		"groups with escapes": {Groups: []string{"group 0", strings.Repeat("\x01", 60<<10), strings.Repeat("<", 60<<10)}},
		"a name with escapes": {Groups: []string{"group 0"}, Name: strings.Repeat("\x01", 1<<20)},
	} {
		l.Claims = map[string]any{"roles": append([]string{}, l.Groups...), "given_name": "Ada"}
		read, size := stored(t, m.LimitSize(l))
		items := m.Values(read, 0, nil)
		if size > MaxEntry || items[0].Value != "Ada" || !strings.HasPrefix(items[1].Value, "group 0") {
			t.Errorf("%s: %d bytes, %.200v", name, size, items)
		}
		for i, cut := range map[int]bool{1: l.Name == "", 2: l.Name != ""} {
			if (items[i].Drop.Reason == crm.TooLong) != cut {
				t.Errorf("%s: %s is %v", name, items[i].Property, items[i].Drop)
			}
		}
	}
}

func TestLimitSizeKeepsGroupsOnce(t *testing.T) {
	t.Parallel()
	m := New(Config{Properties: map[string]Property{"g": {Claim: "roles"}}})
	for want, groups := range map[string][]string{"": {}, "a": {"a"}, "a;b": {"a", "b"}} {
		l := m.LimitSize(outbox.Login{Groups: groups, Claims: map[string]any{"roles": append([]string{}, groups...)}})
		read, _ := stored(t, l)
		if _, twice := l.Claims["roles"]; twice {
			t.Errorf("%q: the entry has the groups twice", want)
		}
		for _, l := range []outbox.Login{read, m.Mapped(read)} {
			item := m.Values(l, 0, nil)[0]
			if item.Value != want || !item.Written() {
				t.Errorf("%q is %+v", want, item)
			}
		}
	}
}

func nested(depth int, wrap func(inner any) any) (value any) {
	value = "x"
	for range depth {
		value = wrap(value)
	}
	return value
}

func TestLimitSizeFlattensNestedClaims(t *testing.T) {
	t.Parallel()
	m := New(Config{Properties: map[string]Property{"company": {Claim: "deep"}, "firstname": {Claim: "given_name"}}})
	inList, inObject := func(v any) any { return []any{v} }, func(v any) any { return map[string]any{"v": v} }
	for name, deep := range map[string]any{
		"lists": nested(9999, inList), "objects": nested(9999, inObject),
		"both": nested(5000, func(v any) any { return inList(inObject(v)) }), "two lists": nested(2, inList),
		"one object": nested(1, inObject),
	} {
		read, _ := stored(t, m.LimitSize(outbox.Login{Claims: map[string]any{"deep": deep, "given_name": "Ada"}}))
		items := m.Values(read, 0, nil)
		if items[0].Drop.Reason != crm.NotText || items[1].Value != "Ada" {
			t.Errorf("%s: %.200v", name, items)
		}
	}
}
