package outbox

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/redisread"
)

// scan calls use with the keys that begin with a prefix of the outbox, as redisread.Scan does.
func (o *Outbox) scan(ctx context.Context, prefix string, use func(keys []string) error) error {
	return redisread.Scan(ctx, o.deps.Queue, prefix, use)
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

const (
	// streamPage limits the memory of one reply: an entry has up to 256 KiB.
	streamPage = 100
	// listSize limits what one page of a listing is made from.
	listSize = 8 << 20
)

// list calls use with at most limit entries of a stream after cursor ("" = from the oldest), in parts, and returns the
// cursor of the next page, "" at the end. A page of large entries has fewer than limit.
func (o *Outbox) list(
	ctx context.Context, stream string, p listing, use func(messages []redis.XMessage) error,
) (next string, err error) {
	from, err := rangeStart(p.cursor)
	if err != nil {
		return "", err
	}
	left, size := min(max(p.limit, 1), 1000), 0
	for left > 0 && size < listSize {
		messages, err := o.deps.Queue.XRangeN(ctx, stream, from, "+", min(int64(left), streamPage)).Result()
		if err != nil || len(messages) == 0 {
			return "", err
		}
		if err := use(messages); err != nil {
			return "", err
		}
		for _, m := range messages {
			sealed, _ := m.Values["d"].(string)
			size += len(sealed)
		}
		left -= len(messages)
		next = messages[len(messages)-1].ID
		from = "(" + next
	}
	more, err := o.deps.Queue.XRangeN(ctx, stream, from, "+", 1).Result()
	if err != nil || len(more) == 0 {
		return "", err
	}
	return next, nil
}

// listing is the page of a listing that is asked for.
type listing struct {
	cursor string
	limit  int // 1 to 1000
}
