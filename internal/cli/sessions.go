package cli

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/setting"
)

func sessionsCommand(e *command.Env) *cobra.Command {
	flags := &command.AdminFlags{}
	cmd := &cobra.Command{
		Use: "sessions", Short: "List and end sessions of a running gateway",
		Example: command.Example("hubgate sessions list", "hubgate sessions end --user alice@example.com"),
	}
	command.Group(cmd)
	flags.Add(cmd)
	cmd.AddCommand(sessionsListCommand(e, flags), sessionsEndCommand(e, flags))
	return cmd
}

func sessionsListCommand(e *command.Env, flags *command.AdminFlags) *cobra.Command {
	var user string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List sessions", Args: command.NoArguments,
		Example: command.Example("hubgate sessions list", "hubgate sessions list --user alice@example.com"),
		Long: `Lists the sessions of logged-in visitors. LAST SEEN is accurate to a tenth of session.idle_timeout, at least a
second (to 5 minutes if that is none), because a session in use is not written at each request.`,
		RunE: func(*cobra.Command, []string) error {
			if limit < 1 {
				return command.UsageError("--limit must be at least 1")
			}
			client, err := flags.Client(e)
			if err != nil {
				return err
			}
			return listSessions(e, client, user, limit)
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "only sessions of this e-mail address")
	cmd.Flags().IntVar(&limit, "limit", 1000, "maximum number of sessions")
	return cmd
}

type sessionsPage struct {
	Sessions []admin.SessionJSON `json:"sessions"`
	Next     string              `json:"next"`
}

func listSessions(e *command.Env, client *command.AdminClient, user string, limit int) error {
	all := sessionsPage{Sessions: []admin.SessionJSON{}}
	seen := map[string]bool{}
	for cursor := ""; len(all.Sessions) < limit; seen[cursor] = true {
		q := command.PageQuery(min(admin.MaxPage, limit-len(all.Sessions)), cursor)
		if user != "" {
			q.Set("user", user)
		}
		var next sessionsPage
		if err := client.Call(e.Ctx, http.MethodGet, "/api/sessions?"+q.Encode(), nil, &next); err != nil {
			return err
		}
		if seen[next.Next] {
			return command.ErrUnexpectedResponse // would loop forever
		}
		all.Sessions, all.Next = append(all.Sessions, next.Sessions...), next.Next
		if cursor = next.Next; cursor == "" {
			break
		}
	}
	if e.Output == "json" {
		return e.PrintJSON(all)
	}
	if len(all.Sessions) == 0 {
		command.Fprintln(e.Stdout, "Nobody is logged in.")
		return nil
	}
	table := e.Table("ID", "E-MAIL", "HOST", "SINCE", "LAST SEEN", "UNTIL", "FROM")
	for _, s := range all.Sessions {
		command.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.Email, s.Host,
			command.ShortTime(&s.CreatedAt), command.ShortTime(&s.LastSeenAt), command.ShortTime(&s.ExpiresAt), s.Address)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if all.Next != "" {
		command.Fprintf(e.Stderr, "There are more; increase --limit to list them.\n")
	}
	return nil
}

func sessionsEndCommand(e *command.Env, flags *command.AdminFlags) *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use: "end [ID | --user EMAIL]", Short: "End one session, or all sessions of a user",
		Args:    cobra.ArbitraryArgs,
		Example: command.Example("hubgate sessions end 5Jd3kq0tXb", "hubgate sessions end --user alice@example.com"),
		RunE: func(_ *cobra.Command, args []string) error {
			if (len(args) > 0) == (user != "") || len(args) > 1 {
				return command.UsageError(`required: one ID from "hubgate sessions list", or --user EMAIL`)
			}
			if len(args) == 0 && strings.Count(user, "@") != 1 {
				return command.UsageError(fmt.Sprintf("--user: %q is not an e-mail address", setting.Shorten(user)))
			}
			client, err := flags.Client(e)
			if err != nil {
				return err
			}
			path := "/api/sessions?user=" + url.QueryEscape(user)
			if len(args) == 1 {
				path = "/api/sessions/" + url.PathEscape(args[0])
			}
			var result struct {
				Ended int    `json:"ended"`
				Note  string `json:"note"`
			}
			if err := client.Call(e.Ctx, http.MethodDelete, path, nil, &result); err != nil {
				return err
			}
			if result.Ended == 0 {
				return errors.New("no session for this e-mail address; it may have ended already")
			}
			if e.Output == "json" {
				return e.PrintJSON(result)
			}
			command.Fprintf(e.Stdout, "%s ended\n", setting.Count(result.Ended, "session"))
			command.Fprintln(e.Stderr, result.Note)
			return nil
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "end all sessions of this e-mail address")
	return cmd
}
