package outbox

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// indexKeys returns the key of an address in the index, under every key of the ring, the first one's first. It is a
// hash: the name of each person with the address (see personName), and when their last login was sent, in ms; 0 = not
// yet. Its name is the fingerprint of the address, which the person's record has, too.
func (o *Outbox) indexKeys(email string) []string {
	return o.macNames(o.keys.index, "crm value\x00"+crm.EmailKey(email))
}

// personName returns the name of a person in the index: the end of the key of the person's record.
func (o *Outbox) personName(l Login) string {
	return strings.TrimPrefix(o.personKeys(l)[0], o.keys.person)
}

// loginTime returns the value of the index after a job, or "" if the job is not a login's.
func (o *Outbox) loginTime(j *Job) string {
	if j.Login.At.IsZero() {
		return ""
	}
	return strconv.FormatInt(o.deps.Now().UnixMilli(), 10)
}

// LoginsSent returns when a login of each address was last sent to this HubSpot account. Addresses without one are
// missing.
func (o *Outbox) LoginsSent(ctx context.Context, emails []string) (map[string]time.Time, error) {
	pipe := o.deps.Queue.Pipeline()
	replies := make([][]*redis.StringSliceCmd, len(emails))
	for i, email := range emails {
		for _, key := range o.indexKeys(email) {
			replies[i] = append(replies[i], pipe.HVals(ctx, key))
		}
	}
	changed := o.readSince(ctx, pipe)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("hubspot: read the index of addresses: %w", err)
	}
	sent, since := map[string]time.Time{}, accountSince(changed.Val())
	for i, email := range emails {
		for _, reply := range replies[i] {
			for _, text := range reply.Val() {
				ms, _ := strconv.ParseInt(text, 10, 64)
				if at := time.UnixMilli(ms); ms > 0 && !at.Before(since) && at.After(sent[email]) {
					sent[email] = at
				}
			}
		}
	}
	return sent, nil
}
