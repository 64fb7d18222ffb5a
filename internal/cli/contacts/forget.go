package contacts

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/setting"
)

func forgetCommand(e *command.Env, flags *command.AdminFlags) *cobra.Command {
	allow := false
	cmd := &cobra.Command{
		Use: "forget EMAIL", Short: "Remove everything that hubgate holds about a person",
		Example: command.Example("hubgate contacts forget alice@example.com"),
		Args:    command.OneArgument("an e-mail address"),
		Long: `Ends the sessions of the person and removes everything that hubgate holds about them: queue entries, dead
letters, the record between logins, the last login, bound browsers, and what HubSpot said for rules that ask for it. A
keyed hash of the address remains, so that the person's next login does not create the contact again; --allow takes
that back. The command can be repeated.

HubSpot and the login provider are not touched; the output says how to erase the person there.`,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := checkEmail(args[0]); err != nil {
				return err
			}
			client, err := flags.Client(e)
			if err != nil {
				return err
			}
			result, err := forget(e, client, args[0], allow)
			if err != nil {
				return err
			}
			switch {
			case e.Output == "json":
				return e.PrintJSON(result)
			case allow && result.Allowed:
				command.Fprintln(e.Stdout, args[0]+" is no longer forgotten: the next login creates the contact again")
			case allow:
				command.Fprintln(e.Stdout, args[0]+" was not forgotten")
			default:
				printForgotten(e, args[0], result)
				printUnreadable(e.Stdout, result.Unreadable)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&allow, "allow", false, "take it back: the next login creates the contact again")
	return cmd
}

const (
	forgetTries = 20 // while a contact of the person is being sent: about 2 minutes
	forgetPause = time.Second
)

// forget sends the request, and repeats it while a contact of the person is being sent.
func forget(e *command.Env, c *command.AdminClient, email string, allow bool) (total admin.ForgottenPerson, err error) {
	body := map[string]any{"email": email, "allow": allow}
	for range forgetTries {
		var result admin.ForgottenPerson
		if err := c.Call(e.Ctx, http.MethodPost, "/api/contacts/forget", body, &result); err != nil {
			return total, err
		}
		result.Sessions, result.Browsers = total.Sessions+result.Sessions, total.Browsers+result.Browsers
		if total = result; !total.InFlight {
			return total, nil
		}
		e.ReportProgress("a contact of this person is being sent; waiting until that has ended")
		if !background.Sleep(e.Ctx, forgetPause) {
			break
		}
	}
	return total, fmt.Errorf("a contact of %s is still being sent; nothing new will be, but repeat this command later",
		email)
}

// foundNothing reports whether hubgate held nothing about the person.
func foundNothing(f admin.ForgottenPerson) bool {
	return f.Entries+f.Dead+f.Records+f.LastLogins+f.Browsers+f.Access+f.Sessions+f.Unreadable == 0
}

func printForgotten(e *command.Env, email string, f admin.ForgottenPerson) {
	removed := []string{
		setting.Count(f.Entries, "queued login"), setting.Count(f.Dead, "dead letter"), setting.Count(f.Records, "record"),
		setting.Count(f.LastLogins, "last login"), setting.Count(f.Browsers, "bound browser"),
		setting.Count(f.Access, "answer") + " of HubSpot",
	}
	if foundNothing(f) {
		command.Fprintf(e.Stdout, "Nothing was found for %s; check the spelling.\n", email)
	} else {
		command.Fprintf(e.Stdout, "removed %s; ended %s\n", strings.Join(removed, ", "), setting.Count(f.Sessions, "session"))
	}
	command.Fprintf(e.Stdout,
		`A keyed hash of the address remains, so that the next login does not create the contact again.
To take that back: hubgate contacts forget %s --allow

Not touched, erase the person there too:
- HubSpot: open the contact, Actions > Delete > permanently delete; or POST /crm/objects/2026-09/contacts/gdpr-delete
- the login provider, such as Cognito: delete the user
`, email)
}
