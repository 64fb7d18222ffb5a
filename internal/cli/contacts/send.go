package contacts

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/setting"
)

func sendCommand(e *command.Env, flags *command.AdminFlags) *cobra.Command {
	create := false
	cmd := &cobra.Command{
		Use: "send EMAIL", Short: "Send a person's contact now", Args: command.OneArgument("an e-mail address"),
		Example: command.Example("hubgate contacts send alice@example.com"),
		Long: `Sends a person's queued contact now, regardless of hubspot.contacts.min_interval. If nothing is queued, it
sends the last login again, as long as the person has a session. Otherwise no claims of the person are known: with
--create it creates or updates the contact with this address and the mapping's constants.`,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := checkEmail(args[0]); err != nil {
				return err
			}
			client, err := flags.Client(e)
			if err != nil {
				return err
			}
			var result admin.SentContact
			body := map[string]any{"email": args[0], "create": create}
			if err := client.Call(e.Ctx, http.MethodPost, "/api/contacts/send", body, &result); err != nil {
				return err
			}
			if e.Output == "json" {
				return e.PrintJSON(result)
			}
			printPause(e, client)
			text := "queued: the person's login is sent now"
			if !result.Known {
				text = "queued with the address and the mapping's constants only: no login of this person is known"
			}
			command.Fprintln(e.Stdout, text)
			return nil
		},
	}
	cmd.Flags().BoolVar(&create, "create", false, "create the contact with the constants if no login is known")
	return cmd
}

// checkEmail returns a usage error for an argument that cannot be an e-mail address.
func checkEmail(text string) error {
	if strings.Count(text, "@") != 1 {
		return command.UsageError(fmt.Sprintf("%q is not an e-mail address", setting.Shorten(text)))
	}
	return nil
}

// printPause prints until when calls to HubSpot are paused. It ignores errors, because the contact is already queued.
func printPause(e *command.Env, c *command.AdminClient) {
	var status outbox.Status
	err := c.Call(e.Ctx, http.MethodGet, "/api/contacts", nil, &status)
	if err == nil && status.PausedUntil != nil {
		command.Fprintf(e.Stderr, "calls to HubSpot are paused until %s; the contact will be sent then\n",
			pauseText(status, time.Now()))
	}
}
