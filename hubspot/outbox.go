package hubspot

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/seal"
)

// keys are the Redis keys of the outbox. They share a hash tag, so that scripts can use several of them in a cluster.
type keys struct {
	stream, due, tries, dead, budget, pause, left string
	lease, fence, inFlight, oldest, rejected      string
	person, browser                               string
}

func newKeys(prefix string) keys {
	p := prefix + "{crm}:"
	return keys{
		stream: p + "stream", due: p + "due", tries: p + "tries", dead: p + "dead", budget: p + "budget",
		pause: p + "pause", left: p + "left", lease: p + "lease", fence: p + "fence", inFlight: p + "inflight",
		oldest: p + "oldest", rejected: p + "rejected", person: p + "p:", browser: p + "b:",
	}
}

// outbox is the queue in Redis. An entry stays in the stream until HubSpot's response to it was processed. The state of
// a delayed entry (attempts, last error, pending step) is in a hash and its time in a sorted set, both by the entry's
// id.
type outbox struct {
	deps Deps
	keys keys
}

func newOutbox(deps Deps) *outbox { return &outbox{deps: deps, keys: newKeys(deps.KeyPrefix)} }

// entry is a sealed stream entry: no address is readable in Redis.
type entry struct {
	Login  Login `json:"login"`
	Forced bool  `json:"forced,omitempty"` // requested by an operator: send now
	// OriginID is the id under which a replayed dead letter was first queued. A later login may have been sent since.
	OriginID string `json:"made,omitempty"`
}

// state is the state of a delayed entry.
type state struct {
	Attempts    int    `json:"a,omitempty"`
	First       int64  `json:"f,omitempty"` // time of the first attempt, in ms
	Next        int64  `json:"n,omitempty"` // time of the next attempt, in ms
	Error       string `json:"e,omitempty"`
	Uncertain   bool   `json:"g,omitempty"` // a former lease holder was sending it: HubSpot may have it
	Created     bool   `json:"c,omitempty"` // the contact was created; its create-only properties are pending
	FailedAlone int    `json:"s,omitempty"` // failed attempts with only this contact
	LinkPending bool   `json:"l,omitempty"` // the contact is written; the form submission is pending
	Held        bool   `json:"h,omitempty"` // unchanged person: held until min_interval ends
}

const personTTL = 400 * 24 * time.Hour

// addScript counts the login and queues it, once: the nonce identifies a retry whose first response was lost. It is
// written last, because a script that fails half-way is not rolled back. Records under an older key of the ring are
// renamed.
var addScript = redis.NewScript(`
for i = 3, #KEYS do
  if redis.call('EXISTS', KEYS[2]) == 0 and redis.call('EXISTS', KEYS[i]) == 1 then
    redis.call('RENAME', KEYS[i], KEYS[2])
  end
end
if redis.call('HGET', KEYS[2], 'nonce') == ARGV[1] then return 0 end
local n = (tonumber(redis.call('HGET', KEYS[2], 'n')) or 0) + ARGV[4]
redis.call('XADD', KEYS[1], '*', 'd', ARGV[3], 'n', n)
redis.call('HSET', KEYS[2], 'n', n, 'nonce', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
`)

// add queues an entry. If it returns nil, Redis has stored it.
func (o *outbox) add(ctx context.Context, e entry) error {
	sealed, err := o.seal(e)
	if err != nil {
		return err
	}
	logins := 1
	if e.Forced {
		logins = 0
	}
	names := append([]string{o.keys.stream}, o.personKeys(e.Login)...)
	nonce := rand.Text()
	for try := 0; ; try++ {
		err = addScript.Run(ctx, o.deps.Queue, names, nonce, personTTL.Milliseconds(), sealed, logins).Err()
		if isWrongType(err) && try == 0 && o.deleteMistypedKeys(ctx, names[1:]...) == nil {
			continue
		}
		if err == nil || try == 2 || ctx.Err() != nil || refusedByRedis(err) {
			return err
		}
		if !sleep(ctx, 100*time.Millisecond) {
			return err
		}
	}
}

// refusedByRedis reports whether Redis answered with an error. Retries only help if there was no answer.
func refusedByRedis(err error) bool {
	var answer redis.Error
	return errors.As(err, &answer) && !redis.IsLoadingError(err) && !redis.IsReadOnlyError(err)
}

func (o *outbox) seal(v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return o.deps.Ring.Seal(seal.Outbox, plain, []byte(o.keys.stream)), nil
}

// open decodes what seal made. Numbers keep their digits: an id with 19 digits must not be rounded.
func (o *outbox) open(sealed []byte, into any) error {
	plain, err := o.deps.Ring.Open(seal.Outbox, sealed, []byte(o.keys.stream))
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(plain))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// personKeys returns the key of a person's record under every key of the ring, the first one's first.
func (o *outbox) personKeys(l Login) []string {
	return o.macNames(o.keys.person, "crm person\x00"+l.Issuer+"\x00"+personID(l))
}

// personID returns the subject, or the address of someone whom only an operator named.
func personID(l Login) string {
	if l.Subject == "" {
		return "email\x00" + crm.EmailKey(l.Email)
	}
	return l.Subject
}

func (o *outbox) macNames(prefix, what string) []string {
	macs := o.deps.Ring.MACs(seal.UserIndex, []byte(what))
	names := make([]string, len(macs))
	for i, mac := range macs {
		names[i] = prefix + hex.EncodeToString(mac[:16])
	}
	return names
}

// fingerprint returns a MAC of a value. It is not a hash, because names and addresses are few enough to guess.
func (o *outbox) fingerprint(what string) string { return o.macNames("", "crm value\x00"+what)[0] }

// logHash returns the pseudonym of a person in logs.
func (o *outbox) logHash(l Login) string {
	return hex.EncodeToString(o.deps.Ring.MAC(seal.LogHash, []byte(l.Issuer+"\x00"+personID(l))))[:16]
}

// queued is an entry as read from the stream.
type queued struct {
	id    string
	at    time.Time
	count int64
	entry entry
}

// after reads entries after an id and waits at most block for the first one.
func (o *outbox) after(ctx context.Context, id string, block time.Duration) ([]redis.XMessage, error) {
	args := &redis.XReadArgs{Streams: []string{o.keys.stream, id}, Count: 500, Block: block}
	streams, err := o.deps.Block.XRead(ctx, args).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil || len(streams) == 0 {
		return nil, err
	}
	return streams[0].Messages, nil
}

// originID returns the id under which the login was first queued.
func (q queued) originID() string {
	if q.entry.OriginID != "" {
		return q.entry.OriginID
	}
	return q.id
}

func (o *outbox) decode(m redis.XMessage) (queued, error) {
	q := queued{id: m.ID, at: idTime(m.ID)}
	sealed, _ := m.Values["d"].(string)
	n, _ := m.Values["n"].(string)
	q.count, _ = strconv.ParseInt(n, 10, 64)
	return q, o.open([]byte(sealed), &q.entry)
}

// idTime returns when Redis added the entry.
func idTime(id string) time.Time {
	ms, _ := idParts(id)
	return time.UnixMilli(ms)
}

func idParts(id string) (ms, n int64) {
	left, right, _ := strings.Cut(id, "-")
	ms, _ = strconv.ParseInt(left, 10, 64)
	n, _ = strconv.ParseInt(right, 10, 64)
	return ms, n
}

// queuedBefore reports whether entry a was queued before b.
func queuedBefore(a, b string) bool {
	ams, an := idParts(a)
	bms, bn := idParts(b)
	return ams < bms || ams == bms && an < bn
}

// states reads the states of all delayed entries.
func (o *outbox) states(ctx context.Context) (map[string]state, error) {
	raw, err := o.deps.Queue.HGetAll(ctx, o.keys.tries).Result()
	if err != nil {
		return nil, err
	}
	all := make(map[string]state, len(raw))
	for id, text := range raw {
		var s state
		if json.Unmarshal([]byte(text), &s) == nil {
			all[id] = s
		}
	}
	return all, nil
}

// person is the record of a person between logins.
type person struct {
	sent      string    // fingerprint of what was last sent
	email     string    // fingerprint of the address it went to
	contactID string    // HubSpot's
	at        time.Time // when
	originID  string    // id of the entry that was sent
}

func (o *outbox) persons(ctx context.Context, jobs []*job) ([]person, error) {
	pipe := o.deps.Queue.Pipeline()
	answers := make([]*redis.SliceCmd, len(jobs))
	for i, j := range jobs {
		answers[i] = pipe.HMGet(ctx, o.personKeys(j.login)[0], "sent", "email", "cid", "at", "made")
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	list := make([]person, len(jobs))
	for i, a := range answers {
		v := a.Val()
		word := func(k int) string { s, _ := v[k].(string); return s }
		list[i] = person{sent: word(0), email: word(1), contactID: word(2), originID: word(4)}
		if ms, err := strconv.ParseInt(word(3), 10, 64); err == nil {
			list[i].at = time.UnixMilli(ms)
		}
	}
	return list, nil
}
