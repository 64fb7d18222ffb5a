package outbox

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/seal"
)

// keys are the Redis keys of the outbox. They share a hash tag, so that scripts can use several of them in a cluster.
type keys struct {
	stream, due, held, tries, dead                   string
	lease, fence, inFlight, oldest, rejected, claims string
	person, browser, index, imported                 string
	last, forgetKey, forgotten, account, indexed     string
}

func newKeys(prefix string) keys {
	p := prefix + "{crm}:"
	return keys{
		stream: p + "stream", due: p + "due", held: p + "held", tries: p + "tries", dead: p + "dead",
		lease: p + "lease", fence: p + "fence", inFlight: p + "inflight", oldest: p + "oldest", rejected: p + "rejected",
		claims: p + "claims",
		person: p + "p:", browser: p + "b:", index: p + "e:", imported: p + "import:",
		last: p + "l:", forgetKey: p + "forget-key", forgotten: p + "forgotten", account: p + "account",
		indexed: p + "indexed",
	}
}

// Outbox is the queue in Redis. An entry stays in the stream until HubSpot's response to it was processed. The state of
// a delayed entry (attempts, last error, pending step) is in a hash and its time in a sorted set, both by the entry's
// id.
type Outbox struct {
	deps   Deps
	keys   keys
	forget atomic.Pointer[forgetKey] // as last read
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
func New(deps Deps) *Outbox {
	o := &Outbox{deps: deps, keys: newKeys(deps.KeyPrefix)}
	o.forget.Store(&forgetKey{})
	return o
}

// Entry is a sealed stream entry: no address is readable in Redis.
type Entry struct {
	Login    Login `json:"login"`
	Forced   bool  `json:"forced,omitempty"`   // requested by an operator: send now
	Waiting  bool  `json:"waiting,omitempty"`  // only says to send the login now that waits in the queue
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
	Blamed      bool   `json:"b,omitempty"` // HubSpot accepted other contacts meanwhile
	LinkPending bool   `json:"l,omitempty"` // the contact is written; the form submission is pending
	Held        bool   `json:"h,omitempty"` // unchanged person: held until min_interval ends
}

const personTTL = 400 * 24 * time.Hour

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
