package session

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// encoder writes records and summaries field by field: a text as its length and its bytes, a time as Unix milliseconds,
// a number as a varint. Reading JSON would cost a fifth of each request. Only the claims, which can hold anything, are
// JSON.
type encoder []byte

func (e *encoder) number(n uint64) { *e = binary.AppendUvarint(*e, n) }

func (e *encoder) text(s string) {
	e.number(uint64(len(s)))
	*e = append(*e, s...)
}

func (e *encoder) texts(list []string) {
	e.number(uint64(len(list)))
	for _, s := range list {
		e.text(s)
	}
}

func (e *encoder) time(t time.Time) { *e = binary.AppendVarint(*e, millis(t)) }

// token writes a token without its base64, which saves a quarter: most tokens are parts of base64url with dots between
// them. Any other token is written as a text after a zero.
func (e *encoder) token(s string) {
	var parts []string
	for part := range strings.SplitSeq(s, ".") {
		raw, err := strictBase64.DecodeString(part)
		if err != nil || strictBase64.EncodeToString(raw) != part { // decoding ignores line breaks
			e.number(0)
			e.text(s)
			return
		}
		parts = append(parts, string(raw))
	}
	e.texts(parts)
}

// decoder reads what an encoder wrote. After an invalid field, bad is set and all other fields are empty.
type decoder struct {
	left string
	bad  bool
}

func (d *decoder) fail() { d.left, d.bad = "", true }

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint([]byte(d.left[:min(len(d.left), binary.MaxVarintLen64)]))
	if size <= 0 {
		d.fail()
		return 0
	}
	d.left = d.left[size:]
	return n
}

func (d *decoder) text() string {
	n := d.number()
	if n > uint64(len(d.left)) {
		d.fail()
		return ""
	}
	s := d.left[:n]
	d.left = d.left[n:]
	return s
}

func (d *decoder) texts() []string {
	n := d.number()
	if n > uint64(len(d.left)) { // each has at least one byte
		d.fail()
		return nil
	}
	var list []string
	for range n {
		list = append(list, d.text())
	}
	return list
}

func (d *decoder) time() time.Time {
	ms, size := binary.Varint([]byte(d.left[:min(len(d.left), binary.MaxVarintLen64)]))
	if size <= 0 {
		d.fail()
		return time.Time{}
	}
	d.left = d.left[size:]
	return fromMillis(ms)
}

func (d *decoder) token() string {
	parts := d.texts()
	if len(parts) == 0 {
		return d.text()
	}
	for i, raw := range parts {
		parts[i] = strictBase64.EncodeToString([]byte(raw))
	}
	return strings.Join(parts, ".")
}

// fields returns a session's fields in the order of the record.
func (s *Session) fields() (texts []*string, times []*time.Time, tokens []*string) {
	return []*string{&s.Issuer, &s.Subject, &s.Email, &s.Name, &s.Host, &s.ClientID, &s.Address, &s.SID},
		[]*time.Time{&s.CreatedAt, &s.ExpiresAt, &s.refreshedAt, &s.Tokens.AccessExpiry, &s.AuthTime, &s.PromptedAt},
		[]*string{&s.Tokens.Access, &s.Tokens.Refresh, &s.Tokens.ID}
}

// encodeSession encodes a session without its name and idle clock.
func encodeSession(s *Session) ([]byte, error) {
	e := encoder{recordFormat}
	texts, times, tokens := s.fields()
	for _, text := range texts {
		e.text(*text)
	}
	verified := uint64(0)
	if s.EmailVerified {
		verified = 1
	}
	e.number(verified)
	e.texts(s.Groups)
	for _, t := range times {
		e.time(*t)
	}
	for _, token := range tokens {
		e.token(*token)
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
	d, s := decoder{left: string(plain[1:])}, &Session{}
	texts, times, tokens := s.fields()
	for _, text := range texts {
		*text = d.text()
	}
	verified := d.number()
	s.EmailVerified, s.Groups = verified == 1, d.texts()
	for _, t := range times {
		*t = d.time()
	}
	for _, token := range tokens {
		*token = d.token()
	}
	if d.bad || verified > 1 || s.Subject == "" || s.ExpiresAt.IsZero() {
		return nil, errRecord
	}
	if d.left != "" && (json.Unmarshal([]byte(d.left), &s.Claims) != nil || s.Claims == nil) {
		return nil, errRecord
	}
	s.Groups = slices.Clip(s.Groups)
	return s, nil
}
