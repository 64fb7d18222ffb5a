package logging

import (
	"encoding/hex"
	"log/slog"
	"sync/atomic"

	"github.com/hubgate/hubgate/internal/seal"
)

// EmailKey is the only attribute for e-mail addresses: the policy of log.email applies to it.
const EmailKey = "email"

// EmailPolicy decides how e-mail addresses are logged: hash (an HMAC under a separate key, so that a person's lines can
// be correlated without revealing the address), full, or none. Without a key, hash means none.
type EmailPolicy struct {
	Mode atomic.Pointer[string]
	Ring atomic.Pointer[seal.Ring]
}

// attr returns the attribute that is logged for an address; the empty attribute omits it.
func (p *EmailPolicy) attr(email string) slog.Attr {
	ring, mode := p.Ring.Load(), p.Mode.Load()
	switch {
	case mode != nil && *mode == "full":
		return slog.String(EmailKey, email)
	case mode != nil && *mode == "hash" && ring != nil && email != "":
		return slog.String(EmailKey, "hash:"+hex.EncodeToString(ring.MAC(seal.LogHash, []byte(email))[:8]))
	}
	return slog.Attr{}
}
