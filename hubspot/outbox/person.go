package outbox

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Person is the record of a person between logins.
type Person struct {
	Sent      string    // fingerprint of what was last sent
	Email     string    // fingerprint of the address it went to
	ContactID string    // HubSpot's
	At        time.Time // when it was sent
	originID  string    // id of the last login that was sent
	Result    string
}

// fields returns the fields to be saved after a job, none if the record is nil.
func (p *Person) fields(j *Job) map[string]string {
	if p == nil {
		return nil
	}
	fields := map[string]string{
		"sent": p.Sent, "email": p.Email, "cid": p.ContactID, "at": strconv.FormatInt(p.At.UnixMilli(), 10),
		"result": p.Result, "error": "",
	}
	if !j.Imported {
		fields["made"] = j.originID
	}
	return fields
}

// NewerThan reports whether a login that was queued after the job's is sent already. Every login is newer than a person
// of a file.
func (p Person) NewerThan(j *Job) bool {
	if j.Imported {
		return p.originID != ""
	}
	return p.originID != "" && queuedBefore(j.originID, p.originID)
}

// renameScript renames a record under an older key of the ring to its name under the first key.
const renameScript = `
for i = 2, #KEYS do
  if redis.call('EXISTS', KEYS[1]) == 0 and redis.call('EXISTS', KEYS[i]) == 1 then
    redis.call('RENAME', KEYS[i], KEYS[1])
  end
end
return 1`

// Persons reads the records of the jobs' people. An entry that was queued before a key rotation has its person's record
// under an older key: it is renamed first, so that the count of logins and the id of the contact are not lost. What was
// sent to another HubSpot account is left out.
func (o *Outbox) Persons(ctx context.Context, jobs []*Job) ([]Person, error) {
	pipe := o.deps.Queue.Pipeline()
	replies := make([]*redis.SliceCmd, len(jobs))
	for i, j := range jobs {
		names := o.personKeys(j.Login)
		if len(names) > 1 {
			pipe.Eval(ctx, renameScript, names)
		}
		replies[i] = pipe.HMGet(ctx, names[0], "sent", "email", "cid", "at", "made")
	}
	since := o.readSince(ctx, pipe)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	list := make([]Person, len(jobs))
	for i, reply := range replies {
		v := reply.Val()
		field := func(k int) string { s, _ := v[k].(string); return s }
		list[i] = Person{Sent: field(0), Email: field(1), ContactID: field(2), originID: field(4)}
		if ms, err := strconv.ParseInt(field(3), 10, 64); err == nil {
			list[i].At = time.UnixMilli(ms)
		}
		if list[i].At.Before(accountSince(since.Val())) {
			list[i] = Person{originID: list[i].originID}
		}
	}
	return list, nil
}

// SyncResult is the result of the last sync of a person's contact.
type SyncResult struct {
	At        time.Time `json:"at"` // zero if never sent
	Result    string    `json:"result"`
	Error     string    `json:"error,omitempty"`
	ContactID string    `json:"contact_id,omitempty"`
	Queued    bool      `json:"queued"` // a login of this person is pending
}

// LastSync returns how a person's contact was last sent.
func (o *Outbox) LastSync(ctx context.Context, issuer, subject string) (SyncResult, error) {
	var fields map[string]string
	for _, name := range o.personKeys(Login{Issuer: issuer, Subject: subject}) {
		var err error
		if fields, err = o.deps.Queue.HGetAll(ctx, name).Result(); err != nil {
			return SyncResult{}, fmt.Errorf("hubspot: read last sync: %w", err)
		}
		if fields["n"] != "" {
			break
		}
	}
	return syncResult(fields), nil
}

// syncResult reads the result from a person's record.
func syncResult(fields map[string]string) SyncResult {
	r := SyncResult{Result: fields["result"], Error: fields["error"], ContactID: fields["cid"]}
	if ms, err := strconv.ParseInt(fields["at"], 10, 64); err == nil {
		r.At = time.UnixMilli(ms).UTC()
	}
	r.Queued = r.At.IsZero() && fields["n"] != ""
	return r
}
