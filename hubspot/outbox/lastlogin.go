package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// sealLast returns the last login to be kept with an entry: what the mapping needs, sealed, until the session ends. It
// is nil if the entry is not a login of a live session.
func (o *Outbox) sealLast(e Entry) (sealed []byte, ttl time.Duration, err error) {
	ttl = e.Login.SessionEnds.Sub(o.deps.Now())
	if e.Forced || ttl < time.Millisecond {
		return nil, 0, nil
	}
	sealed, err = o.seal(o.deps.Mapped(e.Login))
	return sealed, ttl, err
}

// lastKeys returns the key of a person's last login under every key of the ring.
func (o *Outbox) lastKeys(l Login) []string {
	return o.macNames(o.keys.last, "crm person\x00"+l.Issuer+"\x00"+personID(l))
}

// LastLogin returns the newest of the last logins of some people that has the address. known is false if there is none.
func (o *Outbox) LastLogin(ctx context.Context, email string, people []Login) (newest Login, known bool, err error) {
	for _, person := range people {
		for _, key := range o.lastKeys(person) {
			l, found, err := o.readLast(ctx, key)
			if err != nil {
				return Login{}, false, err
			}
			if found && crm.EmailKey(l.Email) == crm.EmailKey(email) && (!known || l.At.After(newest.At)) {
				newest, known = l, true
			}
		}
	}
	return newest, known, nil
}

// readLast reads one last login. One that cannot be opened is not found: its key is no longer in the ring.
func (o *Outbox) readLast(ctx context.Context, key string) (l Login, found bool, err error) {
	sealed, err := o.deps.Queue.Get(ctx, key).Bytes()
	if errors.Is(err, redis.Nil) {
		return l, false, nil
	}
	if err != nil {
		return l, false, fmt.Errorf("hubspot: read a last login: %w", err)
	}
	return l, o.open(sealed, &l) == nil, nil
}
