package contacts

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/setting"
)

func deadCommand(e *command.Env, flags *command.AdminFlags) *cobra.Command {
	var list listFlags
	var drop string
	cmd := &cobra.Command{
		Use: "dead [--drop ID... | --drop all]", Short: "List dead letters with the reason, or remove them",
		Example: command.Example("hubgate contacts dead", "hubgate contacts dead --drop 1718000000000-0"),
		Long: `Lists the contacts that hubgate has stopped sending, with HubSpot's reason. There is one for each person, for
90 days.
Exit status: 0 when there are none, 3 when there are.

--drop removes dead letters for good: those with the IDs, or all.
Exit status: 0 when they were removed, 3 when there is no dead letter with one of the IDs.`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			if cmd.Flags().Changed("drop") {
				return dropDead(e, flags, append([]string{drop}, ids...))
			}
			if err := command.NoArguments(cmd, ids); err != nil {
				return err
			}
			var p outbox.DeadPage
			if err := flags.Get(e, "/api/contacts/dead?"+command.PageQuery(list.limit, list.after).Encode(), &p); err != nil {
				return err
			}
			if err := printDead(e, p); err != nil {
				return err
			}
			return command.Found(len(p.Dead) > 0)
		},
	}
	list.add(cmd)
	cmd.Flags().StringVar(&drop, "drop", "", `remove dead letters: IDs from the list, or "all"`)
	return cmd
}

// dropDead removes the dead letters with the IDs, or all if that is the only ID.
func dropDead(e *command.Env, flags *command.AdminFlags, ids []string) error {
	client, err := flags.Client(e)
	if err != nil {
		return err
	}
	if len(ids) == 1 && ids[0] == "all" {
		dropped, err := drop(e.Ctx, client, map[string]any{"all": true})
		if err != nil {
			return err
		}
		return printDropped(e, droppedLetters{Dropped: dropped})
	}
	var total droppedLetters
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			continue
		}
		// One ID per request, as the response is only a number.
		dropped, err := drop(e.Ctx, client, map[string]any{"ids": []string{id}})
		if err != nil {
			return fmt.Errorf("%s removed, then: %w", setting.Count(total.Dropped, "dead letter"), err)
		}
		if total.Dropped += dropped; dropped == 0 {
			total.Unknown = append(total.Unknown, id)
		}
	}
	if total.Dropped == 0 {
		return errNoSuchLetter
	}
	return printDropped(e, total)
}

func drop(ctx context.Context, c *command.AdminClient, selection map[string]any) (int, error) {
	var result droppedLetters
	err := c.Call(ctx, http.MethodPost, "/api/contacts/drop", selection, &result)
	return result.Dropped, err
}

// droppedLetters is the result of dead --drop.
type droppedLetters struct {
	Dropped int      `json:"dropped"`
	Unknown []string `json:"unknown,omitempty"` // IDs without a dead letter
}

// printDropped prints the result, and returns the exit status.
func printDropped(e *command.Env, d droppedLetters) error {
	switch {
	case e.Output == "json":
		if err := e.PrintJSON(d); err != nil {
			return err
		}
	case d.Dropped == 0 && len(d.Unknown) == 0:
		command.Fprintln(e.Stdout, noDeadLetters)
	default:
		command.Fprintf(e.Stdout, "%s removed\n", setting.Count(d.Dropped, "dead letter"))
	}
	if len(d.Unknown) > 0 {
		e.Say("no such dead letter: " + strings.Join(d.Unknown, ", ") + `; "hubgate contacts dead" lists them`)
	}
	return command.Found(len(d.Unknown) > 0)
}
