package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"sync/atomic"
	"time"
)

// hubspotAccount identifies the account to which ids of lists belong: by hub_id, else by the token. Another token may
// belong to another account, where the same id is another list.
type hubspotAccount struct {
	secrets *secrets
	now     func() time.Time
	last    atomic.Pointer[accountOfToken]
}

// accountOfToken is the account of a token that was read at a time.
type accountOfToken struct {
	id         string
	readAt     time.Time
	generation *generation
}

// tokenEvery limits how often requests read the file of a token.
const tokenEvery = time.Second

// id returns the identity of the account. A token in a file that was replaced takes up to a second to be noticed.
func (a *hubspotAccount) id() string {
	gen := a.secrets.current.Load()
	if gen != nil && gen.cfg.HubSpot.HubID != 0 {
		return strconv.FormatInt(gen.cfg.HubSpot.HubID, 10)
	}
	now, last := a.now(), a.last.Load()
	if last != nil && last.generation == gen && now.Sub(last.readAt) < tokenEvery {
		return last.id
	}
	sum := sha256.Sum256([]byte(a.secrets.hubspotToken()))
	next := &accountOfToken{id: hex.EncodeToString(sum[:]), readAt: now, generation: gen}
	a.last.Store(next)
	return next.id
}
