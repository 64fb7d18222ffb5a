package hubspot

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/hubspot/ratelimit"
)

// accountReader notices when the access token belongs to another HubSpot account than before.
type accountReader struct {
	token    string // fingerprint of the token that was checked
	attempts int    // that failed with transient errors
}

// checkAccount reads the account of a token that is new. If it is another account, nothing that was sent before counts:
// the ID of a person's contact is that of a stranger there. failure is a transient one of HubSpot: then everything
// waits.
func (w *worker) checkAccount(ctx context.Context) (failure, err error) {
	reader, hubID := &w.schema.account, w.c.live.Load().cfg.HubID
	token := w.outbox.Fingerprint(w.c.client.Token() + "\x00" + strconv.FormatInt(hubID, 10))
	if reader.token == token {
		return nil, nil
	}
	before, err := w.outbox.Account(ctx)
	if err != nil {
		return nil, err
	}
	if before.Token != token {
		id, failure := w.readAccount(ctx, before, hubID)
		if failure != nil {
			return failure, nil
		}
		if err := w.useAccount(ctx, before, outbox.Account{Token: token, HubID: id, Since: before.Since}); err != nil {
			return nil, err
		}
	}
	reader.token, reader.attempts = token, 0
	return nil, nil
}

// readAccount returns the HubID of the token's account: as HubSpot says, else the configured one. The first token that
// is ever used needs no call if hub_id is configured.
func (w *worker) readAccount(ctx context.Context, before outbox.Account, configured int64) (id int64, failure error) {
	if before.Token == "" && configured != 0 {
		return configured, nil
	}
	id, err := w.c.client.Portal(ctx)
	reader := &w.schema.account
	switch {
	case err == nil:
		return id, nil
	case errors.Is(err, ratelimit.ErrPaused) || ratelimit.IsRedisError(err):
		return 0, err
	case !schemaRefused(err) && reader.attempts < maxSchemaAttempts:
		reader.attempts++
		return 0, err
	case configured != 0:
		return configured, nil
	}
	return before.HubID, nil
}

// useAccount saves the account that contacts are sent to from now on.
func (w *worker) useAccount(ctx context.Context, before, now outbox.Account) error {
	if before.HubID != 0 && now.HubID != 0 && before.HubID != now.HubID {
		now.Since = w.c.deps.Now()
		w.schema.known, w.schema.mapping = nil, nil // the definitions of the other account
		w.c.deps.Log.Warn("the access token belongs to another HubSpot account; contacts are looked up again there",
			"detail", fmt.Sprintf("account %d, before %d", now.HubID, before.HubID))
	}
	return w.outbox.SaveAccount(ctx, now)
}
