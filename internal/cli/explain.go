package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

// explainFlags describe the request and its visitor.
type explainFlags struct {
	config                    command.ConfigPath
	claims, method            string
	groups, lists, properties []string
	groupsSet                 bool // also when the list is empty
	loggedIn                  bool // some flag describes a visitor who is logged in
	noSecrets                 bool
}

func explainCommand(e *command.Env) *cobra.Command {
	f := &explainFlags{}
	cmd := &cobra.Command{
		Use: "explain [--config FILE] URL", Short: "Show which rule decides about a URL, and why",
		Example: command.Example(
			"hubgate explain /members/area",
			"hubgate explain https://www.example.com/partners/prices --groups partner,staff",
			"hubgate explain /gold/area --lists customers --property member_tier=gold",
		),
		Long: `Shows which rule decides about a URL (a path of the first public host, or a full URL), why, and what a visitor
gets. With --groups, --claims, --lists or --property the visitor is logged in. The groups are those of the claim
auth.groups_claim, as at a login, unless --groups is given. The visitor's contact in HubSpot is in no other list of
hubspot.access than those of --lists, and has no other values than those of --property. The secrets of the file are not
needed.`,
		Args: command.OneArgument("a URL, or a path of the first public host"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.groupsSet = cmd.Flags().Changed("groups")
			f.loggedIn = f.groupsSet || f.claims != "" || cmd.Flags().Changed("lists") || len(f.properties) > 0
			return explain(e, f, args[0])
		},
	}
	command.ConfigFlag(cmd, &f.config)
	command.NoSecretsFlag(cmd, &f.noSecrets, true)
	cmd.Flags().StringSliceVar(&f.groups, "groups", nil, "for a visitor who is logged in, with these groups (a,b)")
	cmd.Flags().StringVar(&f.claims, "claims", "", "for a visitor who is logged in, with the claims in this JSON file")
	cmd.Flags().StringSliceVar(&f.lists, "lists", nil, "for a visitor whose contact is in these lists in HubSpot (a,b)")
	cmd.Flags().StringArrayVar(&f.properties, "property", nil,
		"for a visitor whose contact has this value of a property (member_tier=gold); may be repeated")
	cmd.Flags().StringVar(&f.method, "method", "GET", "method of the request")
	return cmd
}

func explain(e *command.Env, f *explainFlags, address string) error {
	claims, err := readClaims(f.claims)
	if err != nil {
		return err
	}
	file, err := e.ConfigFile(f.config)
	if err != nil {
		return err
	}
	cfg, err := e.MustLoad(file, f.noSecrets)
	if err != nil {
		return err
	}
	question := rules.Question{Address: address, Method: f.method}
	if f.loggedIn {
		if f.groupsSet && f.groups == nil {
			f.groups = []string{}
		}
		question.As = cfg.LoggedIn(f.groups, claims)
		if question.As.CRM, err = f.contact(cfg.RulesEnv()); err != nil {
			return err
		}
	}
	x, err := cfg.Rules().Explain(cfg.Server.Sites(), question)
	if err != nil {
		return command.UsageError(err.Error())
	}
	if e.Output == "json" {
		return e.PrintJSON(x)
	}
	command.Fprintf(e.Stdout, "%s", command.Lines(explanationText(x, file, question.As != nil)))
	return nil
}

// contact returns what HubSpot would say about the contact of the visitor.
func (f *explainFlags) contact(env rules.Env) (*session.CRM, error) {
	for _, name := range f.lists {
		if bad := env.ListMistake(name); bad != nil {
			return nil, command.UsageError("--lists: " + bad.Error())
		}
	}
	properties := map[string]setting.Words{}
	for _, text := range f.properties {
		name, value, found := strings.Cut(text, "=")
		if !found {
			return nil, command.UsageError("--property: " + setting.Quote(text) + " has no value; write member_tier=gold")
		}
		if bad := env.PropertyMistake(name); bad != nil {
			return nil, command.UsageError("--property: " + bad.Error())
		}
		properties[name] = append(properties[name], value)
	}
	return env.Contact(f.lists, properties, time.Now()), nil
}

// readClaims reads the JSON object of --claims. Without a file there are none.
func readClaims(file string) (map[string]any, error) {
	claims := map[string]any{}
	if file == "" {
		return claims, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, command.UsageError("--claims: " + err.Error())
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		return nil, command.UsageError("--claims: " + file + " is not a JSON object: " + err.Error())
	}
	return claims, nil
}

// outcomes are what the visitor gets, by decision.
var outcomes = map[string]string{
	"public": "the page", "allow": "the page, which no cache may store",
	"login":  "a redirect to the login (page views), or 401 (other requests)",
	"forbid": "the page that says that they have no access", "refuse": "the page that says that the request is rejected",
}

// explanationText returns an explanation as lines of a label and a text.
func explanationText(x rules.Explanation, file string, loggedIn bool) string {
	var b strings.Builder
	line := func(label, text string) { command.Fprintf(&b, "%-10s %s\n", label, text) }
	who := "nobody is logged in"
	if loggedIn {
		who = "the visitor is logged in"
	}
	line("URL", x.URL)
	if x.Canonical != "" {
		line("matched as", x.Canonical)
	}
	for _, reading := range x.Readings {
		line("and as", reading)
	}
	line("decision", fmt.Sprintf("%s (%d) when %s", x.Decision, x.Status, who))
	line("gets", outcomes[x.Decision])
	if x.Rule != nil {
		line("rule", rulePlace(*x.Rule, file))
	}
	if x.Asks != "" {
		line("asks for", x.Asks)
	}
	line("because", rules.ReasonText(x.Reason))
	for i, miss := range x.NearMiss {
		label := ""
		if i == 0 {
			label = "also"
		}
		line(label, rulePlace(miss.Rule, file)+": "+miss.Why)
	}
	return b.String()
}

// rulePlace returns a rule's name, with its line in the file.
func rulePlace(r rules.Ref, file string) string {
	text := r.Name
	if r.Path != "" && r.Path != r.Name {
		text += " (" + r.Path + ")"
	}
	switch {
	case r.Line > 0:
		return fmt.Sprintf("%s, %s:%d", text, file, r.Line)
	case r.Name == "default":
		return "proxy.default: no rule matches"
	}
	return text + ", built in"
}
