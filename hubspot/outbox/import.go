package outbox

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/background"
)

// importScript queues a person of a file, once: it is safe to repeat a file that was interrupted anywhere. The file's
// bitmap is written last, because a script that fails half-way is not rolled back, and a person who is queued twice is
// better than one who is lost. Records under an older key of the ring are renamed, as for a login. KEYS: stream, held
// entries, the file's bitmap, index, the person's record under every key. ARGV: row, entry, TTL of the bitmap, the
// largest queue that takes more, the person's name in the index, TTL of the index.
var importScript = redis.NewScript(`
for i = 6, #KEYS do
  if redis.call('EXISTS', KEYS[5]) == 0 and redis.call('EXISTS', KEYS[i]) == 1 then
    redis.call('RENAME', KEYS[i], KEYS[5])
  end
end
if redis.call('GETBIT', KEYS[3], ARGV[1]) == 1 then return 'repeated' end
if redis.call('XLEN', KEYS[1]) - redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then return 'full' end
redis.call('HSETNX', KEYS[4], ARGV[5], 0)
redis.call('PEXPIRE', KEYS[4], ARGV[6])
redis.call('XADD', KEYS[1], '*', 'd', ARGV[2], 'n', 0)
redis.call('SETBIT', KEYS[3], ARGV[1], 1)
redis.call('PEXPIRE', KEYS[3], ARGV[3])
return 'queued'
`)

// Results of Import.
const (
	ImportQueued   = "queued"
	ImportRepeated = "repeated" // the row was queued before
	ImportFull     = "full"     // the row was not queued: too many entries are waiting
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

// Import queues a person of a file, unless the row was queued before or too many entries are waiting.
func (o *Outbox) Import(ctx context.Context, r ImportRow) (result string, err error) {
	sealed, err := o.seal(Entry{Login: r.Login, Imported: true})
	if err != nil {
		return "", err
	}
	names := append([]string{o.keys.stream, o.keys.held, o.keys.imported + r.File, o.indexKeys(r.Login.Email)[0]},
		o.personKeys(r.Login)...)
	args := []any{r.Row, sealed, importTTL.Milliseconds(), MaxImportQueue, o.personName(r.Login), personTTL.Milliseconds()}
	for try := 0; ; try++ {
		result, err = importScript.Run(ctx, o.deps.Queue, names, args...).Text()
		if err == nil || try == 2 || ctx.Err() != nil || refusedByRedis(err) {
			return result, err
		}
		if !background.Sleep(ctx, 100*time.Millisecond) {
			return "", err
		}
	}
}
