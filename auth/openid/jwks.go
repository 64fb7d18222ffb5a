package openid

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/hubgate/hubgate/internal/dependency"
)

const (
	maxKeys    = 100  // keys of a set that are used
	maxMembers = 1000 // members of a set that are read
	maxFlaws   = 5    // flaws of a set that are reported
)

// asymmetric returns the signature algorithms that a provider may use: never none, never a MAC under the client secret
// (algorithm confusion, RFC 8725, section 3.1).
func asymmetric() []string {
	return []string{
		oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512,
		oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
	}
}

func joseAlgorithms() (all []jose.SignatureAlgorithm) {
	for _, name := range asymmetric() {
		all = append(all, jose.SignatureAlgorithm(name))
	}
	return all
}

// keys fetches the JWK Set at an address. flaws describe invalid members; the other keys are used.
func (d documents) keys(ctx context.Context, address string) (keys []jose.JSONWebKey, flaws []string, err error) {
	text, status, err := d.get(dependency.WithOp(ctx, dependency.OpJWKS), address, "")
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%s: %w", address, err)
	case status != http.StatusOK:
		return nil, nil, fmt.Errorf("%s: status %d", address, status)
	}
	if keys, flaws, err = parseKeys(text); err != nil {
		return nil, flaws, fmt.Errorf("%s: %w", address, err)
	}
	return keys, flaws, nil
}

// parseKeys parses a JWK Set, member by member. RFC 7517, section 5, requires that unknown members are ignored, and one
// invalid member must not make every login fail.
func parseKeys(text []byte) (keys []jose.JSONWebKey, flaws []string, err error) {
	members, err := membersOf(text)
	if err != nil {
		return nil, nil, err
	}
	for i, raw := range members {
		if i == maxMembers || len(keys) == maxKeys {
			flaws = slices.Insert(flaws, 0, fmt.Sprintf("only the first %d of %d keys are used", i, len(members)))
			break
		}
		m := readMember(raw)
		if m.flaw != "" {
			flaws = append(flaws, fmt.Sprintf("key %d%s: %s", i+1, m.name(), m.flaw))
		}
		if m.usable {
			keys = append(keys, m.key)
		}
	}
	flaws = firstFlaws(flaws)
	if len(keys) == 0 {
		return nil, flaws, errors.New(strings.Join(append([]string{"no usable signing key"}, flaws...), "; "))
	}
	return keys, flaws, nil
}

func membersOf(text []byte) ([]json.RawMessage, error) {
	var set struct {
		Keys json.RawMessage `json:"keys"`
	}
	var members []json.RawMessage
	switch {
	case bytes.HasPrefix(bytes.TrimSpace(text), []byte{'['}):
		return nil, errors.New("not a JSON Web Key Set: expected an object with keys, got an array")
	case json.Unmarshal(text, &set) != nil:
		return nil, errors.New("not a JSON Web Key Set")
	case set.Keys != nil && json.Unmarshal(set.Keys, &members) != nil:
		return nil, errors.New("not a JSON Web Key Set: expected a list in keys")
	}
	return members, nil
}

// firstFlaws keeps maxFlaws flaws and counts the others.
func firstFlaws(flaws []string) []string {
	if more := len(flaws) - maxFlaws; more > 0 {
		flaws = append(flaws[:maxFlaws:maxFlaws], fmt.Sprintf("and %d more", more))
	}
	return flaws
}

// member is one parsed member of a JWK Set.
type member struct {
	key    jose.JSONWebKey
	usable bool
	id     string
	flaw   string
}

func (m member) name() string {
	if m.id == "" {
		return ""
	}
	return fmt.Sprintf(" (kid %q)", clip(m.id))
}

func readMember(raw json.RawMessage) (m member) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		m.flaw = "skipped: not a JSON object"
		return m
	}
	var use string
	_ = json.Unmarshal(fields["kid"], &m.id) // parseKey rejects a kid that is not a string
	if _ = json.Unmarshal(fields["use"], &use); use == "enc" {
		return m
	}
	key, err := parseKey(raw)
	if err != nil { // certificates are not used, so an invalid one is dropped
		for _, name := range []string{"x5c", "x5u", "x5t", "x5t#S256"} {
			delete(fields, name)
		}
		bare, _ := json.Marshal(fields)
		invalid := err
		if key, err = parseKey(bare); err == nil {
			m.flaw = "invalid certificate ignored: " + reason(invalid)
		}
	}
	switch {
	case err != nil:
		m.flaw = "skipped: " + reason(err)
	case !key.Valid() || !key.IsPublic():
		m.flaw = "skipped: not a valid public key"
	default:
		m.key, m.usable = key, true
	}
	return m
}

// parseKey recovers from panics of the parser, because it runs outside the goroutine of a request.
func parseKey(raw []byte) (key jose.JSONWebKey, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	err = json.Unmarshal(raw, &key)
	return key, err
}

func reason(err error) string {
	return clip(strings.TrimPrefix(err.Error(), "go-jose/go-jose: "))
}
