package config

import (
	"io"
	"slices"

	"github.com/hubgate/hubgate/proxy/rules"
)

// Diff returns which paths change protection from one configuration to another, both without errors: at every pattern
// of either, and at each URL of a list, one per line. A nil list is empty. It returns a *rules.LineError for a line
// that is not a URL.
func Diff(oldCfg, newCfg *Config, urls io.Reader) (rules.Changes, error) {
	was, is := oldCfg.Rules(), newCfg.Rules()
	hosts := newCfg.RulesEnv().Hosts
	for _, host := range oldCfg.RulesEnv().Hosts {
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	changes := rules.Diff(was, is, hosts)
	if urls == nil {
		return changes, nil
	}
	more, err := rules.DiffURLs(was, is, append(newCfg.Server.Sites(), oldCfg.Server.Sites()...), urls)
	return append(changes, more...), err
}
