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
		{"n", []string{"12.5"}, "12.5", ""},
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
		{"one", []string{"gold"}, "g", ""}, {"one", []string{"bronze"}, "", NotAnOption.Sentence()},
		{"one", []string{"g;s"}, "", NotAnOption.Sentence()},
		{"one", []string{"s", "Gold"}, "s", NotAnOption.Sentence()},
		{"many", []string{";"}, "", ""}, {"many", []string{"bronze"}, "", NotAnOption.Sentence()},
		{"many", []string{"bronze", "tin"}, "", NotAnOption.Sentence()}, {"text", []string{"\t=1+1"}, "'=1+1", ""},
		{"text", []string{"\r\n@x(1)"}, "'@x(1)", ""}, {"text", []string{"\x00=1"}, "'=1", ""},
		{"text", []string{"＝1"}, "'＝1", ""}, {"text", []string{"\uFEFF-x|y"}, "'-x|y", ""},
		{"text", []string{"\xed\xa0\x80"}, "\uFFFD", ""}, {"lines", []string{"=a\r\nb"}, "'=a \nb", ""},
		{"text", []string{"=a", "b"}, "'=a;b", ""},
		{"text", []string{strings.Repeat("ä", maxText+5)}, strings.Repeat("ä", maxText), TooLong.Sentence()},
		{"many", []string{"s", "Gold", "bronze", "s"}, "s;g", NotAnOption.Sentence()}, {"many", []string{"g; s"}, "g;s", ""},
		{"phone", []string{"+49301234"}, "+49301234", ""}, {"phone", []string{"=1"}, "=1", ""},
		{"ro", []string{"x"}, "", ReadOnly.Sentence()},
		{"calc", []string{"1"}, "", ReadOnly.Sentence()},
		{"gone", []string{"x"}, "", NoSuchProperty.Sentence()},
		{"unknown", []string{"x"}, "", NoSuchProperty.Sentence()},
	}
}

func TestConvert(t *testing.T) {
	t.Parallel()
	known := testSchema(t)
	for _, c := range conversions() {
		value, drop := known.Convert(c.property, Value{Texts: c.texts}, true)
		reason := ""
		if drop.Reason != "" {
			reason = drop.Text()
		}
		if value != c.value || reason != c.reason {
			t.Errorf("%s of %q: %q %q, want %q %q", c.property, c.texts, value, reason, c.value, c.reason)
		}
	}
}

// TestPhoneNumbersAndHandlesAreNoFormulas checks that only what a spreadsheet runs is escaped.
func TestPhoneNumbersAndHandlesAreNoFormulas(t *testing.T) {
	t.Parallel()
	known := testSchema(t)
	for text, formula := range map[string]bool{
		"+1 555 010-9999 ext. 12": false, "@ada": false, "-5": false, "- none -": false, "+49 (30) 1234": false,
		"＠ada": false, "-2 (of 3)": false, "+1-2": false, "@ada (she)": false,
		"=1": true, "＝1": true, "@SUM(1)": true, "+cmd|' /C calc'!A0": true, "-2+HYPERLINK(\"x\")": true,
		"＋A1|x": true, "=\"\"": true,
	} {
		value, _ := known.Convert("text", Text(text), true)
		if got := value == "'"+text; got != formula {
			t.Errorf("%q: %q", text, value)
		}
		if value, _ := known.Convert("phone", Text(text), true); value != text {
			t.Errorf("phone of %q: %q", text, value)
		}
	}
}

func TestExternalOptionsArePassed(t *testing.T) {
	t.Parallel()
	known, err := parseSchema([]byte(`{"results":[{"name":"hubspot_owner_id","type":"enumeration","fieldType":"select",
		"externalOptions":true,"options":[]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"4711", "1234567890", "ada"} {
		if value, drop := known.Convert("hubspot_owner_id", Text(id), true); value != id || drop.Reason != "" {
			t.Errorf("%s: %q %+v", id, value, drop)
		}
	}
}

// TestDropsNameConstantsOnly checks that a constant that does not fit is shown, and the claim of a person never.
func TestDropsNameConstantsOnly(t *testing.T) {
	t.Parallel()
	known := testSchema(t)
	for _, c := range []struct{ property, value, want string }{
		{"one", "wood", `"wood" is not an option (g, s)`}, {"many", "g;wood;tin", `"wood;tin" is not an option (g, s)`},
		{"n", "many", `"many" is not a number`}, {"b", "perhaps", `"perhaps" is neither true nor false`},
		{"d", "02/03/1990", `"02/03/1990" is not a date`},
	} {
		if _, drop := known.Convert(c.property, Text(c.value), false); drop.Text() != c.want {
			t.Errorf("constant %q: %q, want %q", c.value, drop.Text(), c.want)
		}
		if _, drop := known.Convert(c.property, Text(c.value), true); strings.Contains(drop.Text(), c.value) ||
			drop.Reason == "" || drop.Property != c.property {
			t.Errorf("claim %q: %+v", c.value, drop)
		}
	}
}
