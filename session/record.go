package session

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hubgate/hubgate/internal/seal"
)

// recordFormat is the first byte inside a sealed record. A record of another format is no session.
const recordFormat = 1

// maxRecord bounds a record before it is sealed: 100 groups and three tokens are a quarter of it.
const maxRecord = 64 << 10

// versionSize is the length of the counter in front of a stored record: a write names the version it replaces.
const versionSize = 8

var errRecord = errors.New("session: record is unreadable")

// record is what Redis holds of a session, in short names: it is written often and read more often.
type record struct {
	Issuer    string         `json:"i"`
	Subject   string         `json:"u"`
	Email     string         `json:"e,omitempty"`
	Verified  bool           `json:"v,omitempty"`
	Name      string         `json:"n,omitempty"`
	Groups    []string       `json:"g,omitempty"`
	Claims    map[string]any `json:"c,omitempty"`
	Access    string         `json:"a,omitempty"`
	Refresh   string         `json:"r,omitempty"`
	ID        string         `json:"t,omitempty"`
	AccessEnd int64          `json:"x,omitempty"` // Unix milliseconds, as all times here
	Refreshed int64          `json:"f,omitempty"`
	Created   int64          `json:"b"`
	Expires   int64          `json:"d"`
	Host      string         `json:"h"`
	ClientID  string         `json:"l"`
	Address   string         `json:"p,omitempty"`
	AuthTime  int64          `json:"k,omitempty"`
	Prompted  int64          `json:"q,omitempty"`
	SID       string         `json:"s,omitempty"`
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func toRecord(s *Session) record {
	return record{
		Issuer: s.Issuer, Subject: s.Subject, Email: s.Email, Verified: s.EmailVerified, Name: s.Name, Groups: s.Groups, Claims: s.Claims,
		Access: s.Tokens.Access, Refresh: s.Tokens.Refresh, ID: s.Tokens.ID, AccessEnd: millis(s.Tokens.AccessExpiry), Refreshed: millis(s.refreshedAt),
		Created: millis(s.CreatedAt), Expires: millis(s.ExpiresAt), Host: s.Host, ClientID: s.ClientID, Address: s.Address,
		AuthTime: millis(s.AuthTime), Prompted: millis(s.PromptedAt), SID: s.SID,
	}
}

func (r record) session(ref string) *Session {
	return &Session{
		User:   User{Issuer: r.Issuer, Subject: r.Subject, Email: r.Email, EmailVerified: r.Verified, Name: r.Name, Groups: r.Groups, Claims: r.Claims},
		Tokens: Tokens{Access: r.Access, Refresh: r.Refresh, ID: r.ID, AccessExpiry: fromMillis(r.AccessEnd)},
		Ref:    ref, CreatedAt: fromMillis(r.Created), ExpiresAt: fromMillis(r.Expires), Host: r.Host, ClientID: r.ClientID,
		Address: r.Address, AuthTime: fromMillis(r.AuthTime), PromptedAt: fromMillis(r.Prompted), SID: r.SID, refreshedAt: fromMillis(r.Refreshed),
	}
}

// binding is what a record is sealed to: its slot, host, issuer and client. A record that was moved to another slot, or is asked for
// by another host, pool or client, does not open.
func binding(ref, host, issuer, clientID string) []byte {
	aad := []byte{recordFormat}
	for _, part := range []string{ref, host, issuer, clientID} {
		aad = binary.BigEndian.AppendUint32(aad, uint32(len(part)))
		aad = append(aad, part...)
	}
	return aad
}

// encodeRecord seals a session under the visitor's key and the server's together.
func encodeRecord(ring *seal.Ring, t ticket, s *Session, version uint64) ([]byte, error) {
	text, err := json.Marshal(toRecord(s))
	if err != nil {
		return nil, fmt.Errorf("session: encode record: %w", err)
	}
	if len(text) > maxRecord {
		return nil, fmt.Errorf("session: the record has %d bytes, the limit is %d: too many claims", len(text), maxRecord)
	}
	out := binary.BigEndian.AppendUint64(nil, version)
	return append(out, ring.SealWith(seal.Record, t.key[:], append([]byte{recordFormat}, text...), binding(s.Ref, s.Host, s.Issuer, s.ClientID))...), nil
}

// decodeRecord opens what encodeRecord made, for this host, issuer and client only.
func decodeRecord(ring *seal.Ring, t ticket, stored []byte, aad []byte) (*Session, uint64, error) {
	if len(stored) < versionSize {
		return nil, 0, errRecord
	}
	plain, err := ring.OpenWith(seal.Record, t.key[:], stored[versionSize:], aad)
	if err != nil || len(plain) == 0 || plain[0] != recordFormat {
		return nil, 0, errRecord
	}
	var r record
	if err := json.Unmarshal(plain[1:], &r); err != nil || r.Subject == "" || r.Expires == 0 {
		return nil, 0, errRecord
	}
	return r.session(t.ref()), binary.BigEndian.Uint64(stored), nil
}

// summary is what operators may see of a session, sealed under the server's keys alone. It also holds the idle clock.
type summary struct {
	Issuer  string `json:"i"`
	Subject string `json:"u"`
	Email   string `json:"e,omitempty"`
	Host    string `json:"h"`
	Created int64  `json:"b"`
	Seen    int64  `json:"w"`
	Expires int64  `json:"d"`
	Address string `json:"p,omitempty"`
	SID     string `json:"s,omitempty"`
}

func toSummary(s *Session) summary {
	return summary{Issuer: s.Issuer, Subject: s.Subject, Email: s.Email, Host: s.Host, Created: millis(s.CreatedAt),
		Seen: millis(s.LastSeenAt), Expires: millis(s.ExpiresAt), Address: s.Address, SID: s.SID}
}

func (u summary) session(ref string) *Session {
	return &Session{User: User{Issuer: u.Issuer, Subject: u.Subject, Email: u.Email}, Ref: ref, Host: u.Host, SID: u.SID,
		CreatedAt: fromMillis(u.Created), LastSeenAt: fromMillis(u.Seen), ExpiresAt: fromMillis(u.Expires), Address: u.Address}
}

func encodeSummary(ring *seal.Ring, ref string, u summary) ([]byte, error) {
	text, err := json.Marshal(u)
	if err != nil {
		return nil, fmt.Errorf("session: encode summary: %w", err)
	}
	return ring.Seal(seal.Summary, text, []byte(ref)), nil
}

func decodeSummary(ring *seal.Ring, ref string, sealed []byte) (summary, error) {
	var u summary
	text, err := ring.Open(seal.Summary, sealed, []byte(ref))
	if err != nil {
		return u, errRecord
	}
	if err := json.Unmarshal(text, &u); err != nil {
		return u, errRecord
	}
	return u, nil
}
