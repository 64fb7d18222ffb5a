package session

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// What Redis holds is written field by field: a text is its length and its bytes, a time its Unix milliseconds, a number a varint.
// JSON would cost a fifth of a request each time a session is read. Only the claims are JSON, for they hold what the provider likes.
type writer []byte

func (w *writer) number(n uint64) { *w = binary.AppendUvarint(*w, n) }

func (w *writer) text(s string) {
	w.number(uint64(len(s)))
	*w = append(*w, s...)
}

func (w *writer) texts(list []string) {
	w.number(uint64(len(list)))
	for _, s := range list {
		w.text(s)
	}
}

func (w *writer) time(t time.Time) { *w = binary.AppendVarint(*w, millis(t)) }

// token writes a token without its base64, which is a quarter of it: most are parts of base64url with dots between. Any other is a
// text after a zero.
func (w *writer) token(s string) {
	var parts []string
	for part := range strings.SplitSeq(s, ".") {
		raw, err := strictBase64.DecodeString(part)
		if err != nil || strictBase64.EncodeToString(raw) != part { // line ends are ignored in decoding
			w.number(0)
			w.text(s)
			return
		}
		parts = append(parts, string(raw))
	}
	w.texts(parts)
}

// reader reads what a writer wrote. What cannot be is noted, and everything after it is empty.
type reader struct {
	left string
	bad  bool
}

func (r *reader) fail() {
	r.left, r.bad = "", true
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint([]byte(r.left[:min(len(r.left), binary.MaxVarintLen64)]))
	if size <= 0 {
		r.fail()
		return 0
	}
	r.left = r.left[size:]
	return n
}

func (r *reader) text() string {
	n := r.number()
	if n > uint64(len(r.left)) {
		r.fail()
		return ""
	}
	s := r.left[:n]
	r.left = r.left[n:]
	return s
}

func (r *reader) texts() []string {
	n := r.number()
	if n > uint64(len(r.left)) { // each takes a byte at least
		r.fail()
		return nil
	}
	var list []string
	for range n {
		list = append(list, r.text())
	}
	return list
}

func (r *reader) time() time.Time {
	ms, size := binary.Varint([]byte(r.left[:min(len(r.left), binary.MaxVarintLen64)]))
	if size <= 0 {
		r.fail()
		return time.Time{}
	}
	r.left = r.left[size:]
	return fromMillis(ms)
}

func (r *reader) token() string {
	parts := r.texts()
	if len(parts) == 0 {
		return r.text()
	}
	for i, raw := range parts {
		parts[i] = strictBase64.EncodeToString([]byte(raw))
	}
	return strings.Join(parts, ".")
}

// encodeSession writes a session, all but its name and its idle clock.
func encodeSession(s *Session) ([]byte, error) {
	w := writer{recordFormat}
	for _, text := range []string{s.Issuer, s.Subject, s.Email, s.Name, s.Host, s.ClientID, s.Address, s.SID} {
		w.text(text)
	}
	verified := uint64(0)
	if s.EmailVerified {
		verified = 1
	}
	w.number(verified)
	w.texts(s.Groups)
	for _, t := range []time.Time{s.CreatedAt, s.ExpiresAt, s.refreshedAt, s.Tokens.AccessExpiry, s.AuthTime, s.PromptedAt} {
		w.time(t)
	}
	for _, token := range []string{s.Tokens.Access, s.Tokens.Refresh, s.Tokens.ID} {
		w.token(token)
	}
	if s.Claims == nil {
		return w, nil
	}
	claims, err := json.Marshal(s.Claims)
	return append(w, claims...), err
}

// decodeSession reads what encodeSession wrote.
func decodeSession(plain []byte) (*Session, error) {
	if len(plain) == 0 || plain[0] != recordFormat {
		return nil, errRecord
	}
	r, s := reader{left: string(plain[1:])}, &Session{}
	for _, text := range []*string{&s.Issuer, &s.Subject, &s.Email, &s.Name, &s.Host, &s.ClientID, &s.Address, &s.SID} {
		*text = r.text()
	}
	verified := r.number()
	s.EmailVerified, s.Groups = verified == 1, r.texts()
	for _, t := range []*time.Time{&s.CreatedAt, &s.ExpiresAt, &s.refreshedAt, &s.Tokens.AccessExpiry, &s.AuthTime, &s.PromptedAt} {
		*t = r.time()
	}
	for _, token := range []*string{&s.Tokens.Access, &s.Tokens.Refresh, &s.Tokens.ID} {
		*token = r.token()
	}
	if r.bad || verified > 1 || s.Subject == "" || s.ExpiresAt.IsZero() {
		return nil, errRecord
	}
	if r.left != "" && (json.Unmarshal([]byte(r.left), &s.Claims) != nil || s.Claims == nil) {
		return nil, errRecord
	}
	s.Groups = slices.Clip(s.Groups)
	return s, nil
}
