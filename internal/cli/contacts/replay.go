package contacts

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/setting"
)

func replayCommand(e *command.Env, flags *command.AdminFlags) *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use: "replay [ID...] | --all", Short: "Send dead letters again",
		Example: command.Example("hubgate contacts replay 1718000000000-0", "hubgate contacts replay --all"),
		Long: `Puts dead letters back into the queue. If the person has logged in again since and that login was sent, the
dead letter is dropped, because it must not overwrite newer data.
Exit status: 0 when all are in the queue again, 3 when some could not be.`,
		RunE: func(_ *cobra.Command, ids []string) error {
			if all && len(ids) > 0 {
				return command.UsageError("use IDs or --all, not both")
			}
			if !all && len(ids) == 0 {
				return command.UsageError(`required: IDs from "hubgate contacts dead", or --all`)
			}
			client, err := flags.Client(e)
			if err != nil {
				return err
			}
			replayed, total, err := replay(e, client, ids)
			if err != nil {
				return err
			}
			if err := printReplayed(e, replayed, total); err != nil {
				return err
			}
			return command.Found(replayed < total)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "replay all dead letters")
	return cmd
}

// printReplayed prints how many of the dead letters are queued again.
func printReplayed(e *command.Env, replayed, total int) error {
	switch {
	case e.Output == "json":
		return e.PrintJSON(map[string]int{"replayed": replayed})
	case total == 0:
		command.Fprintln(e.Stdout, noDeadLetters)
		return nil
	}
	command.Fprintf(e.Stdout, "%s queued again\n", setting.Count(replayed, "contact"))
	if missing := total - replayed; missing > 0 {
		command.Fprintf(e.Stderr,
			"%d of %d could not be: not dead letters any more, or their key is no longer in session.keys\n",
			missing, total)
	}
	return nil
}

// replay replays the dead letters with the IDs, or all if there are no IDs. It returns how many, and of how many.
func replay(e *command.Env, client *command.AdminClient, ids []string) (replayed, total int, err error) {
	if len(ids) == 0 {
		return replayAll(e.Ctx, client, func(done, total int) {
			e.ReportProgress(fmt.Sprintf("%d of %d", done, total))
		})
	}
	replayed, err = replayIDs(e.Ctx, client, ids)
	if err == nil && replayed == 0 {
		err = errNoSuchLetter
	}
	return replayed, len(ids), err
}

var errNoSuchLetter = errors.New(`no such dead letter; "hubgate contacts dead" lists them`)

func replayIDs(ctx context.Context, c *command.AdminClient, ids []string) (int, error) {
	var result struct {
		Replayed int `json:"replayed"`
	}
	err := c.Call(ctx, http.MethodPost, "/api/contacts/replay", map[string]any{"ids": ids}, &result)
	return result.Replayed, err
}

// replayPage is the number of dead letters in one request. Progress is reported after each.
const replayPage = 500

// replayAll replays the dead letters that exist when it starts: one that fails again must not be replayed forever.
func replayAll(
	ctx context.Context, c *command.AdminClient, progress func(done, total int),
) (replayed, total int, err error) {
	var status outbox.Status
	if err := c.Call(ctx, http.MethodGet, "/api/contacts", nil, &status); err != nil {
		return 0, 0, err
	}
	total = int(status.Dead)
	cursor, seen := "", map[string]bool{}
	for done := 0; done < total; progress(done, total) {
		query := command.PageQuery(min(replayPage, total-done), cursor)
		var p outbox.DeadPage
		if err := c.Call(ctx, http.MethodGet, "/api/contacts/dead?"+query.Encode(), nil, &p); err != nil {
			return replayed, total, err
		}
		if len(p.Dead) == 0 {
			break
		}
		if seen[p.Dead[0].ID] {
			return replayed, total, command.ErrUnexpectedResponse // would loop forever
		}
		seen[p.Dead[0].ID] = true
		ids := make([]string, len(p.Dead))
		for i, d := range p.Dead {
			ids[i] = d.ID
		}
		n, err := replayIDs(ctx, c, ids)
		replayed += n
		if err != nil {
			return replayed, total, err
		}
		done, cursor = done+len(ids), ids[len(ids)-1]
	}
	return replayed, total, nil
}
