package auth

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
	maxKeys    = 100  // of a key set that are used
	maxMembers = 1000 // of a key set that are read
	maxFlaws   = 5    // of a key set that are named
)

// asymmetric are the signature algorithms that a provider may use: never none, never a MAC under the client secret (RFC
// 8725, 3.1).
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

func (p *Provider) newKeySet(address string) *keySet {
	fetch := func(ctx context.Context) ([]jose.JSONWebKey, []string, error) { return p.fetchKeys(ctx, address) }
	return &keySet{fetch: fetch, log: p.deps.Log, now: p.deps.Now}
}

// fetchKeys reads the keys at an address. flaws are the members that have a fault; the others are used all the same.
func (p *Provider) fetchKeys(ctx context.Context, address string) (keys []jose.JSONWebKey, flaws []string, err error) {
	text, status, err := p.get(dependency.WithOp(ctx, dependency.OpJWKS), address, "")
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%s: %w", address, err)
	case status != http.StatusOK:
		return nil, nil, fmt.Errorf("%s answers %d", address, status)
	}
	if keys, flaws, err = parseKeys(text); err != nil {
		return nil, flaws, fmt.Errorf("%s: %w", address, err)
	}
	return keys, flaws, nil
}

// parseKeys reads a JWK Set. Each member is read by itself: RFC 7517, section 5, asks to ignore members that are not
// understood, and one bad member must not end every login.
func parseKeys(text []byte) (keys []jose.JSONWebKey, flaws []string, err error) {
	members, err := membersOf(text)
	if err != nil {
		return nil, nil, err
	}
	for i, raw := range members {
		if i == maxMembers || len(keys) == maxKeys {
			flaws = slices.Insert(flaws, 0, fmt.Sprintf("only the first %d of %d keys are read", i, len(members)))
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
		return nil, flaws, errors.New(strings.Join(append([]string{"no key that can verify a signature"}, flaws...), "; "))
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
		return nil, errors.New("not a JSON Web Key Set: an array, not an object with keys")
	case json.Unmarshal(text, &set) != nil:
		return nil, errors.New("not a JSON Web Key Set")
	case set.Keys != nil && json.Unmarshal(set.Keys, &members) != nil:
		return nil, errors.New("not a JSON Web Key Set: its keys are not a list")
	}
	return members, nil
}

// firstFlaws replaces what is too much for a log by its number.
func firstFlaws(flaws []string) []string {
	if more := len(flaws) - maxFlaws; more > 0 {
		flaws = append(flaws[:maxFlaws:maxFlaws], fmt.Sprintf("and %d more", more))
	}
	return flaws
}

// member is what became of one member of a key set.
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
	_ = json.Unmarshal(fields["kid"], &m.id) // a kid that is not text is the parser's to refuse
	if _ = json.Unmarshal(fields["use"], &use); use == "enc" {
		return m
	}
	key, err := parseKey(raw)
	if err != nil { // certificates are not used, so a bad one costs itself only
		for _, name := range []string{"x5c", "x5u", "x5t", "x5t#S256"} {
			delete(fields, name)
		}
		bare, _ := json.Marshal(fields)
		bad := err
		if key, err = parseKey(bare); err == nil {
			m.flaw = "its certificate is ignored: " + reason(bad)
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

// parseKey recovers, since it runs outside a visitor's request: a key that upsets the parser must not end the process.
func parseKey(raw []byte) (key jose.JSONWebKey, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("cannot be read: %v", v)
		}
	}()
	err = json.Unmarshal(raw, &key)
	return key, err
}

func reason(err error) string {
	return clip(strings.TrimPrefix(err.Error(), "go-jose/go-jose: "))
}
