package fields

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

// Encoder writes records and summaries field by field: a text as its length and its bytes, a time as Unix milliseconds,
// a number as a varint. Reading JSON would cost a fifth of each request. Only the claims, which can hold anything, are
// JSON.
type Encoder []byte

// Number writes a number.
func (e *Encoder) Number(n uint64) { *e = binary.AppendUvarint(*e, n) }

// Text writes a text.
func (e *Encoder) Text(s string) {
	e.Number(uint64(len(s)))
	*e = append(*e, s...)
}

// Texts writes a list of texts.
func (e *Encoder) Texts(list []string) {
	e.Number(uint64(len(list)))
	for _, s := range list {
		e.Text(s)
	}
}

// Time writes a time to the millisecond.
func (e *Encoder) Time(t time.Time) { *e = binary.AppendVarint(*e, Millis(t)) }

// Token writes a token without its base64, which saves a quarter: most tokens are parts of base64url with dots between
// them. Any other token is written as a text after a zero.
func (e *Encoder) Token(s string) {
	var parts []string
	for part := range strings.SplitSeq(s, ".") {
		raw, err := base64url.DecodeString(part)
		if err != nil || base64url.EncodeToString(raw) != part { // decoding ignores line breaks
			e.Number(0)
			e.Text(s)
			return
		}
		parts = append(parts, string(raw))
	}
	e.Texts(parts)
}

// base64url accepts only one encoding of each value.
var base64url = base64.RawURLEncoding.Strict()

// Decoder reads what an encoder wrote. After an invalid field, Bad is set and all other fields are empty.
type Decoder struct {
	Left string // what was not read yet
	Bad  bool
}

func (d *Decoder) fail() { d.Left, d.Bad = "", true }

// Number reads a number.
func (d *Decoder) Number() uint64 {
	n, size := binary.Uvarint([]byte(d.Left[:min(len(d.Left), binary.MaxVarintLen64)]))
	if size <= 0 {
		d.fail()
		return 0
	}
	d.Left = d.Left[size:]
	return n
}

// Text reads a text.
func (d *Decoder) Text() string {
	n := d.Number()
	if n > uint64(len(d.Left)) {
		d.fail()
		return ""
	}
	s := d.Left[:n]
	d.Left = d.Left[n:]
	return s
}

// Texts reads a list of texts.
func (d *Decoder) Texts() []string {
	n := d.Number()
	if n > uint64(len(d.Left)) { // each has at least one byte
		d.fail()
		return nil
	}
	var list []string
	for range n {
		list = append(list, d.Text())
	}
	return list
}

// Time reads a time.
func (d *Decoder) Time() time.Time {
	ms, size := binary.Varint([]byte(d.Left[:min(len(d.Left), binary.MaxVarintLen64)]))
	if size <= 0 {
		d.fail()
		return time.Time{}
	}
	d.Left = d.Left[size:]
	return FromMillis(ms)
}

// Token reads a token.
func (d *Decoder) Token() string {
	parts := d.Texts()
	if len(parts) == 0 {
		return d.Text()
	}
	for i, raw := range parts {
		parts[i] = base64url.EncodeToString([]byte(raw))
	}
	return strings.Join(parts, ".")
}

// Millis returns Unix milliseconds, and 0 for the zero time.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// FromMillis is the inverse of Millis.
func FromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
