package cli

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/setting"
)

func contactsSendCommand(e *env, flags *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "send EMAIL", Short: "Send a person's contact now", Args: cobra.ExactArgs(1),
		Long: `Sends a person's queued contact now, regardless of hubspot.contacts.min_interval. If nothing is queued, it
creates or updates the contact with this address and the mapping's constants, because hubgate stores nothing else
between logins.`,
		RunE: func(_ *cobra.Command, args []string) error {
			if strings.Count(args[0], "@") != 1 {
				return usageError(fmt.Sprintf("%q is not an e-mail address", setting.Shorten(args[0])))
			}
			client, err := flags.client(e)
			if err != nil {
				return err
			}
			var result admin.SentContact
			body := map[string]string{"email": args[0]}
			if err := client.call(e.ctx, http.MethodPost, "/api/contacts/send", body, &result); err != nil {
				return err
			}
			if e.output == "json" {
				return e.printJSON(result)
			}
			client.printPause(e)
			text := "queued: the waiting login is sent now"
			if !result.Known {
				text = "queued with the address and the mapping's constants only: no login of this person was waiting"
			}
			fmt.Fprintln(e.stdout, text)
			return nil
		},
	}
}

// printPause prints until when calls to HubSpot are paused. It ignores errors, because the contact is already queued.
func (c *adminClient) printPause(e *env) {
	var status outbox.Status
	err := c.call(e.ctx, http.MethodGet, "/api/contacts", nil, &status)
	if err == nil && status.PausedUntil != nil {
		fmt.Fprintf(e.stderr, "calls to HubSpot are paused until %s; the contact will be sent then\n",
			pauseText(status, time.Now()))
	}
}
