package openid

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// tokenBody is the body of a response of the token endpoint: tokens or an error.
type tokenBody struct {
	Access, Refresh, ID string
	ExpiresIn           any    // a number; some providers send a fraction or a string
	Error               string // code of RFC 6749, section 5.2, or one of the provider
	Description         string // other texts about the error
}

// parseTokenBody parses a JSON object, or a form as some old providers send it, regardless of the Content-Type.
func parseTokenBody(body []byte) (parsed tokenBody, ok bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) == nil && fields != nil {
		return tokenBodyOf(fields), true
	}
	form, err := url.ParseQuery(strings.TrimSpace(string(body)))
	if err != nil || form.Get("access_token") == "" && form.Get("error") == "" {
		return tokenBody{}, false
	}
	return tokenBody{
		Access: form.Get("access_token"), Refresh: form.Get("refresh_token"), ID: form.Get("id_token"),
		ExpiresIn: form.Get("expires_in"),
		Error:     form.Get("error"), Description: form.Get("error_description"),
	}, true
}

// tokenBodyOf reads each field separately, so that a field of an unexpected type does not affect the others.
func tokenBodyOf(fields map[string]json.RawMessage) (parsed tokenBody) {
	for name, into := range map[string]any{
		"access_token": &parsed.Access, "refresh_token": &parsed.Refresh, "id_token": &parsed.ID,
		"expires_in": &parsed.ExpiresIn,
	} {
		_ = json.Unmarshal(fields[name], into) // an invalid field counts as absent
	}
	parsed.Error, parsed.Description = errorOf(fields)
	return parsed
}

// errorOf returns the error code and its description. Some providers, and gateways in front of them, put these into
// an object, a list, or fields of other names. A text from there is the code only if it is a standard one, because
// the code decides how a login continues.
func errorOf(fields map[string]json.RawMessage) (code, description string) {
	texts := textsIn(fields, "error_description", "message", "errorCode", "errorSummary", "errorMessage")
	var nested map[string]json.RawMessage
	if json.Unmarshal(fields["error"], &nested) == nil && nested != nil {
		texts = append(textsIn(nested, "error", "code", "status", "type", "error_description", "message"), texts...)
	} else if list := textsOf(fields["error"]); len(list) > 0 && !isNumber(fields["error"]) {
		return list[0], strings.Join(append(list[1:], texts...), " ")
	}
	if i := slices.IndexFunc(texts, isTokenError); i >= 0 {
		code = texts[i]
		texts = slices.Delete(texts, i, i+1)
	}
	return code, strings.Join(texts, " ")
}

// isTokenError reports whether text is a standard error code of a token endpoint, which refusalKind knows.
func isTokenError(text string) bool {
	return slices.Contains([]string{
		"invalid_client", "invalid_request", "invalid_grant", "invalid_scope", "unauthorized_client",
		"unsupported_grant_type", "server_error", "temporarily_unavailable", "slow_down", "too_many_requests",
		"rate_limit_exceeded",
	}, text)
}

// textsIn returns the texts of some fields, in the order of names.
func textsIn(fields map[string]json.RawMessage, names ...string) (all []string) {
	for _, name := range names {
		all = append(all, textsOf(fields[name])...)
	}
	return all
}

// maxErrorText bounds a value that is searched for texts, and with it the depth of nesting.
const maxErrorText = 4 << 10

// textsOf returns the strings and numbers in a JSON value.
func textsOf(raw json.RawMessage) (all []string) {
	var text string
	var list []json.RawMessage
	var fields map[string]json.RawMessage
	switch {
	case len(raw) > maxErrorText:
	case json.Unmarshal(raw, &text) == nil:
		if text != "" {
			all = append(all, text)
		}
	case isNumber(raw):
		all = append(all, string(bytes.TrimSpace(raw)))
	case json.Unmarshal(raw, &list) == nil:
		for _, element := range list {
			all = append(all, textsOf(element)...)
		}
	case json.Unmarshal(raw, &fields) == nil:
		all = textsIn(fields, slices.Sorted(maps.Keys(fields))...)
	}
	return all
}

func isNumber(raw json.RawMessage) bool {
	var number json.Number
	return json.Unmarshal(raw, &number) == nil && number != "" && !bytes.HasPrefix(bytes.TrimSpace(raw), []byte{'"'})
}
