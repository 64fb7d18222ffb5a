package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/hubgate/hubgate/internal/seal"
)

// state is the OAuth parameter state: 16 random bytes, a retry count, a time and a MAC, in 43 base64url characters.
// It does not contain the page, because Cognito wraps it into its own state for federated logins, and fails on long
// ones.
type state struct {
	text    string
	retries byte
	began   time.Time
}

const (
	stateBody = 16 + 1 + 4
	stateMAC  = 32 - stateBody
)

func newState(ring *seal.Ring, retries byte, now time.Time) state {
	raw := make([]byte, stateBody, 32)
	rand.Read(raw[:16])
	raw[16] = retries
	binary.BigEndian.PutUint32(raw[17:], uint32(now.Unix()))
	raw = append(raw, ring.MAC(seal.State, raw)[:stateMAC]...)
	return state{base64.RawURLEncoding.EncodeToString(raw), retries, time.Unix(now.Unix(), 0)}
}

// parseState accepts only a state that this gateway issued (login CSRF, RFC 6749, section 10.12).
func parseState(ring *seal.Ring, text string) (state, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != 32 || len(text) != 43 {
		return state{}, false
	}
	authentic := false
	for _, mac := range ring.MACs(seal.State, raw[:stateBody]) {
		authentic = authentic || subtle.ConstantTimeCompare(mac[:stateMAC], raw[stateBody:]) == 1
	}
	return state{text, raw[16], time.Unix(int64(binary.BigEndian.Uint32(raw[17:])), 0)}, authentic
}

// hash names the attempt in Redis and in its cookie's name without revealing the state.
func (s state) hash() string {
	sum := sha256.Sum256([]byte("hubgate state\x00" + s.text))
	return hex.EncodeToString(sum[:16])
}
