package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/site"
)

func contactsSetupCommand(e *env, flags *adminFlags) *cobra.Command {
	yes := false
	cmd := &cobra.Command{
		Use: "setup --config FILE", Short: "Create the mapped properties that are missing in HubSpot", Args: noArguments,
		Long: `Compares hubspot.contacts.properties with the properties in HubSpot, shows what is missing, and creates it
after a confirmation (or with --yes). The key needs the scopes crm.schemas.contacts.read and
crm.schemas.contacts.write.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags.config == "" {
				return usageError(`required flag(s) "config" not set`)
			}
			cfg, rep := config.Load(flags.config, e.getenv)
			if rep.Failed() {
				return &config.Error{Report: rep}
			}
			return setup(e, cfg, yes, cmd.InOrStdin())
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "create without confirmation")
	return cmd
}

func setup(e *env, cfg *config.Config, yes bool, stdin io.Reader) error {
	s, err := site.CheckSetup(e.ctx, cfg)
	if err != nil {
		return err
	}
	if e.output == "text" {
		if err := printSetup(e, s); err != nil {
			return err
		}
	}
	if len(s.Missing) > 0 && !yes && (e.output == "json" || !isTerminal(stdin)) {
		fmt.Fprintln(e.stderr, "hubgate: nothing was created, because it could not be confirmed; "+
			"use --yes to create the missing properties")
	} else if len(s.Missing) > 0 && (yes || e.confirmed(stdin, s.Portal)) {
		err = s.Create(e.ctx, func(name string) {
			if e.output == "text" {
				fmt.Fprintln(e.stdout, "created "+name)
			}
		})
	}
	if e.output == "json" {
		err = errors.Join(err, e.printJSON(s))
	}
	if err == nil && !s.Complete() {
		return silentError(exitFailed)
	}
	return err
}

func printSetup(e *env, s *site.Setup) error {
	if len(s.Missing)+len(s.Unsuitable)+len(s.Doubtful) == 0 {
		_, err := fmt.Fprintf(e.stdout, "Account %d has every mapped property.\n", s.Portal)
		return err
	}
	table := e.table("PROPERTY", "STATE", "TYPE", "LABEL")
	for _, p := range s.Missing {
		kind := p.Type + "/" + p.FieldType
		if p.Unique {
			kind += ", unique values"
		}
		fmt.Fprintf(table, "%s\tmissing\t%s\t%s\n", p.Name, kind, p.Label)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Unsuitable)) {
		fmt.Fprintf(table, "%s\tunsuitable: %s\t\t\n", name, s.Unsuitable[name])
	}
	for _, name := range slices.Sorted(maps.Keys(s.Doubtful)) {
		fmt.Fprintf(table, "%s\tdoubtful: %s\t\t\n", name, s.Doubtful[name])
	}
	return table.Flush()
}

// isTerminal reports whether stdin is a terminal, where a person can confirm. A reader that is not a file is the input
// of a test.
func isTerminal(stdin io.Reader) bool {
	file, isFile := stdin.(*os.File)
	if !isFile {
		return true
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// confirmed asks for a confirmation. Only y and yes confirm.
func (e *env) confirmed(stdin io.Reader, portal int64) bool {
	fmt.Fprintf(e.stdout, "Create the missing properties in account %d? [y/N] ", portal)
	line, _ := bufio.NewReader(stdin).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	if answer == "y" || answer == "yes" {
		return true
	}
	fmt.Fprintln(e.stdout, "Nothing was created.")
	return false
}
