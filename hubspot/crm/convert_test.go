package crm

import (
	"strings"
	"testing"
)

func testSchema(t testing.TB) Schema {
	t.Helper()
	s, err := parseSchema([]byte(`{"results":[
		{"name":"text","type":"string","fieldType":"text"},{"name":"lines","type":"string","fieldType":"textarea"},
		{"name":"n","type":"number","fieldType":"number"},{"name":"b","type":"bool","fieldType":"booleancheckbox"},
		{"name":"d","type":"date","fieldType":"date"},{"name":"dt","type":"datetime","fieldType":"date"},
		{"name":"phone","type":"phone_number","fieldType":"phonenumber"},
		{"name":"one","type":"enumeration","fieldType":"select",
			"options":[{"label":"Gold","value":"g"},{"label":"Silver","value":"s"}]},
		{"name":"many","type":"enumeration","fieldType":"checkbox",
			"options":[{"label":"Gold","value":"g"},{"label":"Silver","value":"s"}]},
		{"name":"ro","type":"string","fieldType":"text","modificationMetadata":{"readOnlyValue":true}},
		{"name":"calc","type":"number","fieldType":"number","calculated":true},
		{"name":"gone","type":"string","archived":true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// conversion is a value and what is written into a property for it, or why nothing is.
type conversion struct {
	property      string
	texts         []string
	value, reason string
}

func conversions() []conversion {
	return []conversion{
		{"text", []string{"  Ada\tLovelace\x00 "}, "Ada Lovelace", ""},
		{"text", []string{"=HYPERLINK(\"x\")"}, "'=HYPERLINK(\"x\")", ""},
		{"text", []string{"@SUM(1)"}, "'@SUM(1)", ""}, {"text", []string{"-5"}, "-5", ""},
		{"text", []string{"+49 (30) 1234"}, "+49 (30) 1234", ""}, {"text", []string{"+cmd|x"}, "'+cmd|x", ""},
		{"text", []string{"a\u202Eb"}, "ab", ""}, {"text", []string{"\xff"}, "\uFFFD", ""},
		{"text", []string{"a\nb"}, "a b", ""}, {"lines", []string{"a\nb"}, "a\nb", ""},
		{"text", []string{"a", "b;c"}, "a;b,c", ""}, {"text", []string{}, "", ""},
		{"text", []string{"\x00\x01"}, "", "no printable text"}, {"n", []string{"12.5"}, "12.5", ""},
		{"n", []string{"7"}, "7", ""}, {"n", []string{"1,000"}, "", "not a number"},
		{"n", []string{"NaN"}, "", "not a number"}, {"n", []string{"0x10"}, "", "not a number"},
		{"n", []string{"1e400"}, "", "not a number"}, {"n", []string{"1e3"}, "1000", ""},
		{"n", []string{".5"}, "0.5", ""}, {"n", []string{"+7"}, "7", ""}, {"n", []string{"++7"}, "", "not a number"},
		{"n", []string{"1e300"}, "", "not a number that HubSpot can store"},
		{"n", []string{"1", "2"}, "", "not a number"}, {"n", []string{"true"}, "", "not a number"},
		{"n", []string{"12345678901234567890"}, "12345678901234567890", ""},
		{"n", []string{"٣"}, "", "not a number"}, {"n", []string{}, "", ""}, {"b", []string{"true"}, "true", ""},
		{"b", []string{"No"}, "false", ""}, {"b", []string{"maybe"}, "", "neither true nor false"},
		{"d", []string{"2026-02-03"}, "2026-02-03", ""},
		{"d", []string{"2026-02-03T23:00:00+01:00"}, "2026-02-03", ""},
		{"d", []string{"yesterday"}, "", "not a date"}, {"d", []string{"1767225600"}, "2026-01-01", ""},
		{"d", []string{"1990"}, "", "not a date"}, {"d", []string{"0000-05-06"}, "", "not a date"},
		{"d", []string{"2026-02-30"}, "", "not a date"}, {"d", []string{"20261399"}, "", "not a date"},
		{"d", []string{"-1"}, "", "not a date"}, {"d", []string{"19.05.1984"}, "1984-05-19", ""},
		{"d", []string{"2026-02-03", "2026-02-04"}, "", "not a date"},
		{"d", []string{"99999999999999999999"}, "", "not a date"},
		{"dt", []string{"2026-02-03"}, "2026-02-03T00:00:00.000Z", ""}, {"b", []string{"1"}, "true", ""},
		{"b", []string{"0"}, "false", ""}, {"b", []string{"true"}, "true", ""},
		{"dt", []string{"1767225600"}, "2026-01-01T00:00:00.000Z", ""},
		{"dt", []string{"1767225600000"}, "2026-01-01T00:00:00.000Z", ""},
		{"dt", []string{"2026-02-03T23:00:00+01:00"}, "2026-02-03T22:00:00.000Z", ""},
		{"dt", []string{"x"}, "", "not a datetime"}, {"one", []string{"g"}, "g", ""},
		{"one", []string{"gold"}, "g", ""}, {"one", []string{"bronze"}, "", "not an option of the property"},
		{"one", []string{"g;s"}, "", "not an option of the property"},
		{"many", []string{";"}, "", "not an option of the property"}, {"text", []string{"\t=1+1"}, "'=1+1", ""},
		{"text", []string{"\r\n@x"}, "'@x", ""}, {"text", []string{"\x00=1"}, "'=1", ""},
		{"text", []string{"＝1"}, "'＝1", ""}, {"text", []string{"\uFEFF-x"}, "'-x", ""},
		{"text", []string{"\xed\xa0\x80"}, "\uFFFD", ""}, {"lines", []string{"=a\r\nb"}, "'=a \nb", ""},
		{"text", []string{"=a", "b"}, "'=a;b", ""},
		{"text", []string{strings.Repeat("ä", maxText+5)}, strings.Repeat("ä", maxText), ""},
		{"many", []string{"s", "Gold", "bronze", "s"}, "s;g", ""}, {"many", []string{"g; s"}, "g;s", ""},
		{"phone", []string{"+49301234"}, "+49301234", ""}, {"phone", []string{"=1"}, "'=1", ""},
		{"ro", []string{"x"}, "", "HubSpot's property is read-only"},
		{"calc", []string{"1"}, "", "HubSpot's property is read-only"},
		{"gone", []string{"x"}, "", "HubSpot has no such property"},
		{"unknown", []string{"x"}, "", "HubSpot has no such property"},
	}
}

func TestConvert(t *testing.T) {
	t.Parallel()
	known := testSchema(t)
	for _, c := range conversions() {
		if value, reason := known.Convert(c.property, Value{Texts: c.texts}, true); value != c.value || reason != c.reason {
			t.Errorf("%s of %q: %q %q, want %q %q", c.property, c.texts, value, reason, c.value, c.reason)
		}
	}
}
