package cli

import (
	"errors"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/setting"
)

func contactsDeadCommand(e *env, flags *adminFlags) *cobra.Command {
	var list listFlags
	var drop string
	cmd := &cobra.Command{
		Use: "dead [--drop ID... | --drop all]", Short: "List dead letters with the reason, or remove them",
		Long: `Lists the contacts that hubgate has stopped sending, with HubSpot's reason. There is one for each person, for
90 days.
Exit status: 0 when there are none, 3 when there are.

--drop removes dead letters for good: those with the IDs, or all.`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			if cmd.Flags().Changed("drop") {
				return dropDead(e, flags, append([]string{drop}, ids...))
			}
			if err := noArguments(cmd, ids); err != nil {
				return err
			}
			var p outbox.DeadPage
			if err := flags.get(e, "/api/contacts/dead?"+pageQuery(list.limit, list.after).Encode(), &p); err != nil {
				return err
			}
			if err := printDead(e, p); err != nil {
				return err
			}
			return found(len(p.Dead) > 0)
		},
	}
	list.add(cmd)
	cmd.Flags().StringVar(&drop, "drop", "", `remove dead letters: IDs from the list, or "all"`)
	return cmd
}

// dropDead removes the dead letters with the IDs, or all if that is the only ID.
func dropDead(e *env, flags *adminFlags, ids []string) error {
	body := map[string]any{"ids": ids}
	if len(ids) == 1 && ids[0] == "all" {
		body = map[string]any{"all": true}
	}
	client, err := flags.client(e)
	if err != nil {
		return err
	}
	var result struct {
		Dropped int `json:"dropped"`
	}
	if err := client.call(e.ctx, http.MethodPost, "/api/contacts/drop", body, &result); err != nil {
		return err
	}
	switch {
	case result.Dropped == 0 && body["all"] == nil:
		return errors.New(`no such dead letter; "hubgate contacts dead" lists them`)
	case e.output == "json":
		return e.printJSON(result)
	case result.Dropped == 0:
		fprintln(e.stdout, noDeadLetters)
		return nil
	}
	fprintf(e.stdout, "%s removed\n", setting.Count(result.Dropped, "dead letter"))
	return nil
}
