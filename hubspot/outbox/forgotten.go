package outbox

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/seal"
)

// ErrForgetKey means that hubgate cannot determine who was forgotten, so that it must not send anyone.
var ErrForgetKey = errors.New("hubspot: cannot open the key of the forgotten people")

// forgetKey is the random key that names forgotten people. Redis holds it sealed, and the names are the only thing that
// remains of a forgotten person: with a MAC of the ring, they would be lost when the ring's key is removed.
type forgetKey struct {
	sealed string // as in Redis; "" if nobody was ever forgotten, anyKey if it cannot be opened
	key    []byte
}

// anyKey makes addScript add the entry without a check; the worker checks it again before it sends it.
const anyKey = "*"

// name returns the name of an address among the forgotten people.
func (k *forgetKey) name(email string) string {
	if k.key == nil {
		return ""
	}
	mac := hmac.New(sha256.New, k.key)
	mac.Write([]byte(crm.EmailKey(email)))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// useForgetKey opens a forget key that Redis holds, and remembers it for the next logins.
func (o *Outbox) useForgetKey(sealed string) *forgetKey {
	k := &forgetKey{sealed: sealed}
	if sealed != "" {
		key, err := o.deps.Ring.Open(seal.ForgetKey, []byte(sealed), []byte(o.keys.forgetKey))
		if err != nil {
			return &forgetKey{sealed: anyKey}
		}
		k.key = key
	}
	o.forget.Store(k)
	return k
}

// readForgetKey reads the forget key. It returns ErrForgetKey with the cure if the key is lost or cannot be opened.
func (o *Outbox) readForgetKey(ctx context.Context) (*forgetKey, error) {
	pipe := o.deps.Queue.Pipeline()
	sealed, names := pipe.Get(ctx, o.keys.forgetKey), pipe.Exists(ctx, o.keys.forgotten)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("hubspot: read the forgotten people: %w", err)
	}
	if sealed.Val() == "" && names.Val() > 0 {
		return nil, fmt.Errorf("%w: %s is missing in Redis; restore it from a backup, or delete %s to send contacts of "+
			"forgotten people again", ErrForgetKey, o.keys.forgetKey, o.keys.forgotten)
	}
	k := o.useForgetKey(sealed.Val())
	if k.sealed == anyKey {
		return nil, fmt.Errorf("%w: add the key that sealed it to the end of session.keys again", ErrForgetKey)
	}
	return k, nil
}

// Forgotten returns which of some addresses were forgotten.
func (o *Outbox) Forgotten(ctx context.Context, emails []string) (map[string]bool, error) {
	k, err := o.readForgetKey(ctx)
	if err != nil || k.key == nil || len(emails) == 0 {
		return nil, err
	}
	names := make([]any, len(emails))
	for i, email := range emails {
		names[i] = k.name(email)
	}
	members, err := o.deps.Queue.SMIsMember(ctx, o.keys.forgotten, names...).Result()
	if err != nil {
		return nil, fmt.Errorf("hubspot: read the forgotten people: %w", err)
	}
	forgotten := map[string]bool{}
	for i, email := range emails {
		if members[i] {
			forgotten[email] = true
		}
	}
	return forgotten, nil
}

// MarkForgotten makes all replicas refuse contacts of an address from now on. The first call creates the forget key.
func (o *Outbox) MarkForgotten(ctx context.Context, email string) error {
	k, err := o.readForgetKey(ctx)
	if err == nil && k.key == nil {
		key := make([]byte, sha256.Size)
		rand.Read(key)
		sealed := o.deps.Ring.Seal(seal.ForgetKey, key, []byte(o.keys.forgetKey))
		if err := o.deps.Queue.SetNX(ctx, o.keys.forgetKey, sealed, 0).Err(); err != nil {
			return fmt.Errorf("hubspot: save the forget key: %w", err)
		}
		k, err = o.readForgetKey(ctx) // another replica may have been first
	}
	if err != nil {
		return err
	}
	if err := o.deps.Queue.SAdd(ctx, o.keys.forgotten, k.name(email)).Err(); err != nil {
		return fmt.Errorf("hubspot: mark a person as forgotten: %w", err)
	}
	return nil
}

// Allow takes MarkForgotten back and reports whether the address was forgotten.
func (o *Outbox) Allow(ctx context.Context, email string) (was bool, err error) {
	k, err := o.readForgetKey(ctx)
	if err != nil || k.key == nil {
		return false, err
	}
	n, err := o.deps.Queue.SRem(ctx, o.keys.forgotten, k.name(email)).Result()
	if err != nil {
		return false, fmt.Errorf("hubspot: allow a forgotten person: %w", err)
	}
	return n > 0, nil
}

// resealScript replaces the sealed forget key if it is still the one that was read.
var resealScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
`)

// ResealForgetKey seals the forget key with the ring's first key, so that the older ones can be removed.
func (o Leased) ResealForgetKey(ctx context.Context) error {
	k, err := o.readForgetKey(ctx)
	if err != nil || k.key == nil || !o.deps.Ring.Stale([]byte(k.sealed)) {
		return err
	}
	sealed := o.deps.Ring.Seal(seal.ForgetKey, k.key, []byte(o.keys.forgetKey))
	return resealScript.Run(ctx, o.deps.Queue, []string{o.keys.forgetKey}, k.sealed, sealed).Err()
}
