package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

func explainCommand(e *env) *cobra.Command {
	var path, claims, method string
	var groups []string
	cmd := &cobra.Command{
		Use: "explain --config FILE URL", Short: "Say which rule decides about a page, and why",
		Long: `Says which rule decides about a URL (a path of the first public host, or a full URL), why, and what a visitor would get: somebody
who is not logged in, or, with --groups or --claims, somebody who is. The groups are those of the claim that auth.groups_claim names, as at a
login; --groups is taken instead of it.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			as, err := visitorFrom(cmd.Flags().Changed("groups"), groups, claims)
			if err != nil {
				return err
			}
			if !readable(args[0]) {
				return usageError(fmt.Sprintf("%q is no address: write it with a leading /, or a full URL", setting.Shorten(args[0])))
			}
			return explain(e, path, args[0], method, as)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringSliceVar(&groups, "groups", nil, "as somebody who is logged in and in these groups (a,b; empty: in none)")
	cmd.Flags().StringVar(&claims, "claims", "", "as somebody who is logged in with the claims of this JSON file")
	cmd.Flags().StringVar(&method, "method", "GET", "the request's method")
	return cmd
}

// readable tells what ParseSubject reads as it was meant from what was forgotten half.
func readable(address string) bool {
	return strings.HasPrefix(address, "/") || strings.Contains(address, "://")
}

// visitorFrom is who asks: nil is nobody. No groups are those of the claims; given groups, none of them too, are taken instead.
func visitorFrom(given bool, groups []string, claimsFile string) (*session.Session, error) {
	if !given && claimsFile == "" {
		return nil, nil
	}
	claims := map[string]any{}
	if claimsFile != "" {
		text, err := os.ReadFile(claimsFile)
		if err != nil {
			return nil, usageError("--claims: " + err.Error())
		}
		if err := json.Unmarshal(text, &claims); err != nil {
			return nil, usageError("--claims: " + claimsFile + " is not a JSON object: " + err.Error())
		}
	}
	if given && groups == nil {
		groups = []string{}
	}
	return rules.LoggedIn(groups, claims, time.Now()), nil
}

func explain(e *env, path, address, method string, as *session.Session) error {
	cfg, ruleSet, err := config.LoadRules(path, e.getenv)
	if err != nil {
		return err
	}
	if as != nil {
		as.Claims = cfg.Auth.OpenID().SplitClaims(as.Claims)
	}
	if as != nil && as.Groups == nil {
		as.Groups = cfg.Auth.OpenID().GroupsIn(as.Claims)
	}
	x, err := ruleSet.Explain(cfg.Server.Sites(), rules.Question{Address: address, Method: method, As: as})
	if err != nil {
		return usageError(err.Error())
	}
	if e.output == "json" {
		return e.printJSON(x)
	}
	fmt.Fprint(e.stdout, explanationText(x, path, as != nil))
	return nil
}

// outcomes say what the visitor gets.
var outcomes = map[string]string{
	"public": "the page", "allow": "the page, kept out of every cache", "login": "the login (a navigation), or 401 (everything else)",
	"forbid": "a page that says they are not admitted", "refuse": "a page that says the request is refused",
}

func explanationText(x rules.Explanation, path string, loggedIn bool) string {
	var b strings.Builder
	who := "nobody is logged in"
	if loggedIn {
		who = "somebody is logged in"
	}
	fmt.Fprintf(&b, "%-10s %s\n", "URL", x.URL)
	if x.Canonical != "" {
		fmt.Fprintf(&b, "%-10s %s\n", "matched as", x.Canonical)
	}
	for _, reading := range x.Readings {
		fmt.Fprintf(&b, "%-10s %s\n", "and as", reading)
	}
	fmt.Fprintf(&b, "%-10s %s (%d), when %s\n", "decision", x.Decision, x.Status, who)
	fmt.Fprintf(&b, "%-10s %s\n", "gets", outcomes[x.Decision])
	if x.Rule != nil {
		fmt.Fprintf(&b, "%-10s %s\n", "rule", rulePlace(*x.Rule, path))
	}
	if x.Asks != "" {
		fmt.Fprintf(&b, "%-10s %s\n", "asks for", x.Asks)
	}
	fmt.Fprintf(&b, "%-10s %s\n", "because", rules.ReasonText(x.Reason))
	for i, miss := range x.NearMiss {
		label := ""
		if i == 0 {
			label = "also"
		}
		fmt.Fprintf(&b, "%-10s %s: %s\n", label, rulePlace(miss.Rule, path), miss.Why)
	}
	return b.String()
}

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
