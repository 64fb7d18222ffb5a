package redisread

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// scanScript reads one page of the keys with a prefix. As a script it runs on the node that has the slot of its key; a
// plain SCAN of a cluster would go to any node.
var scanScript = redis.NewScript(`return redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 1000)`)

var errScan = errors.New("unexpected reply to SCAN")

// globs escapes what SCAN would take for a pattern.
var globs = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

// Scan calls use with the keys that begin with a prefix, page by page. The prefix must have a hash tag, so that a
// cluster has all of them on one node. A key may come more than once. It costs as much as Redis has keys, so only
// operators should cause it.
func Scan(ctx context.Context, rdb redis.UniversalClient, prefix string, use func(keys []string) error) error {
	for cursor := "0"; ; {
		reply, err := scanScript.Run(ctx, rdb, []string{prefix}, cursor, globs.Replace(prefix)+"*").Slice()
		if err != nil {
			return err
		}
		if len(reply) != 2 {
			return errScan
		}
		next, isText := reply[0].(string)
		page, isList := reply[1].([]any)
		if !isText || !isList {
			return errScan
		}
		keys := make([]string, 0, len(page))
		for _, key := range page {
			if name, isText := key.(string); isText {
				keys = append(keys, name)
			}
		}
		if len(keys) > 0 {
			if err := use(keys); err != nil {
				return err
			}
		}
		if cursor = next; cursor == "0" {
			return nil
		}
	}
}
