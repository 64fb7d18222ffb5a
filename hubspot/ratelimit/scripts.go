package ratelimit

import (
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	longestCall   = 35 * time.Second
	longestPause  = 20 * time.Minute // a Retry-After of 15 minutes, and a quarter of it
	hubspotWindow = 10 * time.Second
)

// repairs begins each script. It bounds how long calls stop if Redis' clock goes back, or another program writes to the
// keys (CWE-400). A key of another type is deleted. Calls that end later than any can are counted as if they began now,
// because they may be in flight; more of them than the limit are dropped. A pause lasts at most as long as its value
// says. If that is missing, as in pauses of earlier versions, or more than longestPause, it lasts at most as long as a
// call and its window.
var repairs = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local longest = ` + milliseconds(longestCall) + `
local function keep(key, kind)
  if redis.call('TYPE', key).ok ~= kind then redis.call('DEL', key) end
end
local function repair(calls, limit)
  keep(calls, 'zset')
  local late = redis.call('ZRANGEBYSCORE', calls, '(' .. (now + longest), '+inf', 'LIMIT', 0, limit)
  if #late == 0 then return end
  redis.call('ZREMRANGEBYSCORE', calls, '(' .. (now + longest), '+inf')
  for _, call in ipairs(late) do redis.call('ZADD', calls, now + longest, call) end
end
local function paused(key)
  keep(key, 'string')
  local left = redis.call('PTTL', key)
  if left <= 0 then return 0 end
  local says = string.match(redis.call('GETRANGE', key, 0, 20), '^(%d+)ms ')
  local most = says and tonumber(says)
  if not most or most > ` + milliseconds(longestPause) + ` then most = longest + ` + milliseconds(hubspotWindow) + ` end
  if left <= most then return left end
  redis.call('PEXPIRE', key, most)
  return most
end
local function pause(key, reason, ms)
  if paused(key) < tonumber(ms) then redis.call('SET', key, ms .. 'ms ' .. reason, 'PX', ms) end
end
`

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// acquireScript grants a call if fewer than the limit were made in the window, and, unless a visitor waits for it, if
// fewer of its kind were made than their part. A call counts until one window after its response, not after its start:
// HubSpot counts it when it arrives, which may be any time in between. A call whose response is never reported (killed
// process) counts for the longest time that it may have taken. Without the lease nothing is granted: a process that was
// stopped for a while must not overwrite what the next holder wrote. Returns the milliseconds to wait, 0 = granted,
// -1 = lease lost. KEYS: the calls, those that no visitor waits for, the pause of all, and for contact sync its own
// pause and the lease. ARGV: limit, window, permit, token of the lease, the limit of calls that no visitor waits for,
// empty for a call that one waits for.
var acquireScript = redis.NewScript(repairs + `
if KEYS[5] and redis.call('GET', KEYS[5]) ~= ARGV[4] then return -1 end
repair(KEYS[1], ARGV[1])
repair(KEYS[2], ARGV[1])
local ms = paused(KEYS[3])
if KEYS[4] then ms = math.max(ms, paused(KEYS[4])) end
if ms > 0 then return ms end
local window = tonumber(ARGV[2])
local function wait(calls, limit)
  redis.call('ZREMRANGEBYSCORE', calls, '-inf', '(' .. (now - window))
  local over = redis.call('ZCARD', calls) - tonumber(limit)
  if over < 0 then return 0 end
  local last = redis.call('ZRANGE', calls, over, over, 'WITHSCORES')
  return math.max(1, math.min(1000, tonumber(last[2]) + window - now + 1))
end
local function count(calls)
  redis.call('ZADD', calls, now + longest, ARGV[3])
  redis.call('PEXPIRE', calls, window + longest + 1000)
end
ms = wait(KEYS[1], ARGV[1])
if ARGV[5] ~= '' then ms = math.max(ms, wait(KEYS[2], ARGV[5])) end
if ms > 0 then return ms end
count(KEYS[1])
if ARGV[5] ~= '' then count(KEYS[2]) end
return 0
`)

// doneScript ends a call and saves the remaining calls that HubSpot reported, for all replicas. If none remain, calls
// pause for the window.
var doneScript = redis.NewScript(repairs + `
for i = 1, 2 do
  keep(KEYS[i], 'zset')
  redis.call('ZADD', KEYS[i], 'XX', now, ARGV[1])
end
if ARGV[2] == '' then return 0 end
redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[4])
if tonumber(ARGV[2]) == 0 then
  pause(KEYS[4], 'HubSpot reports no calls left; it continues with the next window', ARGV[3])
end
return 1
`)

// pauseScript extends a pause, never shortens it.
var pauseScript = redis.NewScript(repairs + `
pause(KEYS[1], ARGV[1], ARGV[2])
return 1
`)

// pausedScript returns for how many milliseconds each pause still lasts, and the beginning of its reason.
var pausedScript = redis.NewScript(repairs + `
local all = {}
for _, key in ipairs(KEYS) do
  local left = paused(key)
  table.insert(all, left)
  table.insert(all, (string.gsub(redis.call('GETRANGE', key, 0, 2000), '^%d+ms ', '')))
end
return all
`)
