package config

import (
	"io"
	"slices"

	"github.com/hubgate/hubgate/proxy/rules"
)

// Diff returns which paths change protection from one configuration file to another: at every pattern of either, and at
// each URL of a list, one per line. A nil list is empty. It returns an *Error for a file with errors, and a
// *rules.LineError for a line that is not a URL.
func Diff(oldPath, newPath string, getenv func(string) string, urls io.Reader) (rules.Changes, error) {
	oldCfg, was, err := LoadRules(oldPath, getenv)
	if err != nil {
		return nil, err
	}
	newCfg, is, err := LoadRules(newPath, getenv)
	if err != nil {
		return nil, err
	}
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
