package session

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hubgate/hubgate/internal/fields"
	"github.com/hubgate/hubgate/internal/seal"
)

// recordFormat is the first byte inside a sealed record. A record of another format is not accepted.
const recordFormat = 2

// maxRecord bounds a record before it is sealed. 100 groups and three tokens need a quarter of it.
const maxRecord = 64 << 10

// maxStored bounds what is read of a record or a summary: maxRecord, the version and the overhead of sealing.
const maxStored = maxRecord + versionSize + 64

// ErrTooLarge means that a user's claims, groups and tokens do not fit into a record.
var ErrTooLarge = errors.New("session: the record is too large")

// versionSize is the length of the counter before a stored record. A write names the version that it replaces.
const versionSize = 8

var errRecord = errors.New("session: invalid record")

// binding returns what a record is sealed to: its name, host, issuer and client. A record that was moved to another
// name, or is requested for another host, issuer or client, cannot be opened.
func binding(ref, host, issuer, clientID string) []byte {
	return appendParts(bindingToHost(ref, host), issuer, clientID)
}

// bindingToHost returns how the binding of a record to a host begins.
func bindingToHost(ref, host string) []byte { return appendParts([]byte{recordFormat}, ref, host) }

func appendParts(aad []byte, parts ...string) []byte {
	for _, part := range parts {
		aad = binary.BigEndian.AppendUint32(aad, uint32(len(part)))
		aad = append(aad, part...)
	}
	return aad
}

// bindingOf returns what a session's record is sealed to.
func bindingOf(s *Session) []byte { return binding(s.Ref, s.Host, s.Issuer, s.ClientID) }

// encodeRecord seals a session with the visitor's key and the server's key together.
func encodeRecord(ring *seal.Ring, t ticket, s *Session, version uint64) ([]byte, error) {
	plain, err := encodeSession(s)
	if err != nil {
		return nil, fmt.Errorf("session: encode record: %w", err)
	}
	if len(plain) > maxRecord {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d; reduce the user's claims, groups or tokens",
			ErrTooLarge, len(plain), maxRecord)
	}
	out := binary.BigEndian.AppendUint64(nil, version)
	return append(out, ring.SealWith(seal.Record, t.key[:], plain, bindingOf(s))...), nil
}

// decodeRecord opens what encodeRecord returned, if aad is what it was sealed to.
func decodeRecord(ring *seal.Ring, t ticket, stored []byte, aad []byte) (*Session, uint64, error) {
	if len(stored) < versionSize || len(stored) > maxStored {
		return nil, 0, errRecord
	}
	plain, err := ring.OpenWith(seal.Record, t.key[:], stored[versionSize:], aad)
	if err != nil {
		return nil, 0, errRecord
	}
	s, err := decodeSession(plain)
	if err != nil {
		return nil, 0, err
	}
	s.Ref = t.ref()
	return s, binary.BigEndian.Uint64(stored), nil
}

// summary is what operators may see of a session, sealed with the server's keys alone. It also holds the idle clock.
type summary struct {
	Issuer, Subject, Email, Host, Address, SID string
	Created, Seen, Expires                     int64 // Unix milliseconds
}

func toSummary(s *Session) summary {
	return summary{
		Issuer: s.Issuer, Subject: s.Subject, Email: s.Email, Host: s.Host, Address: s.Address, SID: s.SID,
		Created: fields.Millis(s.CreatedAt), Seen: fields.Millis(s.LastSeenAt), Expires: fields.Millis(s.ExpiresAt),
	}
}

func (u summary) session(ref string) *Session {
	return &Session{
		User: User{Issuer: u.Issuer, Subject: u.Subject, Email: u.Email},
		Ref:  ref, Host: u.Host, Address: u.Address, SID: u.SID,
		CreatedAt: fields.FromMillis(u.Created), LastSeenAt: fields.FromMillis(u.Seen),
		ExpiresAt: fields.FromMillis(u.Expires),
	}
}

func encodeSummary(ring *seal.Ring, ref string, u summary) []byte {
	e := fields.Encoder{recordFormat}
	for _, text := range []string{u.Issuer, u.Subject, u.Email, u.Host, u.Address, u.SID} {
		e.Text(text)
	}
	for _, ms := range []int64{u.Created, u.Seen, u.Expires} {
		e.Time(fields.FromMillis(ms))
	}
	return ring.Seal(seal.Summary, e, []byte(ref))
}

func decodeSummary(ring *seal.Ring, ref string, sealed []byte) (summary, error) {
	if len(sealed) > maxStored {
		return summary{}, errRecord
	}
	plain, err := ring.Open(seal.Summary, sealed, []byte(ref))
	if err != nil {
		return summary{}, errRecord
	}
	return parseSummary(plain)
}

func parseSummary(plain []byte) (summary, error) {
	var u summary
	if len(plain) == 0 || plain[0] != recordFormat {
		return u, errRecord
	}
	d := fields.Decoder{Left: string(plain[1:])}
	for _, text := range []*string{&u.Issuer, &u.Subject, &u.Email, &u.Host, &u.Address, &u.SID} {
		*text = d.Text()
	}
	for _, ms := range []*int64{&u.Created, &u.Seen, &u.Expires} {
		*ms = fields.Millis(d.Time())
	}
	if d.Bad || d.Left != "" {
		return summary{}, errRecord
	}
	return u, nil
}
