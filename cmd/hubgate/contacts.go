package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot"
)

func contactsCommand(e *env) *cobra.Command {
	flags := &adminFlags{}
	cmd := &cobra.Command{Use: "contacts", Short: "See and mend the queue of contacts of a running gateway, and set HubSpot up for it"}
	flags.add(cmd)
	cmd.AddCommand(contactsStatusCommand(e, flags), contactsDeadCommand(e, flags), contactsReplayCommand(e, flags), contactsSendCommand(e, flags), contactsSetupCommand(e, flags))
	return cmd
}

func contactsStatusCommand(e *env, flags *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "What is queued, delayed and dead", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			client, err := flags.client(e)
			if err != nil {
				return err
			}
			var s hubspot.Status
			if err := client.call(e.ctx, http.MethodGet, "/api/contacts", nil, &s); err != nil {
				return err
			}
			if e.output == "json" {
				return e.printJSON(s)
			}
			table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
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

func contactsDeadCommand(e *env, flags *adminFlags) *cobra.Command {
	limit := 100
	cmd := &cobra.Command{
		Use: "dead", Short: "Contacts that HubSpot will not take, and why", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			client, err := flags.client(e)
			if err != nil {
				return err
			}
			var all hubspot.DeadPage
			path := "/api/contacts/dead?" + url.Values{"limit": {strconv.Itoa(limit)}}.Encode()
			if err := client.call(e.ctx, http.MethodGet, path, nil, &all); err != nil {
				return err
			}
			if e.output == "json" {
				return e.printJSON(all)
			}
			if len(all.Dead) == 0 {
				fmt.Fprintln(e.stdout, "There are no dead letters.")
				return nil
			}
			table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "ID\tE-MAIL\tATTEMPTS\tFIRST\tLAST\tREASON")
			for _, d := range all.Dead {
				fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\n", d.ID, d.Email, d.Attempts,
					d.FirstAt.Format("2006-01-02 15:04"), d.LastAt.Format("2006-01-02 15:04"), d.Reason)
			}
			return table.Flush()
		},
	}
	cmd.Flags().IntVar(&limit, "limit", limit, "at most so many, 1 to 1000")
	return cmd
}

func contactsReplayCommand(e *env, flags *adminFlags) *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use: "replay [ID...] | --all", Short: "Send dead letters again",
		RunE: func(_ *cobra.Command, ids []string) error {
			if all == (len(ids) > 0) {
				return usageError("say which: IDs from contacts dead, or --all")
			}
			client, err := flags.client(e)
			if err != nil {
				return err
			}
			body := map[string]any{"ids": ids}
			if all {
				body = map[string]any{"all": true}
			}
			var result struct {
				Replayed int `json:"replayed"`
			}
			if err := client.call(e.ctx, http.MethodPost, "/api/contacts/replay", body, &result); err != nil {
				return err
			}
			if e.output == "json" {
				return e.printJSON(result)
			}
			fmt.Fprintf(e.stdout, "%s queued again\n", count(result.Replayed, "contact"))
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all of them")
	return cmd
}

func contactsSendCommand(e *env, flags *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "send EMAIL", Short: "Send a person's contact now", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if strings.Count(args[0], "@") != 1 {
				return usageError(fmt.Sprintf("%q is not an e-mail address", shorten(args[0])))
			}
			client, err := flags.client(e)
			if err != nil {
				return err
			}
			var result map[string]bool
			if err := client.call(e.ctx, http.MethodPost, "/api/contacts/send", map[string]string{"email": args[0]}, &result); err != nil {
				return err
			}
			if e.output == "json" {
				return e.printJSON(result)
			}
			fmt.Fprintln(e.stdout, "queued")
			return nil
		},
	}
}
