package cli

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

func diffCommand(e *env) *cobra.Command {
	var urls string
	cmd := &cobra.Command{
		Use: "diff OLD NEW", Short: "Say which paths change protection between two configurations",
		Long: `Compares what the rules of two files ask of visitors, at every pattern of either file and at the URLs of --urls (one a line).
Exit status: 0 when nothing becomes more open, 1 when something does, 2 when a file has mistakes.`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error { return diff(e, args[0], args[1], urls) },
	}
	cmd.Flags().StringVar(&urls, "urls", "", "a file of URLs to compare as well, one a line")
	return cmd
}

func diff(e *env, oldPath, newPath, urls string) error {
	oldCfg, was, err := config.LoadRules(oldPath, e.getenv)
	if err != nil {
		return err
	}
	newCfg, is, err := config.LoadRules(newPath, e.getenv)
	if err != nil {
		return err
	}
	hosts := newCfg.RulesEnv().Hosts
	for _, h := range oldCfg.RulesEnv().Hosts {
		if !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	all := rules.Diff(was, is, hosts)
	if urls != "" {
		more, err := diffURLs(was, is, append(newCfg.Server.Sites(), oldCfg.Server.Sites()...), urls)
		if err != nil {
			return err
		}
		all = append(all, more...)
	}
	if err := printChanges(e, all); err != nil {
		return err
	}
	if all.MoreOpen() > 0 {
		return silentError(exitFailed)
	}
	return nil
}

func diffURLs(was, is *rules.Set, sites []*inbound.Site, path string) (rules.Changes, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, usageError("--urls: " + err.Error())
	}
	defer file.Close()
	var all rules.Changes
	scanner := bufio.NewScanner(file)
	for n := 1; scanner.Scan(); n++ {
		line := strings.TrimSpace(scanner.Text())
		if line == "" {
			continue
		}
		if !readable(line) {
			return nil, usageError(fmt.Sprintf("--urls: %s:%d: %q is no address: write it with a leading /, or a full URL", path, n, setting.Shorten(line)))
		}
		subject, err := rules.ParseSubject(line, sites)
		var refused *urlpath.Error
		if errors.As(err, &refused) {
			continue // refused before and after
		}
		if err != nil {
			return nil, usageError(fmt.Sprintf("--urls: %s:%d: %v", path, n, err))
		}
		if ch, differs := rules.CompareAt(was, is, subject); differs {
			ch.Place = line
			all = append(all, ch)
		}
	}
	return all, scanner.Err()
}

func printChanges(e *env, all rules.Changes) error {
	if e.output == "json" {
		if all == nil {
			all = rules.Changes{}
		}
		return e.printJSON(map[string]any{"changes": all, "more_open": all.MoreOpen()})
	}
	if len(all) == 0 {
		fmt.Fprintln(e.stdout, "No path changes protection.")
		return nil
	}
	width := 0
	for _, ch := range all {
		width = max(width, len(ch.Place))
	}
	for _, ch := range all {
		mark := "  stricter or other"
		if ch.MoreOpen {
			mark = e.colour(e.stdout, red, "  MORE OPEN")
		}
		fmt.Fprintf(e.stdout, "%-*s  %s -> %s%s\n", width, ch.Place, ch.Was, ch.Is, mark)
	}
	fmt.Fprintf(e.stdout, "%s, %d more open\n", setting.Count(len(all), "change"), all.MoreOpen())
	return nil
}
