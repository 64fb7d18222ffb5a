package auth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/seal"
)

// claims ensures that only one callback finishes an attempt, and keeps its result for repeated ones. Both are in Redis.
type claims struct {
	redis   redis.UniversalClient
	prefix  string // of the keys
	ring    *seal.Ring
	log     *slog.Logger
	waiters waiters
}

func newClaims(deps Deps) *claims {
	return &claims{
		redis: deps.Redis, prefix: deps.KeyPrefix, ring: deps.Ring, log: deps.Log,
		waiters: waiters{byAttempt: map[string]int{}},
	}
}

const (
	storeTime      = 1200 * time.Millisecond // bounds one command, including connecting and retries
	resultKept     = 30 * time.Second
	maxResultBytes = 64 << 10
)

// finishedMark replaces a claim after its callback was answered, so that repeated callbacks stop waiting for it.
const finishedMark = "finished"

func (c *claims) key(st state) string       { return c.prefix + "a:{" + st.hash() + "}" }
func (c *claims) resultKey(st state) string { return c.key(st) + ":r" }

// claimScript takes an attempt that is unclaimed, or that the same browser claimed before without receiving the
// reply, so that the code was not used. It is idempotent: a repeated command finds its own claim.
var claimScript = redis.NewScript(`
local holder = redis.call("GET", KEYS[1])
if holder and holder ~= ARGV[1] then
  local name, try = string.match(holder, "^(%w+):(%d+):")
  if name ~= ARGV[2] or tonumber(try) > tonumber(ARGV[3]) then return 0 end
end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[4])
return 1`)

// take reports whether the caller claimed the attempt and may exchange the code. Codes must be used once only (RFC
// 6749, section 10.5). If Redis does not reply, the attempt remembers the claim.
func (c *claims) take(ctx context.Context, st state, a *attempt) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	if a.Claim == "" {
		a.Claim = rand.Text()
	}
	before := a.Tries
	a.Tries++
	ours := fmt.Sprintf("%s:%d:%s", a.Claim, a.Tries, rand.Text())
	args := []any{ours, a.Claim, before, attemptTime.Milliseconds()}
	n, err := claimScript.Run(ctx, c.redis, []string{c.key(st)}, args...).Int()
	return n == 1, err
}

// exists reports whether a browser claimed the attempt. It returns false if Redis does not reply.
func (c *claims) exists(ctx context.Context, st state) bool {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	n, err := c.redis.Exists(ctx, c.key(st)).Result()
	return err == nil && n > 0
}

// finish marks a claim whose callback was answered without a result. If that fails, repeated callbacks wait until
// resultWait.
func (c *claims) finish(ctx context.Context, st state) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	_ = c.redis.SetArgs(ctx, c.key(st), finishedMark, ifExists()).Err()
}

// ifExists updates a claim that still exists and keeps its expiry.
func ifExists() redis.SetArgs { return redis.SetArgs{Mode: "XX", KeepTTL: true} }

// result is what a repeated callback gets.
type result struct {
	ReturnTo string   `json:"r"`
	Cookies  []string `json:"c"`
}

// saveResult keeps the result for repeated callbacks, sealed under a key that only the attempt's cookie holds: access
// to Redis alone reveals no session. It reports whether the claim is settled.
func (c *claims) saveResult(ctx context.Context, st state, a *attempt, cookies []string) bool {
	text, err := json.Marshal(result{a.ReturnTo, cookies})
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	sealed := c.ring.SealWith(seal.Result, a.Key, text, []byte(st.hash()))
	pipe := c.redis.Pipeline()
	pipe.Set(ctx, c.resultKey(st), sealed, resultKept)
	pipe.SetArgs(ctx, c.key(st), finishedMark, ifExists())
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		c.log.WarnContext(ctx, "login result not saved for repeated callbacks", "error", err)
	}
	return true
}

// openResult opens a result. It returns nil if there is none that this browser's attempt can open.
func (c *claims) openResult(sealed []byte, st state, a *attempt) *result {
	if len(sealed) == 0 {
		return nil
	}
	var r result
	text, err := c.ring.OpenWith(seal.Result, a.Key, sealed, []byte(st.hash()))
	if err != nil || json.Unmarshal(text, &r) != nil {
		return nil
	}
	return &r
}

// progress is the state of an attempt that another callback claimed.
type progress struct {
	finished bool   // the other callback was answered
	sealed   []byte // its result; empty if there is none, or no longer
}

func (p progress) settled() bool { return p.finished || len(p.sealed) > 0 }

// progress reads the state of an attempt in one round trip. A value longer than any result is not read.
func (c *claims) progress(ctx context.Context, st state) (progress, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	pipe := c.redis.Pipeline()
	claim := pipe.GetRange(ctx, c.key(st), 0, int64(len(finishedMark)))
	sealed := pipe.GetRange(ctx, c.resultKey(st), 0, maxResultBytes)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return progress{}, err
	}
	p := progress{finished: claim.Val() == finishedMark, sealed: []byte(sealed.Val())}
	if len(p.sealed) > maxResultBytes {
		return progress{finished: true}, nil
	}
	return p, nil
}
