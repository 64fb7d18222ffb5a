package crm

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestRepeatedValueIsWithheld(t *testing.T) {
	t.Parallel()
	const name = "Zoë Müller-Lüdenscheidt"
	for about, c := range map[string]struct{ value, message string }{
		"whole":                {"Ada", "Ada was not valid"},
		"in capitals":          {"Ada", `\"ADA\" is not an option`},
		"cut off":              {"Augusta Ada King, Countess of Lovelace", "The value 'Augusta Ada K...' is too long"},
		"one word":             {"Ada Lovelace", "Lovelace is not allowed"},
		"joined to a letter":   {"Lovelace", "firstname=xLovelace is not allowed"},
		"spaces collapsed":     {"Ada   Bo", "Ada Bo is not allowed"},
		"JSON in ASCII":        {name, `Zo\\u00eb M\\u00fcller is not allowed`},
		"a short word of it":   {"Zoë", `Zo\\u00eb is not allowed`},
		"escaped twice":        {"Zoë", `Zo\\\\u00eb is not allowed`},
		"JavaScript":           {"Zoë", `Zo\\xeb is not allowed`},
		"numeric entity":       {"Zoë", "Zo&#235; is not allowed"},
		"entity of an entity":  {"Zoë", "Zo&amp;euml; is not allowed"},
		"URL":                  {"Zoë", "Zo%C3%AB is not allowed"},
		"without accents":      {name, "muller is not allowed"},
		"ß in capitals":        {"Weiß", "WEISS is not allowed"},
		"soft hyphens":         {"Lovelace", "Lo\u00adve\u00adla\u00adce is not allowed"},
		"full-width":           {"Ada", "Ａｄａ is not allowed"},
		"not Latin":            {"王伟", "the value王伟is not allowed"},
		"separated thousands":  {"4711081500", "4,711,081,500 is too large"},
		"another form of date": {"1964-05-23", "23.05.1964 is not allowed"},
		"no separators":        {"+49 170 12 34", "491701234 is not allowed"},
	} {
		got := errorText(http.StatusBadRequest, `{"category":"VALIDATION_ERROR","message":"`+c.message+`"}`, c.value)
		if got != "400 VALIDATION_ERROR "+withheldText {
			t.Errorf("%s: %s", about, got)
		}
	}
}

func TestTextWithoutValueStays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ message, want string }{
		{"The rule Names blocks this", "The rule Names blocks this"},
		{"Adam or Nevada", "Adam or Nevada"}, // the short word Ada is another one
		{"ada@example.com exists", "<e-mail> exists"},
		{"Property values were not valid", "Property values were not valid"},
	} {
		body := `{"message":"` + c.message + `"}`
		got := errorText(http.StatusBadRequest, body, "Ada", "ada@gmail.com", "", "42", "custom er")
		if got != "400 "+c.want {
			t.Errorf("%s: %s", c.message, got)
		}
	}
}

func TestCodeThatRepeatsValueIsLeftOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ value, category, code, want string }{
		{"kolumna", "KOLUMNA", "KOLUMNA", "400 (firstname: HubSpot rejects the value)"},
		{"Ada Lovelace", "ADA_LOVELACE", "LOVELACE", "400 (firstname: HubSpot rejects the value)"},
		{"müller", "Müller", "müller", "400 (firstname: HubSpot rejects the value)"},
		{"invalid", "VALIDATION_ERROR", "INVALID_OPTION",
			"400 VALIDATION_ERROR (firstname: HubSpot rejects the value: INVALID_OPTION)"},
	} {
		body := fmt.Sprintf(`{"category":%q,"errors":[{"code":%q,"context":{"propertyName":"firstname"}}]}`,
			c.category, c.code)
		if got := errorText(http.StatusBadRequest, body, c.value); got != c.want {
			t.Errorf("%s: %s", c.value, got)
		}
	}
}

func TestErrorInsideBatchIsWithheld(t *testing.T) {
	t.Parallel()
	found, err := parseUpsert([]byte(`{"results":[],"errors":[{"message":"Ada was not valid"}]}`),
		[]Input{{TraceID: "1"}}, redact("Ada"))
	if err != nil || found["1"].Err.Error() != "400 "+withheldText {
		t.Errorf("%v %v", found, err)
	}
}

// TestFragmentsOfLargeValueAreBounded counts allocations: a search for each part of such a value took 23 seconds.
func TestFragmentsOfLargeValueAreBounded(t *testing.T) {
	for about, value := range map[string]string{
		"a list of 32,768 options": strings.Repeat("a;", 32<<10),
		"a text with 16,384 words": strings.Repeat("ab ;", 16<<10),
		"escapes":                  strings.Repeat(`&lt;%3b;`, 8<<10),
		"too large":                strings.Repeat("abcd;", maxSent),
	} {
		body := `{"message":"` + strings.Repeat("Zzz. ", 100) + `"}`
		if n := testing.AllocsPerRun(1, func() {
			sent := redact(value)
			for range 100 {
				_ = parseError(http.StatusBadRequest, nil, []byte(body), sent).Error()
			}
		}); n > 200_000 {
			t.Errorf("%s: %.0f allocations", about, n)
		}
	}
	got := errorText(http.StatusBadRequest, `{"message":"x"}`, strings.Repeat("y", maxSent+1))
	if got != "400 "+withheldText {
		t.Error(got)
	}
}

func TestNetworkErrorIsWithheldIfItRepeatsValue(t *testing.T) {
	t.Parallel()
	sent := redact("Kolumna", "connection", "malformed", "Gates", "response")
	for text, want := range map[string]string{
		`malformed HTTP response "Kolumna"`:        "malformed HTTP response " + withheldText,
		`bad "\"Kolumna" and "<html>"`:             "bad " + withheldText + ` and "<html>"`,
		"malformed MIME header line: Kolumna: no":  withheldText,
		"dial tcp 192.0.2.1: connection refused":   "dial tcp 192.0.2.1: connection refused",
		"HubSpot's response is larger than 32 MiB": "HubSpot's response is larger than 32 MiB",
	} {
		err := sent.hide(errors.Join(errors.New(text), &net.OpError{Op: "read", Err: errTooLarge}))
		var network interface{ Timeout() bool }
		got, _, _ := strings.Cut(err.Error(), "\n")
		if got != want || !errors.As(err, &network) || !errors.Is(err, errTooLarge) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestNameOfStatusStays(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		502: "502 Bad Gateway", 504: "504 Gateway Timeout", 413: "413 Request Entity Too Large",
	} {
		if got := errorText(status, "<html>", "bad gateway timeout request"); got != want {
			t.Error(got)
		}
	}
}
