package auth

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// tokenAnswer is an answer of the token endpoint, good or bad. ExpiresIn is a number, but some providers send a
// fraction or text.
type tokenAnswer struct {
	Access, Refresh, ID string
	ExpiresIn           any
	Error               string // code of RFC 6749, section 5.2, or a provider's own
	Description         string // what else the answer says about its error
}

// readTokenAnswer reads a JSON object, or a form as some old providers send it, whatever its Content-Type says.
func readTokenAnswer(body []byte) (answer tokenAnswer, ok bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) == nil && fields != nil {
		return answerOf(fields), true
	}
	form, err := url.ParseQuery(strings.TrimSpace(string(body)))
	if err != nil || form.Get("access_token") == "" && form.Get("error") == "" {
		return tokenAnswer{}, false
	}
	return tokenAnswer{
		Access: form.Get("access_token"), Refresh: form.Get("refresh_token"), ID: form.Get("id_token"),
		ExpiresIn: form.Get("expires_in"),
		Error:     form.Get("error"), Description: form.Get("error_description"),
	}, true
}

// answerOf reads each field by itself: one that has an unexpected type must not cost the others.
func answerOf(fields map[string]json.RawMessage) (answer tokenAnswer) {
	for name, into := range map[string]any{
		"access_token": &answer.Access, "refresh_token": &answer.Refresh, "id_token": &answer.ID,
		"expires_in": &answer.ExpiresIn,
	} {
		_ = json.Unmarshal(fields[name], into) // what cannot be read counts as absent
	}
	answer.Error, answer.Description = errorOf(fields)
	return answer
}

// errorOf returns the error code and its description. Gateways in front of a provider, and some providers, put them
// into an object, into a list, or under names of their own. Such words are the code only where they are one that a
// token endpoint sends: a code decides what a login makes of the answer.
func errorOf(fields map[string]json.RawMessage) (code, description string) {
	said := words(fields, "error_description", "message", "errorCode", "errorSummary", "errorMessage")
	var nested map[string]json.RawMessage
	if json.Unmarshal(fields["error"], &nested) == nil && nested != nil {
		said = append(words(nested, "error", "code", "status", "type", "error_description", "message"), said...)
	} else if list := texts(fields["error"]); len(list) > 0 && !isNumber(fields["error"]) {
		return list[0], strings.Join(append(list[1:], said...), " ")
	}
	if i := slices.IndexFunc(said, isTokenError); i >= 0 {
		code = said[i]
		said = slices.Delete(said, i, i+1)
	}
	return code, strings.Join(said, " ")
}

// isTokenError reports whether a word is an error code that kindOfRefusal knows.
func isTokenError(word string) bool {
	return slices.Contains([]string{
		"invalid_client", "invalid_request", "invalid_grant", "invalid_scope", "unauthorized_client",
		"unsupported_grant_type", "server_error", "temporarily_unavailable", "slow_down", "too_many_requests",
		"rate_limit_exceeded",
	}, word)
}

// words returns the texts of fields, in the order of their names.
func words(fields map[string]json.RawMessage, names ...string) (all []string) {
	for _, name := range names {
		all = append(all, texts(fields[name])...)
	}
	return all
}

// maxErrorText bounds a value that is searched for texts, and with it how deep it can be nested.
const maxErrorText = 4 << 10

// texts returns what a JSON value says: text, a number, or those in a list or an object.
func texts(raw json.RawMessage) (all []string) {
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
			all = append(all, texts(element)...)
		}
	case json.Unmarshal(raw, &fields) == nil:
		all = words(fields, slices.Sorted(maps.Keys(fields))...)
	}
	return all
}

func isNumber(raw json.RawMessage) bool {
	var number json.Number
	return json.Unmarshal(raw, &number) == nil && number != "" && !bytes.HasPrefix(bytes.TrimSpace(raw), []byte{'"'})
}

// trimBOM removes the byte order mark that some servers write before JSON (RFC 8259, section 8.1, lets a reader ignore
// it).
func trimBOM(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\ufeff")) }
