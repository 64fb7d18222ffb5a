package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot/outbox"
)

func contactsCommand(e *env) *cobra.Command {
	flags := &adminFlags{}
	cmd := &cobra.Command{
		Use: "contacts", Short: "Manage the contact queue of a running gateway, and set up HubSpot for it",
	}
	group(cmd)
	flags.add(cmd)
	cmd.AddCommand(contactsStatusCommand(e, flags), contactsQueueCommand(e, flags), contactsDeadCommand(e, flags),
		contactsReplayCommand(e, flags), contactsSendCommand(e, flags), contactsSetupCommand(e, flags))
	return cmd
}

func contactsStatusCommand(e *env, flags *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show how many contacts are queued, delayed and dead", Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			var s outbox.Status
			if err := flags.get(e, "/api/contacts", &s); err != nil {
				return err
			}
			if e.output == "json" {
				return e.printJSON(s)
			}
			table := e.table()
			fmt.Fprintf(table, "queued\t%d\n", s.Queued)
			fmt.Fprintf(table, "delayed\t%d\n", s.Delayed)
			fmt.Fprintf(table, "in flight\t%d\n", s.InFlight)
			fmt.Fprintf(table, "oldest\t%s\n", (time.Duration(s.OldestSeconds) * time.Second).String())
			fmt.Fprintf(table, "dead\t%d\n", s.Dead)
			if s.PausedUntil != nil {
				fmt.Fprintf(table, "paused until\t%s\n", s.PausedUntil.Format(time.RFC3339))
			}
			for _, p := range s.RejectedProperties {
				fmt.Fprintf(table, "rejected\t%s (%d times): %s\n", p.Property, p.Count, p.Reason)
			}
			return table.Flush()
		},
	}
}
