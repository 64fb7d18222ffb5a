package crm

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// errorText parses a body with a status and returns the error in words.
func errorText(status int, body string, sent ...string) string {
	return parseError(status, nil, []byte(body), redact(sent...)).Error()
}

func TestErrorNamesRejectedProperties(t *testing.T) {
	t.Parallel()
	const rejects = "HubSpot rejects the value"
	for _, c := range []struct{ body, want string }{
		// a JSON list in the message
		{`{"message":"Property values were not valid: [{\"isValid\":false,\"error\":\"PROPERTY_DOESNT_EXIST\",` +
			`\"message\":\"Property \\\"nope\\\" does not exist\",\"name\":\"nope\"}]"}`,
			"nope " + NoSuchProperty.Sentence()},
		{`{"message":"Property values were not valid: [{\"error\":\"READ_ONLY_VALUE\",\"name\":\"vid\"},` +
			`{\"error\":\"INVALID_OPTION\",\"name\":\"tier\"}]"}`,
			"vid " + ReadOnly.Sentence() + " tier " + rejects + ": INVALID_OPTION"},
		{`{"message":"x","errors":[{"message":"Property values were not valid: [{\"error\":\"INVALID_FLOAT\",` +
			`\"name\":\"amount\"}]"}]}`,
			"amount " + rejects + ": INVALID_FLOAT"},
		// a context of an element of errors
		{`{"message":"x","errors":[{"code":"INVALID_OPTION","message":"m","context":{"propertyName":["tier"]}}]}`,
			"tier " + rejects + ": INVALID_OPTION"},
		{`{"message":"x","errors":[{"message":"m","context":{"propertyName":"tier"}}]}`, "tier " + rejects},
		{`{"message":"x","errors":[{"code":"INVALID_DATE","context":{"propertyNames":["born","since"]}}]}`,
			"born " + rejects + ": INVALID_DATE since " + rejects + ": INVALID_DATE"},
		// a context of the whole error
		{`{"message":"x","context":{"propertyName":["tier"]}}`, "tier " + rejects},
		{`{"message":"x","context":{"propertyNames":["tier","size"]}}`, "tier " + rejects + " size " + rejects},
		{`{"message":"x","context":{"propertyName":"tier"},"errors":[{"code":"INVALID_OPTION",` +
			`"context":{"propertyName":["tier"]}}]}`, "tier " + rejects + ": INVALID_OPTION"},
	} {
		var got []string
		for _, b := range parseError(http.StatusBadRequest, nil, []byte(c.body), nil).BadProperties {
			got = append(got, b.Property+" "+b.Text())
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: %q, want %q", c.body, text, c.want)
		}
	}
}

func TestErrorBlamesNothingThatItDoesNotName(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"message":"x [not json"}`, `{"errors":[{"context":{"propertyName":["A b"]}}]}`, `<html>`, ``,
		`{"message":"Property \"firstname\" does not like 'company' or ` + "`tier`" + `"}`,
		`{"message":"x","errors":[{"in":"inputs[0].properties.firstname","message":"m"}]}`,
		`{"message":"x","validationResults":[{"name":"firstname","error":"INVALID"}]}`,
		`{"message":"Duplicate IDs found in batch input: [ada]"}`,
		`{"message":"x","context":{"properties":["company"]}}`,
		// values that HubSpot repeats
		`{"message":"The value [{\"name\":\"company\",\"error\":\"READ_ONLY_VALUE\"}] is not accepted"}`,
		`{"message":"x","errors":[{"message":"not accepted: [{\"name\":\"company\"}]"}]}`,
		`{"message":"[{\"name\":\"company\"}] is not accepted. Property values were not valid"}`,
		`{"message":"Property values were not valid for Ada [{\"name\":\"company\"}]"}`,
	} {
		if e := parseError(http.StatusBadRequest, nil, []byte(body), nil); len(e.BadProperties) > 0 {
			t.Errorf("%s blames %v", body, e.BadProperties)
		}
	}
}

func TestErrorNamesRequiredProperties(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]string{
		`{"message":"x","context":{"properties":["company"]}}`: {"company"},
		`{"message":"x","context":{"properties":"company"},"errors":[{"context":{"properties":["company","phone"]}}]}`: {
			"company", "phone"},
		`{"message":"x","errors":[{"context":{"properties":["tier"]}},{"context":{"properties":["A b"]}}]}`: {"tier"},
	} {
		e := parseError(http.StatusBadRequest, nil, []byte(body), nil)
		if d := cmp.Diff(want, e.Required); d != "" {
			t.Errorf("%s: %s", body, d)
		}
		if want := "(required: " + strings.Join(want, ", ") + ")"; !strings.Contains(e.Error(), want) {
			t.Errorf("%s lacks %s", e, want)
		}
	}
}

func TestErrorNamesScopes(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"message":"x","context":{"requiredGranularScopes":["a.read"]}}`,
		`{"message":"x","context":{"requiredGranularScopes":"a.read"}}`,
		`{"message":"x","errors":[{"context":{"requiredGranularScopes":["a.read"]}}]}`,
	} {
		if got := errorText(http.StatusForbidden, body); got != "403 x (missing scopes: a.read)" {
			t.Errorf("%s: %s", body, got)
		}
	}
}

func TestErrorNamesExistingContact(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"Contact already exists. Existing ID: 123": "123", "Contact already exists. existing id 77": "77",
		"Contact already exists. Existing ID: Ada": "", "The name 'Existing ID: 5' is in use": "",
	} {
		if got := parseError(http.StatusConflict, nil, []byte(`{"message":"`+message+`"}`), nil).Existing; got != want {
			t.Errorf("%s: %q", message, got)
		}
	}
}

func TestErrorHidesAddressesAndTokens(t *testing.T) {
	t.Parallel()
	e := parseError(http.StatusForbidden, http.Header{"Retry-After": {"999999"}},
		[]byte(`{"message":"pat-na1-0a-1b of ada@example.com\nfake log line","errors":[
			{"context":{"requiredGranularScopes":["crm.objects.contacts.write"]}}]}`), nil)
	want := "403 <key> of <e-mail> fake log line (missing scopes: crm.objects.contacts.write)"
	if got := e.Error(); got != want || e.RetryAfter != maxRetryAfter {
		t.Errorf("%q %s", got, e.RetryAfter)
	}
}
