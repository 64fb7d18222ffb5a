package outbox

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// importScript queues a person of a file, once: it is safe to repeat a file that was interrupted anywhere. The file's
// bitmap is written last, because a script that fails half-way is not rolled back, and a person who is queued twice is
// better than one who is lost. Forgotten people and records under an older key of the ring are handled as in addScript.
// KEYS: stream, index, held entries, forget key, forgotten people, the file's bitmap, the person's record under every
// key. ARGV: row, TTL of the bitmap, entry, the largest queue that takes more, the person's name in the index, TTL of
// the index, the forget key or "*", the person's name among the forgotten. It returns the forget key if that is another
// one, or a number for each of the results below.
var importScript = redis.NewScript(`
if ARGV[7] ~= '*' then
  local key = redis.call('GET', KEYS[4]) or ''
  if key ~= ARGV[7] then return key end
  if key ~= '' and redis.call('SISMEMBER', KEYS[5], ARGV[8]) == 1 then return -1 end
end
for i = 8, #KEYS do
  if redis.call('EXISTS', KEYS[7]) == 0 and redis.call('EXISTS', KEYS[i]) == 1 then
    redis.call('RENAME', KEYS[i], KEYS[7])
  end
end
if redis.call('GETBIT', KEYS[6], ARGV[1]) == 1 then return 1 end
if redis.call('XLEN', KEYS[1]) - redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[4]) then return 2 end
redis.call('HSETNX', KEYS[2], ARGV[5], 0)
redis.call('PEXPIRE', KEYS[2], ARGV[6])
redis.call('XADD', KEYS[1], '*', 'd', ARGV[3], 'n', 0)
redis.call('SETBIT', KEYS[6], ARGV[1], 1)
redis.call('PEXPIRE', KEYS[6], ARGV[2])
return 0
`)

// ImportResult is the result of Import.
type ImportResult int64

// The results.
const (
	ImportQueued    ImportResult = iota
	ImportRepeated                                // the row was queued before
	ImportFull                                    // the row was not queued: too many entries are waiting
	ImportForgotten ImportResult = forgottenReply // likewise: an operator had the person forgotten
)

const (
	// MaxImportRow is the largest number of a row, which limits the size of a file's bitmap in Redis.
	MaxImportRow = 1_000_000
	// MaxImportQueue is the number of waiting entries at which people of files are no longer accepted, so that the
	// contacts of logins do not wait long behind them.
	MaxImportQueue = 2000

	importTTL = 30 * 24 * time.Hour
)

// ImportRow is a person of a file.
type ImportRow struct {
	File  string // name of the file and of what its rows are mapped to
	Row   int    // from 1
	Login Login  // the person, without a time
}

// Import queues a person of a file, unless the result says why not.
func (o *Outbox) Import(ctx context.Context, r ImportRow) (ImportResult, error) {
	sealed, err := o.seal(Entry{Login: r.Login, Imported: true})
	if err != nil {
		return 0, err
	}
	names := append([]string{o.keys.stream, o.indexKeys(r.Login.Email)[0], o.keys.held, o.keys.forgetKey,
		o.keys.forgotten, o.keys.imported + r.File}, o.personKeys(r.Login)...)
	args := []any{r.Row, importTTL.Milliseconds(), sealed, MaxImportQueue, o.personName(r.Login),
		personTTL.Milliseconds()}
	reply, err := o.runMarked(ctx, markedScript{importScript, r.Login.Email, names, args})
	return ImportResult(reply), err
}
