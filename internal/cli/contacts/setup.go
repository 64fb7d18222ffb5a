package contacts

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/site"
)

func setupCommand(e *command.Env, flags *command.AdminFlags) *cobra.Command {
	var options setupOptions
	cmd := &cobra.Command{
		Use: "setup [--config FILE]", Short: "Create the mapped properties that are missing in HubSpot",
		Args:    command.NoArguments,
		Example: command.Example("hubgate contacts setup", "hubgate contacts setup --yes --groups board,press"),
		Long: `Compares hubspot.contacts.properties with the properties in HubSpot, shows what is missing, and creates it
after a confirmation (or with --yes). The property for the groups gets a checkbox for each group that the rules name.
The key needs the scopes crm.schemas.contacts.read and crm.schemas.contacts.write.
Exit status: 0 when every mapped property exists and is suitable, 3 when one does not or is not.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags.Admin != "" || flags.TokenFile != "" {
				return command.UsageError("setup asks HubSpot itself, not a gateway; use only --config FILE")
			}
			cfg, err := e.LoadConfig(flags.Config)
			if err != nil {
				return err
			}
			return setup(e, cfg, options, cmd.InOrStdin())
		},
	}
	cmd.Flags().BoolVar(&options.yes, "yes", false, "create without confirmation")
	cmd.Flags().StringSliceVar(&options.groups, "groups", nil, "further groups, besides those that the rules name")
	return cmd
}

type setupOptions struct {
	yes    bool
	groups []string
}

// check reports an error for groups that no property would receive.
func (o setupOptions) check(cfg *config.Config) error {
	for _, group := range o.groups {
		if group != strings.TrimSpace(group) || group == "" || strings.Contains(group, ";") {
			return command.UsageError(fmt.Sprintf("--groups: %q is not the name of a group; write a,b without spaces", group))
		}
	}
	claim := cfg.Auth.GroupsClaim
	for _, p := range cfg.HubSpot.Contacts.Properties {
		if p.Claim == claim {
			return nil
		}
	}
	if len(o.groups) > 0 {
		return command.UsageError(fmt.Sprintf("--groups: no property is mapped to the claim %q; "+
			"write for example portal_groups: {claim: %q} below hubspot.contacts.properties", claim, claim))
	}
	return nil
}

func setup(e *command.Env, cfg *config.Config, options setupOptions, stdin io.Reader) error {
	if err := options.check(cfg); err != nil {
		return err
	}
	s, err := site.CheckSetup(e.Ctx, cfg, options.groups)
	if err != nil {
		return err
	}
	if e.Output == "text" {
		if err := printSetup(e, s); err != nil {
			return err
		}
	}
	if obstacle := e.CannotAsk(stdin); len(s.Missing) > 0 && !options.yes && obstacle != "" {
		e.Say("nothing was created: " + obstacle + "; use --yes")
	} else if len(s.Missing) > 0 && (options.yes || confirmed(e, stdin, s.Portal)) {
		err = s.Create(e.Ctx, func(name string) {
			if e.Output == "text" {
				command.Fprintln(e.Stdout, "created "+name)
			}
		})
	}
	if e.Output == "json" {
		err = errors.Join(err, e.PrintJSON(s))
	}
	if err != nil {
		return err
	}
	return command.Found(!s.Complete())
}

func printSetup(e *command.Env, s *site.Setup) error {
	if len(s.Missing)+len(s.Unsuitable)+len(s.Doubtful) == 0 {
		_, err := command.Fprintf(e.Stdout, "Account %d has every mapped property.\n", s.Portal)
		return err
	}
	table := e.Table("PROPERTY", "STATE", "TYPE", "LABEL")
	for _, p := range s.Missing {
		command.Fprintf(table, "%s\tmissing\t%s\t%s\n", p.Name, propertyType(p), p.Label)
	}
	for _, list := range []struct {
		state   string
		reasons map[string]string
	}{{"unsuitable", s.Unsuitable}, {"doubtful", s.Doubtful}} {
		for _, name := range slices.Sorted(maps.Keys(list.reasons)) {
			command.Fprintf(table, "%s\t%s: %s\n", name, list.state, list.reasons[name])
			command.Fprintf(table, "\t-> %s\n", s.Cures[name])
		}
	}
	return table.Flush()
}

// propertyType describes the type of a property to be created.
func propertyType(p crm.NewProperty) string {
	text := p.Type + "/" + p.FieldType
	if p.Unique {
		text += ", unique values"
	}
	if p.Type == "enumeration" {
		values := make([]string, len(p.Options))
		for i, o := range p.Options {
			values[i] = o.Value
		}
		text += ": " + strings.Join(values, ", ")
	}
	return text
}

// confirmed asks for a confirmation. Only y and yes confirm.
func confirmed(e *command.Env, stdin io.Reader, portal int64) bool {
	command.Fprintf(e.Stdout, "Create the missing properties in account %d? [y/N] ", portal)
	line, _ := e.ReadLine(bufio.NewReader(stdin))
	answer := strings.ToLower(strings.TrimSpace(line))
	if answer == "y" || answer == "yes" {
		return true
	}
	command.Fprintln(e.Stdout, "Nothing was created.")
	return false
}
