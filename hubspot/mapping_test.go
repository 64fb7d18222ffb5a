package hubspot

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func testSchema(t testing.TB) schema {
	t.Helper()
	s, err := parseSchema([]byte(`{"results":[
		{"name":"text","type":"string","fieldType":"text"},{"name":"lines","type":"string","fieldType":"textarea"},
		{"name":"n","type":"number","fieldType":"number"},{"name":"b","type":"bool","fieldType":"booleancheckbox"},
		{"name":"d","type":"date","fieldType":"date"},{"name":"dt","type":"datetime","fieldType":"date"},
		{"name":"phone","type":"phone_number","fieldType":"phonenumber"},
		{"name":"one","type":"enumeration","fieldType":"select","options":[{"label":"Gold","value":"g"},{"label":"Silver","value":"s"}]},
		{"name":"many","type":"enumeration","fieldType":"checkbox","options":[{"label":"Gold","value":"g"},{"label":"Silver","value":"s"}]},
		{"name":"ro","type":"string","fieldType":"text","modificationMetadata":{"readOnlyValue":true}},
		{"name":"calc","type":"number","fieldType":"number","calculated":true},{"name":"gone","type":"string","archived":true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// conversion is a claim and what is written into a property for it, or why nothing is.
type conversion struct {
	property    string
	claim       any
	value, gone string
}

func conversions() []conversion {
	return []conversion{
		{"text", "  Ada\tLovelace\x00 ", "Ada Lovelace", ""},
		{"text", "=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")", ""},
		{"text", "@SUM(1)", "'@SUM(1)", ""},
		{"text", "-5", "-5", ""},
		{"text", "+49 (30) 1234", "+49 (30) 1234", ""},
		{"text", "+cmd|x", "'+cmd|x", ""},
		{"text", "a\u202Eb", "ab", ""},
		{"text", "\xff", "\uFFFD", ""},
		{"text", "a\nb", "a b", ""},
		{"lines", "a\nb", "a\nb", ""},
		{"text", []any{"a", "b;c", ""}, "a;b,c", ""},
		{"text", true, "true", ""},
		{"text", json.Number("1234567890123456789"), "1234567890123456789", ""},
		{"text", map[string]any{"x": 1}, "", "the claim is an object"},
		{"text", []any{map[string]any{}}, "", "the claim is a list of objects"},
		{"text", "", "", "the claim is empty"},
		{"text", nil, "", "the login does not have this claim"},
		{"text", []any{}, "", ""},
		{"text", "\x00\x01", "", "no printable text"},
		{"n", "12.5", "12.5", ""}, {"n", json.Number("7"), "7", ""}, {"n", "1,000", "", "not a number"},
		{"n", "NaN", "", "not a number"},
		{"n", "0x10", "", "not a number"}, {"n", "1e400", "", "not a number"}, {"n", "1e3", "1000", ""},
		{"n", ".5", "0.5", ""}, {"n", "+7", "7", ""},
		{"n", "++7", "", "not a number"}, {"n", "1e300", "", "not a number that HubSpot can store"},
		{"n", "", "", "the claim is empty"},
		{"n", []any{"1", "2"}, "", "not a number"}, {"n", true, "", "not a number"},
		{"n", json.Number("12345678901234567890"), "12345678901234567890", ""},
		{"n", "٣", "", "not a number"}, {"n", []any{}, "", ""},
		{"b", true, "true", ""}, {"b", "No", "false", ""}, {"b", "maybe", "", "neither true nor false"},
		{"d", "2026-02-03", "2026-02-03", ""}, {"d", "2026-02-03T23:00:00+01:00", "2026-02-03", ""},
		{"d", "yesterday", "", "not a date"},
		{"d", json.Number("1767225600"), "2026-01-01", ""}, {"d", "1990", "", "not a date"},
		{"d", "0000-05-06", "", "not a date"},
		{"d", "2026-02-30", "", "not a date"}, {"d", "20261399", "", "not a date"}, {"d", "-1", "", "not a date"},
		{"d", "19.05.1984", "1984-05-19", ""},
		{"d", []any{"2026-02-03", "2026-02-04"}, "", "not a date"}, {"d", "99999999999999999999", "", "not a date"},
		{"dt", "2026-02-03", "2026-02-03T00:00:00.000Z", ""},
		{"b", "1", "true", ""}, {"b", json.Number("0"), "false", ""}, {"b", []any{true}, "true", ""},
		{"dt", json.Number("1767225600"), "2026-01-01T00:00:00.000Z", ""},
		{"dt", "1767225600000", "2026-01-01T00:00:00.000Z", ""},
		{"dt", "2026-02-03T23:00:00+01:00", "2026-02-03T22:00:00.000Z", ""}, {"dt", "x", "", "not a datetime"},
		{"one", "g", "g", ""}, {"one", "gold", "g", ""}, {"one", "bronze", "", "not an option of the property"},
		{"one", "g;s", "", "not an option of the property"}, {"one", "", "", "the claim is empty"},
		{"many", ";", "", "not an option of the property"},
		{"text", "\t=1+1", "'=1+1", ""}, {"text", "\r\n@x", "'@x", ""}, {"text", "\x00=1", "'=1", ""},
		{"text", "＝1", "'＝1", ""}, {"text", "\uFEFF-x", "'-x", ""},
		{"text", "\xed\xa0\x80", "\uFFFD", ""}, {"lines", "=a\r\nb", "'=a \nb", ""},
		{"text", []any{"=a", "b"}, "'=a;b", ""},
		{"text", strings.Repeat("ä", maxText+5), strings.Repeat("ä", maxText), ""},
		{"many", []any{"s", "Gold", "bronze", "s"}, "s;g", ""}, {"many", "g; s", "g;s", ""},
		{"phone", "+49301234", "+49301234", ""}, {"phone", "=1", "'=1", ""},
		{"ro", "x", "", "HubSpot's property is read-only"}, {"calc", "1", "", "HubSpot's property is read-only"},
		{"gone", "x", "", "HubSpot has no such property"}, {"unknown", "x", "", "HubSpot has no such property"},
	}
}

func TestConvert(t *testing.T) {
	t.Parallel()
	known := testSchema(t)
	for _, c := range conversions() {
		m := newMapping(ContactsConfig{Properties: map[string]PropertyConfig{c.property: {Claim: "c"}}})
		got := m.values(Login{Claims: map[string]any{"c": c.claim}}, 0, known)[0]
		if got.Value != c.value || got.Dropped != c.gone {
			t.Errorf("%s of %v: %q %q, want %q %q", c.property, c.claim, got.Value, got.Dropped, c.value, c.gone)
		}
	}
}

func TestMappingValues(t *testing.T) {
	t.Parallel()
	m := newMapping(ContactsConfig{Properties: map[string]PropertyConfig{
		"a": {Value: "login_time"}, "b": {Value: "login_count"}, "c": {Value: "host"}, "d": {Value: "first_page"},
		"e": {Constant: "=x"},
		"f": {Claim: "sub"}, "g": {Claim: "cognito:groups"},
	}})
	at := time.Date(2026, 2, 3, 4, 5, 6, 7_000_000, time.FixedZone("", 3600))
	// the day before in UTC, which HubSpot's dates use
	night := time.Date(2026, 2, 3, 0, 30, 0, 0, time.FixedZone("", 3600))
	dates := newMapping(ContactsConfig{Properties: map[string]PropertyConfig{"d": {Value: "login_time"}}})
	if items := dates.values(Login{At: night}, 0, testSchema(t)); items[0].Value != "2026-02-02" {
		t.Errorf("%+v", items)
	}
	l := Login{Subject: "s", Host: "www.example.com", FirstPage: "/a/b?token=x#y", At: at}
	got := map[string]string{}
	for _, item := range m.values(l, 3, nil) {
		got[item.Property] = item.Value + item.Dropped
	}
	want := map[string]string{"a": "2026-02-03T03:05:06.007Z", "b": "3", "c": "www.example.com", "d": "/a/b", "e": "=x",
		"f": "s", "g": ""}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestLimitSizeTruncatesClaims(t *testing.T) {
	t.Parallel()
	l := limitSize(Login{Claims: map[string]any{
		"a": strings.Repeat("ä", 1<<20), "b": []any{strings.Repeat("x", 1<<20)}, "c": "x",
	}})
	if n := len(l.Claims["a"].(string)); n > maxClaim || n < maxClaim-3 || l.Claims["b"] != nil ||
		l.Claims["c"] != "x" {
		t.Error(n, l.Claims["b"] != nil)
	}
}

func FuzzMappingValues(f *testing.F) {
	known := testSchema(f)
	properties := map[string]PropertyConfig{}
	for name := range known {
		properties[name] = PropertyConfig{Claim: "c"}
	}
	m := newMapping(ContactsConfig{Properties: properties})
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
		for _, item := range m.values(limitSize(Login{Claims: map[string]any{"c": claim}}), 1, known) {
			if strings.ContainsAny(item.Value, "\x00\x1b\r\u202e") || !utf8.ValidString(item.Value) ||
				strings.HasPrefix(item.Value, "=") || utf8.RuneCountInString(item.Value) > maxText+1 {
				t.Errorf("%s: %q", item.Property, item.Value)
			}
			if item.Dropped != "" && item.Value != "" {
				t.Errorf("%+v", item)
			}
		}
	})
}

func TestParseUpsert(t *testing.T) {
	t.Parallel()
	inputs := []upsertInput{{ID: "a@x.example", TraceID: "1"}, {ID: "b@x.example", TraceID: "2"},
		{ID: "c@x.example", TraceID: "3"}}
	for name, c := range map[string]struct {
		body string
		want map[string]string
	}{
		"by trace, in another order": {`{"results":[{"id":"9","new":true,"objectWriteTraceId":"2"},{"id":"8","objectWriteTraceId":"1"},{"id":"7","objectWriteTraceId":"3"}]}`,
			map[string]string{"1": "8 false", "2": "9 true", "3": "7 false"}},
		"by e-mail": {`{"results":[{"id":"9","properties":{"email":"B@x.example","x":null}}]}`, map[string]string{"2": "9 false"}},
		"errors name their trace": {`{"results":[{"id":"9","objectWriteTraceId":"2"}],"numErrors":2,"errors":[
			{"status":"error","category":"VALIDATION_ERROR","message":"bad","context":{"objectWriteTraceId":["1"]}},
			{"status":"error","category":"CONFLICT","message":"there","context":{"ids":["C@x.example"]}}]}`,
			map[string]string{"1": "400 VALIDATION_ERROR bad", "2": "9 false", "3": "409 CONFLICT there"}},
		"an error about the only contact left": {`{"results":[{"id":"9","objectWriteTraceId":"2"},{"id":"8","objectWriteTraceId":"1"}],"errors":[{"message":"bad"}]}`,
			map[string]string{"1": "8 false", "2": "9 false", "3": "400 bad"}},
		"an error about an unknown contact": {`{"results":[],"errors":[{"message":"bad"}]}`, map[string]string{}},
	} {
		found, err := parseUpsert([]byte(c.body), inputs)
		got := map[string]string{}
		for trace, o := range found {
			if got[trace] = fmt.Sprintf("%s %v", o.contactID, o.created); o.err != nil {
				got[trace] = o.err.Error()
			}
		}
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, d)
		}
	}
	for _, garbage := range []string{"", "null", "[]", "{}", "<html>", `{"results":null}`, `{"results":7}`} {
		if _, err := parseUpsert([]byte(garbage), inputs); err == nil {
			t.Errorf("%q is accepted", garbage)
		}
	}
}

func TestParseErrorNamesProperties(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"message":"Property values were not valid: [{\"isValid\":false,\"error\":\"PROPERTY_DOESNT_EXIST\",\"name\":\"nope\"}]"}`: "nope PROPERTY_DOESNT_EXIST",
		`{"message":"x","errors":[{"code":"INVALID_OPTION","message":"m","context":{"propertyName":["tier"]}}]}`:                    "tier INVALID_OPTION",
		`{"message":"x","errors":[{"message":"m","context":{"propertyName":"tier"}}]}`:                                              "tier m",
		`{"message":"x","context":{"propertyName":["tier"]}}`:                                                                       "tier x",
		`{"message":"x [not json"}`:                         "",
		`{"errors":[{"context":{"propertyName":["A b"]}}]}`: "",
		`<html>`: "",
	} {
		got := ""
		for _, b := range parseError(http.StatusBadRequest, nil, []byte(body)).BadProperties {
			got += b.name + " " + b.reason
		}
		if got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func TestErrorHidesAddressesAndTokens(t *testing.T) {
	t.Parallel()
	e := parseError(http.StatusForbidden, http.Header{"Retry-After": {"999999"}},
		[]byte(`{"message":"pat-na1-0a-1b of ada@example.com\nfake log line","errors":[{"context":{"requiredGranularScopes":["crm.objects.contacts.write"]}}]}`))
	want := "403 <key> of <e-mail> fake log line (missing scopes: crm.objects.contacts.write)"
	if got := e.Error(); got != want || e.RetryAfter != maxRetryAfter {
		t.Errorf("%q %s", got, e.RetryAfter)
	}
}

func FuzzParseUpsert(f *testing.F) {
	for _, seed := range []string{
		`{"results":[{"id":"9","objectWriteTraceId":"1"}],"errors":[{"status":400,"context":{"id":"a@x.example"}}]}`,
		`{"message":"[{\"name\":\"a\"}","context":[],"errors":[{"context":null}]}`,
		`{"results":[{"properties":{"email":null}}]}`, `[`,
	} {
		f.Add([]byte(seed))
	}
	inputs := []upsertInput{{ID: "a@x.example", TraceID: "1"}, {ID: "b@x.example", TraceID: "2"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		found, _ := parseUpsert(body, inputs)
		for trace, o := range found {
			if trace != "1" && trace != "2" || o.err == nil && o.contactID == "" {
				t.Errorf("%q: %+v", trace, o)
			}
		}
		_, _ = parseRead(body)
		_, _ = parseSchema(body)
		if e := parseError(400, nil, body).Error(); strings.ContainsAny(e, "\n\r\x00\x1b") || len(e) > 4*maxMessage {
			t.Errorf("%q", e)
		}
	})
}
