package outbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/seal"
)

// keys are the Redis keys of the outbox. They share a hash tag, so that scripts can use several of them in a cluster.
type keys struct {
	stream, due, held, tries, dead           string
	budget, pause, left                      string
	lease, fence, inFlight, oldest, rejected string
	person, browser, index, imported         string
}

func newKeys(prefix string) keys {
	p := prefix + "{crm}:"
	return keys{
		stream: p + "stream", due: p + "due", held: p + "held", tries: p + "tries", dead: p + "dead",
		budget: p + "budget", pause: p + "pause", left: p + "left",
		lease: p + "lease", fence: p + "fence", inFlight: p + "inflight", oldest: p + "oldest", rejected: p + "rejected",
		person: p + "p:", browser: p + "b:", index: p + "e:", imported: p + "import:",
	}
}

// Outbox is the queue in Redis. An entry stays in the stream until HubSpot's response to it was processed. The state of
// a delayed entry (attempts, last error, pending step) is in a hash and its time in a sorted set, both by the entry's
// id.
type Outbox struct {
	deps Deps
	keys keys
}

// Deps are the dependencies of an outbox. All are required.
type Deps struct {
	Queue     redis.UniversalClient // commands and scripts; must not retry, which could queue an entry twice
	Block     redis.UniversalClient // blocking reads
	KeyPrefix string
	Ring      *seal.Ring
	Log       *slog.Logger
	Now       func() time.Time
	Mapped    func(Login) Login // returns what may be kept of a login after it was sent or given up
}

// New returns an outbox. It makes no network calls.
func New(deps Deps) *Outbox { return &Outbox{deps: deps, keys: newKeys(deps.KeyPrefix)} }

// Entry is a sealed stream entry: no address is readable in Redis.
type Entry struct {
	Login    Login `json:"login"`
	Forced   bool  `json:"forced,omitempty"`   // requested by an operator: send now
	Imported bool  `json:"imported,omitempty"` // a person of a file, not a login
	// OriginID is the id under which a replayed dead letter was first queued. A later login may have been sent since.
	OriginID string `json:"made,omitempty"`
}

// State is the state of a delayed entry. Members that older versions wrote are ignored.
type State struct {
	Attempts    int    `json:"a,omitempty"`
	First       int64  `json:"f,omitempty"` // time of the first attempt, in ms
	Next        int64  `json:"n,omitempty"` // time of the next attempt, in ms
	Error       string `json:"e,omitempty"`
	Created     bool   `json:"c,omitempty"` // an older version created the contact without its create-only properties
	FailedAlone int    `json:"s,omitempty"` // failed attempts with only this contact
	LinkPending bool   `json:"l,omitempty"` // the contact is written; the form submission is pending
	Held        bool   `json:"h,omitempty"` // unchanged person: held until min_interval ends
}

const personTTL = 400 * 24 * time.Hour

// addScript counts the login and queues it, once: the nonce identifies a retry whose first response was lost. It is
// written last, because a script that fails half-way is not rolled back. Records under an older key of the ring are
// renamed. KEYS: stream, index, the person's record under every key. ARGV: nonce, TTL of record and index, entry,
// logins, the person's name in the index.
var addScript = redis.NewScript(`
for i = 4, #KEYS do
  if redis.call('EXISTS', KEYS[3]) == 0 and redis.call('EXISTS', KEYS[i]) == 1 then
    redis.call('RENAME', KEYS[i], KEYS[3])
  end
end
if redis.call('HGET', KEYS[3], 'nonce') == ARGV[1] then return 0 end
local n = (tonumber(redis.call('HGET', KEYS[3], 'n')) or 0) + ARGV[4]
redis.call('XADD', KEYS[1], '*', 'd', ARGV[3], 'n', n)
redis.call('HSETNX', KEYS[2], ARGV[5], 0)
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('HSET', KEYS[3], 'n', n, 'nonce', ARGV[1])
redis.call('PEXPIRE', KEYS[3], ARGV[2])
return 1
`)

// Add queues an entry. If it returns nil, Redis has stored it.
func (o *Outbox) Add(ctx context.Context, e Entry) error {
	sealed, err := o.seal(e)
	if err != nil {
		return err
	}
	logins := 1
	if e.Forced {
		logins = 0
	}
	names := append([]string{o.keys.stream, o.indexKeys(e.Login.Email)[0]}, o.personKeys(e.Login)...)
	nonce, name := rand.Text(), o.personName(e.Login)
	for try := 0; ; try++ {
		err = addScript.Run(ctx, o.deps.Queue, names, nonce, personTTL.Milliseconds(), sealed, logins, name).Err()
		if err == nil || try == 2 || ctx.Err() != nil || refusedByRedis(err) {
			return Explain(err)
		}
		if !background.Sleep(ctx, 100*time.Millisecond) {
			return err
		}
	}
}

// refusedByRedis reports whether Redis replied with an error. Retries only help if there was no reply.
func refusedByRedis(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply) && !redis.IsLoadingError(err) && !redis.IsReadOnlyError(err)
}

func (o *Outbox) seal(v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return o.deps.Ring.Seal(seal.Outbox, plain, []byte(o.keys.stream)), nil
}

// open decodes what seal returned. Numbers keep their digits: an id with 19 digits must not be rounded.
func (o *Outbox) open(sealed []byte, into any) error {
	plain, err := o.deps.Ring.Open(seal.Outbox, sealed, []byte(o.keys.stream))
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(plain))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// personKeys returns the key of a person's record under every key of the ring, the first one's first.
func (o *Outbox) personKeys(l Login) []string {
	return o.macNames(o.keys.person, "crm person\x00"+l.Issuer+"\x00"+personID(l))
}

func (o *Outbox) macNames(prefix, text string) []string {
	macs := o.deps.Ring.MACs(seal.UserIndex, []byte(text))
	names := make([]string, len(macs))
	for i, mac := range macs {
		names[i] = prefix + hex.EncodeToString(mac[:16])
	}
	return names
}

// Fingerprint returns a MAC of a value. It is not a hash, because names and addresses are few enough to guess.
func (o *Outbox) Fingerprint(value string) string { return o.macNames("", "crm value\x00"+value)[0] }

// LogHash returns the pseudonym of a person in logs.
func (o *Outbox) LogHash(l Login) string {
	return hex.EncodeToString(o.deps.Ring.MAC(seal.LogHash, []byte(l.Issuer+"\x00"+personID(l))))[:16]
}
