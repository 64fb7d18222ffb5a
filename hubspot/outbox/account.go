package outbox

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Account is the HubSpot account that contacts are sent to. What was sent before Since went to another one: the IDs of
// its contacts belong to other people here.
type Account struct {
	Token string // fingerprint of the token whose account it is
	HubID int64  // 0 = unknown
	Since time.Time
}

// Account returns the account that contacts were last sent to. It is zero if none is known.
func (o *Outbox) Account(ctx context.Context) (Account, error) {
	fields, err := o.deps.Queue.HGetAll(ctx, o.keys.account).Result()
	if err != nil {
		return Account{}, fmt.Errorf("hubspot: read the account: %w", err)
	}
	a := Account{Token: fields["token"], Since: accountSince(fields["since"])}
	a.HubID, _ = strconv.ParseInt(fields["hub_id"], 10, 64)
	return a, nil
}

// SaveAccount saves the account that contacts are sent to.
func (o Leased) SaveAccount(ctx context.Context, a Account) error {
	since := int64(0)
	if !a.Since.IsZero() {
		since = a.Since.UnixMilli()
	}
	return o.deps.Queue.HSet(ctx, o.keys.account, "token", a.Token, "hub_id", a.HubID, "since", since).Err()
}

// accountSince returns when the account changed; zero = never.
func accountSince(text string) time.Time {
	ms, _ := strconv.ParseInt(text, 10, 64)
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// readSince adds a read of when the account changed to a pipeline.
func (o *Outbox) readSince(ctx context.Context, pipe redis.Pipeliner) *redis.StringCmd {
	return pipe.HGet(ctx, o.keys.account, "since")
}
