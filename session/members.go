package session

import (
	"context"
	"errors"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// The lists of sessions and keys are read by a script that returns members of a plausible length only, a page at a
// time, and removes longer ones. Whoever can write to Redis could otherwise fill the memory of each replica that reads
// a list (CWE-770), for a member has up to 512 MB. A removal that Redis does not take is not needed for the answer.
const (
	maxMember  = 2 * refSize // the names of sessions; ids of keys are shorter
	memberPage = 300
)

// rangeScript returns by how much the rank advances and how many members were looked at, then members and scores.
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

// errMembers means that the script returned what it does not return.
var errMembers = errors.New("session: unexpected answer of the script for lists")

// errEnd means that a list has no more members.
var errEnd = errors.New("session: no more members")

// members calls use with each member of a list. When others remove members meanwhile, some may be left out.
func (m *Manager) members(ctx context.Context, key string, use func(redis.Z)) error {
	for rank := int64(0); ; {
		found, next, err := m.membersFrom(ctx, key, rank, memberPage)
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

// membersFrom returns members of a list from a rank on, at most a page, and the rank of what follows; errEnd at the end
// of the list.
func (m *Manager) membersFrom(ctx context.Context, key string, rank int64, count int) ([]redis.Z, int64, error) {
	last := rank + int64(min(count, memberPage)) - 1
	page, err := rangeScript.Run(ctx, m.deps.Redis, []string{key}, rank, last, maxMember).StringSlice()
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

// pairs are members with their scores.
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
