package auth

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
)

// tokenSource is where a token came from. It decides how often a token may make the gateway fetch the provider's keys.
type tokenSource int

const (
	fromGateway  tokenSource = iota // no token: the gateway's own probe
	fromProvider                    // the token endpoint's answer to a request of ours
	fromOutside                     // a request that anybody can send
)

// interval returns the least time between two fetches for tokens of this source. A budget of its own for each source
// keeps forged tokens from delaying a login after the provider has replaced its keys.
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

// errUnknownKey and errBadSignature mean that a token was judged by keys that are up to date.
var (
	errUnknownKey   = errors.New("signed by a key that the provider does not publish")
	errBadSignature = errors.New("the signature does not match the key that the token names")
)

// keysError means that a token could not be judged: the keys could not be fetched, or its key is unknown and they were
// fetched less than an interval ago. retry is when judging it may work.
type keysError struct {
	err   error
	fault bool // the provider's: no keys could be fetched
	retry time.Duration
}

func (e *keysError) Error() string { return e.err.Error() }
func (e *keysError) Unwrap() error { return e.err }

// keySet holds the provider's signing keys (RFC 7517). It fetches them when a token names a key that it does not have,
// or when a signature fails, since a provider may replace a key under the same name. Forged tokens could make that a
// flood of requests to the provider, so the limit sits at the fetch: whoever caused it, what was fetched serves every
// token.
type keySet struct {
	fetch  func(context.Context) (keys []jose.JSONWebKey, flaws []string, err error)
	log    *slog.Logger
	now    func() time.Time
	flight singleflight.Group

	mu      sync.Mutex
	keys    []jose.JSONWebKey
	version int // number of fetches that worked
	loading bool
	begun   map[tokenSource]time.Time
	fault   error  // of the last fetch
	flaws   string // of the last answer, logged once
}

// verify returns the payload of a token whose signature holds. The algorithms that are accepted are the caller's to
// check.
func (k *keySet) verify(ctx context.Context, token string, from tokenSource) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(token, joseAlgorithms())
	if err != nil {
		return nil, err
	}
	if len(jws.Signatures) != 1 {
		return nil, errors.New("a token must have one signature")
	}
	asked := false
	for range 3 { // another token's fetch may have begun before this one's key was published
		keys, version := k.current()
		payload, known, ok := verifyWith(keys, jws)
		switch {
		case ok:
			return payload, nil
		case asked && known:
			return nil, errBadSignature
		case asked:
			return nil, errUnknownKey
		}
		asked, err = k.refresh(ctx, from, version)
		var cooling *keysError
		if errors.As(err, &cooling) && !cooling.fault && known {
			return nil, errBadSignature
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, errUnknownKey
}

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

// refresh fetches the keys, unless they changed since version. Callers at the same time share one fetch, which goes on
// when their visitors hang up. began reports whether the fetch began after the call.
func (k *keySet) refresh(ctx context.Context, from tokenSource, version int) (began bool, err error) {
	k.mu.Lock()
	if k.version != version {
		k.mu.Unlock()
		return false, nil
	}
	if !k.loading {
		if err := k.spend(from); err != nil {
			k.mu.Unlock()
			return false, err
		}
		k.loading, began = true, true
	}
	answer := k.flight.DoChan("", func() (_ any, err error) {
		defer recovered(&err)
		return nil, k.load(context.WithoutCancel(ctx))
	})
	k.mu.Unlock()
	select {
	case r := <-answer:
		return began, r.Err
	case <-ctx.Done():
		return began, &keysError{err: ctx.Err(), fault: true}
	}
}

// spend takes one fetch from the budget of a source; k.mu is held.
func (k *keySet) spend(from tokenSource) error {
	now, interval := k.now(), from.interval()
	wait := k.begun[from].Add(interval).Sub(now)
	if wait > 0 && wait <= interval { // more: the clock was set back
		if k.fault != nil && len(k.keys) == 0 {
			return &keysError{err: k.fault, fault: true, retry: wait}
		}
		return &keysError{err: errors.New("signed by an unknown key, and the keys were fetched a moment ago"), retry: wait}
	}
	if k.begun == nil {
		k.begun = map[tokenSource]time.Time{}
	}
	k.begun[from] = now
	return nil
}

// load fetches the keys. When that fails the old ones stay in use.
func (k *keySet) load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, keysTime)
	defer cancel()
	keys, flaws, err := k.fetch(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.loading, k.fault = false, err
	detail := strings.Join(flaws, "; ")
	if detail != "" && detail != k.flaws {
		k.log.WarnContext(ctx, "a key of the provider has a fault", "detail", detail)
	}
	k.flaws = detail
	if err != nil {
		return &keysError{err: fmt.Errorf("the provider's keys cannot be fetched: %w", err), fault: true}
	}
	k.keys = keys
	k.version++
	return nil
}

// tokenKeys judges one token. go-oidc drops the type of its key set's error: err keeps it.
type tokenKeys struct {
	set  *keySet
	from tokenSource
	err  error
}

// VerifySignature makes it go-oidc's KeySet.
func (t *tokenKeys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := t.set.verify(ctx, token, t.from)
	t.err = err
	return payload, err
}
