package mapping

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// testSchema returns definitions of every type.
func testSchema(t testing.TB) crm.Schema {
	t.Helper()
	known := crm.Schema{}
	err := json.Unmarshal([]byte(`{
		"text":{"type":"string","fieldType":"text"},"n":{"type":"number","fieldType":"number"},
		"b":{"type":"bool","fieldType":"booleancheckbox"},"d":{"type":"date","fieldType":"date"},
		"dt":{"type":"datetime","fieldType":"date"},"lines":{"type":"string","fieldType":"textarea"},
		"one":{"type":"enumeration","options":[{"label":"Gold","value":"g"},{"label":"Silver","value":"s"}]},
		"many":{"type":"enumeration","fieldType":"checkbox",
			"options":[{"label":"Gold","value":"g"},{"label":"Silver","value":"s"}]}}`), &known)
	if err != nil {
		t.Fatal(err)
	}
	return known
}

func TestClaimValues(t *testing.T) {
	t.Parallel()
	known := testSchema(t)
	for _, c := range []struct {
		property    string
		claim       any
		value, gone string
	}{
		{"text", []any{"a", "b;c", ""}, "a;b,c", ""}, {"text", true, "true", ""},
		{"text", json.Number("1234567890123456789"), "1234567890123456789", ""},
		{"text", map[string]any{"x": 1}, "", crm.NotText.Sentence()},
		{"text", []any{map[string]any{}}, "", crm.NotText.Sentence()},
		{"text", "", "", "the claim is empty"}, {"text", nil, "", "the login does not have this claim"},
		{"text", []any{}, "", ""}, {"text", "\x00\x01", "", "the claim is empty"},
		{"n", "", "", "the claim is empty"}, {"n", []any{}, "", ""},
		{"one", "", "", "the claim is empty"}, {"many", []any{"s", "Gold", "bronze", "s"}, "s;g", crm.NotAnOption.Sentence()},
	} {
		m := New(Config{Properties: map[string]Property{c.property: {Claim: "c"}}})
		got := m.Values(outbox.Login{Claims: map[string]any{"c": c.claim}}, 0, known)[0]
		if got.Value != c.value || got.Dropped != c.gone {
			t.Errorf("%s of %v: %q %q, want %q %q", c.property, c.claim, got.Value, got.Dropped, c.value, c.gone)
		}
	}
}

// TestValuesSayWhyInOneWord also demands that every text has its word: pages translate words, not texts.
func TestValuesSayWhyInOneWord(t *testing.T) {
	t.Parallel()
	known := testSchema(t)
	for want, p := range map[string]Property{
		"": {Claim: "name"}, "no_claim": {Claim: "absent"}, "empty_claim": {Claim: "blank"}, "not_text": {Claim: "object"},
		"no_login": {Value: ValueLoginTime}, "empty": {Value: ValueHost}, "no_source": {Value: "x"},
	} {
		login := outbox.Login{Claims: map[string]any{"name": "a", "blank": "", "object": map[string]any{}}}
		if want == "no_source" {
			login.At = time.Unix(1, 0)
		}
		got := New(Config{Properties: map[string]Property{"text": p}}).Values(login, 0, known)[0]
		if got.Why != want || (got.Dropped == "") != (want == "") {
			t.Errorf("%+v: %q (%s), want %q", p, got.Why, got.Dropped, want)
		}
	}
	login := outbox.Login{At: time.Unix(1, 0), Claims: map[string]any{"c": "bronze"}}
	for property, want := range map[string]string{
		"one": "not_an_option", "n": "wrong_type", "nowhere": "no_such_property",
	} {
		got := New(Config{Properties: map[string]Property{property: {Claim: "c"}}}).Values(login, 0, known)[0]
		if got.Why != want {
			t.Errorf("%s: %q, want %q", property, got.Why, want)
		}
	}
	count := Property{Value: ValueLoginCount}
	got := New(Config{Properties: map[string]Property{"n": count}}).Values(login, 0, known)[0]
	if got.Why != "counted_later" {
		t.Errorf("the count: %q", got.Why)
	}
}

func TestMappingValues(t *testing.T) {
	t.Parallel()
	m := New(Config{Properties: map[string]Property{
		"a": {Value: "login_time"}, "b": {Value: "login_count"}, "c": {Value: "host"}, "d": {Value: "first_page"},
		"e": {Constant: "=x"},
		"f": {Claim: "sub"}, "g": {Claim: "cognito:groups"}, "h": {Claim: "roles"},
	}})
	at := time.Date(2026, 2, 3, 4, 5, 6, 7_000_000, time.FixedZone("", 3600))
	// the day before in UTC, which HubSpot's dates use
	night := time.Date(2026, 2, 3, 0, 30, 0, 0, time.FixedZone("", 3600))
	dates := New(Config{Properties: map[string]Property{"d": {Value: "login_time"}}})
	if items := dates.Values(outbox.Login{At: night}, 0, testSchema(t)); items[0].Value != "2026-02-02" {
		t.Errorf("%+v", items)
	}
	l := outbox.Login{Subject: "s", Claims: map[string]any{"roles": []string{}}, Host: "www.example.com",
		FirstPage: "/a/b?token=x#y", At: at}
	got := map[string]string{}
	for _, item := range m.Values(l, 3, nil) {
		got[item.Property] = item.Value + item.Dropped
	}
	want := map[string]string{"a": "2026-02-03T03:05:06.007Z", "b": "3", "c": "www.example.com", "d": "/a/b", "e": "=x",
		"f": "s", "g": "the login does not have this claim", "h": ""}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestLimitSizeTruncatesClaims(t *testing.T) {
	t.Parallel()
	l := New(Config{}).LimitSize(outbox.Login{Claims: map[string]any{
		"a": strings.Repeat("ä", 1<<20), "b": []any{strings.Repeat("x", 1<<20)}, "c": "x",
	}})
	if n := len(l.Claims["a"].(string)); n > MaxClaim || n < MaxClaim-3 || l.Claims["b"] != nil ||
		l.Claims["c"] != "x" {
		t.Error(n, l.Claims["b"] != nil)
	}
}

func FuzzMappingValues(f *testing.F) {
	known := testSchema(f)
	properties := map[string]Property{}
	for name := range known {
		properties[name] = Property{Claim: "c"}
	}
	m := New(Config{Properties: properties})
	for _, seed := range []string{
		`"x"`, `["a;b","=c"]`, `1e400`, `{"a":1}`, `"\u202e\u0000"`, `[[1]]`, `-0.0`, `"99999-12-31"`, `"253402300800000"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, encoded string) {
		var claim any
		decoder := json.NewDecoder(strings.NewReader(encoded))
		decoder.UseNumber()
		if decoder.Decode(&claim) != nil {
			claim = encoded
		}
		for _, item := range m.Values(m.LimitSize(outbox.Login{Claims: map[string]any{"c": claim}}), 1, known) {
			if strings.ContainsAny(item.Value, "\x00\x1b\r\u202e") || !utf8.ValidString(item.Value) ||
				strings.HasPrefix(item.Value, "=") && item.Property != "phone" || utf8.RuneCountInString(item.Value) > MaxClaim+1 {
				t.Errorf("%s: %q", item.Property, item.Value)
			}
			if !item.Written() && item.Value != "" {
				t.Errorf("%+v", item)
			}
		}
	})
}
