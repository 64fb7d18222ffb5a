package session

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/hubgate/hubgate/internal/fields"
)

// fields returns a session's fields in the order of the record.
func (s *Session) fields() (texts []*string, times []*time.Time, tokens []*string) {
	return []*string{&s.Issuer, &s.Subject, &s.Email, &s.Name, &s.Host, &s.ClientID, &s.Address, &s.SID},
		[]*time.Time{&s.CreatedAt, &s.ExpiresAt, &s.refreshedAt, &s.Tokens.AccessExpiry, &s.AuthTime, &s.PromptedAt},
		[]*string{&s.Tokens.Access, &s.Tokens.Refresh, &s.Tokens.ID}
}

// encodeSession encodes a session without its name and idle clock.
func encodeSession(s *Session) ([]byte, error) {
	e := fields.Encoder{recordFormat}
	texts, times, tokens := s.fields()
	for _, text := range texts {
		e.Text(*text)
	}
	verified := uint64(0)
	if s.EmailVerified {
		verified = 1
	}
	e.Number(verified)
	e.Texts(s.Groups)
	for _, t := range times {
		e.Time(*t)
	}
	for _, token := range tokens {
		e.Token(*token)
	}
	if s.Claims == nil {
		return e, nil
	}
	claims, err := json.Marshal(s.Claims)
	return append(e, claims...), err
}

// decodeSession decodes what encodeSession encoded.
func decodeSession(plain []byte) (*Session, error) {
	if len(plain) == 0 || plain[0] != recordFormat {
		return nil, errRecord
	}
	d, s := fields.Decoder{Left: string(plain[1:])}, &Session{}
	texts, times, tokens := s.fields()
	for _, text := range texts {
		*text = d.Text()
	}
	verified := d.Number()
	s.EmailVerified, s.Groups = verified == 1, d.Texts()
	for _, t := range times {
		*t = d.Time()
	}
	for _, token := range tokens {
		*token = d.Token()
	}
	if d.Bad || verified > 1 || s.Subject == "" || s.ExpiresAt.IsZero() {
		return nil, errRecord
	}
	if d.Left != "" && (json.Unmarshal([]byte(d.Left), &s.Claims) != nil || s.Claims == nil) {
		return nil, errRecord
	}
	s.Groups = slices.Clip(s.Groups)
	return s, nil
}
