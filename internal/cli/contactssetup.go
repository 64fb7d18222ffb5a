package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
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
	if obstacle := e.cannotAsk(stdin); len(s.Missing) > 0 && !yes && obstacle != "" {
		fmt.Fprintf(e.stderr, "hubgate: nothing was created: %s; use --yes\n", obstacle)
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
	if err != nil {
		return err
	}
	return found(!s.Complete())
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

// cannotAsk returns why nobody can be asked, or "".
func (e *env) cannotAsk(stdin io.Reader) string {
	switch {
	case e.output == "json":
		return "--output json does not ask"
	case !isTerminal(stdin):
		return "not a terminal"
	}
	return ""
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
