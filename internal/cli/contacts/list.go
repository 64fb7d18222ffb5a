package contacts

import (
	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/command"
)

// listFlags select a page of a list.
type listFlags struct {
	limit int
	after string
}

func (f *listFlags) add(cmd *cobra.Command) {
	cmd.PreRunE = f.check
	cmd.Flags().IntVar(&f.limit, "limit", 100, "maximum number of entries (1 to 1000)")
	cmd.Flags().StringVar(&f.after, "after", "", "start after this ID")
}

func (f *listFlags) check(*cobra.Command, []string) error {
	if f.limit < 1 || f.limit > admin.MaxPage {
		return command.UsageError("--limit must be from 1 to 1000")
	}
	return nil
}

// printNext prints how to get the next page of a list.
func printNext(e *command.Env, next string) {
	if next != "" {
		command.Fprintf(e.Stderr, "for more entries use --after %s\n", next)
	}
}

func queueCommand(e *command.Env, flags *command.AdminFlags) *cobra.Command {
	var list listFlags
	cmd := &cobra.Command{
		Use: "queue", Short: "List queued contacts with their attempts and last error", Args: command.NoArguments,
		Example: command.Example("hubgate contacts queue --limit 20"),
		RunE: func(*cobra.Command, []string) error {
			var p outbox.QueuePage
			if err := flags.Get(e, "/api/contacts/queue?"+command.PageQuery(list.limit, list.after).Encode(), &p); err != nil {
				return err
			}
			if e.Output == "json" {
				return e.PrintJSON(p)
			}
			if len(p.Entries) == 0 {
				command.Fprintln(e.Stdout, "The queue is empty.")
				return nil
			}
			table := e.Table("ID", "E-MAIL", "STATE", "QUEUED", "ATTEMPTS", "FIRST", "NEXT", "LAST ERROR")
			for _, q := range p.Entries {
				command.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n",
					q.ID, q.Email, stateText(q.State), command.ShortTime(&q.QueuedAt), q.Attempts,
					command.ShortTime(q.FirstAt), command.ShortTime(q.NextAt), q.LastError)
			}
			printNext(e, p.Next)
			return table.Flush()
		},
	}
	list.add(cmd)
	return cmd
}

// stateText returns the state of a queue entry as contacts status calls it.
func stateText(state string) string {
	switch state {
	case "delayed":
		return "retrying"
	case "in_flight":
		return "in flight"
	}
	return state
}

func printDead(e *command.Env, p outbox.DeadPage) error {
	if e.Output == "json" {
		return e.PrintJSON(p)
	}
	if len(p.Dead) == 0 {
		command.Fprintln(e.Stdout, noDeadLetters)
		return nil
	}
	table := e.Table("ID", "E-MAIL", "ATTEMPTS", "FIRST", "LAST", "REASON")
	for _, d := range p.Dead {
		command.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\n", d.ID, d.Email, d.Attempts, command.ShortTime(&d.FirstAt),
			command.ShortTime(&d.LastAt), d.Reason)
	}
	printNext(e, p.Next)
	return table.Flush()
}

const noDeadLetters = "There are no dead letters."
