package cli

import (
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/admin"
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
		return usageError("--limit must be from 1 to 1000")
	}
	return nil
}

// pageQuery selects a page of a list: at most limit entries after cursor ("" = from the first).
func pageQuery(limit int, cursor string) url.Values {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	return q
}

// printNext prints how to get the next page of a list.
func (e *env) printNext(next string) {
	if next != "" {
		fprintf(e.stderr, "for more entries use --after %s\n", next)
	}
}

func contactsQueueCommand(e *env, flags *adminFlags) *cobra.Command {
	var list listFlags
	cmd := &cobra.Command{
		Use: "queue", Short: "List queued contacts with their attempts and last error", Args: noArguments,
		Example: example("hubgate contacts queue --limit 20"),
		RunE: func(*cobra.Command, []string) error {
			var p outbox.QueuePage
			if err := flags.get(e, "/api/contacts/queue?"+pageQuery(list.limit, list.after).Encode(), &p); err != nil {
				return err
			}
			if e.output == "json" {
				return e.printJSON(p)
			}
			if len(p.Entries) == 0 {
				fprintln(e.stdout, "The queue is empty.")
				return nil
			}
			table := e.table("ID", "E-MAIL", "STATE", "QUEUED", "ATTEMPTS", "FIRST", "NEXT", "LAST ERROR")
			for _, q := range p.Entries {
				fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", q.ID, q.Email, stateText(q.State), shortTime(&q.QueuedAt),
					q.Attempts,
					shortTime(q.FirstAt), shortTime(q.NextAt), q.LastError)
			}
			e.printNext(p.Next)
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

// shortTime returns a time in UTC: a gateway and an operator's machine may have different time zones.
func shortTime(at *time.Time) string {
	if at == nil || at.IsZero() {
		return "-"
	}
	return at.UTC().Format(time.DateTime) + " UTC"
}

func printDead(e *env, p outbox.DeadPage) error {
	if e.output == "json" {
		return e.printJSON(p)
	}
	if len(p.Dead) == 0 {
		fprintln(e.stdout, noDeadLetters)
		return nil
	}
	table := e.table("ID", "E-MAIL", "ATTEMPTS", "FIRST", "LAST", "REASON")
	for _, d := range p.Dead {
		fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\n", d.ID, d.Email, d.Attempts, shortTime(&d.FirstAt),
			shortTime(&d.LastAt), d.Reason)
	}
	e.printNext(p.Next)
	return table.Flush()
}

const noDeadLetters = "There are no dead letters."
