package outbox

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// bindScript binds a browser to a person, unless it is bound already. KEYS: the browser under every key of the ring.
// ARGV: TTL, then the names of the person. A browser that is bound to another person stays so: HubSpot matches form
// submissions by the cookie first, so a shared or planted cookie would write one person's address into another one's
// contact.
var bindScript = redis.NewScript(`
for i = 1, #KEYS do
  local bound = redis.call('GET', KEYS[i])
  if bound then
    for j = 2, #ARGV do
      if bound == ARGV[j] then return 'bound' end
      if bound == ARGV[j] .. ':sent' then return 'sent' end
    end
    return 'other'
  end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[1], 'NX')
return 'bound'
`)

// Results of Bind. A third one, "sent", means that the form was submitted.
const (
	Bound          = "bound" // a form submission is due
	BoundToAnother = "other" // the browser is bound to another person
)

// submitted ends the value of a browser whose form was submitted.
const submitted = ":sent"

// Bind binds a browser to a person in Redis.
func (o *Outbox) Bind(ctx context.Context, l Login) (string, error) {
	args := []any{personTTL.Milliseconds()}
	for _, name := range o.owner(l) {
		args = append(args, name)
	}
	return bindScript.Run(ctx, o.deps.Queue, o.browserKeys(l), args...).Text()
}

func (o *Outbox) browserKeys(l Login) []string {
	return o.macNames(o.keys.browser, "crm browser\x00"+l.UTK)
}

// owner returns the names of a person in bindings: under every key of the ring that of the person's record, by which a
// binding can be found, and the one that earlier versions wrote.
func (o *Outbox) owner(l Login) []string {
	person := l.Issuer + "\x00" + personID(l)
	return append(o.macNames("", "crm person\x00"+person), o.macNames("", "crm browser of\x00"+person)...)
}

// MarkSubmitted saves that the form was submitted.
func (o *Outbox) MarkSubmitted(ctx context.Context, l Login) error {
	return o.deps.Queue.Set(ctx, o.browserKeys(l)[0], o.owner(l)[0]+submitted, personTTL).Err()
}

// bindings calls use for the key of each browser that is bound to one of the names.
func (o *Outbox) bindings(ctx context.Context, names map[string]bool, use func(key string, sent bool)) error {
	return o.scan(ctx, o.keys.browser, func(keys []string) error {
		pipe := o.deps.Queue.Pipeline()
		replies := make([]*redis.StringCmd, len(keys))
		for i, key := range keys {
			replies[i] = pipe.Get(ctx, key)
		}
		_, _ = pipe.Exec(ctx) // a browser may have expired meanwhile; each reply is checked
		for i, key := range keys {
			bound, err := replies[i].Result()
			if err != nil && err != redis.Nil {
				return err
			}
			if name, sent := strings.CutSuffix(bound, submitted); names[name] {
				use(key, sent)
			}
		}
		return nil
	})
}
