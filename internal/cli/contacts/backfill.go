package contacts

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot/backfill"
	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/setting"
)

func backfillCommand(e *command.Env, flags *command.AdminFlags) *cobra.Command {
	b := &backfillRun{env: e, flags: flags, report: rowReport{env: e, counts: map[string]int{}},
		excluded: map[string]int{}}
	cmd := &cobra.Command{
		Use: "backfill FILE|-", Short: "Import the people of a CSV or JSON file as contacts",
		Example: command.Example(
			"hubgate contacts backfill people.csv --dry-run",
			"aws cognito-idp list-users --user-pool-id eu-west-1_AbCdEf123 | hubgate contacts backfill -",
		),
		Args: command.OneArgument("a file, or - for the standard input"),
		Long: `Queues the people of a file as contacts, with the mapping hubspot.contacts.properties. FILE is a CSV file whose
header has the names of claims, or the output of "aws cognito-idp list-users"; - is the standard input. It needs a
column email, and email_verified with true in each row, or --trust-emails.
What a login sent is never overwritten, and an interrupted import can be repeated: no row is queued twice.
With --dry-run it reads HubSpot's properties, shows what would be sent and what does not fit, and changes nothing.
People whom hubspot.contacts.skip excludes are counted.
Exit status: 0 when everybody else was queued, 2 when the file cannot be read, 3 when a row was not imported (or, with
--dry-run, when a value does not fit).`,
		RunE: func(cmd *cobra.Command, args []string) error { return b.run(args[0], cmd.InOrStdin()) },
	}
	cmd.Flags().BoolVar(&b.dryRun, "dry-run", false, "show what would be sent; needs a configuration with a HubSpot token")
	cmd.Flags().BoolVar(&b.trustEmails, "trust-emails", false, "count all e-mail addresses as verified")
	return cmd
}

// backfillRun is one run of contacts backfill.
type backfillRun struct {
	env                 *command.Env
	flags               *command.AdminFlags
	dryRun, trustEmails bool

	file   *peopleFile
	report rowReport
	good   int // rows that can be imported
	bad    int // and that cannot

	excluded map[string]int // people by the reason why they must not become contacts
}

func (b *backfillRun) run(path string, stdin io.Reader) error {
	begin := b.upload
	if b.dryRun {
		begin = b.preview
	}
	work, err := begin()
	if err != nil {
		return err
	}
	if b.file, err = openPeopleFile(path, stdin, b.trustEmails); err != nil {
		return err
	}
	defer b.file.close()
	summary, err := work()
	var silent command.SilentError
	if err == nil || errors.As(err, &silent) || b.report.begun() {
		err = cmp.Or(err, b.report.end(summary))
	}
	var mistake *backfill.FileError
	if errors.As(err, &mistake) {
		return command.InputError{Err: fmt.Errorf("%s: %w", path, mistake)}
	}
	return err
}

// excludedText returns the numbers of people who must not become contacts, as the end of a sentence.
func (b *backfillRun) excludedText() string {
	text := ""
	for _, reason := range slices.Sorted(maps.Keys(b.excluded)) {
		text += fmt.Sprintf(", %s skipped (%s)", setting.Number(b.excluded[reason]), command.Visible(reason, ""))
	}
	return text
}

// reject reports a row that cannot be imported.
func (b *backfillRun) reject(e *backfill.RowError) {
	b.bad++
	text := fmt.Sprintf("line %d: %s", e.Line, e.Fault)
	if e.Cure != "" {
		text += "; " + e.Cure
	}
	b.report.add("bad row", e, command.Visible(text, ""))
}
