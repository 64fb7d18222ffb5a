package outbox

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// RejectedProperty is a property with values that did not reach HubSpot, and why.
type RejectedProperty struct {
	Property string    `json:"property"`
	Reason   string    `json:"reason"` // in words
	Count    int64     `json:"count"`
	LastAt   time.Time `json:"last_at"`
	Code     string    `json:"-"` // the reason as a word, "" if an older version counted it
	Rule     string    `json:"-"` // identifies the rule of the mapping, "" likewise
}

// field returns the prefix of the hash fields.
func (p RejectedProperty) field() string {
	if p.Code == "" {
		return p.Property + "|"
	}
	return p.Property + "|" + p.Code + "|"
}

const accountsTTL = 30 * 24 * time.Hour

// CountRejected counts values that did not reach HubSpot, and returns the counts.
func (o Leased) CountRejected(ctx context.Context, list []RejectedProperty) ([]int64, error) {
	pipe := o.deps.Queue.Pipeline()
	counts, now := make([]*redis.IntCmd, len(list)), strconv.FormatInt(o.deps.Now().UnixMilli(), 10)
	for i, p := range list {
		counts[i] = pipe.HIncrBy(ctx, o.keys.rejected, p.field()+"count", 1)
		pipe.HSet(ctx, o.keys.rejected, p.field()+"reason", p.Reason, p.field()+"at", now, p.field()+"rule", p.Rule)
	}
	pipe.Expire(ctx, o.keys.rejected, accountsTTL)
	_, err := pipe.Exec(ctx)
	values := make([]int64, len(list))
	for i, count := range counts {
		values[i] = count.Val()
	}
	return values, err
}

// Rejected returns the properties with values that did not reach HubSpot.
func (o *Outbox) Rejected(ctx context.Context) ([]RejectedProperty, error) {
	fields, err := o.deps.Queue.HGetAll(ctx, o.keys.rejected).Result()
	return rejectedProperties(fields), err
}

func rejectedProperties(fields map[string]string) []RejectedProperty {
	list := []RejectedProperty{}
	for field, value := range fields {
		name, found := strings.CutSuffix(field, "|count")
		if !found {
			continue
		}
		p := RejectedProperty{Reason: fields[name+"|reason"], Rule: fields[name+"|rule"]}
		p.Property, p.Code, _ = strings.Cut(name, "|")
		p.Count, _ = strconv.ParseInt(value, 10, 64)
		ms, _ := strconv.ParseInt(fields[name+"|at"], 10, 64)
		p.LastAt = time.UnixMilli(ms).UTC()
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b RejectedProperty) int { return strings.Compare(a.field(), b.field()) })
	return list
}

// ForgetRejected removes properties from the list.
func (o Leased) ForgetRejected(ctx context.Context, list []RejectedProperty) error {
	var fields []string
	for _, p := range list {
		for _, member := range []string{"count", "reason", "at", "rule"} {
			fields = append(fields, p.field()+member)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return o.deps.Queue.HDel(ctx, o.keys.rejected, fields...).Err()
}

// UnseenClaim is a mapped claim that no login of the last day carried, so that its name may be misspelt.
type UnseenClaim struct {
	Claim    string     `json:"claim"`
	Property string     `json:"property"`
	Logins   int64      `json:"logins"`    // logins without it since it was last seen
	LastSeen *time.Time `json:"last_seen"` // nil = never
}

// ClaimUse is when a login last carried a mapped claim, and how many logins have lacked it since.
type ClaimUse struct {
	LastSeen time.Time // zero = never
	Missing  int64
}

// CountClaims saves which claims logins carried, and how many logins lacked others. It returns the uses of all claims.
func (o Leased) CountClaims(
	ctx context.Context, seen map[string]bool, missing map[string]int64,
) (map[string]ClaimUse, error) {
	pipe := o.deps.Queue.Pipeline()
	now := strconv.FormatInt(o.deps.Now().UnixMilli(), 10)
	for name := range seen {
		pipe.HSet(ctx, o.keys.claims, name+"|seen", now, name+"|missing", 0)
	}
	for name, n := range missing {
		pipe.HIncrBy(ctx, o.keys.claims, name+"|missing", n)
	}
	pipe.Expire(ctx, o.keys.claims, accountsTTL)
	all := pipe.HGetAll(ctx, o.keys.claims)
	_, err := pipe.Exec(ctx)
	return claimUses(all.Val()), err
}

// ClaimUses returns the uses of all claims.
func (o *Outbox) ClaimUses(ctx context.Context) (map[string]ClaimUse, error) {
	fields, err := o.deps.Queue.HGetAll(ctx, o.keys.claims).Result()
	if err != nil {
		return nil, fmt.Errorf("hubspot: read the use of claims: %w", err)
	}
	return claimUses(fields), nil
}

func claimUses(fields map[string]string) map[string]ClaimUse {
	uses := map[string]ClaimUse{}
	for field, value := range fields {
		n, _ := strconv.ParseInt(value, 10, 64)
		if name, found := strings.CutSuffix(field, "|seen"); found {
			use := uses[name]
			use.LastSeen = time.UnixMilli(n)
			uses[name] = use
		}
		if name, found := strings.CutSuffix(field, "|missing"); found {
			use := uses[name]
			use.Missing = n
			uses[name] = use
		}
	}
	return uses
}
