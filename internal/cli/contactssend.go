package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/setting"
)

func contactsReplayCommand(e *env, flags *adminFlags) *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use: "replay [ID...] | --all", Short: "Send dead letters again",
		Long: `Puts dead letters back into the queue, those named or all of them. One whose person has logged in again since, and was sent
since, is dropped: it does not overwrite what is newer.`,
		RunE: func(_ *cobra.Command, ids []string) error {
			if all == (len(ids) > 0) {
				return usageError("say which: IDs from contacts dead, or --all")
			}
			client, err := flags.client(e)
			if err != nil {
				return err
			}
			replayed := 0
			if all {
				replayed, err = client.replayAll(e)
			} else {
				replayed, err = client.replay(e.ctx, ids)
			}
			if err != nil {
				return err
			}
			if missing := len(ids) - replayed; !all && replayed == 0 {
				return errors.New("there is no such dead letter: contacts dead lists those that are there")
			} else if !all && missing > 0 {
				fmt.Fprintf(e.stderr, "%d of %d are no dead letters (any more)\n", missing, len(ids))
			}
			if e.output == "json" {
				return e.printJSON(map[string]int{"replayed": replayed})
			}
			fmt.Fprintf(e.stdout, "%s queued again\n", setting.Count(replayed, "contact"))
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all of them")
	return cmd
}

func (c *adminClient) replay(ctx context.Context, ids []string) (int, error) {
	var result struct {
		Replayed int `json:"replayed"`
	}
	err := c.call(ctx, http.MethodPost, "/api/contacts/replay", map[string]any{"ids": ids}, &result)
	return result.Replayed, err
}

// replayPage is how many letters go in one request: it says how far it is after each.
const replayPage = 500

// replayAll takes the letters that are there when it begins: one that dies again at once is not replayed for ever.
func (c *adminClient) replayAll(e *env) (replayed int, err error) {
	var status outbox.Status
	if err := c.call(e.ctx, http.MethodGet, "/api/contacts", nil, &status); err != nil {
		return 0, err
	}
	cursor := ""
	for seen := 0; seen < int(status.Dead); {
		var p outbox.DeadPage
		query := url.Values{"limit": {strconv.Itoa(min(replayPage, int(status.Dead)-seen))}, "cursor": {cursor}}
		if cursor == "" {
			query.Del("cursor")
		}
		if err := c.call(e.ctx, http.MethodGet, "/api/contacts/dead?"+query.Encode(), nil, &p); err != nil {
			return replayed, err
		}
		if len(p.Dead) == 0 {
			break
		}
		ids := make([]string, len(p.Dead))
		for i, d := range p.Dead {
			ids[i] = d.ID
		}
		n, err := c.replay(e.ctx, ids)
		replayed += n
		if err != nil {
			return replayed, err
		}
		seen, cursor = seen+len(ids), ids[len(ids)-1]
		fmt.Fprintf(e.stderr, "%d of %d\n", seen, status.Dead)
	}
	return replayed, nil
}

// sayPause tells that what is queued waits for HubSpot. That it cannot be asked is no matter: the contact is queued.
func (c *adminClient) sayPause(e *env) {
	var status outbox.Status
	if err := c.call(e.ctx, http.MethodGet, "/api/contacts", nil, &status); err == nil && status.PausedUntil != nil {
		fmt.Fprintf(e.stderr, "calls to HubSpot are paused until %s: it is sent then\n", status.PausedUntil.Format(time.RFC3339))
	}
}

func contactsSendCommand(e *env, flags *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "send EMAIL", Short: "Send a person's contact now", Args: cobra.ExactArgs(1),
		Long: `Sends what waits in the queue for a person, whatever hubspot.contacts.min_interval says. When nothing waits, the contact with this
address is made or updated with the mapping's constants: hubgate keeps nothing else of a person between logins.`,
		RunE: func(_ *cobra.Command, args []string) error {
			if strings.Count(args[0], "@") != 1 {
				return usageError(fmt.Sprintf("%q is not an e-mail address", setting.Shorten(args[0])))
			}
			client, err := flags.client(e)
			if err != nil {
				return err
			}
			var result admin.SentContact
			if err := client.call(e.ctx, http.MethodPost, "/api/contacts/send", map[string]string{"email": args[0]}, &result); err != nil {
				return err
			}
			if e.output == "json" {
				return e.printJSON(result)
			}
			client.sayPause(e)
			if !result.Known {
				fmt.Fprintln(e.stdout, "queued, with the address and the mapping's constants only: no login of this person waits")
				return nil
			}
			fmt.Fprintln(e.stdout, "queued: the login that waited goes now")
			return nil
		},
	}
}
