package access

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/seal"
)

// portal is the HubSpot account that the token belongs to, and with it the ids of lists. HubSpot says which one it is:
// a rotated token keeps everything that is known, and a token of another account ends the use of it.
type portal struct {
	token func() string
	hubID func() int64 // as configured; it counts only if HubSpot does not say
	store *store
	log   *slog.Logger

	onChange func() // another account

	resolving   sync.Mutex
	mu          sync.Mutex
	fingerprint string // of the token whose account is known
	account     string // empty = none was ever known
}

// current returns the last known account. It decides about the use of answers: until HubSpot has said that a new token
// belongs to another account, it is taken for a rotated one.
func (p *portal) current() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.account
}

// settled reports whether the account of the token is known, and returns it with the token's fingerprint.
func (p *portal) settled() (fingerprint, account string, ok bool) {
	fingerprint = hex.EncodeToString(p.store.ring.MAC(seal.UserIndex, []byte("crm token\x00"+p.token()))[:16])
	p.mu.Lock()
	defer p.mu.Unlock()
	return fingerprint, p.account, p.account != "" && p.fingerprint == fingerprint
}

// resolve returns the fingerprint and the account of the token, which HubSpot is asked for once per token. No answer
// may be read before: it would be remembered as one of another account. Every error is about all calls.
func (p *portal) resolve(ctx context.Context, reader Reader) (fingerprint, account string, err error) {
	p.resolving.Lock()
	defer p.resolving.Unlock()
	fingerprint, account, ok := p.settled()
	if ok {
		return fingerprint, account, nil
	}
	account = p.store.portal(ctx, fingerprint)
	if account == "" {
		account, err = p.ask(ctx, reader, fingerprint)
	}
	if err == nil && p.changed(fingerprint) {
		err = errors.New("the access token changed meanwhile")
	}
	if err != nil {
		return "", "", &portalError{fmt.Errorf("hubspot: account of the access token: %w", err)}
	}
	p.use(fingerprint, account)
	return fingerprint, account, nil
}

// changed reports whether the token is another one now.
func (p *portal) changed(fingerprint string) bool {
	now, _, _ := p.settled()
	return now != fingerprint
}

// ask asks HubSpot. A token that may not ask is identified by hub_id, else by itself.
func (p *portal) ask(ctx context.Context, reader Reader, fingerprint string) (account string, err error) {
	id, err := reader.Portal(ctx)
	var refusal *crm.APIError
	switch {
	case err == nil && !p.changed(fingerprint):
		account = strconv.FormatInt(id, 10)
		p.store.savePortal(ctx, fingerprint, account)
		p.compare(id)
		return account, nil
	case !errors.As(err, &refusal) || !permanent(refusal.Status):
		return "", err
	case p.hubID() != 0:
		account = strconv.FormatInt(p.hubID(), 10)
	default:
		account = "token " + fingerprint
	}
	p.log.Warn("HubSpot does not say to which account the token belongs; hubspot.hub_id or the token identifies it",
		"error", err, "cure", "set hubspot.hub_id, so that a rotated token keeps what is known about visitors")
	return account, nil
}

// permanent reports whether HubSpot will not say it to this token later either.
func permanent(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooManyRequests, crm.StatusMigration:
		return false
	}
	return status >= 400 && status < 500 || status == http.StatusNotImplemented
}

// compare logs that hub_id contradicts the token.
func (p *portal) compare(id int64) {
	if configured := p.hubID(); configured != 0 && configured != id {
		p.log.Error("hubspot.hub_id is not the account of the access token; lists are read in the token's account",
			"detail", fmt.Sprintf("hub_id %d, token of %d", configured, id),
			"cure", "correct hubspot.hub_id, or use a token of that account; check --live compares them")
	}
}

// use makes an account the current one.
func (p *portal) use(fingerprint, account string) {
	p.mu.Lock()
	before := p.account
	p.fingerprint, p.account = fingerprint, account
	p.mu.Unlock()
	if before == account || before == "" {
		return
	}
	p.log.Warn("the access token belongs to another HubSpot account; visitors are looked up again there",
		"detail", fmt.Sprintf("account %s, before %s", account, before))
	p.onChange()
}

// portalError is a failure to find out the account, without which nothing may be read.
type portalError struct{ cause error }

// Error returns the text of the cause.
func (e *portalError) Error() string { return e.cause.Error() }

// Unwrap returns the cause.
func (e *portalError) Unwrap() error { return e.cause }

// tokenEvery is how often a new token is looked for.
const tokenEvery = time.Second

// followToken finds out the account of a new token, even if no visitor needs a read: what is known may be used only
// until HubSpot says that it is another account.
func (a *Access) followToken(ctx context.Context) error {
	seen := ""
	for {
		token, _, settled := a.portal.settled()
		switch another := token != seen; {
		case settled || !a.live.Load().on:
		case !a.outage.on():
			_, _, err := a.portal.resolve(crm.WithLimit(ctx, probeLimit), a.deps.Spare)
			if err != nil && ctx.Err() == nil {
				a.outage.begin(err)
			}
		case another:
			a.Retry() // a probe finds it out
		}
		seen = token
		if !background.Sleep(ctx, tokenEvery) {
			return nil
		}
	}
}

// portalKept is how long the account of a token is kept, so that a restart while HubSpot is unavailable knows it.
const portalKept = 180 * 24 * time.Hour

func (st *store) portalKey(fingerprint string) string { return st.prefix + "{crm}:at:" + fingerprint }

// portal returns the account of a token, or "" if it is unknown.
func (st *store) portal(ctx context.Context, fingerprint string) string {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	key := st.portalKey(fingerprint)
	sealed, err := st.rdb.GetEx(ctx, key, portalKept).Bytes()
	if err != nil {
		return ""
	}
	account, err := st.ring.Open(seal.Access, sealed, []byte(key))
	if err != nil {
		return ""
	}
	return string(account)
}

// savePortal keeps the account of a token. Without it, HubSpot is asked again.
func (st *store) savePortal(ctx context.Context, fingerprint, account string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	key := st.portalKey(fingerprint)
	_ = st.rdb.Set(ctx, key, st.ring.Seal(seal.Access, []byte(account), []byte(key)), portalKept).Err()
}
