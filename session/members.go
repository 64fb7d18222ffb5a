package session

import (
	"context"
	"errors"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// A script reads the lists of sessions and keys: it returns a page of the members that have a plausible length, and
// removes longer ones. Otherwise anyone who can write to Redis could fill the memory of each replica that reads a list
// (CWE-770), because a member can have 512 MB. A failed removal does not matter for the result.
const (
	maxMember  = 2 * refSize // the length of session names; ids of keys are shorter
	memberPage = 300
)

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
	errMembers = errors.New("session: unexpected reply of the list script")
	errEnd     = errors.New("session: end of the list")
)

// members calls use for each member of a list. It may skip some if others remove members at the same time.
func (st *store) members(ctx context.Context, key string, use func(redis.Z)) error {
	for rank := int64(0); ; {
		found, next, err := st.membersFrom(ctx, key, rank, memberPage)
		if errors.Is(err, errEnd) {
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

// membersFrom returns the members of a list from a rank on, at most a page, and the next rank. It returns errEnd after
// the last member.
func (st *store) membersFrom(ctx context.Context, key string, rank int64, count int) ([]redis.Z, int64, error) {
	last := rank + int64(min(count, memberPage)) - 1
	page, err := rangeScript.Run(ctx, st.rdb, []string{key}, rank, last, maxMember).StringSlice()
	if err != nil {
		return nil, 0, err
	}
	if len(page) < 2 {
		return nil, 0, errMembers
	}
	if page[1] == "0" {
		return nil, 0, errEnd
	}
	step, err := strconv.ParseInt(page[0], 10, 64)
	if err != nil {
		return nil, 0, errMembers
	}
	found, err := pairs(page[2:])
	return found, rank + step, err
}

// pairs converts members and scores in turn.
func pairs(list []string) ([]redis.Z, error) {
	if len(list)%2 != 0 {
		return nil, errMembers
	}
	found := make([]redis.Z, 0, len(list)/2)
	for i := 0; i < len(list); i += 2 {
		score, err := strconv.ParseFloat(list[i+1], 64)
		if err != nil {
			return nil, errMembers
		}
		found = append(found, redis.Z{Member: list[i], Score: score})
	}
	return found, nil
}
