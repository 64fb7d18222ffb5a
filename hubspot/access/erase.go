package access

import (
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/redisread"
	"github.com/hubgate/hubgate/internal/seal"
)

// Records are what all replicas keep in Redis, for operators. They need no HubSpot.
type Records struct{ store store }

// NewRecords returns the records under a key prefix of Redis.
func NewRecords(rdb redis.UniversalClient, keyPrefix string, ring *seal.Ring) *Records {
	return &Records{store{rdb: rdb, prefix: keyPrefix, ring: ring}}
}

// Find returns what is kept about an e-mail address. Records that the ring cannot open are left out; they expire within
// hubspot.access.max_stale.
func (r *Records) Find(ctx context.Context, email string) (found []Known, err error) {
	err = r.each(ctx, crm.EmailKey(email), func(_ string, answers []*Known) error {
		for _, k := range answers {
			found = append(found, *k)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("hubspot: find what is known about a person: %w", err)
	}
	return found, nil
}

// Erase removes what is kept about an e-mail address, in Redis and in the memory of all replicas, and returns how many
// records there were. The person's sessions must have ended: a request would read it again.
func (r *Records) Erase(ctx context.Context, email string) (n int, err error) {
	err = r.each(ctx, crm.EmailKey(email), func(key string, _ []*Known) error {
		deleted, err := r.store.rdb.Del(ctx, key).Result()
		n += int(deleted)
		return err
	})
	if err == nil {
		err = r.store.publish(ctx, eventErased) // also if there is no record: replicas may have copies
	}
	if err != nil {
		return n, fmt.Errorf("hubspot: erase what is known about a person: %w", err)
	}
	return n, nil
}

// each calls use once for each record about an e-mail address. It costs as much as Redis has keys.
func (r *Records) each(ctx context.Context, email string, use func(key string, answers []*Known) error) error {
	seen := map[string]bool{}
	return redisread.Scan(ctx, r.store.rdb, r.store.record(""), func(keys []string) error {
		for _, key := range keys {
			stored, err := redisread.Text(redisread.Request(ctx, r.store.rdb, key, maxStored), nil)
			if err != nil {
				return err
			}
			about := slices.DeleteFunc(r.store.open(stored, key), func(k *Known) bool { return k.Email != email })
			if len(about) == 0 || seen[key] {
				continue
			}
			seen[key] = true
			if err := use(key, about); err != nil {
				return err
			}
		}
		return nil
	})
}
