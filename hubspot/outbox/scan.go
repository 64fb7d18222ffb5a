package outbox

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// scanScript reads one page of the keys with a prefix. As a script it runs on the node that has the outbox; a plain
// SCAN of a cluster would go to any node.
var scanScript = redis.NewScript(`return redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 1000)`)

var errScan = errors.New("hubspot: unexpected reply to SCAN")

// globs escapes what SCAN would take for a pattern.
var globs = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

// scan calls use with the keys that begin with a prefix, page by page. A key may come more than once. It costs as much
// as Redis has keys, so only operators cause it.
func (o *Outbox) scan(ctx context.Context, prefix string, use func(keys []string) error) error {
	for cursor := "0"; ; {
		reply, err := scanScript.Run(ctx, o.deps.Queue, []string{o.keys.stream}, cursor, globs.Replace(prefix)+"*").Slice()
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

// messagesOf calls use with each entry of a stream, oldest first, until use returns false.
func (o *Outbox) messagesOf(ctx context.Context, stream string, use func(m redis.XMessage) (more bool)) error {
	for from := "-"; ; {
		page, err := o.deps.Queue.XRangeN(ctx, stream, from, "+", streamPage).Result()
		if err != nil {
			return err
		}
		for _, m := range page {
			if !use(m) {
				return nil
			}
		}
		if len(page) < streamPage {
			return nil
		}
		from = "(" + page[len(page)-1].ID
	}
}

// streamPage limits the memory of one reply: an entry has up to 256 KiB.
const streamPage = 100
