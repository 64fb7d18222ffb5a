package redisread

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrNoReply means that there was no reply; the key may exist.
var ErrNoReply = errors.New("no reply from redis")

// Doer is a client or a pipeline.
type Doer interface {
	Do(ctx context.Context, args ...any) *redis.Cmd
}

// Request requests the beginning of a string, one byte more than max, so that a longer value is detected.
func Request(ctx context.Context, rdb Doer, key string, max int) *redis.Cmd {
	return rdb.Do(ctx, "getrange", key, 0, max)
}

// Text returns the reply to Request: empty for a key that is absent or of another type. failure is the error of the
// whole pipeline, if any: go-redis leaves the commands without an error when it finds no connection.
func Text(reply *redis.Cmd, failure error) (string, error) {
	found, err := reply.Result()
	value, replied := found.(string)
	switch {
	case IsWrongType(err):
		return "", nil
	case err != nil:
		return "", err
	case !replied:
		return "", errors.Join(ErrNoReply, failure)
	}
	return value, nil
}

// IsWrongType reports whether a command failed because the key has another type.
func IsWrongType(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "WRONGTYPE") }
