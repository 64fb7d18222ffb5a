package redisread

import (
	"context"
	"errors"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// List is a sorted set whose members have at most MaxMember bytes. Longer ones are removed unread, because a member can
// have 512 MB. A failed removal does not matter for the result.
type List struct {
	Redis     redis.UniversalClient
	Key       string
	MaxMember int
}

// PageSize is the maximum number of members that one command returns.
const PageSize = 300

// rangeScript returns by how much the rank advances and how many members were read, then members and scores.
var rangeScript = redis.NewScript(`
local page = redis.pcall("ZRANGE", KEYS[1], ARGV[1], ARGV[2], "WITHSCORES")
if page.err then return page end
local found = {tostring(#page / 2), tostring(#page / 2)}
for i = 1, #page, 2 do
  if #page[i] <= tonumber(ARGV[3]) then
    found[#found + 1] = page[i]
    found[#found + 1] = page[i + 1]
  elseif redis.pcall("ZREM", KEYS[1], page[i]) == 1 then
    found[1] = tostring(found[1] - 1)
  end
end
return found`)

var (
	errList = errors.New("unexpected reply of the list script")

	// ErrEnd means that there are no more members.
	ErrEnd = errors.New("end of the list")
)

// Each calls use for each member. It may skip some if others remove members at the same time.
func (l List) Each(ctx context.Context, use func(redis.Z)) error {
	for rank := int64(0); ; {
		found, next, err := l.From(ctx, rank, PageSize)
		if errors.Is(err, ErrEnd) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, z := range found {
			use(z)
		}
		rank = next
	}
}

// From returns members from a rank on, at most count and PageSize, and the next rank. It returns ErrEnd after the last
// member.
func (l List) From(ctx context.Context, rank int64, count int) ([]redis.Z, int64, error) {
	last := rank + int64(min(count, PageSize)) - 1
	page, err := rangeScript.Run(ctx, l.Redis, []string{l.Key}, rank, last, l.MaxMember).StringSlice()
	if err != nil {
		return nil, 0, err
	}
	if len(page) < 2 {
		return nil, 0, errList
	}
	if page[1] == "0" {
		return nil, 0, ErrEnd
	}
	step, err := strconv.ParseInt(page[0], 10, 64)
	if err != nil {
		return nil, 0, errList
	}
	found, err := pairs(page[2:])
	return found, rank + step, err
}

// pairs converts members and scores in turn.
func pairs(list []string) ([]redis.Z, error) {
	if len(list)%2 != 0 {
		return nil, errList
	}
	found := make([]redis.Z, 0, len(list)/2)
	for i := 0; i < len(list); i += 2 {
		score, err := strconv.ParseFloat(list[i+1], 64)
		if err != nil {
			return nil, errList
		}
		found = append(found, redis.Z{Member: list[i], Score: score})
	}
	return found, nil
}
