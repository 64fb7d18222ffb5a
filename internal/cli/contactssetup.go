package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/internal/site"
)

// setupResult is what contacts setup prints as JSON.
type setupResult struct {
	Portal int64 `json:"portal"`
	hubspot.MappingCheck
	Created []string `json:"created"`
}

func contactsSetupCommand(e *env, flags *adminFlags) *cobra.Command {
	yes := false
	cmd := &cobra.Command{
		Use: "setup --config FILE", Short: "Create the mapped properties that HubSpot lacks", Args: noArguments,
		Long: `Compares hubspot.contacts.properties with the properties that HubSpot has, shows what is missing, and creates it after a confirmation
(or with --yes). The key needs the scopes crm.schemas.contacts.read and crm.schemas.contacts.write for this.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags.config == "" {
				return usageError("say which configuration: --config FILE")
			}
			cfg, rep := config.Load(flags.config, e.getenv)
			if rep.Failed() {
				return &config.Error{Report: rep}
			}
			return setup(e, cfg, yes, cmd.InOrStdin())
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "create without asking")
	return cmd
}

func setup(e *env, cfg *config.Config, yes bool, stdin io.Reader) error {
	account, err := site.OpenAccount(cfg)
	if err != nil {
		return err
	}
	result := setupResult{Created: []string{}}
	if result.Portal, err = portalOf(e, cfg, account); err != nil {
		return err
	}
	if result.MappingCheck, err = hubspot.CheckMapping(e.ctx, account, cfg.HubSpot.Contacts); err != nil {
		return err
	}
	if e.output == "text" {
		if err := e.printFitness(result.Portal, result.MappingCheck); err != nil {
			return err
		}
	}
	if len(result.Missing) > 0 && !yes && (e.output == "json" || !isTerminal(stdin)) {
		fmt.Fprintln(e.stderr, "hubgate: nothing was created: there is nobody to ask; write --yes to create what is missing")
	} else if len(result.Missing) > 0 && (yes || e.confirmed(stdin, result.Portal)) {
		err = result.MappingCheck.Create(e.ctx, account, func(name string) {
			result.Created = append(result.Created, name)
			if e.output == "text" {
				fmt.Fprintln(e.stdout, "created "+name)
			}
		})
	}
	if e.output == "json" {
		err = errors.Join(err, e.printJSON(result))
	}
	switch {
	case err != nil:
		return err
	case len(result.Created) < len(result.Missing) || len(result.Unsuitable) > 0:
		return silentError(exitFailed)
	}
	return nil
}

// portalOf tells the key's account, which must be the one that the file names; a key that may not ask has the file's word.
func portalOf(e *env, cfg *config.Config, account *crm.Account) (int64, error) {
	portal, err := account.Portal(e.ctx)
	if status, _ := crm.Refused(err); status == http.StatusForbidden || status == http.StatusNotFound {
		return cfg.HubSpot.HubID, nil
	}
	if id := cfg.HubSpot.HubID; err == nil && id != 0 && id != portal {
		return 0, fmt.Errorf("hubspot.hub_id is %d, but the access token is of account %d: nothing was changed", id, portal)
	}
	return portal, err
}

func (e *env) printFitness(portal int64, f hubspot.MappingCheck) error {
	if len(f.Missing)+len(f.Unsuitable)+len(f.Doubtful) == 0 {
		_, err := fmt.Fprintf(e.stdout, "Account %d has every mapped property.\n", portal)
		return err
	}
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PROPERTY\tSTATE\tTYPE\tLABEL")
	for _, p := range f.Missing {
		kind := p.Type + "/" + p.FieldType
		if p.Unique {
			kind += ", unique values"
		}
		fmt.Fprintf(table, "%s\tmissing\t%s\t%s\n", p.Name, kind, p.Label)
	}
	for _, name := range setting.SortedNames(f.Unsuitable) {
		fmt.Fprintf(table, "%s\tunsuitable: %s\t\t\n", name, f.Unsuitable[name])
	}
	for _, name := range setting.SortedNames(f.Doubtful) {
		fmt.Fprintf(table, "%s\tdoubtful: %s\t\t\n", name, f.Doubtful[name])
	}
	return table.Flush()
}

// isTerminal tells whether somebody can be asked. What is no file of the system is a test's somebody.
func isTerminal(stdin io.Reader) bool {
	file, isFile := stdin.(*os.File)
	if !isFile {
		return true
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// confirmed asks for a plain yes; no answer is a no.
func (e *env) confirmed(stdin io.Reader, portal int64) bool {
	fmt.Fprintf(e.stdout, "Create what is missing in account %d? [y/N] ", portal)
	line, _ := bufio.NewReader(stdin).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	if answer == "y" || answer == "yes" {
		return true
	}
	fmt.Fprintln(e.stdout, "nothing was created")
	return false
}
