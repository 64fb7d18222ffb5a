package openid

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"github.com/hubgate/hubgate/internal/background"
)

// tokenSource is the origin of a token. It decides how often tokens may trigger a fetch of the provider's keys.
type tokenSource int

const (
	fromGateway  tokenSource = iota // no token: the gateway's probe
	fromProvider                    // a response of the token endpoint
	fromOutside                     // a request that anyone can send
)

// interval returns the minimum time between two fetches for tokens of this source. Each source has its own budget, so
// that forged tokens cannot delay logins after the provider has replaced its keys.
func (s tokenSource) interval() time.Duration {
	switch s {
	case fromGateway:
		return 0
	case fromProvider:
		return 3 * time.Second
	}
	return time.Minute
}

// keysTime bounds one fetch of the keys.
const keysTime = 5 * time.Second

// errUnknownKey and errBadSignature mean that a token was checked against current keys.
var (
	errUnknownKey   = errors.New("signed by a key that the provider does not publish")
	errBadSignature = errors.New("invalid signature")

	errFetchedRecently = errors.New("signed by an unknown key, and the keys were fetched a moment ago")
)

// KeysError means that a token could not be checked: the provider's keys are unavailable, or the token's key is unknown
// and the keys were fetched a moment ago.
type KeysError struct {
	Unavailable bool          // the keys could not be fetched
	RetryAfter  time.Duration // when another check may succeed
	err         error
}

func (e *KeysError) Error() string { return e.err.Error() }
func (e *KeysError) Unwrap() error { return e.err }

// keySet holds the provider's signing keys (RFC 7517). It fetches them when a token names an unknown key, or when a
// signature is invalid, because a provider may replace a key under the same kid. Fetches are rate limited, so that
// forged tokens cannot flood the provider with requests.
type keySet struct {
	documents documents
	address   string
	log       *slog.Logger
	now       func() time.Time
	flight    singleflight.Group

	mu        sync.Mutex
	keys      []jose.JSONWebKey
	version   int // number of successful fetches
	loading   bool
	lastFetch map[tokenSource]time.Time
	lastErr   error  // of the last fetch
	flaws     string // of the last response, logged once
}

func newKeySet(docs documents, address string, log *slog.Logger, now func() time.Time) *keySet {
	return &keySet{documents: docs, address: address, log: log, now: now, lastFetch: map[tokenSource]time.Time{}}
}

// verify returns the payload of a token whose signature is valid. It does not restrict the algorithm; the caller does.
func (k *keySet) verify(ctx context.Context, token string, from tokenSource) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(token, joseAlgorithms())
	if err != nil {
		return nil, err
	}
	if len(jws.Signatures) != 1 {
		return nil, errors.New("a token must have one signature")
	}
	fetched := false
	for range 3 { // a shared fetch may have begun before this token's key was published
		keys, version := k.current()
		payload, known, ok := verifyWith(keys, jws)
		switch {
		case ok:
			return payload, nil
		case fetched && known:
			return nil, errBadSignature
		case fetched:
			return nil, errUnknownKey
		}
		fetched, err = k.refresh(ctx, from, version)
		var limited *KeysError
		if errors.As(err, &limited) && !limited.Unavailable && known {
			return nil, errBadSignature
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, errUnknownKey
}

// verifyWith verifies a token with each key that may have signed it. known reports whether there was one.
func verifyWith(keys []jose.JSONWebKey, jws *jose.JSONWebSignature) (payload []byte, known, ok bool) {
	id := jws.Signatures[0].Header.KeyID
	for i := range keys {
		if id != "" && keys[i].KeyID != "" && keys[i].KeyID != id {
			continue
		}
		known = known || id == "" || keys[i].KeyID == id
		if payload, err := jws.Verify(&keys[i]); err == nil {
			return payload, true, true
		}
	}
	return nil, known, false
}

func (k *keySet) current() (keys []jose.JSONWebKey, version int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys, k.version
}

// refresh fetches the keys, unless they changed since version. Concurrent callers share one fetch, which continues when
// their requests are canceled. began reports whether the fetch began after the call.
func (k *keySet) refresh(ctx context.Context, from tokenSource, version int) (began bool, err error) {
	k.mu.Lock()
	if k.version != version {
		k.mu.Unlock()
		return false, nil
	}
	if !k.loading {
		if err := k.takeBudget(from); err != nil {
			k.mu.Unlock()
			return false, err
		}
		k.loading, began = true, true
	}
	answer := k.flight.DoChan("", func() (_ any, err error) {
		defer background.Recover(&err)
		return nil, k.load(context.WithoutCancel(ctx))
	})
	k.mu.Unlock()
	select {
	case r := <-answer:
		return began, r.Err
	case <-ctx.Done():
		return began, &KeysError{err: ctx.Err(), Unavailable: true}
	}
}

// takeBudget takes one fetch from the budget of a source. The caller holds k.mu.
func (k *keySet) takeBudget(from tokenSource) error {
	now, interval := k.now(), from.interval()
	wait := k.lastFetch[from].Add(interval).Sub(now)
	if wait > 0 && wait <= interval { // more: the clock was set back
		if k.lastErr != nil && len(k.keys) == 0 {
			return &KeysError{err: k.lastErr, Unavailable: true, RetryAfter: wait}
		}
		return &KeysError{err: errFetchedRecently, RetryAfter: wait}
	}
	k.lastFetch[from] = now
	return nil
}

// load fetches the keys. If that fails, the old keys stay in use.
func (k *keySet) load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, keysTime)
	defer cancel()
	keys, flaws, err := k.documents.keys(ctx, k.address)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.loading, k.lastErr = false, err
	detail := strings.Join(flaws, "; ")
	if detail != "" && detail != k.flaws {
		k.log.WarnContext(ctx, "invalid key in the provider's key set", "detail", detail)
	}
	k.flaws = detail
	if err != nil {
		return &KeysError{err: fmt.Errorf("cannot fetch the provider's keys: %w", err), Unavailable: true}
	}
	k.keys = keys
	k.version++
	return nil
}

// tokenKeys checks the signature of one token for go-oidc, which drops the type of its key set's error. err keeps it.
type tokenKeys struct {
	set  *keySet
	from tokenSource
	err  error
}

// VerifySignature implements oidc.KeySet.
func (t *tokenKeys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := t.set.verify(ctx, token, t.from)
	t.err = err
	return payload, err
}
