package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/proxy"
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

// change is one place whose protection differs.
type change struct {
	Place    string `json:"place"`
	Host     string `json:"host"`
	Was      string `json:"was"`
	Is       string `json:"is"`
	MoreOpen bool   `json:"more_open"`
}

type changes []change

func (c changes) moreOpen() int {
	n := 0
	for _, ch := range c {
		if ch.MoreOpen {
			n++
		}
	}
	return n
}

// maxSummary is how many changes one line tells; /config has them all.
const maxSummary = 20

// summary is one line for the log.
func (c changes) summary() string {
	if len(c) == 0 {
		return "unchanged"
	}
	var parts []string
	for _, ch := range c[:min(len(c), maxSummary)] {
		place, mark := ch.Place, ""
		if strings.HasPrefix(place, "/") {
			place = ch.Host + place
		}
		if ch.MoreOpen {
			mark = " (more open)"
		}
		parts = append(parts, fmt.Sprintf("%s: %s -> %s%s", place, ch.Was, ch.Is, mark))
	}
	if rest := len(c) - len(parts); rest > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", rest))
	}
	return strings.Join(parts, "; ")
}

// diffProtection compares two sets of rules at every pattern of either, on every host.
func diffProtection(was, is *proxy.Rules, hosts []string) changes {
	var all changes
	seen := map[string]bool{}
	for _, p := range append(was.Patterns(), is.Patterns()...) {
		path, err := proxy.ParsePath(p.Example)
		if err != nil {
			continue
		}
		for _, host := range hosts {
			if ch, differs := compareAt(was, is, proxy.Subject{Host: host, Path: path, Doors: p.Doors}); differs && !seen[p.Text+" "+host] {
				seen[p.Text+" "+host] = true
				ch.Place = p.Text
				all = append(all, ch)
			}
		}
	}
	if root, err := proxy.ParsePath("/x-no-rule-speaks-of-this/x"); err == nil {
		if ch, differs := compareAt(was, is, proxy.Subject{Host: hosts[0], Path: root}); differs {
			ch.Place = "proxy.default"
			all = append(all, ch)
		}
	}
	return all
}

func compareAt(was, is *proxy.Rules, at proxy.Subject) (change, bool) {
	before, after := was.Protection(at.Host, at.Path, at.Doors), is.Protection(at.Host, at.Path, at.Doors)
	ch := change{Host: at.Host, Was: before.String(), Is: after.String(), MoreOpen: after.MoreOpen(before)}
	return ch, ch.Was != ch.Is || ch.MoreOpen || before.MoreOpen(after)
}

func diff(e *env, oldPath, newPath, urls string) error {
	oldCfg, was, err := loadRules(oldPath, e.getenv)
	if err != nil {
		return err
	}
	newCfg, is, err := loadRules(newPath, e.getenv)
	if err != nil {
		return err
	}
	hosts := newCfg.rulesEnv().Hosts
	for _, h := range oldCfg.rulesEnv().Hosts {
		if !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	all := diffProtection(was, is, hosts)
	if urls != "" {
		more, err := diffURLs(was, is, append(newCfg.Server.sites(), oldCfg.Server.sites()...), urls)
		if err != nil {
			return err
		}
		all = append(all, more...)
	}
	if err := printChanges(e, all); err != nil {
		return err
	}
	if all.moreOpen() > 0 {
		return silentError(exitFailed)
	}
	return nil
}

func diffURLs(was, is *proxy.Rules, sites []*inbound.Site, path string) (changes, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, usageError("--urls: " + err.Error())
	}
	defer file.Close()
	var all changes
	scanner := bufio.NewScanner(file)
	for n := 1; scanner.Scan(); n++ {
		line := strings.TrimSpace(scanner.Text())
		if line == "" {
			continue
		}
		if !readable(line) {
			return nil, usageError(fmt.Sprintf("--urls: %s:%d: %q is no address: write it with a leading /, or a full URL", path, n, shorten(line)))
		}
		subject, err := proxy.ParseSubject(line, sites)
		var refused *proxy.PathError
		if errors.As(err, &refused) {
			continue // refused before and after
		}
		if err != nil {
			return nil, usageError(fmt.Sprintf("--urls: %s:%d: %v", path, n, err))
		}
		if ch, differs := compareAt(was, is, subject); differs {
			ch.Place = line
			all = append(all, ch)
		}
	}
	return all, scanner.Err()
}

func printChanges(e *env, all changes) error {
	if e.output == "json" {
		if all == nil {
			all = changes{}
		}
		return e.printJSON(map[string]any{"changes": all, "more_open": all.moreOpen()})
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
	fmt.Fprintf(e.stdout, "%s, %d more open\n", count(len(all), "change"), all.moreOpen())
	return nil
}
