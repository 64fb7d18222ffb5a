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

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/site"
)

func contactsSetupCommand(e *env, flags *adminFlags) *cobra.Command {
	var options setupOptions
	cmd := &cobra.Command{
		Use: "setup [--config FILE]", Short: "Create the mapped properties that are missing in HubSpot", Args: noArguments,
		Example: example("hubgate contacts setup", "hubgate contacts setup --yes --groups board,press"),
		Long: `Compares hubspot.contacts.properties with the properties in HubSpot, shows what is missing, and creates it
after a confirmation (or with --yes). The property for the groups gets a checkbox for each group that the rules name.
The key needs the scopes crm.schemas.contacts.read and crm.schemas.contacts.write.
Exit status: 0 when every mapped property exists and is suitable, 3 when one does not or is not.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags.admin != "" || flags.tokenFile != "" {
				return usageError("setup asks HubSpot itself, not a gateway; use only --config FILE")
			}
			cfg, err := e.loadConfig(flags.config)
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
			return usageError(fmt.Sprintf("--groups: %q is not the name of a group; write a,b without spaces", group))
		}
	}
	claim := cfg.Auth.GroupsClaim
	for _, p := range cfg.HubSpot.Contacts.Properties {
		if p.Claim == claim {
			return nil
		}
	}
	if len(o.groups) > 0 {
		return usageError(fmt.Sprintf("--groups: no property is mapped to the claim %q; "+
			"write for example portal_groups: {claim: %q} below hubspot.contacts.properties", claim, claim))
	}
	return nil
}

func setup(e *env, cfg *config.Config, options setupOptions, stdin io.Reader) error {
	if err := options.check(cfg); err != nil {
		return err
	}
	s, err := site.CheckSetup(e.ctx, cfg, options.groups)
	if err != nil {
		return err
	}
	if e.output == "text" {
		if err := printSetup(e, s); err != nil {
			return err
		}
	}
	if obstacle := e.cannotAsk(stdin); len(s.Missing) > 0 && !options.yes && obstacle != "" {
		e.say("nothing was created: " + obstacle + "; use --yes")
	} else if len(s.Missing) > 0 && (options.yes || e.confirmed(stdin, s.Portal)) {
		err = s.Create(e.ctx, func(name string) {
			if e.output == "text" {
				fprintln(e.stdout, "created "+name)
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
		_, err := fprintf(e.stdout, "Account %d has every mapped property.\n", s.Portal)
		return err
	}
	table := e.table("PROPERTY", "STATE", "TYPE", "LABEL")
	for _, p := range s.Missing {
		fprintf(table, "%s\tmissing\t%s\t%s\n", p.Name, propertyType(p), p.Label)
	}
	for _, list := range []struct {
		state   string
		reasons map[string]string
	}{{"unsuitable", s.Unsuitable}, {"doubtful", s.Doubtful}} {
		for _, name := range slices.Sorted(maps.Keys(list.reasons)) {
			fprintf(table, "%s\t%s: %s\n", name, list.state, list.reasons[name])
			fprintf(table, "\t-> %s\n", s.Cures[name])
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

// cannotAsk returns why the operator cannot be asked, or "".
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
	fprintf(e.stdout, "Create the missing properties in account %d? [y/N] ", portal)
	line, _ := bufio.NewReader(stdin).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	if answer == "y" || answer == "yes" {
		return true
	}
	fprintln(e.stdout, "Nothing was created.")
	return false
}
