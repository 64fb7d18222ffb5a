package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/setting"
)

func contactsReplayCommand(e *env, flags *adminFlags) *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use: "replay [ID...] | --all", Short: "Send dead letters again",
		Example: example("hubgate contacts replay 1718000000000-0", "hubgate contacts replay --all"),
		Long: `Puts dead letters back into the queue. If the person has logged in again since and that login was sent, the
dead letter is dropped, because it must not overwrite newer data.
Exit status: 0 when all are in the queue again, 3 when some could not be.`,
		RunE: func(_ *cobra.Command, ids []string) error {
			if all && len(ids) > 0 {
				return usageError("use IDs or --all, not both")
			}
			if !all && len(ids) == 0 {
				return usageError(`required: IDs from "hubgate contacts dead", or --all`)
			}
			client, err := flags.client(e)
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
			return found(replayed < total)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "replay all dead letters")
	return cmd
}

// printReplayed prints how many of the dead letters are queued again.
func printReplayed(e *env, replayed, total int) error {
	switch {
	case e.output == "json":
		return e.printJSON(map[string]int{"replayed": replayed})
	case total == 0:
		fprintln(e.stdout, noDeadLetters)
		return nil
	}
	fprintf(e.stdout, "%s queued again\n", setting.Count(replayed, "contact"))
	if missing := total - replayed; missing > 0 {
		fprintf(e.stderr, "%d of %d could not be: not dead letters any more, or their key is no longer in session.keys\n",
			missing, total)
	}
	return nil
}

// replay replays the dead letters with the IDs, or all if there are no IDs. It returns how many, and of how many.
func replay(e *env, client *adminClient, ids []string) (replayed, total int, err error) {
	if len(ids) == 0 {
		return client.replayAll(e.ctx, func(done, total int) {
			e.reportProgress(fmt.Sprintf("%d of %d", done, total))
		})
	}
	replayed, err = client.replay(e.ctx, ids)
	if err == nil && replayed == 0 {
		err = errNoSuchLetter
	}
	return replayed, len(ids), err
}

var errNoSuchLetter = errors.New(`no such dead letter; "hubgate contacts dead" lists them`)

func (c *adminClient) replay(ctx context.Context, ids []string) (int, error) {
	var result struct {
		Replayed int `json:"replayed"`
	}
	err := c.call(ctx, http.MethodPost, "/api/contacts/replay", map[string]any{"ids": ids}, &result)
	return result.Replayed, err
}

// replayPage is the number of dead letters in one request. Progress is reported after each.
const replayPage = 500

// replayAll replays the dead letters that exist when it starts: one that fails again must not be replayed forever.
func (c *adminClient) replayAll(ctx context.Context, progress func(done, total int)) (replayed, total int, err error) {
	var status outbox.Status
	if err := c.call(ctx, http.MethodGet, "/api/contacts", nil, &status); err != nil {
		return 0, 0, err
	}
	total = int(status.Dead)
	cursor, seen := "", map[string]bool{}
	for done := 0; done < total; progress(done, total) {
		query := pageQuery(min(replayPage, total-done), cursor)
		var p outbox.DeadPage
		if err := c.call(ctx, http.MethodGet, "/api/contacts/dead?"+query.Encode(), nil, &p); err != nil {
			return replayed, total, err
		}
		if len(p.Dead) == 0 {
			break
		}
		if seen[p.Dead[0].ID] {
			return replayed, total, errUnexpectedResponse // would loop forever
		}
		seen[p.Dead[0].ID] = true
		ids := make([]string, len(p.Dead))
		for i, d := range p.Dead {
			ids[i] = d.ID
		}
		n, err := c.replay(ctx, ids)
		replayed += n
		if err != nil {
			return replayed, total, err
		}
		done, cursor = done+len(ids), ids[len(ids)-1]
	}
	return replayed, total, nil
}
